"""Batches of one row as ONE SQLite statement for many of them: guards, row, position, event, remembered answer.

SQLite's driver gives up the interpreter for each statement, and a thread gets it back only when the event loop, busy
with the next requests, lets it go. What would be five statements for each Batch of a group is one for all of them
here, which runs beside the loop and, where nothing else is to be written, commits itself.

A shape (what Batches have in common but their values) becomes a temporary view of the writer's connection: a column for
each value, no rows, and a trigger that does for an inserted row what `storage.sqlite.apply` does for a Batch. Whatever
does not hold rolls the transaction back without saying why: the group is then applied Batch by Batch.

Two differences to a guard run by itself, which no guard of ours can show: EXISTS does not compute what the guard
selects, and a column with a collation of its own would lose it on the right side of a comparison with a parameter.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, OrderedDict
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
_VIEWS_MAX = 200  # of one connection
_MET = 2  # so often a shape must have come before it gets a view
_MET_WHEN_FULL = 50  # and so often before another one loses its view for it
_COUNTED_MAX = 2_000  # shapes without a view of which it is known how often they came
_PARDON = 50  # so often a shape that was refused goes Batch by Batch

# names, texts and placeholders of SQL that SQLAlchemy has written: it holds no comments and no brackets around names
_PLACEHOLDER = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\?""")


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What Batches of one kind have in common. Compared by identity: `_shape` gives one object for equal ones."""

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
    """The Batch as one row; None where it is not: several rows, counters, late guards, no catalog to check.

    Raises `TypeError` for what is no JSON.
    """
    if batch.catalog_version is None or len(batch.changes) > 1 or not is_single(batch):
        return None
    (statement,) = batch.statements
    arguments: list[Value] = [batch.catalog_version]
    memory = batch.idempotency
    if memory is not None:
        arguments += (memory.key, batch.at, memory.input_hash, dump(memory.answer).decode(), memory.expires_at)
    for guard in batch.guards:
        arguments += guard.params
    table, columns, changed, values = _written(statement)
    arguments += values
    for change in batch.changes:
        arguments += change_values(batch, change, batch.catalog_version)
    if len(arguments) > _VALUES_MAX:
        return None
    guards = tuple([(guard.sql.text, guard.expect is Expect.ROW) for guard in batch.guards])
    return Fused(_shape(guards, table, columns, changed, bool(batch.changes), memory is not None), arguments)


def _written(statement: Statement) -> tuple[str, tuple[str, ...], tuple[bool, ...], list[Value]]:
    """Table, columns and what is changed, as a shape has them, and the values."""
    match statement:
        case Insert():
            return statement.table, statement.columns, (), list(statement.rows[0])
        case Update():
            version = () if statement.version is None else (statement.version,)
            values = [statement.id, *version, *statement.values]
            return statement.table, statement.columns, (bool(version),), values
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
        self._names: OrderedDict[Shape, str] = OrderedDict()
        self._given_up: set[Shape] = set()  # of those: SQLite does not understand theirs
        self._met: Counter[Shape] = Counter()  # how often those without a view came
        self._pardon: dict[Shape, int] = {}  # so often they still go Batch by Batch
        self._made = 0

    def ready(self, shape: Shape) -> bool:
        """Whether a Batch of a shape may be written by its view, which is made, outside of any transaction, when the
        shape comes again. Raises `sqlite3.Error`."""
        if (left := self._pardon.get(shape)) is not None:
            if left:
                self._pardon[shape] = left - 1
                return False
            del self._pardon[shape]
        if shape in self._names:
            self._names.move_to_end(shape)
        else:
            self._met[shape] += 1
            if self._met[shape] < (_MET if len(self._names) < _VIEWS_MAX else _MET_WHEN_FULL):
                return False
            self._make(shape)
        return shape not in self._given_up

    def write(self, group: list[Fused]) -> None:
        """Apply Batches of one shape that is ready, at most `ROWS_MAX`. Raises what the driver raises: outside of a
        transaction nothing is written then, unless the statement was interrupted after its commit."""
        shape, width = group[0].shape, len(group[0].arguments)
        size = 1 << (len(group) - 1).bit_length()  # few sizes, few statements to keep: the rest are rows of nulls
        values = [value for item in group for value in item.arguments]
        values += [None] * (width * (size - len(group)))
        try:
            self._connection.execute(_insert(self._names[shape], width, size), values)
        except sqlite3.OperationalError as error:
            if _is_wrong(error):  # names are looked up only now
                self._given_up.add(shape)
            raise

    def refused(self, shape: Shape) -> None:
        """One of a group of this shape did not hold."""
        self._pardon[shape] = _PARDON

    def make_room(self) -> None:
        """Take away the views that are too many, those unused for longest first; not while a group is under way."""
        while len(self._names) > _VIEWS_MAX:
            self._drop(next(iter(self._names)))
        if len(self._met) > _COUNTED_MAX:
            self._met.clear()
            self._pardon.clear()

    def let_go(self) -> None:
        """Take all views away; nothing of them may stand in the way of DDL."""
        for shape in list(self._names):
            self._drop(shape)

    def _drop(self, shape: Shape) -> None:
        self._connection.execute(f"DROP VIEW IF EXISTS temp.{quoted(self._names[shape])}")
        del self._names[shape], self._met[shape]
        self._given_up.discard(shape)
        self._pardon.pop(shape, None)

    def _make(self, shape: Shape) -> None:
        self._made += 1
        name = f"_fused_{self._made}"
        body = _Body(shape)
        columns = ", ".join(f"NULL AS {quoted(str(number))}" for number in range(body.width))
        self._connection.execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT {columns} WHERE 0")
        try:
            self._connection.execute(
                f"CREATE TEMP TRIGGER {name}_row INSTEAD OF INSERT ON {quoted(name)} "
                f'WHEN NEW."0" IS NOT NULL BEGIN {"; ".join(body.texts)}; END'
            )
        except sqlite3.Error as error:
            self._connection.execute(f"DROP VIEW temp.{quoted(name)}")
            if not _is_wrong(error):
                raise
            self._given_up.add(shape)  # a guard of a kind that triggers do not take
        self._names[shape] = name


def _is_wrong(error: sqlite3.Error) -> bool:
    """Whether SQLite does not understand a statement."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR


