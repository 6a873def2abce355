"""What clients would notice of a publish: the cut comparison finds what comparing the whole schemas finds."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from graphql import build_schema, print_schema
from graphql.utilities import find_schema_changes

from access.resolve import resolve, roles_of
from access.system import OWNER
from base.errors import DocumentsInvalid
from metadata.build import next_catalog
from metadata.catalog import Catalog
from records.surface import surface_of
from resolvers.preview import SchemaChange, Severity
from resolvers.roots import roots
from schema.adapter import Merged, merge
from schema.difference import compare_catalogs, coordinate_of, limited, severity_of
from tests.schema.samples import SALES

Docs = dict[tuple[str, str], dict[str, Any]]


def documents() -> Docs:
    """The sales company's documents, free to be changed."""
    return {(item["kind"], item["name"]): copy.deepcopy(item) for item in SALES}


def merged(catalog: Catalog) -> Merged:
    """The owner's schema."""
    surface = surface_of(catalog, resolve(roles_of(catalog), [OWNER]))
    return merge(catalog, surface, roots(catalog, surface), lambda _: None)


def after(change: Callable[[Docs], None]) -> tuple[Catalog, Catalog]:
    """The sales company before and after a change of its documents."""
    old = documents()
    new = copy.deepcopy(old)
    change(new)
    before = next_catalog(old, None)
    return before, next_catalog(new, before.physical)


def found(change: Callable[[Docs], None]) -> dict[str, Severity]:
    """Coordinate -> severity of what a change does to the schema; descriptions left out."""
    return {
        item.coordinate: item.severity
        for item in compare_catalogs(*after(change))
        if "Description of" not in item.text.en
    }


def whole(before: Catalog, now: Catalog) -> list[tuple[str, str, str]]:
    """graphql-core's own answer over both printed schemas."""
    one, other = (build_schema(print_schema(merged(item).core)) for item in (before, now))
    return sorted((severity_of(c).value, coordinate_of(c), c.description) for c in find_schema_changes(one, other))


def cut(before: Catalog, now: Catalog) -> list[tuple[str, str, str]]:
    """graphql-core's answer over the types that can differ."""
    changes = find_schema_changes(*limited(merged(before), merged(now), before, now))
    return sorted((severity_of(c).value, coordinate_of(c), c.description) for c in changes)


def _remove_field(rng: random.Random, docs: Docs) -> None:
    document = docs["entity", rng.choice(["account", "product", "line", "opportunity"])]
    names = [name for name in document["properties"] if name != document["x-display"]]
    del document["properties"][rng.choice(names)]


def _add_field(rng: random.Random, docs: Docs) -> None:
    document = docs["entity", rng.choice(["account", "product", "line", "opportunity", "member"])]
    kinds: list[dict[str, Any]] = [
        {"type": "integer"},
        {"enum": ["X", "Y"]},
        {"x-type": "reference", "x-entity": "product", "x-inverse": f"back{rng.randrange(99)}"},
        {"x-type": "references", "x-entity": "account", "x-inverse": f"list{rng.randrange(99)}"},
    ]
    document["properties"][f"added{rng.randrange(99)}"] = rng.choice(kinds)


def _retype(rng: random.Random, docs: Docs) -> None:
    properties = docs["entity", rng.choice(["account", "product", "opportunity"])]["properties"]
    properties[rng.choice([name for name in properties if name != "name"])] = {"type": "boolean"}


def _retitle(rng: random.Random, docs: Docs) -> None:
    document = docs["entity", rng.choice(["account", "product", "line", "opportunity"])]
    document["title"] = f"Title {rng.randrange(99)}"
    if rng.random() < 0.3:
        document["x-plural"] = f"plurals{rng.randrange(99)}"


def _rename(rng: random.Random, docs: Docs) -> None:
    old = rng.choice(["product", "line"])
    if ("entity", old) not in docs:
        return
    document = docs.pop(("entity", old))
    new = f"renamed{rng.randrange(99)}"
    docs["entity", new] = {**document, "name": new, "x-was": [old]}
    for other in docs.values():
        for prop in other.get("properties", {}).values():
            if prop.get("x-entity") == old:
                prop["x-entity"] = new


