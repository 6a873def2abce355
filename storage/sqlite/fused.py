"""Batches of one row as ONE SQLite statement for many of them: guards, row, position, event, remembered answer.

SQLite's driver gives up the interpreter for each statement, and a thread gets it back only when the event loop, busy
with the next requests, lets it go. What would be five statements for each Batch of a group is one for all of them
here, which runs beside the loop and, where nothing else is to be written, commits itself.

A shape (what Batches have in common but their values) becomes a temporary view of the writer's connection: a column for
each value, no rows, and a trigger that does for an inserted row what `storage.sqlite.apply` does for a Batch. Whatever
does not hold rolls the transaction back without saying why: the group is then applied Batch by Batch.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from base.json import dump
from storage.batch import Batch, Expect, Insert, Statement, Update, Value
from storage.fixed import CHANGE_COLUMNS
from storage.names import placed, quoted
from storage.sqlite.apply import change_values, is_single

ROWS_MAX = 32
"""Batches in one statement, and in one transaction: more only makes the first wait for the last."""

_VALUES_MAX = 400  # of one Batch; SQLite takes 2,000 columns and 32,766 parameters
_VIEWS_MAX = 40  # of one connection, then it begins anew: a statement of 32 rows keeps 5 KiB for each
_MET_MAX = 1_000  # shapes that are remembered as met once
_FEW = 8  # of more rows than these a statement takes a multiple of four: fewer texts to prepare
_STEP = 4

_PLACEHOLDER = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\?""")
"""Texts and names, to be skipped, and placeholders."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What Batches of one kind have in common. Equal shapes are one object while they are in use."""

    guards: tuple[tuple[str, bool], ...]  # text, a row expected
    table: str
    columns: tuple[str, ...]
    changed: tuple[bool, ...]  # () for a new row; for a changed one whether its version is checked
    logged: bool
    idempotent: bool


@dataclass(frozen=True, slots=True)
class Fused:
    """A Batch as a row of its shape's view."""

    shape: Shape
    arguments: list[Value]


def fuse(batch: Batch) -> Fused | None:
    """The Batch as one row; None where it is not: several rows, counters, late guards, no catalog to check."""
    if batch.catalog_version is None or len(batch.changes) > 1 or not is_single(batch):
        return None
    (statement,) = batch.statements
    arguments: list[Value] = []
    memory = batch.idempotency
    if memory is not None:
        arguments += (memory.key, batch.at, memory.input_hash, dump(memory.answer).decode(), memory.expires_at)
    arguments.append(batch.catalog_version)
    for guard in batch.guards:
        arguments += guard.params
    arguments += _values(statement)
    for change in batch.changes:
        arguments += change_values(batch, change, batch.catalog_version)
    if len(arguments) > _VALUES_MAX:
        return None
    guards = tuple([(guard.sql.text, guard.expect is Expect.ROW) for guard in batch.guards])
    return Fused(_shape(guards, *_target(statement), bool(batch.changes), memory is not None), arguments)


def _values(statement: Statement) -> list[Value]:
    match statement:
        case Insert():
            return list(statement.rows[0])
        case Update():
            version = () if statement.version is None else (statement.version,)
            return [statement.id, *version, *statement.values]
    raise TypeError("neither an insert nor an update")


def _target(statement: Statement) -> tuple[str, tuple[str, ...], tuple[bool, ...]]:
    match statement:
        case Insert():
            return statement.table, statement.columns, ()
        case Update():
            return statement.table, statement.columns, (statement.version is not None,)
    raise TypeError("neither an insert nor an update")


@lru_cache(maxsize=2048)
def _shape(
    guards: tuple[tuple[str, bool], ...],
    table: str,
    columns: tuple[str, ...],
    changed: tuple[bool, ...],
    logged: bool,
    idempotent: bool,
) -> Shape:
    return Shape(guards, table, columns, changed, logged, idempotent)


