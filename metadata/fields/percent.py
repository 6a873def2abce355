"""percent: a decimal that is shown with a percent sign; 12.5 means 12.5 %."""

from __future__ import annotations

from typing import ClassVar

from base.json import Json
from metadata.fields.shapes import DecimalShape


class PercentType(DecimalShape):
    """A share in hundredths."""

    name = "percent"
    sample: ClassVar[Json] = {"x-type": "percent", "minimum": 0, "maximum": 100}
    examples = ("12.5", 0, 100, "33.33335")
    refused = ("100.1", -1, "-0.0001", 100.00001, "abc")
