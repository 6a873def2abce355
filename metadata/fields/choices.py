"""choices: any number of values out of the `enum` of the property's items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from metadata.field import FieldContext, GraphQLKind, ValueRefused
from metadata.fields.choice_values import CHOICE_KEYWORDS, read_values, writable
from metadata.fields.text_list import TextListShape
from metadata.fields.words import kept, read_lengths


class ChoicesType(TextListShape):
    """A list of choices, each at most once; options are all values, retired ones included."""

    name = "choices"
    keywords = CHOICE_KEYWORDS | TextListShape.keywords
    graphql = GraphQLKind.ENUM_LIST
    sample: ClassVar[Json] = {"type": "array", "items": {"enum": ["RED", "GREEN", "BLUE"]}}
    examples = (["RED"], ["BLUE", "RED"], [], ["GREEN", "GREEN"])
    refused = ("RED", ["red"], [1], {}, ["RED", None])

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """An array whose items are an `enum` of texts."""
        values = _values(prop)
        texts = isinstance(values, list | tuple) and all(isinstance(value, str) for value in values)
        return prop.get("type", "array") in ("array", ["array", "null"]) and bool(values) and texts

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """All values, retired ones included."""
        read_lengths(prop, "minItems", "maxItems", context.path, faults, self.most_items)
        where = ("enum",) if "enum" in prop else ("items", "enum")
        return read_values(prop, _values(prop), (*context.path, *where), faults)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """An array of the values that are not retired."""
        return {
            "type": "array",
            "items": {"type": "string", "enum": writable(prop, _values(prop))},
            "maxItems": prop.get("maxItems", self.most_items),
            **kept(prop, "minItems", "uniqueItems"),
        }

    def logical(self, options: object, value: Json) -> Any:
        """The values in order, each once and all of them known."""
        found: list[str] = super().logical(options, value)
        if isinstance(options, tuple) and not set(found) <= set(options):
            raise ValueRefused(Text("holds what is not one of the choices", "包含不在选项中的值"))
        return found


def _values(prop: Mapping[str, Json]) -> Json:
    items = prop.get("items")
    if isinstance(items, Mapping) and "enum" in items:
        return items["enum"]
    return prop.get("enum") if "x-type" in prop else None
