"""Catalogs for the tests of schema and resolvers: a small sales company, and generated ones of any size."""

from __future__ import annotations

from typing import Any

from access.grant import ALL_FIELDS, FieldRights, Grant, GrantSet, Operation, Rows
from metadata.build import next_catalog
from metadata.catalog import Catalog

APP: dict[str, Any] = {"kind": "app", "name": "app", "title": "Sales"}

ACCOUNT: dict[str, Any] = {
    "kind": "entity",
    "name": "account",
    "title": "Account",
    "x-plural": "accounts",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200, "title": "Name"},
        "sector": {"enum": ["TECH", "RETAIL"], "title": "Sector"},
        "revenue": {"type": "string", "format": "decimal"},
        "tags": {"x-type": "tags"},
        "parent": {"x-type": "reference", "x-entity": "account", "x-inverse": "subsidiaries"},
        "notes": {"type": "object"},
        "vault": {"type": "string", "writeOnly": True},
    },
    "required": ["name"],
    "x-unique": [["name"]],
}

PRODUCT: dict[str, Any] = {
    "kind": "entity",
    "name": "product",
    "title": "Product",
    "x-display": "name",
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "string", "format": "decimal"}},
}

LINE: dict[str, Any] = {
    "kind": "entity",
    "name": "line",
    "title": "Line",
    "x-display": "text",
    "type": "object",
    "properties": {"text": {"type": "string"}, "quantity": {"type": "integer"}},
}

OPPORTUNITY: dict[str, Any] = {
    "kind": "entity",
    "name": "opportunity",
    "title": "Opportunity",
    "x-titles": {"zh-Hans": "商机"},
    "x-plural": "opportunities",
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200, "title": "Name", "x-titles": {"zh-Hans": "名称"}},
        "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "opportunities"},
        "stage": {
            "enum": ["PROSPECTING", "WON", "OLD"],
            "x-choices": [{"value": "OLD", "title": "Old", "retired": True}],
        },
        "amount": {"type": "string", "format": "decimal"},
        "probability": {"type": "integer", "minimum": 0, "maximum": 100},
        "closeOn": {"type": "string", "format": "date"},
        "open": {"type": "boolean"},
        "score": {"type": "number"},
        "products": {"x-type": "references", "x-entity": "product", "x-inverse": "opportunities"},
        "lines": {"x-type": "children", "x-entity": "line"},
        "number": {"x-type": "sequence", "x-pattern": "OPP-{yyyy}-{0000}"},
    },
    "required": ["name"],
}

SALES = (APP, ACCOUNT, PRODUCT, LINE, OPPORTUNITY)


def catalog_of(*documents: dict[str, Any]) -> Catalog:
    """The catalog of some documents, freshly published."""
    return next_catalog({(document["kind"], document["name"]): document for document in documents}, None)


def everything(catalog: Catalog) -> GrantSet:
    """Grants of an owner."""
    grants = tuple(Grant(operation, (Rows.ALL,)) for operation in Operation)
    return GrantSet("everything", dict.fromkeys(catalog.entities, grants), frozenset())


def granted(**entities: tuple[Grant, ...]) -> GrantSet:
    """Grants on single entities."""
    return GrantSet(repr(sorted(entities)), entities, frozenset())


def read(*, hide: tuple[str, ...] = ()) -> Grant:
    """Read on all rows, without some fields."""
    return Grant(Operation.READ, (Rows.ALL,), FieldRights(True, dict.fromkeys(hide, False)) if hide else ALL_FIELDS)


_KINDS: list[dict[str, Any]] = [
    *[{"type": "string"}] * 8,
    *[{"type": "integer"}] * 2,
    *[{"type": "string", "format": "decimal"}] * 2,
    *[{"type": "string", "format": "date"}] * 2,
    {"type": "string", "format": "date-time"},
    {"type": "boolean"},
    *[{"enum": ["A", "B", "C", "D"]}] * 2,
]


def generated(count: int, fields: int = 20) -> Catalog:
    """`count` entities of so many fields, chained through references, with titles that differ everywhere."""
    documents = [APP]
    for number in range(count):
        properties: dict[str, Any] = {
            f"field{place}": {**kind, "title": f"Title {number} {place}"}
            for place, kind in enumerate(_KINDS[: fields - 2])
        }
        for name, target in (("next", (number + 1) % count), ("other", (number * 7 + 3) % count)):
            inverse = f"{name}Of"
            properties[name] = {"x-type": "reference", "x-entity": f"thing{target}", "x-inverse": f"{inverse}{number}"}
        documents.append(
            {
                "kind": "entity",
                "name": f"thing{number}",
                "title": f"Thing {number}",
                "x-plural": f"things{number}",
                "x-display": "field0",
                "type": "object",
                "properties": properties,
                "x-unique": [["field0"]],
            }
        )
    return catalog_of(*documents)
