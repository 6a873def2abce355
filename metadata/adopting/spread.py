"""Definitions spread out where a field needs to see them: what is a plain value or a choice behind a `$ref`.

Generators of JSON Schema put each enumeration and each bounded number into a definition of its own. Left there, a list
of choices is a json field, and values that are no legal choices cannot be renamed.
"""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json
from metadata.keywords import local_reference

_PLAIN = frozenset({"string", "integer", "number", "boolean"})
_CHOICES_MAX = 100  # a long enumeration is named in many places: one definition keeps the document within its budget
_NULL: Mapping[str, Json] = {"type": "null"}


def spread(prop: Json, definitions: Mapping[str, Json]) -> tuple[Json, bool]:
    """The property with plain definitions spread out, and whether it may be null beside what it says itself."""
    if not isinstance(prop, Mapping):
        return prop, False
    plain, nullable = _without_null(_single(prop))
    plain = _spread(_single(plain), definitions)
    items = plain.get("items")
    if isinstance(items, Mapping):
        plain = {**plain, "items": _spread(_single(items), definitions)}
    return plain, nullable


def _single(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """`allOf` of one reference, with a title or default beside it, is that reference."""
    listed = schema.get("allOf")
    if not isinstance(listed, list | tuple) or len(listed) != 1 or "$ref" in schema:
        return schema
    (only,) = listed
    if not isinstance(only, Mapping) or "$ref" not in only:
        return schema
    return {**only, **{key: value for key, value in schema.items() if key != "allOf"}}


def _without_null(schema: Mapping[str, Json]) -> tuple[Mapping[str, Json], bool]:
    """A reference or null: a field may be empty anyway."""
    for keyword in ("anyOf", "oneOf"):
        options = schema.get(keyword)
        if not isinstance(options, list | tuple) or len(options) != 2 or _NULL not in options:
            continue
        rest = next((option for option in options if option != _NULL), None)
        if isinstance(rest, Mapping) and "$ref" in rest:
            return {**rest, **{key: value for key, value in schema.items() if key != keyword}}, True
    return schema, False


def _spread(schema: Mapping[str, Json], definitions: Mapping[str, Json]) -> Mapping[str, Json]:
    found, seen = schema, set[str]()
    while (name := local_reference(found.get("$ref"))) is not None and name not in seen:
        seen.add(name)
        target = definitions.get(name)
        if not isinstance(target, Mapping):
            return schema
        found = {**target, **{key: value for key, value in found.items() if key != "$ref"}}
    return found if "$ref" not in found and _is_plain(found) else schema


def _is_plain(schema: Mapping[str, Json]) -> bool:
    values = schema.get("enum")
    if isinstance(values, list | tuple):
        return len(values) <= _CHOICES_MAX and all(isinstance(value, str) or value is None for value in values)
    kind = schema.get("type")
    named = [item for item in (kind if isinstance(kind, list | tuple) else [kind]) if item != "null"]
    return len(named) == 1 and isinstance(named[0], str) and named[0] in _PLAIN
