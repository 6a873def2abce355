"""The metaschema of entity documents: JSON Schema itself, bounded, with Pliant's own words."""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json
from metadata.fields.registry import FIELD_TYPES
from metadata.metaschemas.definitions import (
    API_NAME,
    CHOICE_VALUE,
    DESCRIPTION,
    DIALECT,
    NAMES,
    OWN_PREFIX,
    TITLE,
    TITLES,
    WAS,
    document_properties,
    former,
)  # fmt: skip

_SCHEMA: Json = {"$ref": "#/$defs/schema"}
_SCHEMAS: Json = {"type": "array", "minItems": 1, "maxItems": 200, "items": _SCHEMA}
_COUNT: Json = {"type": "integer", "minimum": 0}
_NAMED_SCHEMAS: Json = {"type": "object", "additionalProperties": _SCHEMA}
_TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"]

_KEYWORDS: Mapping[str, Json] = {
    "type": {
        "description": "The JSON type; with null beside it the value may be empty.",
        "anyOf": [
            {"enum": _TYPES},
            {"type": "array", "items": {"enum": _TYPES}, "minItems": 1, "uniqueItems": True},
        ],
    },
    "enum": {"description": "The values allowed.", "type": "array", "minItems": 1, "maxItems": 1_000},
    "const": {"description": "The only value allowed."},
    "format": {"description": "date, date-time, time, email, uri, uuid, decimal ...", "type": "string"},
    "items": _SCHEMA,
    "minimum": {"type": "number"},
    "maximum": {"type": "number"},
    "exclusiveMinimum": {"type": "number"},
    "exclusiveMaximum": {"type": "number"},
    "multipleOf": {"type": "number", "exclusiveMinimum": 0},
    "minLength": _COUNT,
    "maxLength": _COUNT,
    "minItems": _COUNT,
    "maxItems": _COUNT,
    "uniqueItems": {"type": "boolean"},
    "properties": _NAMED_SCHEMAS,
    "required": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "default": {"description": "Given to a new record where the field is absent."},
    "title": TITLE,
    "readOnly": {"description": "Not in inputs.", "type": "boolean"},
    "writeOnly": {"description": "Not in outputs, filters and events.", "type": "boolean"},
    "deprecated": {"type": "boolean"},
    "$defs": _NAMED_SCHEMAS,
    "allOf": _SCHEMAS,
    "anyOf": _SCHEMAS,
    "oneOf": _SCHEMAS,
    "not": _SCHEMA,
    "if": _SCHEMA,
    "then": _SCHEMA,
    "else": _SCHEMA,
    "dependentRequired": {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    },
    "dependentSchemas": _NAMED_SCHEMAS,
    "contains": _SCHEMA,
    "minContains": _COUNT,
    "maxContains": _COUNT,
    "prefixItems": _SCHEMAS,
    "pattern": {"description": "A regular expression that runs in linear time.", "type": "string"},
    "propertyNames": _SCHEMA,
    "minProperties": _COUNT,
    "maxProperties": _COUNT,
    "$ref": {"description": "A definition of this document: #/$defs/<name>.", "type": "string"},
    "additionalProperties": {"description": "Only false can be published; it is what holds anyway.", "const": False},
    "description": DESCRIPTION,
    "examples": {"type": "array"},
    "$comment": {"type": "string"},
    "$id": {"type": "string"},
    "$schema": {"type": "string"},
    "$anchor": {"type": "string"},
    "contentEncoding": {"type": "string"},
    "contentMediaType": {"type": "string"},
}

_CHOICE: Json = {
    "type": "object",
    "properties": {
        "value": {"description": "One of the values in `enum`.", "type": "string"},
        "title": TITLE,
        "x-titles": TITLES,
        "color": {"type": "string", "maxLength": 50},
        "retired": {"description": "Still read, no longer written.", "type": "boolean"},
        "x-was": former("Former values, newest first: records that hold one get this one.", CHOICE_VALUE),
    },
    "required": ["value"],
    "additionalProperties": False,
}

