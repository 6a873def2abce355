"""integer: a whole number of 32 bits, as GraphQL's Int."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from base.errors import Fault
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType
from metadata.fields.whole import WHOLE_KEYWORDS, check_whole, whole_schema, within
from metadata.fields.words import NUMBER_AGGREGATES, ORDERED_OPERATORS, plain_type
from storage.types import INTEGER, ColumnType

MOST = 2**31 - 1


class IntegerType(FieldType):
    """Whole numbers from -2,147,483,648 to 2,147,483,647."""

    name = "integer"
    keywords = WHOLE_KEYWORDS
    graphql_name = "Int"
    operators = ORDERED_OPERATORS
    filter_name = "Int"
    aggregates = NUMBER_AGGREGATES
    expression = Type.INTEGER
    sample: ClassVar[Json] = {"type": "integer"}
    examples = (0, -(2**31), MOST, 5.0)
    refused = (2**31, -(2**31) - 1, 1.5, "1", True, 10**300)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """`type: integer`."""
        return plain_type(prop) == "integer"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options: the bounds are checked here and enforced by the value's JSON Schema."""
        check_whole(prop, context.path, faults)
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One integer column."""
        return (("", INTEGER),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """An integer inside the property's bounds and those of 32 bits."""
        return whole_schema(prop, -MOST - 1, MOST)

    def logical(self, options: object, value: Json) -> Any:
        """The number as int (`5.0` is 5)."""
        return within(value, -MOST - 1, MOST)
