"""JSON Schema of other drafts and dialects, rewritten to 2020-12 with references into `$defs`. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json
from metadata.keywords import local_reference, rebuild

_DROPPED_BELOW = ("$id", "id", "$schema", "$anchor")


def modernize(schema: Json, *, top: bool = False) -> Json:
    """A schema of draft 4 to 2020-12, or of OpenAPI, as 2020-12; what has no counterpart stays as it is."""
    if not isinstance(schema, Mapping):
        return schema
    result = dict(schema)
    _move_definitions(result)
    _split_dependencies(result)
    _split_items(result)
    _plain_bounds(result)
    _allow_null(result)
    _drop_open(result)
    if isinstance(result.get("$ref"), str):
        result["$ref"] = _moved_reference(str(result["$ref"]))
    if not top:
        for keyword in _DROPPED_BELOW:
            if isinstance(result.get(keyword), str):
                del result[keyword]
    if "example" in result:
        result.setdefault("examples", [result.pop("example")])
    return rebuild(result, modernize)


def _move_definitions(schema: dict[str, Json]) -> None:
    old = schema.pop("definitions", None)
    if isinstance(old, Mapping):
        new = schema.get("$defs")
        schema["$defs"] = {**old, **(new if isinstance(new, Mapping) else {})}


def _moved_reference(reference: str) -> str:
    for old in ("#/definitions/", "#/components/schemas/"):
        if reference.startswith(old):
            return "#/$defs/" + reference.removeprefix(old)
    return reference


def _split_dependencies(schema: dict[str, Json]) -> None:
    """Draft 7 `dependencies` hold lists of names and schemas side by side."""
    old = schema.pop("dependencies", None)
    if not isinstance(old, Mapping):
        return
    lists = {name: value for name, value in old.items() if isinstance(value, list | tuple)}
    lists.update({name: [value] for name, value in old.items() if isinstance(value, str)})
    schemas = {name: value for name, value in old.items() if isinstance(value, Mapping | bool)}
    if lists:
        schema["dependentRequired"] = lists
    if schemas:
        schema["dependentSchemas"] = schemas


def _split_items(schema: dict[str, Json]) -> None:
    """Before 2020-12 a list under `items` was what `prefixItems` is now, and `additionalItems` what `items` is."""
    items = schema.get("items")
    rest = schema.pop("additionalItems", None)
    if isinstance(items, list | tuple):
        del schema["items"]
        if items:
            schema["prefixItems"] = list(items)
        if rest is not None and rest is not True:
            schema["items"] = rest


def _plain_bounds(schema: dict[str, Json]) -> None:
    """Draft 4 had booleans beside `minimum` and `maximum`."""
    for strict, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = schema.get(strict)
        if isinstance(value, bool):
            del schema[strict]
            if value and bound in schema:
                schema[strict] = schema.pop(bound)
    if "divisibleBy" in schema:
        schema.setdefault("multipleOf", schema.pop("divisibleBy"))


def _allow_null(schema: dict[str, Json]) -> None:
    """`nullable: true` (OpenAPI) and `anyOf` of one schema and null (pydantic) say the same as a type with null."""
    if schema.pop("nullable", None) is True:
        _with_null(schema)
    for keyword in ("anyOf", "oneOf"):
        options = schema.get(keyword)
        if not isinstance(options, list | tuple) or len(options) != 2:
            continue
        rest = [option for option in options if option != {"type": "null"}]
        # what a reference leads to may say null itself; `spread` knows the definitions
        if len(rest) == 1 and isinstance(rest[0], Mapping) and "$ref" not in rest[0]:
            own = {key: value for key, value in schema.items() if key != keyword}
            schema.clear()
            schema.update({**rest[0], **own})
            _with_null(schema)
            return


def _with_null(schema: dict[str, Json]) -> None:
    kind = schema.get("type")
    if isinstance(kind, str):
        schema["type"] = [kind, "null"]
    values = schema.get("enum")
    if isinstance(values, list | tuple) and None not in values:
        schema["enum"] = [*values, None]


def _drop_open(schema: dict[str, Json]) -> None:
    """`additionalProperties: true` and its like say nothing that was not so already."""
    for keyword in ("additionalProperties", "unevaluatedProperties", "unevaluatedItems"):
        if keyword in schema and (schema[keyword] is True or schema[keyword] == {}):
            del schema[keyword]


def lift_root(schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """The object that a document is about: a root that only refers to one, or puts one together, is spread out."""
    result = dict(schema)
    seen: set[str] = set()
    while "properties" not in result:
        name = local_reference(result.get("$ref"))
        definitions = result.get("$defs")
        if name is None or name in seen or not isinstance(definitions, Mapping):
            break
        seen.add(name)
        target = definitions.get(name)
        if not isinstance(target, Mapping):
            break
        result = {**target, **{key: value for key, value in result.items() if key != "$ref"}}
    return _join_all_of(_join_alternatives(result))


def _join_alternatives(schema: dict[str, Json]) -> dict[str, Json]:
    """A root of alternatives only: the properties of all of them, none required; which go together stays a rule."""
    definitions = schema.get("$defs")
    known = definitions if isinstance(definitions, Mapping) else {}
    for keyword in ("oneOf", "anyOf"):
        listed = schema.get(keyword)
        if "properties" in schema or not isinstance(listed, list | tuple):
            continue
        properties: dict[str, Json] = {}
        for part in listed:
            name = local_reference(part.get("$ref")) if isinstance(part, Mapping) else None
            target = known.get(name) if name is not None else part
            found = target.get("properties") if isinstance(target, Mapping) else None
            properties = {**(found if isinstance(found, Mapping) else {}), **properties}
        if properties:
            return {**schema, "properties": properties}
    return schema


_JOINABLE = frozenset({"type", "properties", "required", "title", "description", "$ref", "additionalProperties"})


def _join_all_of(schema: dict[str, Json]) -> Mapping[str, Json]:
    """Plain objects under a root `allOf` become one object: their properties would be fields of nothing else."""
    definitions = schema.get("$defs")
    listed = schema.get("allOf")
    if not isinstance(listed, list | tuple):
        return schema
    properties: dict[str, Json] = {}
    required: list[Json] = []
    rest: list[Json] = []
    for part in listed:
        name = local_reference(part.get("$ref")) if isinstance(part, Mapping) else None
        target = definitions.get(name) if name is not None and isinstance(definitions, Mapping) else part
        if not isinstance(target, Mapping) or not target.keys() <= _JOINABLE or "$ref" in target:
            rest.append(part)
            continue
        found, needed = target.get("properties"), target.get("required")
        properties.update(found if isinstance(found, Mapping) else {})
        required.extend(needed if isinstance(needed, list | tuple) else [])
    own, needs = schema.get("properties"), schema.get("required")
    properties.update(own if isinstance(own, Mapping) else {})
    required.extend(needs if isinstance(needs, list | tuple) else [])
    result: dict[str, Json] = {key: value for key, value in schema.items() if key != "allOf"}
    result["properties"] = properties
    if required:
        result["required"] = list(dict.fromkeys(str(name) for name in required))
    if rest:
        result["allOf"] = rest
    return result
