"""choice: one value out of the property's `enum`, described by `x-choices`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType, GraphQLKind, ValueRefused
from metadata.fields.choice_values import CHOICE_KEYWORDS, read_values, writable
from metadata.fields.shapes import text_of
from metadata.fields.words import EXACT_OPERATORS, ONLY_COUNTED
from storage.types import TEXT, ColumnType


class ChoiceType(FieldType):
    """A value of a closed list; options are the values that may be written and those that are only read."""

    name = "choice"
    keywords = CHOICE_KEYWORDS
    graphql = GraphQLKind.ENUM
    operators = EXACT_OPERATORS
    aggregates = ONLY_COUNTED
    expression = Type.TEXT
    sample: ClassVar[Json] = {"enum": ["OPEN", "WON", "LOST", "OLD"], "x-choices": [{"value": "OLD", "retired": True}]}
    examples = ("OPEN", "WON", "LOST")
    refused = ("open", "OLD", "", "OTHER", 1, ["OPEN"])

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """An `enum` of texts."""
        values = prop.get("enum")
        listed = [value for value in values if value is not None] if isinstance(values, list | tuple) else []
        return bool(listed) and all(isinstance(value, str) for value in listed) and "format" not in prop

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """All values, retired ones included."""
        return read_values(prop, prop.get("enum"), (*context.path, "enum"), faults)

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One text column."""
        return (("", TEXT),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """One of the values that are not retired."""
        return {"type": "string", "enum": writable(prop, prop.get("enum"))}

    def logical(self, options: object, value: Json) -> Any:
        """The value, which must be in the list (a retired one is known, and kept from inputs by the JSON Schema)."""
        text = text_of(value)
        if isinstance(options, tuple) and text not in options:
            raise ValueRefused(Text("not one of the choices", "不是可选值之一"))
        return text
