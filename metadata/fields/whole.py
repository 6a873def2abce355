"""Whole numbers: what the two types of them share."""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import Fault, Text
from base.json import Json
from metadata.field import ValueRefused
from metadata.fields.words import is_whole, kept, read_multiple, read_range

WHOLE_KEYWORDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})


def check_whole(prop: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> None:
    """Check the bounds of a property of whole numbers."""
    read_range(prop, path, faults)
    read_multiple(prop, path, faults)


def whole_schema(prop: Mapping[str, Json], low: int, high: int) -> Mapping[str, Json]:
    """JSON Schema of an integer inside the property's bounds and the type's own."""
    words = kept(prop, "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const")
    least, most = prop.get("minimum"), prop.get("maximum")
    return {
        "type": "integer",
        "minimum": least if isinstance(least, int | float) and least > low else low,
        "maximum": most if isinstance(most, int | float) and most < high else high,
        **words,
    }


def within(value: Json, low: int, high: int) -> int:
    """A JSON value as an int between two bounds; refused when it is none."""
    if is_whole(value) and low <= (number := int(value)) <= high:  # type: ignore[arg-type]
        return number
    raise ValueRefused(Text(f"must be a whole number from {low} to {high}", f"必须是 {low} 到 {high} 之间的整数"))
