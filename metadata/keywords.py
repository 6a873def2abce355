"""The keywords of an entity document in their four published lists (docs/documents.md), and how JSON Schema nests.

*Mapped* keywords become something of Pliant's own (a column, a choice, a title). *Enforced* ones are carried into the
derived validation schema. *Kept* ones mean nothing to Pliant and are stored untouched. *Refused* ones cannot be
published; `adopt` turns the property below them into a json field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from base.json import Json

MAPPED = frozenset(
    [
        "type",
        "enum",
        "const",
        "format",
        "items",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
        "properties",
        "required",
        "default",
        "title",
        "readOnly",
        "writeOnly",
        "deprecated",
        "$defs",
    ]
)
ENFORCED = frozenset(
    [
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "contains",
        "minContains",
        "maxContains",
        "prefixItems",
        "pattern",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "$ref",
        "additionalProperties",
    ]
)
KEPT = frozenset(
    ["description", "examples", "$comment", "$id", "$schema", "$anchor", "contentEncoding", "contentMediaType"]
)
REFUSED = frozenset(
    [
        "$dynamicRef",
        "$dynamicAnchor",
        "$recursiveRef",
        "$recursiveAnchor",
        "$vocabulary",
        "patternProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "contentSchema",
        "definitions",
        "dependencies",
        "additionalItems",
        "divisibleBy",
        "extends",
        "disallow",
    ]
)
SCHEMA_KEYWORDS = MAPPED | ENFORCED | KEPT
"""What may stand in any JSON Schema inside a document."""

DOCUMENT_KEYWORDS = frozenset(
    {"kind", "name", "title", "x-titles", "description", "x-was", "$schema", "$id", "$comment", "x-source"}
)
"""What any document of any kind may hold."""

ENTITY_KEYWORDS = frozenset(
    {"x-plural", "x-pluralWas", "x-display", "x-search", "x-unique", "x-index", "x-rules", "x-history", "x-include"}
)
"""Pliant's own words on an entity, beside those of every document."""

PROPERTY_KEYWORDS = frozenset({"x-type", "x-titles", "x-was", "x-choices", "x-source"})
"""Pliant's own words on any property; a field type adds its own (`FieldType.keywords`)."""

IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
IN_PLACE = ("not", "if", "then", "else")
"""Subschemas that are applied to the same value as the schema around them (with the lists above)."""

_NAMED = ("properties", "$defs", "dependentSchemas")
_SINGLE = ("items", "contains", "propertyNames", *IN_PLACE)
_LISTS = ("prefixItems", *IN_PLACE_LISTS)

_OWN_PREFIX = re.compile(r"x-[a-z][a-z0-9]{0,30}-[A-Za-z0-9_.-]{1,100}")


def is_own_prefix(keyword: str) -> bool:
    """Whether a keyword stands under an admin's own prefix: `x-acme-colour`. Pliant's words have one hyphen only."""
    return _OWN_PREFIX.fullmatch(keyword) is not None


def children(schema: Mapping[str, Json]) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The subschemas directly below a JSON Schema, each with its path from there."""
    for keyword in _NAMED:
        named = schema.get(keyword)
        if isinstance(named, Mapping):
            for name, child in named.items():
                yield (keyword, name), child
    for keyword in _SINGLE:
        if keyword in schema:
            yield (keyword,), schema[keyword]
    for keyword in _LISTS:
        listed = schema.get(keyword)
        if isinstance(listed, list | tuple):
            for index, child in enumerate(listed):
                yield (keyword, str(index)), child


def rebuild(schema: Mapping[str, Json], change: Callable[[Json], Json]) -> dict[str, Json]:
    """A copy of a JSON Schema in which each subschema directly below it is what `change` makes of it."""
    result = dict(schema)
    for keyword in schema:
        value = schema[keyword]
        if keyword in _NAMED and isinstance(value, Mapping):
            result[keyword] = {name: change(child) for name, child in value.items()}
        elif keyword in _SINGLE:
            result[keyword] = change(value)
        elif keyword in _LISTS and isinstance(value, list | tuple):
            result[keyword] = [change(child) for child in value]
    return result


def local_reference(reference: Json) -> str | None:
    """The name in `$defs` that a `$ref` points to, or None when it points anywhere else."""
    if not isinstance(reference, str) or not reference.startswith("#/$defs/"):
        return None
    name = reference.removeprefix("#/$defs/")
    return None if "/" in name else name.replace("~1", "/").replace("~0", "~")


def signed(name: str) -> tuple[str, str]:
    """The direction that stands before the last field of an `x-index`, perhaps none, and the field."""
    return (name[0], name[1:]) if name[:1] in ("+", "-") else ("", name)
