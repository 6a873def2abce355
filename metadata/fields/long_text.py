"""longText: paragraphs, shown in a larger box and not sorted by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.json import Json
from metadata.fields.shapes import TextShape
from metadata.fields.words import ONLY_COUNTED, is_string, is_whole

LONG = 2_000
"""A string that may be longer than this is a long text (an index entry of PostgreSQL holds about 2,700 bytes)."""


class LongTextType(TextShape):
    """A text of many lines."""

    name = "longText"
    orderable = False
    aggregates = ONLY_COUNTED
    sample: ClassVar[Json] = {"x-type": "longText"}
    examples = ("First line\nsecond line", "", "长文本")
    refused = (1, False, [], {})

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string whose maxLength is above `LONG`."""
        most = prop.get("maxLength")
        plain = "format" not in prop and "enum" not in prop
        return is_string(prop) and plain and is_whole(most) and int(most) > LONG  # type: ignore[arg-type]
