"""Cells become JSON values: the text of a cell, read the way its field is shown in the API.

What a field keeps is decided by the field itself, when the record is written; here only the notation is translated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from base.errors import Text
from base.json import Json, JsonInvalid, parse
from base.registry import hint
from metadata.field import Field, GraphQLKind
from sources.mapping import Formats, Rule

Convert = Callable[[str], Json]
"""From a cell that is not empty to a JSON value. Raises `CellRefused`."""

_TOKENS: Mapping[str, tuple[str, str]] = {
    "YYYY": ("year", r"\d{4}"),
    "YY": ("short", r"\d{2}"),
    "MM": ("month", r"\d{1,2}"),
    "M": ("month", r"\d{1,2}"),
    "DD": ("day", r"\d{1,2}"),
    "D": ("day", r"\d{1,2}"),
    "HH": ("hour", r"\d{1,2}"),
    "H": ("hour", r"\d{1,2}"),
    "mm": ("minute", r"\d{2}"),
    "ss": ("second", r"\d{2}"),
}
_SPLIT = re.compile(r"YYYY|YY|MM?|DD?|HH?|mm|ss|.", re.DOTALL)

_TRUE = frozenset({"true", "t", "yes", "y", "1", "是", "真", "对"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "否", "假", "错"})

_SHOWN = 8  # choices that are named to who misses them

CENTURY = 69
"""Years of two digits below this are of the 2000s, as POSIX has it."""


class CellRefused(ValueError):
    """A cell that cannot be read; `text` tells its author why."""

    def __init__(self, en: str, zh: str) -> None:
        self.text = Text(en, zh)
        super().__init__(en)


class PatternInvalid(ValueError):
    """A date pattern that names no whole date."""


def converter(field: Field, rule: Rule, zone: str) -> Convert:
    """How cells of a field are read. Raises `PatternInvalid` for a date pattern that cannot be one."""
    match field.type.graphql:
        case GraphQLKind.ENUM:
            return _Choices(field, rule).read
        case GraphQLKind.ENUM_LIST:
            choices = _Choices(field, rule)
            return lambda cell: [choices.read(item) for item in _items(cell, rule.formats)]
        case GraphQLKind.LIST:
            return lambda cell: list(_items(cell, rule.formats))
    return _scalar(field.type.graphql_name, rule.formats, zone)


def _scalar(name: str, formats: Formats, zone: str) -> Convert:
    match name:
        case "Int" | "Long":
            return partial(_whole, formats)
        case "Float":
            return lambda cell: float(_number(formats, cell))
        case "Decimal":
            return partial(_number, formats)
        case "Boolean":
            return _boolean
        case "Date":
            return _Dates(formats.dates).read_date
        case "DateTime":
            return partial(_Dates(formats.dates).read_instant, ZoneInfo(zone))
        case "JSON":
            return _json
        case _:
            return str


def _number(formats: Formats, cell: str) -> str:
    """Plain digits with a decimal point."""
    text = cell
    if formats.thousands:
        mark, point = re.escape(formats.thousands), re.escape(formats.decimal)
        if re.fullmatch(rf"[+-]?\d{{1,3}}({mark}\d{{3}})+({point}\d*)?", text):
            text = text.replace(formats.thousands, "")
    if formats.decimal != ".":
        text = text.replace(".", "\x00").replace(formats.decimal, ".")
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII):
        point, mark = formats.decimal, formats.thousands
        form = f"1234{point}5" + (f" or 1{mark}234{point}5" if mark else "")
        raise CellRefused(
            f"'{cell[:60]}' is no number of the form {form}; a mapping says other forms in 'numbers'",
            f"“{cell[:60]}”不是 {form.replace(' or ', ' 或 ')} 形式的数字；其他形式请在映射的 numbers 中说明",
        )
    return text.removeprefix("+").removesuffix(".")


def _whole(formats: Formats, cell: str) -> int:
    text = _number(formats, cell)
    head, _, rest = text.partition(".")
    if rest.strip("0") or len(head) > 20:
        raise CellRefused(f"'{cell[:60]}' is no whole number", f"“{cell[:60]}”不是整数")
    return int(head)


def _boolean(cell: str) -> bool:
    word = cell.casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise CellRefused(f"'{cell[:60]}' is neither yes nor no", f"“{cell[:60]}”既不是“是”也不是“否”")


def _json(cell: str) -> Json:
    try:
        return parse(cell)
    except JsonInvalid as error:
        raise CellRefused(f"is not JSON: {error}", f"不是 JSON：{error}") from None


def _items(cell: str, formats: Formats) -> list[str]:
    return [item for part in cell.split(formats.separator) if (item := part.strip())]


class _Choices:
    """Reads choices: by the mapping's own table, by value, or by title in any language."""

    def __init__(self, field: Field, rule: Rule) -> None:
        self._known: dict[str, str] = {}
        self._shown = [choice.value for choice in field.choices]
        for choice in field.choices:
            for word in (choice.value, choice.title, *choice.titles.values()):
                self._known.setdefault(word.casefold(), choice.value)
        self._mapped = rule.choices

    def read(self, cell: str) -> str:
        """The choice value that a cell means."""
        found = self._mapped.get(cell) or self._known.get(cell.casefold())
        if found is None:
            near = hint(cell, [*self._mapped, *self._shown])
            shown = ", ".join(self._shown[:_SHOWN]) + (", …" if len(self._shown) > _SHOWN else "")
            raise CellRefused(
                f"'{cell[:60]}' is none of {shown}{near.en}", f"“{cell[:60]}”不在可选值 {shown} 之中{near.zh}"
            )
        return found


