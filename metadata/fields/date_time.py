"""dateTime: an instant, with microseconds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from base.clock import timestamp
from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType, ValueRefused
from metadata.fields.words import DATE_OPERATORS, is_string, kept
from storage.types import TIMESTAMP, ColumnType

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})")

_ENDS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
"""The first and the last instant: PostgreSQL's driver takes them for minus and plus infinity. Filters may, too."""


class DateTimeType(FieldType):
    """Instants in RFC 3339: any offset in, UTC out; digits beyond the microsecond are cut."""

    name = "dateTime"
    graphql_name = "DateTime"
    operators = DATE_OPERATORS
    filter_name = "DateTime"
    expression = Type.DATETIME
    sample: ClassVar[Json] = {"type": "string", "format": "date-time"}
    examples = ("2026-11-23T08:05:00Z", "2026-11-23T08:05:00.5+08:00", "1969-12-31t23:59:59.123456789z")
    refused = (
        "2026-11-23T08:05:00",
        "2026-11-23",
        "2026-02-30T00:00:00Z",
        "2026-11-23T23:59:60Z",
        "0001-01-01T00:00:00+14:00",
        "2026-11-23 08:05:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        1763885100,
    )

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string with `format: date-time`."""
        return is_string(prop) and prop.get("format") == "date-time"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options."""
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One timestamp column."""
        return (("", TIMESTAMP),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string of that format."""
        return {"type": "string", "format": "date-time", "maxLength": 60, **kept(prop, "pattern", "enum", "const")}

    def logical(self, options: object, value: Json) -> Any:
        """The instant in UTC; the first and the last of all cannot be kept."""
        found = self.argument(options, value)
        if found in _ENDS:
            raise ValueRefused(
                Text(
                    "must be later than 0001-01-01T00:00:00Z and earlier than 9999-12-31T23:59:59.999999Z",
                    "必须晚于 0001-01-01T00:00:00Z 且早于 9999-12-31T23:59:59.999999Z",
                )
            )
        return found

    def argument(self, options: object, value: Json) -> Any:
        """Any instant in UTC."""
        text = value.upper() if isinstance(value, str) and len(value) <= 60 else ""
        try:
            if _FORM.fullmatch(text):
                return datetime.fromisoformat(text).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # a day or second that does not exist, or a year that does not after the shift to UTC
        raise ValueRefused(
            Text(
                "must be a date and time with its offset, like 2026-11-23T08:05:00+08:00",
                "必须是带时区偏移的日期时间，例如 2026-11-23T08:05:00+08:00",
            )
        )

    def image(self, options: object, value: Any) -> Json:
        """RFC 3339 in UTC, fraction without trailing zeros."""
        return timestamp(value)
