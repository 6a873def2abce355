"""Which fields of a record a keyword of its entity's JSON Schema reads, so that old faults are told from new ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from base.json import Json
from metadata.keywords import IN_PLACE, IN_PLACE_LISTS, local_reference

Reads: TypeAlias = "frozenset[str] | None"
"""Field names, or None when every field counts."""

_EVERYTHING: Final = frozenset(
    {
        "minProperties",
        "maxProperties",
        "propertyNames",
        "additionalProperties",
        "unevaluatedProperties",
        "const",
        "enum",
    }
)
"""Keywords that look at the record as a whole."""

_CONDITION: Final = ("if", "then", "else")


def reads_of(schema: Mapping[str, Json]) -> Mapping[tuple[str, ...], Reads]:
    """What each keyword of the record itself reads, by the beginning of an error's place in the JSON Schema.

    Keys are (keyword,) or, for lists and maps of subschemas, (keyword, index or name).
    """
    definitions = schema.get("$defs")
    walk = _Walk(definitions if isinstance(definitions, Mapping) else {})
    found: dict[tuple[str, ...], Reads] = {}
    condition = walk.all([schema[word] for word in _CONDITION if word in schema])
    for word, value in schema.items():
        if word in _EVERYTHING:
            found[(word,)] = None
        elif word in _CONDITION:
            found[(word,)] = condition
        elif word in IN_PLACE_LISTS and isinstance(value, list | tuple):
            found[(word,)] = walk.all(value)
            if word == "allOf":
                found.update({(word, str(index)): walk.one(part) for index, part in enumerate(value)})
        elif word == "$ref":
            found[(word,)] = walk.one({"$ref": value})
        elif word in ("not", "dependentRequired", "dependentSchemas"):
            found[(word,)] = walk.one({word: value})
    return found


class _Walk:
    """Collects names through subschemas that are applied to the record itself."""

    def __init__(self, definitions: Mapping[str, Json]) -> None:
        self._definitions = definitions
        self._under_way: set[str] = set()

    def all(self, schemas: list[Json] | tuple[Json, ...]) -> Reads:
        """What several subschemas read together."""
        names: frozenset[str] = frozenset()
        for schema in schemas:
            found = self.one(schema)
            if found is None:
                return None
            names |= found
        return names

    def one(self, schema: Json) -> Reads:
        """What one subschema reads."""
        if not isinstance(schema, Mapping):
            return frozenset()
        if not _EVERYTHING.isdisjoint(schema):
            return None
        names = _named(schema)
        parts: list[Json] = [schema[word] for word in IN_PLACE if word in schema]
        for word in IN_PLACE_LISTS:
            listed = schema.get(word)
            parts.extend(listed if isinstance(listed, list | tuple) else ())
        dependent = schema.get("dependentSchemas")
        parts.extend(dependent.values() if isinstance(dependent, Mapping) else ())
        found = self.all(parts)
        behind = self._behind(schema.get("$ref"))
        return None if found is None or behind is None else names | found | behind

    def _behind(self, reference: Json) -> Reads:
        if reference is None:
            return frozenset()
        name = local_reference(reference)
        if name is None or name not in self._definitions:
            return None
        if name in self._under_way:
            return frozenset()
        self._under_way.add(name)
        try:
            return self.one(self._definitions[name])
        finally:
            self._under_way.remove(name)


def _named(schema: Mapping[str, Json]) -> frozenset[str]:
    names: set[str] = set()
    for word in ("properties", "dependentSchemas", "dependentRequired"):
        value = schema.get(word)
        names.update(value if isinstance(value, Mapping) else ())
    dependent = schema.get("dependentRequired")
    lists = [schema.get("required"), *(dependent.values() if isinstance(dependent, Mapping) else ())]
    for listed in lists:
        names.update(str(name) for name in (listed if isinstance(listed, list | tuple) else ()))
    return frozenset(names)
