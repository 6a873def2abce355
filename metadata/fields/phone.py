"""phone: a number in E.164, whatever spaces, dots, dashes and brackets it was typed with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from base.errors import Text
from base.json import Json
from metadata.field import ValueRefused
from metadata.fields.shapes import TextShape, text_of

_FILLING = re.compile(r"[\s().\-\u2010-\u2015/]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class PhoneType(TextShape):
    """A telephone number with its country code; no extension."""

    name = "phone"
    keywords = frozenset()
    most = 40
    sample: ClassVar[Json] = {"x-type": "phone"}
    examples = ("+8613800138000", "+1 (415) 555-2671", "0044 20 7946 0958", "+86 138-0013-8000")
    refused = (
        "13800138000",
        "+0123456789",
        "+12",
        "+1234567890123456",
        "call me",
        "",
        "+1 415 555 2671 x5",
        14155552671,
    )

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string with a country code; the digits are counted in `logical`."""
        return {"type": "string", "maxLength": self.most, "pattern": r"^\s*(\+|00)[0-9\s().\-‐-―/]+$"}

    def logical(self, options: object, value: Json) -> Any:
        """`+` and 7 to 15 digits; a leading 00 is a plus."""
        text = _FILLING.sub("", text_of(value))
        number = f"+{text[2:]}" if text.startswith("00") else text
        if not _E164.fullmatch(number):
            raise ValueRefused(
                Text(
                    "must be a telephone number with its country code, like +86 138 0013 8000",
                    "必须是带国家代码的电话号码，例如 +86 138 0013 8000",
                )
            )
        return number