class _Body:
    """The statements of a shape's trigger, and how many values they read. A value's name is a number, as no column's of
    a table is: in a trigger on rows of a view, `NEW` may be a table too."""

    def __init__(self, shape: Shape) -> None:
        self.width = 0
        self.texts: list[str] = []
        catalog = self._value()
        memory = [self._value() for _ in range(5)] if shape.idempotent else []
        if shape.idempotent:
            self._require(f"SELECT 1 FROM _idempotency WHERE key = {memory[0]} AND expires_at > {memory[1]}", row=False)
        self._require(f"SELECT 1 FROM _head WHERE id = 1 AND catalog_version = {catalog}")
        for text, row in shape.guards:
            self._require(self._valued(placed(text, "")), row=row)
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
        self._require(f"SELECT 1 FROM {table} WHERE {found}{f' AND version = {self._value()}' if versioned else ''}")
        assignments = ", ".join(f"{quoted(column)} = {self._value()}" for column in shape.columns)
        self.texts.append(f"UPDATE {table} SET {assignments} WHERE {found}")

    def _require(self, query: str, *, row: bool = True) -> None:
        """Roll back unless the query finds a row; with `row` false, unless it finds none."""
        self.texts.append(f"SELECT RAISE(ROLLBACK, 'not so') WHERE {'NOT ' if row else ''}EXISTS ({query})")

    def _value(self) -> str:
        self.width += 1
        return f'NEW."{self.width - 1}"'

    def _valued(self, text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: self._value() if found[0] == "?" else found[0], text)


@lru_cache(maxsize=1024)
def _insert(view: str, width: int, rows: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT OR ROLLBACK INTO {quoted(view)} VALUES {', '.join([row] * rows)}"
