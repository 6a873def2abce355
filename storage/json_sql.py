"""JSON made by SQL: objects, arrays and lists of rows, out of values in their JSON form (`ColumnType.shown`).

SQLite has functions for it, whose results keep a mark of JSON. On PostgreSQL, JSON is text put together from texts:
its own functions look up in the catalog, for every single value, how it is shown (docs/decisions/0001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler

from storage.types import PlainText

ARGUMENTS_IN_POSTGRES: Final = 100
"""A function takes so many."""

PAIRS_IN_SQLITE: Final = 60
"""A function takes 127 arguments; one is kept for json_set's first."""


Pairs: TypeAlias = Sequence[tuple[str, ColumnElement[Any]]]
"""Keys and values in their JSON form, in the order of the object."""


class JsonText(sa.Text):
    """The type of text that is JSON already: what the constructs below make on PostgreSQL."""


JSON_TEXT: Final = JsonText()

_QUOTED: Final = (sa.Uuid, sa.Date, sa.Time, PlainText)  # between quotation marks as they are
_BARE: Final = (sa.Integer, sa.Float, JsonText, postgresql.JSON)


class WordText(sa.Text):
    """The type of text that is mostly one of a few words, in which JSON has nothing to escape."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__()
        self.words = tuple(words)


class JsonObject(ColumnElement[Any]):
    """An object of (key, value) pairs whose values have their JSON form (`ColumnType.shown`). Keys are API names."""

    inherit_cache = False
    type = JSON_TEXT

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = tuple(pairs)


@compiles(JsonObject, "sqlite")
def _object_sqlite(element: JsonObject, compiler: SQLCompiler, **kw: Any) -> str:
    pairs, step = element.pairs, PAIRS_IN_SQLITE
    text = f"json_object({_arguments(pairs[:step], compiler, '', **kw)})"
    for start in range(step, len(pairs), step):
        text = f"json_set({text}, {_arguments(pairs[start : start + step], compiler, '$.', **kw)})"
    return text


def _arguments(pairs: Pairs, compiler: SQLCompiler, prefix: str, **kw: Any) -> str:
    return ", ".join(f"'{prefix}{key}', {compiler.process(value, **kw)}" for key, value in pairs)


class JsonName(ColumnElement[str]):
    """A name of our own as a JSON value, written into the text."""

    inherit_cache = False
    type = JSON_TEXT

    def __init__(self, name: str) -> None:
        self.name = name


@compiles(JsonName, "postgresql")
def _name_postgres(element: JsonName, compiler: SQLCompiler, **kw: Any) -> str:
    return f"""'"{element.name}"'"""


@compiles(JsonName, "sqlite")
def _name_sqlite(element: JsonName, compiler: SQLCompiler, **kw: Any) -> str:
    return f"'{element.name}'"


class JsonList(ColumnElement[Any]):
    """The aggregate of JSON values as an array, in row order; with `only`, of the rows for which it holds."""

    inherit_cache = False
    type = JSON_TEXT

    def __init__(self, value: ColumnElement[Any], only: ColumnElement[Any] | None = None) -> None:
        self.value = value
        self.only = only


def _filter(element: JsonList, compiler: SQLCompiler, **kw: Any) -> str:
    return "" if element.only is None else f" FILTER (WHERE {compiler.process(element.only, **kw)})"


@compiles(JsonList, "sqlite")
def _json_list_sqlite(element: JsonList, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_group_array({compiler.process(element.value, **kw)}){_filter(element, compiler, **kw)}"


class JsonArray(ColumnElement[Any]):
    """A JSON array of a few values in their JSON form."""

    inherit_cache = False
    type = JSON_TEXT

    def __init__(self, values: Sequence[ColumnElement[Any]]) -> None:
        self.values = tuple(values)


@compiles(JsonArray, "sqlite")
def _json_array_sqlite(element: JsonArray, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_array({', '.join(compiler.process(value, **kw) for value in element.values)})"


class _Nullable:
    """A column that stands in the JSON as its type is written, between quotation marks or without; or it is null."""

    def __init__(self, column: str, written: str, quote: str) -> None:
        self.column = column
        self.written = written
        self.quote = quote


_Part: TypeAlias = "str | _Nullable"
"""A text of JSON that is never null, or a column; literals begin with an apostrophe."""


def _parts(value: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> list[_Part]:
    """A value as parts of JSON that stand one after the other (PostgreSQL).

    `to_json` takes everything, and looks up how for every single value: what needs no escape goes without it.
    """
    match value:
        case JsonObject():
            return _enclosed("{}", [(f"""'"{key}":'""", one) for key, one in value.pairs], compiler, **kw)
        case JsonArray():
            return _enclosed("[]", [("''", one) for one in value.values], compiler, **kw)
        case JsonList():
            one = _concat(_parts(value.value, compiler, **kw))
            return ["'['", f"string_agg(({one})::text, ','){_filter(value, compiler, **kw)}", "']'"]
    text, type_ = compiler.process(value, **kw), value.type
    if isinstance(value, JsonName):
        return [text]
    column = value.clause if isinstance(value, sa.Cast) and isinstance(type_, PlainText) else value
    if isinstance(column, sa.ColumnClause) and not isinstance(type_, sa.Boolean):
        name = compiler.process(column, **kw)
        if isinstance(type_, _QUOTED):
            return [_Nullable(name, name, '"')]
        return [_Nullable(name, name if isinstance(type_, _BARE) else f"to_json({name})", "")]
    if isinstance(type_, _QUOTED):
        return [f"""coalesce('"' || ({text})::text || '"', 'null')"""]
    if isinstance(type_, _BARE):
        return [f"coalesce(({text})::text, 'null')"]
    if isinstance(type_, WordText):
        cases = " ".join(f"""WHEN '{word}' THEN '"{word}"'""" for word in type_.words)
        return [f"CASE ({text}) {cases} ELSE coalesce(to_json({text})::text, 'null') END"]
    if isinstance(type_, sa.Boolean):
        return [f"CASE ({text}) WHEN true THEN 'true' WHEN false THEN 'false' ELSE 'null' END"]
    return [f"coalesce(to_json({text}), 'null')"]


def _enclosed(brackets: str, items: Pairs, compiler: SQLCompiler, **kw: Any) -> list[_Part]:
    parts: list[_Part] = [f"'{brackets[0]}'"]
    for place, (before, value) in enumerate(items):
        parts += ["','" if place else "''", before, *_parts(value, compiler, **kw)]
    return [*parts, f"'{brackets[1]}'"]


def _concat(parts: Sequence[_Part]) -> str:
    """Parts one after the other."""
    return _concat_texts(_texts(parts))


def _concat_texts(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    step = ARGUMENTS_IN_POSTGRES
    return _concat_texts([f"concat({', '.join(texts[start : start + step])})" for start in range(0, len(texts), step)])


def _texts(parts: Sequence[_Part]) -> list[str]:
    """What `concat` takes: columns as they are, and between them the text that depends on which of the two are null.

    `concat` writes nothing for a null. A cast, a coalesce and quotation marks around each value are texts that are made
    and copied; a test for null is not.
    """
    found: list[str] = []
    behind: _Nullable | None = None
    literal = ""
    for part in parts:
        if isinstance(part, _Nullable):
            found += (_between(behind, literal, part), part.written)
            behind, literal = part, ""
        elif part.startswith("'"):
            literal += part[1:-1]
        else:
            if literal or behind is not None:
                found.append(_between(behind, literal, None))
            found.append(part)
            behind, literal = None, ""
    if literal or behind is not None or not found:
        found.append(_between(behind, literal, None))
    return found


def _between(behind: _Nullable | None, literal: str, ahead: _Nullable | None) -> str:
    """The text after a column and before another: the quotation marks of the two, or `null` for what is ahead."""
    if behind is None or not behind.quote:
        return _before(literal, ahead)
    null, there = _before(literal, ahead), _before(behind.quote + literal, ahead)
    return f"CASE WHEN {behind.column} IS NULL THEN {null} ELSE {there} END"


def _before(literal: str, ahead: _Nullable | None) -> str:
    if ahead is None:
        return f"'{literal}'"
    return f"CASE WHEN {ahead.column} IS NULL THEN '{literal}null' ELSE '{literal}{ahead.quote}' END"


@compiles(JsonObject, "postgresql")
@compiles(JsonArray, "postgresql")
@compiles(JsonList, "postgresql")
def _json_postgres(element: ColumnElement[Any], compiler: SQLCompiler, **kw: Any) -> str:
    return _concat(_parts(element, compiler, **kw))


class HexText(ColumnElement[str]):
    """The UTF-8 bytes of a JSON value's text as hexadecimal digits."""

    inherit_cache = False
    type = sa.Text()

    def __init__(self, value: ColumnElement[Any]) -> None:
        self.value = value


@compiles(HexText, "postgresql")
def _hex_postgres(element: HexText, compiler: SQLCompiler, **kw: Any) -> str:
    return f"encode(convert_to({compiler.process(element.value, **kw)}::text, 'UTF8'), 'hex')"


@compiles(HexText, "sqlite")
def _hex_sqlite(element: HexText, compiler: SQLCompiler, **kw: Any) -> str:
    return f"hex({compiler.process(element.value, **kw)})"
