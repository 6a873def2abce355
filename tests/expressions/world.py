"""The world of the expression tests: names of every type, rows full of nulls and extremes, and random expressions."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from base import decimals, text
from expressions import Dialect, Scope, SqlValue, Type
from storage import types as kinds
from storage.types import ColumnType

Row = Mapping[tuple[str, ...], Any]

IDS = tuple(f"0190aaaa-bbbb-7001-8000-00000000000{n}" for n in range(5))
ACTOR: Row = {
    ("actor", "id"): IDS[1],
    ("actor", "teamId"): None,
    ("actor", "roles"): ("seller", "A"),
    ("actor", "teamIds"): (IDS[2], IDS[3]),
}


@dataclass(frozen=True)
class Known:
    """One name: its type, the column that keeps it and its digits behind the point."""

    path: tuple[str, ...]
    type: Type
    column: ColumnType

    @property
    def sql_name(self) -> str:
        return "_".join(self.path).lower()


NAMES = (
    Known(("flag",), Type.BOOLEAN, kinds.BOOLEAN),
    Known(("active",), Type.BOOLEAN, kinds.BOOLEAN),
    Known(("count",), Type.INTEGER, kinds.INTEGER),
    Known(("big",), Type.INTEGER, kinds.BIGINT),
    Known(("amount",), Type.DECIMAL, kinds.decimal(4)),
    Known(("cost",), Type.DECIMAL, kinds.decimal(4)),
    Known(("rate",), Type.DECIMAL, kinds.decimal(6)),
    Known(("units",), Type.DECIMAL, kinds.decimal(0)),
    Known(("ratio",), Type.FLOAT, kinds.FLOAT),
    Known(("weight",), Type.FLOAT, kinds.FLOAT),
    Known(("name",), Type.TEXT, kinds.TEXT),
    Known(("stage",), Type.TEXT, kinds.TEXT),
    Known(("closeOn",), Type.DATE, kinds.DATE),
    Known(("openOn",), Type.DATE, kinds.DATE),
    Known(("createdAt",), Type.DATETIME, kinds.TIMESTAMP),
    Known(("startsAt",), Type.TIME, kinds.TIME),
    Known(("ownerId",), Type.ID, kinds.UUID),
    Known(("teamId",), Type.ID, kinds.UUID),
    Known(("tags",), Type.LIST, kinds.TEXTS),
    Known(("notes",), Type.JSON, kinds.JSON),
    Known(("account", "sector"), Type.TEXT, kinds.TEXT),
    Known(("account", "size"), Type.INTEGER, kinds.INTEGER),
)
BY_PATH = {known.path: known for known in NAMES}
_ACTOR_TYPES = {"id": Type.ID, "teamId": Type.ID, "roles": Type.LIST, "teamIds": Type.LIST}


@dataclass(frozen=True)
class World:
    """A scope over the names above; `prefix` is the way walked so far."""

    prefix: tuple[str, ...] = ()

    def type_of(self, name: str) -> Type | None:
        if self.prefix == ("actor",):
            return _ACTOR_TYPES.get(name)
        known = BY_PATH.get((*self.prefix, name))
        return None if known is None else known.type

    def step(self, name: str) -> Scope | None:
        return World((name,)) if not self.prefix and name in ("account", "actor") else None

    def names(self) -> Iterable[str]:
        if self.prefix == ("actor",):
            return _ACTOR_TYPES
        here = [known.path[len(self.prefix)] for known in NAMES if known.path[: len(self.prefix)] == self.prefix]
        return [*here, *(() if self.prefix else ("actor",))]


TABLE = sa.table("expression_row", sa.column("n", sa.Integer()), *(
    sa.column(known.sql_name, known.column.sqlalchemy()) for known in NAMES
))  # fmt: skip


@dataclass(frozen=True)
class RowColumns:
    """Columns of the table above; the actor's values are parameters."""

    dialect: Dialect

    def column(self, path: tuple[str, ...]) -> SqlValue:
        known = BY_PATH.get(path)
        if known is not None:
            return SqlValue(TABLE.c[known.sql_name], known.type, known.column.scale)
        return self._actor(path[1])

    def _actor(self, name: str) -> SqlValue:
        value = ACTOR["actor", name]
        if _ACTOR_TYPES[name] is Type.ID:
            clause: ColumnElement[Any] = sa.literal(value, sa.Text())
            if self.dialect == "postgresql":
                clause = sa.cast(clause, sa.Uuid(as_uuid=False))
            return SqlValue(clause, Type.ID, nullable=value is None)
        element = Type.ID if name == "teamIds" else Type.TEXT
        if self.dialect == "sqlite":
            return SqlValue(sa.literal(kinds.TEXTS.encoder("sqlite")(value)), Type.LIST, element=element)
        array = postgresql.ARRAY(sa.Uuid(as_uuid=False) if element is Type.ID else sa.Text())
        return SqlValue(sa.cast(sa.literal(list(value), array), array), Type.LIST, element=element)