class Views:
    """The temporary views of one connection. Before DDL they are let go: SQLite looks into them when tables change."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: dict[Shape, str | None] = {}  # None: SQLite does not take it
        self._met: set[Shape] = set()
        self._made = 0

    def ready(self, shape: Shape) -> bool:
        """Whether there is a view for a shape; it is made, outside of any transaction, when one comes again."""
        if shape not in self._names:
            if shape not in self._met:
                if len(self._met) >= _MET_MAX:
                    self._met.clear()
                self._met.add(shape)
                return False
            self._make(shape)
        return self._names[shape] is not None

    def write(self, group: list[Fused]) -> None:
        """Apply Batches of one shape that is ready. Raises `sqlite3.Error` with nothing left of the transaction."""
        name = self._names[group[0].shape]
        start = 0
        for size in chunks(len(group)):
            part = group[start : start + size]
            start += size
            width = len(part[0].arguments)
            values = [value for item in part for value in item.arguments]
            self._connection.execute(_insert(str(name), width, size), values)

    def let_go(self) -> None:
        """Take all views away; nothing of them may stand in the way of DDL."""
        for name in self._names.values():
            if name is not None:
                self._connection.execute(f"DROP VIEW temp.{quoted(name)}")
        self._names.clear()

    def _make(self, shape: Shape) -> None:
        if len(self._names) >= _VIEWS_MAX:
            self.let_go()
        self._made += 1
        name = f"_fused_{self._made}"
        try:
            statements = _Body(shape)
            columns = ", ".join(f"NULL AS c{number}" for number in range(statements.width))
            view = f"CREATE TEMP VIEW {quoted(name)} AS SELECT {columns} WHERE 0"
            body = "; ".join(statements.texts)
            trigger = f"CREATE TEMP TRIGGER {name}_row INSTEAD OF INSERT ON {quoted(name)} BEGIN {body}; END"
            self._connection.execute(view)
            self._names[shape] = name
            self._connection.execute(trigger)
        except sqlite3.Error:  # a guard of a kind that triggers do not take, such as WITH
            if self._names.get(shape) is not None:
                self._connection.execute(f"DROP VIEW temp.{quoted(name)}")
            self._names[shape] = None


class _Body:
    """The statements of a shape's trigger, and how many values they read."""

    def __init__(self, shape: Shape) -> None:
        self.width = 0
        self.texts: list[str] = []
        memory = [self._value() for _ in range(5)] if shape.idempotent else []
        if shape.idempotent:
            self._unless(f"SELECT 1 FROM _idempotency WHERE key = {memory[0]} AND expires_at > {memory[1]}", row=False)
        self._unless(f"SELECT 1 FROM _head WHERE id = 1 AND catalog_version = {self._value()}", row=True)
        for text, row in shape.guards:
            self._unless(self._valued(placed(text, "")), row=row)
        self._write(shape)
        if shape.logged:
            names = ", ".join(map(quoted, CHANGE_COLUMNS))
            values = ", ".join(self._value() for _ in CHANGE_COLUMNS)
            self.texts += (
                "UPDATE _head SET position = position + 1 WHERE id = 1",
                f"INSERT INTO _log (position, seq, last, {names}) "
                f"SELECT position, position, 1, {values} FROM _head WHERE id = 1",
            )
        if shape.idempotent:
            key, _, input_hash, answer, expires_at = memory
            self.texts += (
                f"DELETE FROM _idempotency WHERE key = {key}",  # OR REPLACE would be overruled by OR ROLLBACK
                f"INSERT INTO _idempotency (key, input_hash, answer, expires_at) "
                f"VALUES ({key}, {input_hash}, {answer}, {expires_at})",
            )

    def _write(self, shape: Shape) -> None:
        table = quoted(shape.table)
        if not shape.changed:
            names = ", ".join(map(quoted, shape.columns))
            values = ", ".join(self._value() for _ in shape.columns)
            self.texts.append(f"INSERT INTO {table} ({names}) VALUES ({values})")
            return
        (versioned,) = shape.changed
        found = f"id = {self._value()}"
        self._unless(f"SELECT 1 FROM {table} WHERE {found}{f' AND version = {self._value()}' if versioned else ''}")
        assignments = ", ".join(f"{quoted(column)} = {self._value()}" for column in shape.columns)
        self.texts.append(f"UPDATE {table} SET {assignments} WHERE {found}")

    def _unless(self, query: str, *, row: bool = True) -> None:
        """Roll back unless the query finds a row, or none."""
        self.texts.append(f"SELECT RAISE(ROLLBACK, 'not so') WHERE {'NOT ' if row else ''}EXISTS ({query})")

    def _value(self) -> str:
        self.width += 1
        return f"NEW.c{self.width - 1}"

    def _valued(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._value() if found[0] == "?" else found[0], text)


def chunks(count: int) -> Iterator[int]:
    """In how many rows each so many rows are written: any number up to eight, beyond that multiples of four."""
    while count:
        size = min(count, ROWS_MAX)
        if size > _FEW:
            size -= size % _STEP
        yield size
        count -= size


@lru_cache(maxsize=1024)
def _insert(view: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT OR ROLLBACK INTO {quoted(view)} VALUES {', '.join([row] * rows)}"
