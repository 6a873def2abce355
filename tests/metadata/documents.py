"""Documents to publish in tests: a small sales application."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Documents = dict[tuple[str, str], dict[str, Any]]

_ACCOUNT: Mapping[str, Any] = {
    "kind": "entity",
    "name": "account",
    "title": "Account",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200},
        "sector": {"enum": ["RETAIL", "SOFTWARE"]},
        "tags": {"type": "array", "items": {"enum": ["A", "B"]}},
    },
    "required": ["name"],
}

_LINE: Mapping[str, Any] = {
    "kind": "entity",
    "name": "line",
    "type": "object",
    "properties": {"quantity": {"type": "integer", "minimum": 1}},
}

_OPPORTUNITY: Mapping[str, Any] = {
    "kind": "entity",
    "name": "opportunity",
    "title": "Opportunity",
    "x-titles": {"zh-Hans": "商机"},
    "x-display": "name",
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200},
        "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "opportunities"},
        "stage": {
            "enum": ["PROSPECTING", "WON", "LOST"],
            "default": "PROSPECTING",
            "x-choices": [{"value": "WON", "title": "Won", "x-titles": {"zh-Hans": "赢单"}, "color": "green"}],
        },
        "amount": {"type": "number", "multipleOf": 0.01},
        "closeOn": {"type": "string", "format": "date"},
        "partners": {"x-type": "references", "x-entity": "account", "x-inverse": "partnerships"},
        "lines": {"x-type": "children", "x-entity": "line", "x-inverse": "deal"},
        "number": {"x-type": "sequence", "x-pattern": "OPP-{yyyy}-{0000}"},
    },
    "required": ["name", "account", "stage"],
    "x-unique": [["account", "name"], {"fields": ["number"], "ignoreCase": True}],
    "x-index": [["stage", "closeOn"]],
    "x-rules": [
        {
            "name": "won-needs-date",
            "when": "stage == 'WON'",
            "check": "closeOn != null",
            "message": "A won opportunity needs its close date",
            "path": "closeOn",
        }
    ],
    "allOf": [{"if": {"required": ["account"]}, "then": {"properties": {"account": {"type": "string"}}}}],
}

_SELLER: Mapping[str, Any] = {
    "kind": "role",
    "name": "seller",
    "title": "Seller",
    "entities": {"opportunity": {"read": {"rows": ["own"]}, "create": {"check": "ownerId == actor.id"}}},
}

_APP: Mapping[str, Any] = {"kind": "app", "name": "app", "title": "Sales", "timeZone": "Asia/Shanghai"}


def sales() -> Documents:
    """A fresh copy of the whole application."""
    listed = (_APP, _ACCOUNT, _LINE, _OPPORTUNITY, _SELLER)
    return {(item["kind"], item["name"]): deepcopy(dict(item)) for item in listed}


def entity(name: str = "thing", /, **words: Any) -> Documents:
    """One entity document with these keywords."""
    document = {"kind": "entity", "name": name, "type": "object", "properties": {}, **words}
    return {("entity", name): document}
