"""Text that is compared without regard to case: one fold, in Python and as a PostgreSQL function made from its tables.

`fold(x) = NFKC(casefold(NFKC(x)))`: full case folding of Unicode (CaseFolding.txt, status C and F) between two
compatibility normalisations (UAX #15). The first normalisation is needed for idempotence: without it letters such as
U+1D2C or U+037A fold to text that folds again.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any, Final

FOLD_FUNCTION: Final = "pliant_fold"
"""The name of the fold in SQL on both engines."""


def fold(text: str) -> str:
    """The text in the form in which contains, startsWith, endsWith, search and ignoreCase compare. Idempotent."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def fold_or_null(text: str | None) -> str | None:
    """The fold as a SQL function: null stays null."""
    return None if text is None else fold(text)


SQLITE_FUNCTIONS: Final[tuple[tuple[str, int, Callable[..., Any]], ...]] = ((FOLD_FUNCTION, 1, fold_or_null),)
"""(name in SQL, number of arguments, function): deterministic functions for SQLite connections."""


def postgres_fold_statements(schema: str) -> list[str]:
    """The statements that make `<schema>.pliant_fold(text)` on PostgreSQL, equal to `fold`, in this order.

    `schema` is written as it stands in SQL (quoted where it must be). ASCII text, found by its length in bytes, takes
    `lower`; the function that decides is plain SQL, so the planner writes it into the query. All other text goes
    through ICU's lower case and then through what casefold changes and lower case leaves alone (final sigma, sharp s,
    Cherokee ...), generated from Python's tables; both sides agree on every code point that both know. The database
    must be UTF-8 with ICU. A null gives a null: the outer function is not STRICT only because a strict CASE is never
    written into the query.
    """
    rest = f"{schema}.{FOLD_FUNCTION}_rest"
    letters, replaced = _exceptions()
    return [
        f"CREATE OR REPLACE FUNCTION {rest}(x text) RETURNS text\n"
        f"LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $f$\n"
        f'DECLARE l text COLLATE "C" := lower(normalize(x, NFKC) COLLATE "und-x-icu");\n'
        f"BEGIN\n"
        f"  IF l ~ '{letters}' THEN l := {replaced}; END IF;\n"
        f"  IF l IS NFKC NORMALIZED THEN RETURN l; END IF;\n"
        f"  RETURN normalize(l, NFKC);\n"
        f"END $f$",
        f"CREATE OR REPLACE FUNCTION {schema}.{FOLD_FUNCTION}(x text) RETURNS text\n"
        f"LANGUAGE sql IMMUTABLE PARALLEL SAFE\n"
        f'AS $f$ SELECT CASE WHEN octet_length(x) = char_length(x) THEN lower(x COLLATE "C") ELSE {rest}(x) END $f$',
    ]


@cache
def _exceptions() -> tuple[str, str]:
    """A regular expression for the letters that lower case leaves alone, and the SQL over `l` that folds them."""
    folded = {
        char: char.casefold()
        for char in map(chr, (*range(0x80, 0xD800), *range(0xE000, 0x110000)))
        if char.casefold() != char and char.lower() == char and unicodedata.is_normalized("NFKC", char)
    }
    single = {char: to for char, to in folded.items() if len(to) == 1}
    sql = f"translate(l, {_literal(single)}, {_literal(single.values())})"
    for char, to in folded.items():
        if len(to) > 1:
            sql = f"replace({sql}, {_literal(char)}, {_literal(to)})"
    return f"[{''.join(_regex_escape(char) for char in folded)}]", sql


def _literal(text: Any) -> str:
    return "U&'" + "".join(f"\\+{ord(char):06X}" for char in "".join(text)) + "'"


def _regex_escape(char: str) -> str:
    return f"\\U{ord(char):08X}"