def compiled(statement: sa.Select[Any], dialect: Dialect) -> tuple[str, list[Any]]:
    """The text of a statement and its values in placeholder order."""
    spoken = postgresql.dialect(paramstyle="numeric_dollar") if dialect == "postgresql" else sqlite.dialect()  # type: ignore[no-untyped-call]
    result = statement.compile(dialect=spoken)
    values = result.params
    return str(result), [values[name] for name in result.positiontup or ()]


def connect_sqlite() -> sqlite3.Connection:
    """An empty database in memory that knows the functions of base."""
    connection = sqlite3.connect(":memory:")
    for name, arguments, function in (*decimals.SQLITE_FUNCTIONS, *text.SQLITE_FUNCTIONS):
        connection.create_function(name, arguments, function, deterministic=True)
    return connection


def create_table(table: str, dialect: Dialect) -> str:
    """The DDL of the table."""
    columns = ", ".join(f"{known.sql_name} {known.column.ddl(dialect)}" for known in NAMES)
    return f"CREATE TABLE {table} (n integer, {columns})"


def encoded(rows: Sequence[Row], dialect: Dialect) -> list[tuple[Any, ...]]:
    """The rows as the driver takes them, numbered."""
    encoders = [known.column.encoder(dialect) for known in NAMES]
    return [
        (n, *(encode(row[known.path]) for encode, known in zip(encoders, NAMES, strict=True)))
        for n, row in enumerate(rows)
    ]


def logical(value: Any, form: SqlValue, dialect: Dialect) -> Any:
    """The logical value of what a driver gave for a computed value."""
    if value is None:
        return None
    if form.type is Type.BOOLEAN:
        return bool(value)
    if form.type in (Type.INTEGER, Type.DECIMAL):
        return Decimal(value) if form.computed or dialect == "postgresql" else Decimal(value).scaleb(-form.scale)
    kind = {
        Type.DATE: kinds.DATE, Type.DATETIME: kinds.TIMESTAMP, Type.TIME: kinds.TIME, Type.ID: kinds.UUID,
        Type.LIST: kinds.TEXTS,
    }.get(form.type)  # fmt: skip
    return value if kind is None else kind.decoder(dialect)(value)


_WORDS = (
    "",
    "a",
    "A",
    "B",
    "ä",
    "中文",
    "赢单",
    "Z",
    "zz",
    "it's",
    'say "x"',
    "100%",
    "\\",
    "\U0001f600",
    "\uffee",
    "seller",
)
_FLOATS = (
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    0.2,
    1e-300,
    1e300,
    1.7e308,
    -1.7e308,
    5e-324,
    3.3333333333333335,
    1e16,
    2**53 + 2.0,
)
_DATES = (date(1, 1, 1), date(2025, 12, 31), date(2026, 1, 1), date(2026, 2, 28), date(9999, 12, 31))
_INSTANTS = tuple(
    datetime(2026, 1, 1, tzinfo=UTC) + delta
    for delta in (
        timedelta(),
        timedelta(microseconds=1),
        timedelta(microseconds=500_000),
        timedelta(seconds=1),
        -timedelta(1),
    )
)
_TIMES = (time(0), time(8, 30), time(8, 30, 0, 500_000), time(8, 30, 0, 50), time(23, 59, 59, 999_999))


