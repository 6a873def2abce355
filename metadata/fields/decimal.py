"""decimal: an exact number of at most 18 digits; 4 of them behind the point unless x-scale or multipleOf says more."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from base.json import Json
from metadata.fields.shapes import DecimalShape
from metadata.fields.words import plain_type


class DecimalType(DecimalShape):
    """Amounts, prices, quantities: no binary rounding, the same digits on every engine."""

    name = "decimal"
    sample: ClassVar[Json] = {"type": "number", "multipleOf": 0.01}
    examples = ("12.30", "-0.05", 0, 12.345, "9999999999999999.99", "1.005")
    refused = ("1e3", "NaN", "", "1,5", "+1", ".", "10000000000000000", 1e300, True, "9" * 5000, "１２", "1\n")

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """`format: decimal`, or a number whose multipleOf is a power of ten."""
        named = plain_type(prop)
        if prop.get("format") == "decimal":
            return named in ("", "string", "number")
        multiple = prop.get("multipleOf")
        if named != "number" or isinstance(multiple, bool) or not isinstance(multiple, int | float | Decimal):
            return False
        digits = Decimal(str(multiple)).normalize()
        return digits > 0 and digits.as_tuple().digits == (1,)
