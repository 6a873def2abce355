"""The metaschema of mapping files: how columns of a CSV file become fields of an entity."""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json

EMPTY = ("null", "absent")
"""What an empty cell does: clear the field, or leave it as it is (a new record gets the default)."""

MISSING = ("fault", "null", "absent")
"""What a value that no record answers to does: the row is refused, the reference is empty, or it is left alone."""

_FORMATS: dict[str, Json] = {
    "dates": {
        "description": "How dates (YYYY YY MM DD) and instants (HH mm ss) are written: MM/DD/YYYY. Else ISO 8601.",
        "type": "string",
        "minLength": 4,
        "maxLength": 40,
    },
    "numbers": {
        "description": "How numbers are written.",
        "type": "object",
        "properties": {
            "thousands": {
                "description": "The separator of thousands.",
                "enum": [",", ".", " ", "'", "\u00a0", "\u202f"],
            },
            "decimal": {"description": "The decimal separator.", "enum": [".", ","]},
        },
        "additionalProperties": False,
    },
    "separator": {
        "description": "What stands between the items of a list.",
        "type": "string",
        "minLength": 1,
        "maxLength": 3,
    },
}

_TEXTS: Json = {"type": "object", "additionalProperties": {"type": "string"}}

_RULE: Json = {
    "properties": {
        "field": {"description": "The field's API name.", "type": "string"},
        "lookup": {
            "description": "For references: the field of the other entity that the cell holds, instead of an id.",
            "type": "string",
        },
        "onMissingLookup": {"description": "When no record has that value.", "enum": list(MISSING), "default": "fault"},
        "replace": {"description": "Repairs: a cell that is exactly this becomes that.", **_TEXTS},  # type: ignore[dict-item]
        "choices": {"description": "Cell -> choice value.", **_TEXTS},  # type: ignore[dict-item]
        "empty": {"description": "What an empty cell does.", "enum": list(EMPTY), "default": "null"},
        "default": {"description": "What an empty cell is read as.", "type": "string"},
        "trim": {"description": "Whether blanks around the cell are dropped.", "type": "boolean", "default": True},
        **_FORMATS,
    },
    "required": ["field"],
    "additionalProperties": False,
}

_COLUMN: Json = {
    "description": "The field's API name; a rule, or several for several fields; null where it is left out on purpose.",
    "type": ["string", "object", "array", "null"],
    "$ref": "#/$defs/rule",
    "items": {"type": "object", "$ref": "#/$defs/rule"},
    "minItems": 1,
    "maxItems": 20,
}

_CONSTANT: Json = {
    "anyOf": [
        {"type": ["string", "number", "boolean", "null"]},
        {
            "type": "object",
            "properties": {"lookup": {"type": "string"}, "value": {"type": "string"}},
            "required": ["lookup", "value"],
            "additionalProperties": False,
        },
    ]
}

MAPPING_METASCHEMA: Mapping[str, Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "/schemas/import.json",
    "title": "Import mapping",
    "description": "How the columns of a CSV file become the fields of an entity.",
    "type": "object",
    "properties": {
        "$schema": {"type": "string"},
        "kind": {"const": "import"},
        "entity": {"description": "The entity's API name.", "type": "string"},
        "description": {"type": "string"},
        "by": {
            "description": "The fields of a unique rule: a record that has these values is updated.",
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "uniqueItems": True,
        },
        "encoding": {"description": "utf-8 unless told otherwise; gb18030 ...", "type": "string"},
        "delimiter": {
            "description": "Found by the header unless told.",
            "type": "string",
            "minLength": 1,
            "maxLength": 1,
        },
        "timeZone": {"description": "The zone of instants without an offset.", "type": "string"},
        "unmapped": {
            "description": "What a column of the file that is not named here does.",
            "enum": ["fault", "ignore"],
            "default": "fault",
        },
        "columns": {"type": "object", "minProperties": 1, "additionalProperties": _COLUMN},
        "constants": {
            "description": "Fields that get the same value in every row.",
            "type": "object",
            "additionalProperties": _CONSTANT,
        },
        **_FORMATS,
    },
    "required": ["columns"],
    "additionalProperties": False,
    "$defs": {"rule": _RULE},
}
"""JSON Schema 2020-12 of a mapping file."""

TOP_WORDS: frozenset[str] = frozenset(MAPPING_METASCHEMA["properties"])  # type: ignore[arg-type]
"""Keywords of a mapping file."""

RULE_WORDS: frozenset[str] = frozenset(_RULE["properties"])  # type: ignore[index,call-overload,arg-type]
"""Keywords of a column's rule."""