def random_decimal(rng: random.Random, digits: int, scale: int) -> Decimal:
    """A decimal of at most `digits` digits; often zero, one, a tie or an extreme."""
    size = rng.choice((0, 1, 2, 3, 5, digits, digits))
    whole = rng.choice((0, 1, 5 * 10**scale // 10, 10**scale, 10**digits - 1)) if size < 2 else rng.randrange(10**size)
    return Decimal(rng.choice((1, -1)) * whole).scaleb(-scale)


def random_value(rng: random.Random, known: Known) -> Any:
    """A value of a name's type; null one time in five."""
    if rng.random() < 0.2:
        return None
    match known.column.kind:
        case "boolean":
            return rng.random() < 0.5
        case "integer":
            return rng.choice((0, 1, -1, 2, 3, 7, 100, 2**31 - 1, -(2**31), rng.randrange(-50, 50)))
        case "bigint":
            return rng.choice((0, 1, -3, 2**53 - 1, -(2**53) + 1, rng.randrange(-(10**9), 10**9)))
        case "decimal":
            return random_decimal(rng, 18, known.column.scale)
        case "float":
            return rng.choice((*_FLOATS, rng.uniform(-1000, 1000)))
        case "date":
            return rng.choice(_DATES)
        case "timestamp":
            return rng.choice(_INSTANTS)
        case "time":
            return rng.choice(_TIMES)
        case "uuid":
            return rng.choice(IDS)
        case "texts":
            return tuple(rng.sample((*_WORDS, IDS[2]), rng.randrange(4)))
        case "json":
            return {"a": 1}
        case _:
            return rng.choice(_WORDS)


def random_row(rng: random.Random) -> Row:
    """One row, every name with a value or null."""
    return {known.path: random_value(rng, known) for known in NAMES}


def quoted(value: str) -> str:
    """A text literal."""
    body = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{body}'"


class Writer:
    """Writes random expressions of a wanted type; `depth` bounds how far they nest."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def write(self, type_: Type, depth: int) -> str:
        """An expression of that type (a number may be of a narrower one)."""
        if depth <= 0 or self._rng.random() < 0.15:
            return self._leaf(type_)
        if self._rng.random() < 0.12:
            condition = self.write(Type.BOOLEAN, depth - 1)
            branches = (self.write(type_, depth - 1), self.write(type_, depth - 1))
            return f"({condition} ? {branches[0]} : {branches[1]})"
        match type_:
            case Type.BOOLEAN:
                return self._condition(depth - 1)
            case Type.INTEGER:
                return self._sum(("+", "-", "*", "%"), (Type.INTEGER,), depth - 1)
            case Type.DECIMAL:
                return self._sum(("+", "-", "*", "/", "%"), (Type.INTEGER, Type.DECIMAL, Type.DECIMAL), depth - 1)
            case Type.FLOAT:
                return self._sum(("+", "-", "*", "/"), (Type.INTEGER, Type.DECIMAL, Type.FLOAT, Type.FLOAT), depth - 1)
            case _:
                return self._leaf(type_)

    def _sum(self, operators: tuple[str, ...], types: tuple[Type, ...], depth: int) -> str:
        if self._rng.random() < 0.1:
            return f"-({self.write(self._rng.choice(types), depth)})"
        left, right = (self.write(self._rng.choice(types), depth) for _ in range(2))
        return f"({left} {self._rng.choice(operators)} {right})"

    def _condition(self, depth: int) -> str:
        rng = self._rng
        match rng.randrange(9):
            case 0:
                return f"!({self.write(Type.BOOLEAN, depth)})"
            case 1 | 2:
                join = rng.choice((" && ", " || "))
                return "(" + join.join(self.write(Type.BOOLEAN, depth) for _ in range(rng.randrange(2, 4))) + ")"
            case 3:
                return self._membership(depth)
            case 4:
                known = rng.choice(NAMES)
                return f"{'.'.join(known.path)} {rng.choice(('==', '!='))} null"
            case 5:
                types = (Type.BOOLEAN, Type.ID)
                type_, operator = rng.choice(types), rng.choice(("==", "!="))
                return f"({self.write(type_, depth)} {operator} {self.write(type_, depth)})"
            case _:
                numbers = (Type.INTEGER, Type.DECIMAL, Type.DECIMAL, Type.FLOAT)
                operator = rng.choice(("==", "!=", "<", "<=", ">", ">="))
                if rng.random() < 0.6:
                    left, right = rng.choice(numbers), rng.choice(numbers)
                else:
                    left = right = rng.choice((Type.TEXT, Type.DATE, Type.DATETIME, Type.TIME))
                return f"({self.write(left, depth)} {operator} {self.write(right, depth)})"

    def _membership(self, depth: int) -> str:
        rng = self._rng
        match rng.randrange(5):
            case 0:
                return f"{self._leaf(rng.choice((Type.TEXT, Type.ID)))} in {rng.choice(('tags', 'actor.roles'))}"
            case 1:
                return f"{rng.choice(('teamId', 'ownerId', 'name', quoted(IDS[2])))} in actor.teamIds"
            case 2:
                return f"{self._name(Type.ID)} in [{quoted(rng.choice(IDS))}, {self._name(Type.ID)}]"
            case 3:
                items = ", ".join(self._constant(Type.DECIMAL) for _ in range(rng.randrange(4)))
                return f"{self.write(rng.choice((Type.INTEGER, Type.DECIMAL, Type.FLOAT)), depth)} in [{items}]"
            case _:
                type_ = rng.choice((Type.TEXT, Type.DATE))
                items = ", ".join(self._constant(type_) for _ in range(rng.randrange(4)))
                return f"{self._name(type_)} in [{items}]"

    def _leaf(self, type_: Type) -> str:
        if self._rng.random() < 0.03:
            return "null"
        if type_ is Type.FLOAT or self._rng.random() < 0.65:
            return self._name(type_)
        return self._constant(type_)

    def _name(self, type_: Type) -> str:
        paths = [".".join(known.path) for known in NAMES if known.type is type_]
        if type_ is Type.ID:
            paths += ["actor.id", "actor.teamId"]
        return self._rng.choice(paths)

    def _constant(self, type_: Type) -> str:
        rng = self._rng
        match type_:
            case Type.BOOLEAN:
                return rng.choice(("true", "false"))
            case Type.INTEGER:
                return str(rng.choice((0, 1, -1, 2, 3, 7, 100, 2**31, 2**53 - 1, rng.randrange(-50, 50))))
            case Type.DECIMAL:
                value = random_decimal(rng, rng.choice((3, 8, 18, 28)), rng.choice((1, 2, 4, 6, 10)))
                return str(format(value, "f"))
            case Type.DATE:
                return quoted(rng.choice(_DATES).isoformat())
            case Type.DATETIME:
                return quoted(rng.choice(_INSTANTS).isoformat())
            case Type.TIME:
                return quoted(rng.choice(_TIMES).isoformat())
            case Type.ID:
                return quoted(rng.choice(IDS))
            case _:
                return quoted(rng.choice(_WORDS))
