"""long: a whole number that JSON and JavaScript still hold exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from base.errors import Fault
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType
from metadata.fields.whole import WHOLE_KEYWORDS, check_whole, whole_schema, within
from metadata.fields.words import NUMBER_AGGREGATES, ORDERED_OPERATORS, plain_type
from storage.types import BIGINT, ColumnType

MOST = 2**53 - 1

_INT32 = 2**31 - 1


class LongType(FieldType):
    """Whole numbers from -(2^53 - 1) to 2^53 - 1."""

    name = "long"
    keywords = WHOLE_KEYWORDS
    graphql_name = "Long"
    operators = ORDERED_OPERATORS
    filter_name = "Long"
    aggregates = NUMBER_AGGREGATES
    expression = Type.INTEGER
    sample: ClassVar[Json] = {"x-type": "long"}
    examples = (0, -MOST, MOST, 2**31)
    refused = (2**53, -(2**53), 0.5, "1", False, 10**300)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """An integer with `format: int64`, or whose bounds go beyond 32 bits."""
        wide = any(
            isinstance(bound := prop.get(word), int | float) and abs(bound) > _INT32 + 1
            for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        )
        return plain_type(prop) == "integer" and (wide or prop.get("format") == "int64")

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options: the bounds are checked here and enforced by the value's JSON Schema."""
        check_whole(prop, context.path, faults)
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One bigint column."""
        return (("", BIGINT),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """An integer inside the property's bounds and those that JSON holds."""
        return whole_schema(prop, -MOST, MOST)

    def logical(self, options: object, value: Json) -> Any:
        """The number as int."""
        return within(value, -MOST, MOST)