class _Dates:
    """Reads dates and instants by a pattern, or as ISO 8601."""

    def __init__(self, pattern: str | None) -> None:
        self._pattern = pattern
        self._regex = None if pattern is None else _date_regex(pattern)

    def read_date(self, cell: str) -> str:
        """The day, as the API has it."""
        return self._parts(cell).date().isoformat() if self._regex else self._iso(cell)

    def read_instant(self, zone: ZoneInfo, cell: str) -> str:
        """The instant with its offset; without one it is the zone's wall clock."""
        if self._regex is None:
            try:
                found = datetime.fromisoformat(cell)
            except ValueError:
                raise self._refused(cell) from None
        else:
            found = self._parts(cell)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).isoformat()

    def _iso(self, cell: str) -> str:
        try:
            return date.fromisoformat(cell).isoformat()
        except ValueError:
            raise self._refused(cell) from None

    def _parts(self, cell: str) -> datetime:
        found = self._regex.fullmatch(cell) if self._regex else None
        if found is None:
            raise self._refused(cell)
        parts = {name: int(text) for name, text in found.groupdict().items()}
        if "short" in parts:
            short = parts.pop("short")
            parts["year"] = short + (2000 if short < CENTURY else 1900)
        try:
            return datetime(**parts)  # type: ignore[arg-type]
        except ValueError:
            raise self._refused(cell) from None

    def _refused(self, cell: str) -> CellRefused:
        form = self._pattern or "YYYY-MM-DD"
        return CellRefused(
            f"'{cell[:60]}' is no day of the calendar in the form {form}; a mapping says other forms in 'dates'",
            f"“{cell[:60]}”不是 {form} 格式的有效日期；其他格式请在映射的 dates 中说明",
        )


def _date_regex(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    names: list[str] = []
    for token in _SPLIT.findall(pattern):
        if token in _TOKENS:
            name, digits = _TOKENS[token]
            names.append(name)
            parts.append(f"(?P<{name}>{digits})")
        else:
            parts.append(re.escape(token))
    year = {"year", "short"} & set(names)
    if len(names) != len(set(names)) or len(year) != 1 or not {"month", "day"} <= set(names):
        raise PatternInvalid(pattern)
    return re.compile("".join(parts), re.ASCII)
