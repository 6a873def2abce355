"""Patterns of like: `%` any text, `_` any one character, a backslash before either (or itself) makes it a letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

from sqlalchemy.sql import ColumnElement

from base.errors import BadInput, Text
from metadata.operator import Bind
from storage.engine import Dialect
from storage.sql import like_literal

MOST_CHARS = 1_000
"""Characters of a pattern: SQLite takes 50,000 bytes, and one character folds to as many as 36 of them."""

_GLOB_SPECIAL = re.compile(r"[*?\[]")


class Wild(Enum):
    """The two wildcards."""

    ANY = "%"
    ONE = "_"


def same(text: str) -> str:
    """The text itself: letters of a pattern that are not folded."""
    return text


def like_sql(
    column: ColumnElement[Any], bind: Bind, dialect: Dialect, letters: Callable[[str], str] = same
) -> ColumnElement[Any]:
    """The column matches the pattern, whose letters go through `letters`."""
    if dialect == "postgresql":
        return column.like(bind.text(lambda pattern: _render(pattern, letters, like_literal, "%", "_")))
    pattern = bind.text(lambda pattern: _render(pattern, letters, _escape_glob, "*", "?"))
    return column.op("GLOB", is_comparison=True)(pattern)


def matches_pattern(text: str, pattern: str, letters: Callable[[str], str] = same) -> bool:
    """The same in Python."""
    return re.fullmatch(_render(pattern, letters, re.escape, ".*", "."), text, re.DOTALL) is not None


def _escape_glob(text: str) -> str:
    return _GLOB_SPECIAL.sub(r"[\g<0>]", text)


def _render(pattern: str, letters: Callable[[str], str], quote: Callable[[str], str], any_text: str, one: str) -> str:
    if len(pattern) > MOST_CHARS:
        raise BadInput(Text(f"a pattern has at most {MOST_CHARS:,} characters", f"匹配模式最多 {MOST_CHARS:,} 个字符"))
    parts = {Wild.ANY: any_text, Wild.ONE: one}
    return "".join(parts[part] if isinstance(part, Wild) else quote(letters(part)) for part in _parts(pattern))


def _parts(pattern: str) -> Iterator[str | Wild]:
    """Runs of letters and the wildcards between them; a backslash at the end is a letter."""
    run: list[str] = []
    escaped = False
    for char in pattern:
        if not escaped and char == "\\":
            escaped = True
        elif not escaped and char in "%_":
            if run:
                yield "".join(run)
            run.clear()
            yield Wild(char)
        else:
            run.append(char)
            escaped = False
    if escaped:
        run.append("\\")
    if run:
        yield "".join(run)
