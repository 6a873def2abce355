"""The validation schema that publishing derives: JSON Schema 2020-12 over the values of a record's API names.

`additionalProperties` is false, x-types are expanded, references stand under `<name>Id`, null is allowed where the
field is not required. Enforced keywords of the document are carried over with their property names mapped. A
validator leaves nulls out before it asks, because null and absent are the same to a record.
"""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json
from metadata.draft import EntityDraft
from metadata.field import Field
from metadata.keywords import IN_PLACE, IN_PLACE_LISTS, KEPT, local_reference, rebuild

_ROOT_KEYWORDS = (
    *IN_PLACE_LISTS, *IN_PLACE, "dependentRequired", "dependentSchemas", "propertyNames", "minProperties",
    "maxProperties",
)  # fmt: skip

_WRITABLE_SYSTEM = frozenset({"owner", "team"})

ROOT_MARK = "@record"
"""Behind a definition's name: the copy whose property names are mapped, for use on the record itself."""


def derive_schema(draft: EntityDraft, fields: Mapping[str, Field]) -> Mapping[str, Json]:
    """The validation schema of one entity; `fields` are its finished fields."""
    shown = [item for item in fields.values() if item.columns and (not item.system or item.name in _WRITABLE_SYSTEM)]
    names = {item.name: item.api_name for item in shown}
    properties: dict[str, Json] = {}
    for item in shown:
        value = _enforced_only(item.schema)
        schema = value if item.required else nullable(value)
        titles: dict[str, Json] = {"title": item.title}
        if item.description:
            titles["description"] = item.description
        properties[item.api_name] = {**schema, **titles}
    definitions = {name: _enforced_part(schema) for name, schema in draft.definitions.items()}
    mapper = _Mapper(names, definitions)
    beside = {key: draft.document[key] for key in _ROOT_KEYWORDS if key in draft.document}
    root = mapper.mapped(_enforced_only(beside))
    definitions = {**definitions, **mapper.definitions}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": draft.title,
        "type": "object",
        "properties": properties,
        "required": [item.api_name for item in shown if item.required and not item.type.generated],
        "additionalProperties": False,
        **root,
        **({"$defs": definitions} if definitions else {}),
    }


_WITHOUT_EFFECT = KEPT | {"default", "title", "readOnly", "writeOnly", "deprecated"}


def _enforced_only(schema: Mapping[str, Json]) -> dict[str, Json]:
    """A schema without what validates nothing; `$id` and `$anchor` would even bend the references below them."""
    plain = {key: value for key, value in schema.items() if key not in _WITHOUT_EFFECT and not key.startswith("x-")}
    return rebuild(plain, _enforced_part)


def _enforced_part(schema: Json) -> Json:
    return _enforced_only(schema) if isinstance(schema, Mapping) else schema


def nullable(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """The same schema with null allowed; everything but `type`, `enum` and `const` ignores null by itself."""
    if any(key in schema for key in (*IN_PLACE_LISTS, *IN_PLACE, "$ref")):
        return {"anyOf": [schema, {"type": "null"}]}
    result = dict(schema)
    kind, values = schema.get("type"), schema.get("enum")
    if isinstance(kind, str) and kind != "null":
        result["type"] = [kind, "null"]
    elif isinstance(kind, list | tuple) and "null" not in kind:
        result["type"] = [*kind, "null"]
    if isinstance(values, list | tuple) and None not in values:
        result["enum"] = [*values, None]
    if "const" in schema:
        result["enum"] = [result.pop("const"), None]
    return result


class _Mapper:
    """Rewrites schemas that stand on the record itself from field names to API names."""

    def __init__(self, names: Mapping[str, str], definitions: Mapping[str, Json]) -> None:
        self._names = {name: api for name, api in names.items() if name != api}
        self._source = definitions
        self.definitions: dict[str, Json] = {}

    def mapped(self, schema: Mapping[str, Json]) -> dict[str, Json]:
        """A schema on the record with every property name replaced."""
        return {key: self._value(key, value) for key, value in schema.items()}

    def _schema(self, schema: Json) -> Json:
        return self.mapped(schema) if isinstance(schema, Mapping) else schema

    def _value(self, keyword: str, value: Json) -> Json:
        if keyword in IN_PLACE_LISTS and isinstance(value, list | tuple):
            return [self._schema(item) for item in value]
        if keyword in IN_PLACE:
            return self._schema(value)
        if keyword in ("properties", "dependentSchemas", "dependentRequired") and isinstance(value, Mapping):
            return {self._name(name): self._named(keyword, item) for name, item in value.items()}
        if keyword == "required" and isinstance(value, list | tuple):
            return [self._name(name) for name in value]
        if keyword == "$ref":
            return self._reference(value)
        return value

    def _named(self, keyword: str, item: Json) -> Json:
        if keyword == "dependentSchemas":
            return self._schema(item)
        if keyword == "dependentRequired" and isinstance(item, list | tuple):
            return [self._name(name) for name in item]
        return item

    def _name(self, name: Json) -> str:
        return self._names.get(str(name), str(name))

    def _reference(self, value: Json) -> Json:
        name = local_reference(value)
        if name is None or name not in self._source or not self._names:
            return value
        marked = name + ROOT_MARK
        if marked not in self.definitions:
            self.definitions[marked] = True  # ends a circle; replaced below
            self.definitions[marked] = self._schema(self._source[name])
        return f"{value}{ROOT_MARK}"
