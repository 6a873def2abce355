"""time: a time of day on nobody's clock in particular, so without an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType, ValueRefused
from metadata.fields.shapes import text_of
from metadata.fields.words import ORDERED_OPERATORS, is_string, kept
from storage.types import TIME, ColumnType, time_text

TIME_TEXT = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
"""ISO 8601 with minutes at least and microseconds at most. JSON Schema's own `time` demands an offset."""


class TimeType(FieldType):
    """Times from 00:00 to 23:59:59.999999."""

    name = "time"
    graphql_name = "Time"
    operators = ORDERED_OPERATORS
    filter_name = "Time"
    expression = Type.TIME
    sample: ClassVar[Json] = {"type": "string", "format": "time"}
    examples = ("08:05", "23:59:59", "00:00:00.5", "12:00:00.123456")
    refused = ("24:00", "8:05", "08:05:60", "08:05:00Z", "08:05+08:00", "0805", "", 805)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string with `format: time`."""
        return is_string(prop) and prop.get("format") in ("time", "local-time", "partial-time")

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options."""
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One time column."""
        return (("", TIME),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string of that form."""
        return {"type": "string", "pattern": TIME_TEXT, **kept(prop, "enum", "const")}

    def logical(self, options: object, value: Json) -> Any:
        """The time of day."""
        text = text_of(value)
        try:
            found = time.fromisoformat(text)
        except ValueError:
            found = None
        # Python also reads `0805`, `T08:05` and offsets
        if found is None or found.tzinfo is not None or len(text) not in (5, 8, *range(10, 16)) or text[2] != ":":
            raise ValueRefused(
                Text("must be a time of day without an offset, like 08:05", "必须是不带时区的时间，例如 08:05")
            )
        return found

    def image(self, options: object, value: Any) -> Json:
        """ISO 8601 with seconds, fraction without trailing zeros."""
        return time_text(value)
