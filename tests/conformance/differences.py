"""A dozen nasty changes of the sales company, with the two schemas and our severities, for graphql-inspector to judge.

The severities compared are those before an alias softens them: fields of a renamed type count as they are ranked.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphql import print_schema
from graphql.utilities import find_schema_changes

from metadata.build import next_catalog
from schema.difference import coordinate_of, limited, owners_schema, severity_of
from tests.schema.samples import SALES

Docs = dict[tuple[str, str], dict[str, Any]]


def _deal(docs: Docs) -> dict[str, Any]:
    return docs["entity", "opportunity"]


def _properties(docs: Docs) -> dict[str, Any]:
    found: dict[str, Any] = _deal(docs)["properties"]
    return found


def _remove_entity(docs: Docs) -> None:
    del docs["entity", "product"]
    del _properties(docs)["products"]


def _rename_entity(docs: Docs) -> None:
    docs["entity", "deal"] = {**docs.pop(("entity", "opportunity")), "name": "deal", "x-was": ["opportunity"]}
    docs["entity", "deal"]["x-plural"] = "deals"


def _rename_field(docs: Docs) -> None:
    _properties(docs)["value"] = {**_properties(docs).pop("amount"), "x-was": ["amount"]}


def _unique(docs: Docs) -> None:
    docs["entity", "account"].pop("x-unique")


NASTY: dict[str, Callable[[Docs], Any]] = {
    "a field is removed": lambda docs: _properties(docs).pop("score"),
    "a field is added": lambda docs: _properties(docs).update(note={"type": "string"}),
    "a text becomes a number": lambda docs: _properties(docs).update(probability={"type": "string"}),
    "a scalar becomes a choice": lambda docs: _properties(docs).update(score={"enum": ["LOW", "HIGH"]}),
    "a choice is removed": lambda docs: _properties(docs).update(stage={"enum": ["PROSPECTING", "OLD"]}),
    "a choice is added": lambda docs: _properties(docs).update(stage={"enum": ["PROSPECTING", "WON", "OLD", "NEW"]}),
    "a reference is removed": lambda docs: _properties(docs).pop("account"),
    "owned rows are removed": lambda docs: _properties(docs).pop("lines"),
    "an entity is removed": _remove_entity,
    "an entity is renamed": _rename_entity,
    "a field is renamed": _rename_field,
    "a field becomes read-only": lambda docs: _properties(docs)["amount"].update(readOnly=True),
    "the last unique goes": _unique,
    "a title changes": lambda docs: _deal(docs).update(title="Deal"),
}


def write_pairs(target: Path) -> None:
    """Write every pair: name, both schemas, coordinate -> severity by us."""
    old: Docs = {(item["kind"], item["name"]): copy.deepcopy(item) for item in SALES}
    before = next_catalog(old, None)
    was = owners_schema(before)
    pairs = []
    for name, change in NASTY.items():
        documents = copy.deepcopy(old)
        change(documents)
        after = next_catalog(documents, before.physical)
        now = owners_schema(after)
        changes = find_schema_changes(*limited(was, now, before, after))
        told = [{"coordinate": coordinate_of(item), "severity": severity_of(item).value} for item in changes]
        pairs.append(
            {"name": name, "before": print_schema(was.core), "after": print_schema(now.core), "changes": told}
        )  # fmt: skip
    target.write_text(json.dumps(pairs), encoding="utf-8")
