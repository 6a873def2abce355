"""The physical map: which table and columns an entity and its fields have in SQL, given at birth and never reused.

JSON, part of the catalog's hash:

    {"numbers": 7,
     "entities": {"opportunity": {"table": "opportunity", "number": 3,
                                  "columns": {"closeOn": [{"name": "close_on", "kind": "date"}]},
                                  "links": {"tags": "opportunity__tags"},
                                  "retired": ["old_column"]}},
     "retired": ["old_table"]}

A rename moves an entry to its new API name; a removal puts its SQL names into `retired`, where they stay taken (their
rows are in the trash for a while, and statements of the version before still run). What comes back while it is in the
trash gets its SQL names back. Maps of equal histories are equal, so companies on an unmodified template share their
catalog.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from base.errors import DocumentsInvalid, Text
from base.ids import MAX_ENTITY_NUMBER
from base.json import Json
from metadata.draft import EntityDraft, FieldDraft
from metadata.faults import over_limit
from metadata.field import RelationKind
from metadata.trash import NO_TRASH, Trash, column_kinds, held, holding

MAX_SQL_NAME = 63
"""Bytes of a name in PostgreSQL."""

HERE = "here"
THERE = "there"
"""The columns of a link table: the declaring row's id and the other one's."""

Map = Mapping[str, Any]

EMPTY: Map = {"numbers": 0, "entities": {}, "retired": []}


def snake(name: str) -> str:
    """snake_case of an API name: `closeOn` -> `close_on`, `someURLValue` -> `some_url_value`."""
    text = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text).lower()


def cut(name: str, limit: int = MAX_SQL_NAME) -> str:
    """A name cut to `limit` bytes; a hash of the whole keeps cut names apart."""
    if len(name.encode()) <= limit:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: limit - 9]}_{mark}"


def allocate(
    previous: Map | None,
    drafts: Mapping[str, EntityDraft],
    trash: Trash = NO_TRASH,
    moved: Collection[tuple[str, str]] = (),
) -> Map:
    """The map for these entities after `previous`: known ones keep their names, new ones get unused ones.

    What is new and lies in the `trash` gets its names back. Fields in `moved` (entity, field) get new columns whatever
    they had. New entities are numbered in the order in which they are given. Raises `DocumentsInvalid` when the 4,095
    numbers of a company's life are used up.
    """
    before = previous or EMPTY
    numbers = int(before["numbers"])
    entries: dict[str, Any] = {}
    holds: dict[str, Mapping[str, str] | None] = {}
    kept: set[str] = set()
    for name, draft in drafts.items():
        old = find_old(name, draft.was, before["entities"], drafts)
        if old is not None:
            entries[name] = before["entities"][old]
            kept.add(old)
        elif (found := trash.entity(name)) is not None:
            entries[name], holds[name] = found.entry, found.holds
    gone = [entry for name, entry in before["entities"].items() if name not in kept]
    back = {table for entry in entries.values() for table in _tables(entry)}
    retired = [
        table
        for table in (*before["retired"], *(table for entry in gone for table in _tables(entry)))
        if table not in back
    ]
    taken = {*retired, *back}
    taken.update(_retired_links(entries.values()))
    known = {name: str(entry["table"]) for name, entry in entries.items()}
    for name, draft in drafts.items():
        entry = entries.get(name)
        if entry is None:
            numbers += 1
            if numbers > MAX_ENTITY_NUMBER:
                what = Text("entity numbers of this company are used up", "该公司的实体编号已用完")
                raise DocumentsInvalid((over_limit(("entity", name), what, MAX_ENTITY_NUMBER),))
            table = free(snake(name), taken)
            entry = {"table": table, "number": numbers, "columns": {}, "links": {}, "retired": []}
        own = _Own(draft, known, holds.get(name), {field for entity, field in moved if entity == name})
        entries[name] = _extend(entry, own, taken, trash)
    return {"numbers": numbers, "entities": {name: entries[name] for name in drafts}, "retired": sorted(retired)}


def find_old(name: str, was: Iterable[str], before: Mapping[str, object], now: Mapping[str, object]) -> str | None:
    """The name under which something was known before: its own, else the newest of `was` that nobody has now."""
    if name in before:
        return name
    return next((old for old in was if old in before and old not in now), None)


def _tables(entry: Map) -> tuple[str, ...]:
    return (entry["table"], *entry["links"].values())


def _retired_links(entries: Iterable[Map]) -> set[str]:
    return {name for entry in entries for name in entry["retired"] if "__" in name}


@dataclass(frozen=True, slots=True)
class _Own:
    """An entity as it is wanted. `tables` are those that there are, `holds` what its entry held in the trash."""

    draft: EntityDraft
    tables: Mapping[str, str]
    holds: Mapping[str, str] | None
    moved: Collection[str]

    def holding(self, item: FieldDraft) -> str:
        """What a field's values are."""
        target = None if item.spec is None else self.tables.get(item.spec.target, "")
        return holding(item.field.type.name, target)

    def stays(self, name: str, item: FieldDraft) -> bool:
        """Whether a field's values may stay where they are."""
        return name not in self.moved and held(self.holds, name, self.holding(item))


