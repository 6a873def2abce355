"""text: one line or a few, kept as written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.json import Json
from metadata.fields.shapes import TextShape
from metadata.fields.words import is_string


class TextType(TextShape):
    """Any text, with the bounds, pattern and format that its property sets."""

    name = "text"
    sample: ClassVar[Json] = {"type": "string", "maxLength": 200}
    examples = ("Acme", "", "赢单 100%_\\'\"", "Straße İ ς")
    refused = (1, True, ["a"], {}, "a" * 201, "\x00", "\ud800")

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string that no more special type has taken."""
        return is_string(prop)