_PROPERTY_WORDS: Mapping[str, Json] = {
    **{word: True for kind in FIELD_TYPES for word in sorted(kind.keywords) if word.startswith("x-")},
    "x-type": {"description": "The field type, where JSON Schema has no word for it.", "enum": list(FIELD_TYPES.names)},
    "x-entity": {"description": "The entity that a relation leads to.", "type": "string", "pattern": API_NAME},
    "x-inverse": {"description": "The name of the way back, on that entity.", "type": "string", "pattern": API_NAME},
    "x-onDelete": {
        "description": "What happens here when the target is deleted.",
        "enum": ["restrict", "cascade", "clear", "keep"],
    },
    "x-titles": TITLES,
    "x-was": WAS,
    "x-choices": {"description": "Titles and colours of the values in `enum`.", "type": "array", "items": _CHOICE},
    "x-pattern": {"description": "The pattern of a number: OPP-{yyyy}-{0000}.", "type": "string", "maxLength": 200},
    "x-source": {"description": "What `adopt` made this property from."},
}

_RULE: Json = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z][A-Za-z0-9-]{0,62}$"},
        "when": {"description": "The rule holds only where this is true.", "type": "string"},
        "check": {"description": "What must be true.", "type": "string"},
        "message": {"description": "What is told when it is not.", "type": "string", "maxLength": 1_000},
        "x-messages": TITLES,
        "path": {"description": "The field at which the message is shown.", "type": "string", "maxLength": 200},
        "enforce": {"description": "`now`: publishing refuses while records break the rule.", "enum": ["now", "later"]},
    },
    "required": ["name", "check", "message"],
    "additionalProperties": False,
}

_UNIQUE: Json = {
    "anyOf": [
        NAMES,
        {
            "type": "object",
            "properties": {"fields": NAMES, "ignoreCase": {"type": "boolean", "default": False}},
            "required": ["fields"],
            "additionalProperties": False,
        },
    ]
}

_ENTITY_WORDS: Mapping[str, Json] = {
    "x-plural": {
        "description": "The plural API name, where the English rule errs.",
        "type": "string",
        "pattern": API_NAME,
    },
    "x-pluralWas": former("Former plurals, newest first: they stay as deprecated aliases."),
    "x-display": {"description": "The field that stands for a record.", "type": "string"},
    "x-search": {"description": "The text fields that search looks at.", "type": "array", "items": {"type": "string"}},
    "x-unique": {"description": "Tuples of fields that no two live records share.", "type": "array", "items": _UNIQUE},
    "x-index": {
        "description": "Tuples of fields that lists are often ordered by; the last one as +field or -field where they "
        "are read in one direction only.",
        "type": "array",
        "items": NAMES,
    },
    "x-rules": {"description": "Rules that a record must satisfy.", "type": "array", "items": _RULE},
    "x-history": {
        "description": "How long the history of records is kept.",
        "type": "object",
        "properties": {"keep": {"type": "string", "pattern": "^(forever|none|P[0-9]{1,4}[YMD])$"}},
        "additionalProperties": False,
    },
    "x-include": {"description": "Ready sets of fields.", "type": "array", "items": {"type": "string"}},
}

ENTITY_METASCHEMA: Mapping[str, Json] = {
    "$schema": DIALECT,
    "$id": "/schemas/entity.json",
    "title": "Entity",
    "description": "An entity is a JSON Schema object: it drives the table, the API, validation and forms.",
    "type": "object",
    "properties": {
        **_KEYWORDS,
        **document_properties("entity"),
        **_ENTITY_WORDS,
        "type": {"const": "object"},
        "properties": {
            "description": "The fields, by API name.",
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/property"},
        },
    },
    "patternProperties": {OWN_PREFIX: True},
    "required": ["kind", "name"],
    "additionalProperties": False,
    "$defs": {
        "property": {
            "type": "object",
            "properties": {**_KEYWORDS, **_PROPERTY_WORDS},
            "patternProperties": {OWN_PREFIX: True},
            "additionalProperties": False,
        },
        "schema": {
            "type": ["object", "boolean"],
            "properties": {**_KEYWORDS, **_PROPERTY_WORDS},
            "patternProperties": {OWN_PREFIX: True},
            "additionalProperties": False,
        },
    },
}
"""JSON Schema 2020-12 of an entity document."""
