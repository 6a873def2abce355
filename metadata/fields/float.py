"""float: a double; what sensors and scores are, never money."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType, ValueRefused
from metadata.fields.whole import WHOLE_KEYWORDS, check_whole
from metadata.fields.words import NUMBER_AGGREGATES, ORDERED_OPERATORS, kept, plain_type
from storage.types import FLOAT, ColumnType


class FloatType(FieldType):
    """Numbers of double precision; NaN and the infinities are no JSON and do not exist."""

    name = "float"
    keywords = WHOLE_KEYWORDS
    graphql_name = "Float"
    operators = ORDERED_OPERATORS
    filter_name = "Float"
    aggregates = NUMBER_AGGREGATES
    expression = Type.FLOAT
    sample: ClassVar[Json] = {"type": "number"}
    examples = (0, -0.0, 0.1, -1.5e-7, 1.7976931348623157e308, 100000, 1e15, 5e-324)
    refused = ("1", True, 10**400)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """`type: number`."""
        return plain_type(prop) == "number"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options: the bounds are checked here and enforced by the value's JSON Schema."""
        check_whole(prop, context.path, faults)
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One float column."""
        return (("", FLOAT),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A number inside the property's bounds."""
        return {"type": "number", **kept(prop, *WHOLE_KEYWORDS, "enum", "const")}

    def logical(self, options: object, value: Json) -> Any:
        """The nearest double; minus zero becomes zero."""
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise _refused()
        try:
            number = float(value)
        except OverflowError:
            raise _refused() from None
        if not math.isfinite(number):
            raise _refused()
        return number + 0.0

    def image(self, options: object, value: Any) -> Json:
        """The number."""
        return float(value)


def _refused() -> ValueRefused:
    return ValueRefused(Text("must be a number that a double holds", "必须是双精度浮点数范围内的数字"))
