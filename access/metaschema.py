"""The metaschema of role documents: JSON Schema 2020-12, written so that an editor can complete from it."""

from __future__ import annotations

from collections.abc import Mapping

from access.grant import Operation, Rows
from access.right import PLATFORM_RIGHTS
from base.json import Json

KEYS: Mapping[Operation, tuple[str, ...]] = {
    Operation.READ: ("rows", "fields"),
    Operation.CREATE: ("check", "fields"),
    Operation.UPDATE: ("rows", "check", "fields"),
    Operation.DELETE: ("rows",),
    Operation.RESTORE: ("rows",),
    Operation.PURGE: ("rows",),
    Operation.EXPORT: ("rows", "fields"),
    Operation.SHARE: ("rows",),
    Operation.TRANSFER: ("rows", "check"),
}
"""What may limit each operation: rows are those of the old image, a check is made on the new one."""

_NAME = "^[a-z][A-Za-z0-9]{0,62}$"

OWN_KEYWORD = "^x-[a-z0-9]+-"
"""Keywords under an admin's own prefix (`x-acme-note`) are kept untouched."""

_ROWS: Json = {
    "description": "Which rows: a word, parent(<to-one>) or an expression over record and actor; a list is an or.",
    "anyOf": [
        {"enum": [word.value for word in Rows]},
        {"type": "string", "pattern": r"^parent\([a-z][A-Za-z0-9]*\)$"},
        {"type": "string", "minLength": 1, "description": "An expression: stage == 'WON'"},
    ],
}

_PARTS: Mapping[str, Json] = {
    "rows": {"anyOf": [{"$ref": "#/$defs/rowRule"}, {"type": "array", "items": {"$ref": "#/$defs/rowRule"}}]},
    "fields": {
        "description": "Which fields; '*' stands for all that are not named. Absent: all.",
        "type": "object",
        "propertyNames": {"pattern": r"^(\*|[a-z][A-Za-z0-9]*)$"},
        "additionalProperties": {
            "anyOf": [
                {"type": "boolean"},
                {
                    "type": "object",
                    "properties": {"when": {"type": "string", "description": "Only where this expression is true"}},
                    "required": ["when"],
                    "additionalProperties": False,
                },
            ]
        },
    },
    "check": {"type": "string", "description": "An expression that the new row must satisfy."},
}


def _operation(operation: Operation) -> Json:
    keys = KEYS[operation]
    options: list[Json] = [{"type": "boolean", "description": "true: all rows and all fields"}]
    if "rows" in keys:
        options.append({"$ref": "#/$defs/rowRule"})
        options.append({"type": "array", "items": {"$ref": "#/$defs/rowRule"}})
    properties: dict[str, Json] = {key: _PARTS[key] for key in keys}
    options.append({"type": "object", "properties": properties, "additionalProperties": False})
    return {"anyOf": options}


_OPERATIONS: dict[str, Json] = {operation.value: _operation(operation) for operation in Operation}

_RIGHTS: list[Json] = [{"const": right.name, "title": right.title.en} for right in PLATFORM_RIGHTS]

_PROPERTIES: dict[str, Json] = {
    "$schema": {"type": "string"},
    "kind": {"const": "role"},
    "name": {"type": "string", "pattern": _NAME, "description": "Stable name, never shown translated."},
    "title": {"type": "string"},
    "x-titles": {"type": "object", "additionalProperties": {"type": "string"}},
    "description": {"type": "string"},
    "x-was": {"type": "array", "items": {"type": "string", "pattern": _NAME}},
    "includes": {
        "type": "array",
        "items": {"type": "string", "pattern": _NAME},
        "uniqueItems": True,
        "description": "Roles whose grants this one has too.",
    },
    "entities": {
        "type": "object",
        "description": "Entity name -> operations; '*' stands for every entity that the document does not name.",
        "propertyNames": {"pattern": r"^(\*|[a-z][A-Za-z0-9]{0,62})$"},
        "additionalProperties": {"type": "object", "properties": _OPERATIONS, "additionalProperties": False},
    },
    "platform": {
        "description": "Platform rights; true: all of them.",
        "anyOf": [{"const": True}, {"type": "array", "items": {"anyOf": _RIGHTS}, "uniqueItems": True}],
    },
}

KEYWORDS = tuple(_PROPERTIES)
"""Every keyword of a role document."""

ROLE_METASCHEMA: Mapping[str, Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "/schemas/role.json",
    "title": "Role",
    "description": "What the members who have this role may do. Grants add up; there is no deny.",
    "type": "object",
    "required": ["kind", "name"],
    "properties": _PROPERTIES,
    "patternProperties": {OWN_KEYWORD: {}},
    "additionalProperties": False,
    "$defs": {"rowRule": _ROWS},
}
"""JSON Schema of a role document; `access.role.parse_role` checks what a JSON Schema cannot say."""
