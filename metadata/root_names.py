"""New names inside what stands beside the properties: conditions that name them, and the choice values in them."""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json
from metadata.adopting.adopted_property import AdoptedProperty
from metadata.keywords import IN_PLACE, IN_PLACE_LISTS, signed


class RootNames:
    """Rewrites schemas that stand on the record itself from original names and values to legal ones."""

    def __init__(self, properties: Mapping[str, AdoptedProperty], definitions: Mapping[str, Json]) -> None:
        self._properties = properties
        self._definitions = definitions

    def mapped(self, keyword: str, value: Json) -> Json:
        """The value of one keyword with every name and choice value replaced."""
        if keyword in IN_PLACE_LISTS and isinstance(value, list | tuple):
            return [self._schema(item) for item in value]
        if keyword in IN_PLACE:
            return self._schema(value)
        if keyword == "required" and isinstance(value, list | tuple):
            return [self._name(str(name)) for name in value]
        if keyword == "dependentRequired" and isinstance(value, Mapping):
            return {self._name(name): self.mapped("required", listed) for name, listed in value.items()}
        if keyword == "dependentSchemas" and isinstance(value, Mapping):
            return {self._name(name): self._schema(schema) for name, schema in value.items()}
        if keyword == "properties" and isinstance(value, Mapping):
            return {self._name(name): self._value(name, schema) for name, schema in value.items()}
        if keyword in ("x-unique", "x-index", "x-search") and isinstance(value, list | tuple):
            name = self._signed if keyword == "x-index" else self._name
            return [self.mapped(keyword, item) if isinstance(item, list) else name(str(item)) for item in value]
        return self._name(str(value)) if keyword == "x-display" else value

    @staticmethod
    def renamed(keyword: str, value: Json, old: str, new: str) -> Json:
        """The value of one keyword after one more renaming."""
        only = {old: AdoptedProperty(old, new, {}, {})}
        return RootNames(only, {}).mapped(keyword, value)

    def _schema(self, schema: Json) -> Json:
        if not isinstance(schema, Mapping):
            return schema
        return {keyword: self.mapped(keyword, value) for keyword, value in schema.items()}

    def _signed(self, name: str) -> str:
        sign, bare = signed(name)
        return sign + self._name(bare)

    def _name(self, name: str) -> str:
        return self._properties[name].name if name in self._properties else name

    def _value(self, name: str, schema: Json) -> Json:
        """A condition on one property, with its choice values made legal."""
        values = self._properties[name].values if name in self._properties else {}
        return _replaced(schema, values) if values else schema


def _replaced(schema: Json, values: Mapping[str, str]) -> Json:
    if isinstance(schema, Mapping):
        return {
            key: _constant(value, values) if key in ("const", "enum") else _replaced(value, values)
            for key, value in schema.items()
        }
    if isinstance(schema, list | tuple):
        return [_replaced(item, values) for item in schema]
    return schema


def _constant(value: Json, values: Mapping[str, str]) -> Json:
    if isinstance(value, list | tuple):
        return [_constant(item, values) for item in value]
    return values.get(value, value) if isinstance(value, str) else value
