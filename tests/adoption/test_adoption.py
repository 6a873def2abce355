"""JSON Schemas of public projects become entities that take records; docs/adopted-schemas.md tells what became of each.

`PLIANT_WRITE_ADOPTION=1` writes the page; else it must say what happens.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pytest

from base.errors import DocumentsInvalid
from metadata.adopting.adopt import Adopted, adopt
from metadata.adopting.notes import DROPPED, REFUSED_NOTE, WHAT
from metadata.build import next_catalog
from metadata.catalog import Entity
from pliant.house import House
from tests.adoption.instances import Maker
from tests.adoption.sources import Source, sources
from tests.architecture.sources import ROOT
from tests.houses import found_company
from tests.schema.samples import APP

PAGE = ROOT / "docs" / "adopted-schemas.md"


@dataclass(frozen=True)
class Tried:
    """What adopting made of a schema, and an instance of the original; `refusal` instead where nothing was made."""

    source: Source
    adopted: Adopted | None
    instance: dict[str, Any] | None
    refusal: str = ""

    @property
    def document(self) -> Mapping[str, Any]:
        """The entity document."""
        assert self.adopted is not None
        return self.adopted.document

    @cached_property
    def entity(self) -> Entity:
        """The entity."""
        name = str(self.document["name"])
        return next_catalog({("entity", name): self.document}, None).entities[name]

    def names(self) -> dict[str, str]:
        """Original name -> field."""
        return {
            (prop.get("x-source") or {}).get("name", name): name for name, prop in self.document["properties"].items()
        }

    def record(self) -> dict[str, Any]:
        """The instance as the adopted entity takes it: new names, new choice values, decimals as texts."""
        found = {}
        for original, value in (self.instance or {}).items():
            name = self.names().get(original)
            if name is None or self.entity.fields[name].read_only:
                continue
            titles = {choice.title: choice.value for choice in self.entity.fields[name].choices}
            if titles:
                value = [titles.get(one, one) for one in value] if isinstance(value, list) else titles.get(value, value)
            found[name] = value
        return found

    def original(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record's values under the names of the original, as far as they are stored as they were given."""
        given, back = self.record(), {field: original for original, field in self.names().items()}
        assert self.instance is not None
        found = {}
        for name, value in record.items():
            if name not in given or value is None:
                continue
            was = self.instance[back[name]]
            if isinstance(was, int | float) and isinstance(value, str):
                value = float(value)  # decimals are texts in GraphQL
            found[back[name]] = was if value == given[name] else value
        return found


@cache
def tried() -> tuple[Tried, ...]:
    """Every source, adopted."""
    found = []
    for source in sources():
        try:
            adopted = adopt(source.schema)
        except DocumentsInvalid as error:
            found.append(Tried(source, None, None, error.text.en))
        else:
            found.append(Tried(source, adopted, Maker(source.schema).record()))
    return tuple(found)


ADOPTED = [item for item in tried() if item.adopted is not None]


def test_there_are_enough_of_them() -> None:
    assert sum(item.source.origin != "written for this test" for item in ADOPTED) >= 30
    assert len(ADOPTED) >= 45
    refused = {item.source.name: item.refusal for item in tried() if item.adopted is None}
    assert set(refused) == {"scheduled"}, "an open map has no fields"


@pytest.mark.parametrize("item", ADOPTED, ids=lambda item: item.source.name)
def test_nothing_is_lost_silently(item: Tried) -> None:
    """Each property is a field, or a note says why not."""
    dropped = (
        {note.path[0] for note in item.adopted.notes if note.what == DROPPED and note.path} if item.adopted else ()
    )
    assert set(item.source.schema.get("properties", {})) - item.names().keys() <= set(dropped)
    for name, prop in item.document["properties"].items():
        if item.entity.fields[name].type.name == "json" and "x-type" in prop:
            assert "schema" in prop.get("x-source", {"schema": 1}), "what is refused keeps its original"


async def test_each_takes_a_record_that_the_original_takes(house: House) -> None:
    trouble: dict[str, Any] = {}
    for item in ADOPTED:
        if not item.instance:
            continue
        owner = await found_company(house, (APP, item.document), item.source.name)
        entity, record = item.entity, item.record()
        api = entity.name[:1].upper() + entity.name[1:]
        wanted = " ".join(record)
        text = (
            f"mutation($i: {api}CreateInput!) {{ create{api}(input: $i) {{ {entity.name} {{ {wanted or 'id'} }} "
            "userErrors { path code message } } }"
        )
        answer = await owner.ask(text, i=record)
        payload = (answer.get("data") or {}).get(f"create{api}") or {}
        if "errors" in answer or payload["userErrors"]:
            trouble[item.source.name] = answer.get("errors") or payload["userErrors"]
            continue
        back = item.original(payload[entity.name])
        if not Maker(item.source.schema).holds(back):
            trouble[item.source.name] = back
    assert not trouble, json.dumps(trouble, indent=1)


def notes_that_matter(adopted: Adopted) -> str:
    """The reasons for what was refused or dropped, the most frequent first."""
    reasons = Counter(note.text.en for note in adopted.notes if note.what in (REFUSED_NOTE, DROPPED))
    shown = [f"{text[:90]}{f' ({count})' if count > 1 else ''}" for text, count in reasons.most_common(3)]
    return "; ".join(shown).replace("|", "\\|")


_HEAD = """# JSON Schemas adopted

What `pliant adopt` makes of JSON Schemas of public projects, as they lie in Python packages, and of some written for
the purpose in the manner of well-known ones. Each was adopted and built; where a record is told, it was published on
both engines, took a record made of an instance that the original validator takes, and gave it back as one. Written by
`PLIANT_WRITE_ADOPTION=1 pytest tests/adoption`; the test fails while the page is out of date.

*Properties*: of the original. *Columns*: fields with a column type of their own; the others are json fields. Then
notes: keywords that became part of a field, are enforced on every write, are kept as they are, or could not be
published; new names; what was left out. *Record*: how many properties it had.

| schema | source | draft | properties | columns | {words} | record | why |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def page() -> str:
    """docs/adopted-schemas.md as it should be."""
    lines = [_HEAD.format(words=" | ".join(WHAT))]
    for item in tried():
        source, total = item.source, len(item.source.schema.get("properties", {}))
        head = f"| {source.name} | {source.origin} | {source.draft} | {total} "
        if item.adopted is None:
            lines.append(f"{head}| refused | | | | | | | | {item.refusal} |")
            continue
        fields = [field for field in item.entity.fields.values() if not field.system]
        columns = sum(field.type.name != "json" for field in fields)
        counts = Counter(note.what for note in item.adopted.notes)
        cells = " | ".join(str(counts[what]) for what in WHAT)
        record = len(item.record()) if item.instance else "-"
        lines.append(f"{head}| {columns} | {cells} | {record} | {notes_that_matter(item.adopted)} |")
    return "\n".join(lines) + "\n"


def test_the_page_is_true() -> None:
    if os.environ.get("PLIANT_WRITE_ADOPTION"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()
