"""json: any JSON value, kept as one piece; its own JSON Schema keywords are enforced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson

from base.errors import Fault, Text
from base.json import Json
from base.limits import DEFAULTS
from metadata.field import FieldContext, FieldType, ValueRefused
from metadata.fields.shapes import text_of
from metadata.fields.words import plain_type, read_lengths
from storage.types import JSON, ColumnType

MAX_DEPTH = 32
"""Arrays and objects inside each other in one value."""

_OWN = frozenset(
    {"type", "properties", "required", "items", "minItems", "maxItems", "uniqueItems", "enum", "const", "format"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"}
)


class JsonType(FieldType):
    """Objects, arrays and whatever no other type fits, within a size and a depth."""

    name = "json"
    keywords = _OWN
    graphql_name = "JSON"
    operators = ("isNull", "path")
    filter_name = "JSON"
    orderable = False
    aggregates = frozenset()
    sample: ClassVar[Json] = {"type": ["object", "array", "string", "number", "boolean"], "x-type": "json"}
    examples = ({"a": [1, None, "赢", 0.5, {}], "b": True}, [], "text", 0, False, [9007199254740993], 1e300)
    refused = (2**64, "a" * 300_000, orjson.loads("[" * 40 + "]" * 40), "\ud800")

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """An object, an array, or what names no type at all."""
        named = plain_type(prop)
        return named in ("object", "array") or (named == "" and "x-entity" not in prop)

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options: the property's keywords are enforced as they stand."""
        read_lengths(prop, "minItems", "maxItems", context.path, faults, DEFAULTS.json_bytes)
        read_lengths(prop, "minLength", "maxLength", context.path, faults, DEFAULTS.json_bytes)
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One json column."""
        return (("", JSON),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """The property's own keywords."""
        return {word: value for word, value in prop.items() if word in _OWN}

    def logical(self, options: object, value: Json) -> Any:
        """The value itself, once its depth, size, numbers and texts are accepted."""
        _check_json(value)
        try:
            size = len(orjson.dumps(value))
        except (TypeError, ValueError):
            raise ValueRefused(Text("holds a number or text that cannot be kept", "包含无法保存的数字或文本")) from None
        if size > DEFAULTS.json_bytes:
            limit = DEFAULTS.json_bytes
            raise ValueRefused(Text(f"at most {limit:,} bytes of JSON", f"JSON 最多 {limit:,} 字节"))
        return value


def _check_json(value: Json) -> None:
    """Refuse what is too deep or holds text that databases cannot keep; walks without recursion."""
    waiting: list[tuple[Json, int]] = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            text_of(item)
        elif isinstance(item, Mapping | list | tuple):
            if depth >= MAX_DEPTH:
                raise ValueRefused(Text(f"nested deeper than {MAX_DEPTH}", f"嵌套超过 {MAX_DEPTH} 层"))
            if isinstance(item, Mapping):
                for key in item:
                    text_of(key)
                item = list(item.values())
            waiting.extend((part, depth + 1) for part in item)