def _extend(entry: Map, own: _Own, taken: set[str], trash: Trash) -> Map:
    """An entity's entry with the columns and links of its fields as they are now."""
    draft = own.draft
    authored = {name: item for name, item in draft.fields.items() if not item.field.system}
    system = {column for item in draft.fields.values() for column in item.fixed_columns}
    columns: dict[str, Any] = {}
    links: dict[str, str] = {}
    for name, item in authored.items():
        wanted = wanted_columns(item)
        kinds = [(kind, scale) for _, kind, scale in wanted]
        many = item.spec is not None and item.spec.kind is RelationKind.MANY
        old = find_old(name, item.field.was, {**entry["columns"], **entry["links"]}, authored)
        holds = own.holding(item)
        if old is None and wanted and (found := trash.columns(entry["table"], name, kinds, holds)) is not None:
            columns[name] = found
        elif old in entry["columns"] and column_kinds(entry["columns"][old]) == kinds and own.stays(name, item):
            columns[name] = entry["columns"][old]
        if old is None and many and (link := trash.link(entry["table"], name, holds)) is not None:
            links[name] = link
        elif old in entry["links"] and many and own.stays(name, item):
            links[name] = entry["links"][old]
    names = {column["name"] for listed in columns.values() for column in listed}
    gone = {column["name"] for listed in entry["columns"].values() for column in listed} - names
    gone_links = set(entry["links"].values()) - set(links.values())
    retired = {*entry["retired"], *gone, *gone_links} - names - set(links.values())
    used = names | retired | system
    for name, item in authored.items():
        wanted = wanted_columns(item)
        if wanted and name not in columns:
            columns[name] = [
                {"name": free(base, used), "kind": kind, **({"scale": scale} if scale else {})}
                for base, kind, scale in wanted
            ]
        if item.spec is not None and item.spec.kind is RelationKind.MANY and name not in links:
            links[name] = free(f"{entry['table']}__{snake(name)}", taken)
    return {
        "table": entry["table"],
        "number": entry["number"],
        "columns": {name: columns[name] for name in authored if name in columns},
        "links": {name: links[name] for name in authored if name in links},
        "retired": sorted(retired),
    }


def wanted_columns(item: FieldDraft) -> Sequence[tuple[str, str, int]]:
    """(name that the column would like to have, kind, scale) for each column of a field."""
    base = snake(item.field.name)
    if item.spec is not None and item.spec.kind is RelationKind.TO_ONE:
        base = f"{base}_id"
    types = item.field.type.column_types(item.field.options)
    return [(base + suffix, kind.kind, kind.scale) for suffix, kind in types]


def free(name: str, taken: set[str]) -> str:
    """`name`, or with a number behind it the first that is not taken; it is taken from then on."""
    number, found = 1, cut(name)
    while found in taken:
        number += 1
        found = cut(f"{name}_{number}")
    taken.add(found)
    return found


def as_json(physical: Map) -> Json:
    """The map as JSON (it is JSON already: this only names the type)."""
    return physical