def _rename_field(rng: random.Random, docs: Docs) -> None:
    properties = docs["entity", "opportunity"]["properties"]
    old = rng.choice([name for name in properties if name != "name"])
    properties[f"other{rng.randrange(99)}"] = {**properties.pop(old), "x-was": [old]}


def _add_entity(rng: random.Random, docs: Docs) -> None:
    name = f"thing{rng.randrange(99)}"
    properties: dict[str, Any] = {
        "name": {"type": "string"},
        "parts": {"x-type": "children", "x-entity": "product", "x-inverse": f"whole{rng.randrange(99)}"},
    }
    docs["entity", name] = {
        "kind": "entity", "name": name, "x-display": "name", "type": "object", "properties": properties,
    }  # fmt: skip


def _choices(rng: random.Random, docs: Docs) -> None:
    docs["entity", "account"]["properties"]["sector"] = {
        "enum": rng.sample(["TECH", "RETAIL", "NEW", "OTHER"], 2), "title": "Sector",
    }  # fmt: skip


def _locale(_rng: random.Random, docs: Docs) -> None:
    docs["app", "app"]["locale"] = "zh-Hans"


CHANGES = (
    _remove_field, _add_field, _retype, _retitle, _rename, _rename_field, _add_entity, _choices, _locale,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_the_cut_comparison_finds_all_of_it(seed: int) -> None:
    rng = random.Random(seed)
    old = documents()
    old["entity", "member"] = {"kind": "entity", "name": "member", "type": "object", "properties": {}}
    new = copy.deepcopy(old)
    for change in rng.sample(CHANGES, rng.randint(1, 3)):
        if "properties" in new.get(("entity", "product"), {}) or change not in (_remove_field, _add_field, _retype):
            try:
                change(rng, new)
            except KeyError:
                continue
    before = next_catalog(old, None)
    try:
        now = next_catalog(new, before.physical)
    except DocumentsInvalid:
        pytest.skip("two changes that clash")
    assert cut(before, now) == whole(before, now)


def test_nothing_changes_nothing() -> None:
    assert compare_catalogs(*after(lambda _: None)) == ()


def test_removals_and_new_types_break_additions_do_not() -> None:
    def change(docs: Docs) -> None:
        properties = docs["entity", "opportunity"]["properties"]
        del properties["score"]
        properties["probability"] = {"type": "string"}
        properties["note"] = {"type": "string"}
        docs["entity", "account"]["properties"]["sector"]["enum"] = ["TECH", "RETAIL", "BANK"]

    changes = found(change)
    assert changes["Opportunity.score"] is Severity.BREAKING
    assert changes["OpportunityFilter.score"] is Severity.BREAKING
    assert changes["Opportunity.probability"] is Severity.BREAKING
    assert changes["Opportunity.note"] is Severity.SAFE
    assert changes["AccountSector.BANK"] is Severity.DANGEROUS


def test_a_renamed_type_keeps_its_fields_and_breaks_where_it_is_named() -> None:
    def change(docs: Docs) -> None:
        _rename(random.Random(1), docs)

    told: dict[str, SchemaChange] = {item.coordinate: item for item in compare_catalogs(*after(change))}
    gone = next(name for name in ("Product", "Line") if name in told)
    assert told[gone].severity is Severity.BREAKING
    assert "is called Renamed" in told[gone].text.en
    field = "Opportunity.products" if gone == "Product" else "Opportunity.lines"
    assert told[field].severity is Severity.SAFE
    assert "更名" in told[gone].text.zh


def test_breaking_changes_come_first() -> None:
    def change(docs: Docs) -> None:
        properties = docs["entity", "opportunity"]["properties"]
        properties["aaa"] = {"type": "string"}
        del properties["score"]

    ranks = [list(Severity).index(item.severity) for item in compare_catalogs(*after(change))]
    assert ranks == sorted(ranks)
