"""sequence: a number that the platform gives out, dressed by a pattern: `OPP-{yyyy}-{0000}` -> `OPP-2026-0042`.

One counter per field and rendered date part, so a pattern with `{yyyy}` begins again each year. A number is drawn
inside the transaction that uses it: no two records share one, and a transaction that fails leaves no gap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from base.errors import Fault
from base.json import Json
from metadata.faults import invalid
from metadata.field import FieldContext, Numbering
from metadata.fields.shapes import TextShape

MOST_CHARS = 100

_PART = re.compile(r"\{(yyyy|yy|mm|dd|0{1,12})\}")


class SequenceType(TextShape):
    """A human number. Options are the pattern."""

    name = "sequence"
    keywords = frozenset({"x-pattern"})
    generated = True
    sample: ClassVar[Json] = {"x-type": "sequence", "x-pattern": "OPP-{yyyy}-{0000}"}
    examples = ("OPP-2026-0001", "OPP-2026-12345")
    refused = (1, [], "a" * 201)
    most = 200

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The pattern: literal text, `{yyyy} {yy} {mm} {dd}`, and exactly one run of zeros in braces."""
        pattern = prop.get("x-pattern", "{0}")
        path = (*context.path, "x-pattern")
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MOST_CHARS:
            faults.append(
                invalid(
                    path, f"must be a text of 1 to {MOST_CHARS} characters", f"必须是 1 到 {MOST_CHARS} 个字符的文本"
                )
            )
            return "{0}"
        numbers = [part for part in _PART.findall(pattern) if part.startswith("0")]
        if len(numbers) != 1 or re.search(r"[{}]", _PART.sub("", pattern)):
            faults.append(
                invalid(
                    path,
                    "must hold exactly one run of zeros like {0000}; in braces only {yyyy}, {yy}, {mm}, {dd} beside it",
                    "必须且只能包含一个 {0000} 形式的序号；花括号中只能是 {yyyy}、{yy}、{mm}、{dd}",
                )
            )
            return "{0}"
        return pattern

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string that nobody writes."""
        return {"type": "string", "maxLength": self.most, "readOnly": True}

    def numbering(self, options: object, key: str, day: date) -> Numbering | None:
        """The counter of the rendered date part, and the pattern with its date filled in."""
        pattern = options if isinstance(options, str) else "{0}"
        words = {"yyyy": f"{day.year:04d}", "yy": f"{day.year % 100:02d}", "mm": f"{day:%m}", "dd": f"{day:%d}"}
        dates = [words[part] for part in _PART.findall(pattern) if part in words]
        rendered = _PART.sub(lambda part: words.get(part[1], part[0]), pattern)
        return Numbering(":".join(["sequence", key, "-".join(dates)]), rendered)
