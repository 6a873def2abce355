"""boolean: yes or no, or null for not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType, ValueRefused
from metadata.fields.words import ONLY_COUNTED, kept, plain_type
from storage.types import BOOLEAN, ColumnType


class BooleanType(FieldType):
    """true or false."""

    name = "boolean"
    graphql_name = "Boolean"
    operators = ("eq", "neq", "isNull")
    filter_name = "Boolean"
    aggregates = ONLY_COUNTED
    expression = Type.BOOLEAN
    sample: ClassVar[Json] = {"type": "boolean"}
    examples = (True, False)
    refused = (0, 1, "true", [])

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """`type: boolean`."""
        return plain_type(prop) == "boolean"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options."""
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One boolean column."""
        return (("", BOOLEAN),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A boolean."""
        return {"type": "boolean", **kept(prop, "enum", "const")}

    def logical(self, options: object, value: Json) -> Any:
        """The value itself."""
        if not isinstance(value, bool):
            raise ValueRefused(Text("must be true or false", "必须是 true 或 false"))
        return value
