"""date: a day of the calendar without a time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType, ValueRefused
from metadata.fields.words import DATE_OPERATORS, is_string, kept
from storage.types import DATE, ColumnType

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DateType(FieldType):
    """Days from 0001-01-01 to 9999-12-31, in ISO 8601."""

    name = "date"
    graphql_name = "Date"
    operators = DATE_OPERATORS
    filter_name = "Date"
    expression = Type.DATE
    sample: ClassVar[Json] = {"type": "string", "format": "date"}
    examples = ("2026-11-23", "2024-02-29", "0001-01-01", "9999-12-31")
    refused = ("2026-02-30", "2025-02-29", "0000-01-01", "26-1-1", "20261123", "2026-11-23T00:00:00Z", "", 20261123)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string with `format: date`."""
        return is_string(prop) and prop.get("format") == "date"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options."""
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One date column."""
        return (("", DATE),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string of that format."""
        return {"type": "string", "format": "date", **kept(prop, "pattern", "enum", "const")}

    def logical(self, options: object, value: Json) -> Any:
        """The day."""
        try:
            # Python also reads week dates and forms without hyphens
            if isinstance(value, str) and _FORM.fullmatch(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ValueRefused(Text("must be a date that exists, like 2026-11-23", "必须是存在的日期，例如 2026-11-23"))

    def image(self, options: object, value: Any) -> Json:
        """ISO 8601: `2026-11-23`."""
        text: str = value.isoformat()
        return text
