"""Literals that a text stands for: dates, times, instants and ids, recognised when an expression is checked.

In the tree they keep one canonical text each, which is JSON and which SQLite stores; `logical` gives the value that
Python and PostgreSQL compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final

from base.clock import timestamp
from base.errors import Text
from base.ids import canonical_id
from expressions.tree import Literal
from expressions.types import Type

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME: Final = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?", re.ASCII)
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def _date_text(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat() if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _time_text(text: str) -> str | None:
    try:
        value = time.fromisoformat(text) if _TIME.fullmatch(text) else None
    except ValueError:
        return None
    if value is None:
        return None
    canonical = value.isoformat()
    return canonical.rstrip("0") if value.microsecond else canonical


def _instant_text(text: str) -> str | None:
    try:
        return timestamp(datetime.fromisoformat(text.upper())) if _INSTANT.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


READERS: Final[dict[Type, tuple[Callable[[str], str | None], Text]]] = {
    Type.DATE: (
        _date_text,
        Text("a date is written like '2026-11-23'", "日期的写法如 '2026-11-23'"),
    ),
    Type.TIME: (
        _time_text,
        Text("a time is written like '08:30' or '08:30:00'", "时间的写法如 '08:30' 或 '08:30:00'"),
    ),
    Type.DATETIME: (
        _instant_text,
        Text(
            "an instant is written with its offset, like '2026-11-23T08:30:00Z' or '2026-11-23T08:30:00+08:00'",
            "时刻须带时区偏移，如 '2026-11-23T08:30:00Z' 或 '2026-11-23T08:30:00+08:00'",
        ),
    ),
    Type.ID: (
        canonical_id,
        Text("an id is a UUID", "标识（id）必须是 UUID"),
    ),
}
"""Types that a text literal can stand for: text -> canonical text or None, and what to write instead."""


def logical(literal: Literal) -> Any:
    """The value that a literal stands for: date, time and aware datetime for theirs, its own value for the rest."""
    if literal.type in (Type.DATE, Type.TIME, Type.DATETIME) and isinstance(literal.value, str):
        return _instant(literal.value, literal.type)
    return literal.value


@lru_cache(maxsize=4096)
def _instant(text: str, type_: Type) -> date | time | datetime:
    if type_ is Type.DATE:
        return date.fromisoformat(text)
    return time.fromisoformat(text) if type_ is Type.TIME else datetime.fromisoformat(text)
