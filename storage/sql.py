"""SQL text out of SQLAlchemy Core clauses, and the constructs that the two engines spell differently.

A clause is compiled once, kept as `Sql`, and run as text by the engine's driver. Parameters are
`sa.bindparam(name, type_=...)` without a value; constants of our own code are written with `constant`.
Columns made by `column` belong to no FROM, so nothing is ever added to a statement or correlated behind our back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement, roles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import NullType, TypeEngine

from base.json import dump
from base.text import FOLD_FUNCTION
from storage.batch import NAMESPACE, Sql, Value
from storage.engine import Dialect
from storage.names import quoted
from storage.sqlite.errors import PARSER_OVERFLOW
from storage.types import ColumnType, postgres_name, unchanged


class _SqliteCompiler(SQLiteCompiler):
    def limit_clause(self, select: Any, **kw: Any) -> str:
        """LIMIT alone where no offset is asked (the stock form adds a parameter for OFFSET 0)."""
        if select._limit_clause is not None and select._offset_clause is None:
            return "\n LIMIT " + self.process(select._limit_clause, **kw)
        return str(super().limit_clause(select, **kw))  # type: ignore[no-untyped-call]


class _SqliteDialect(SQLiteDialect):
    statement_compiler = _SqliteCompiler
    supports_statement_cache = True
    supports_native_boolean = True  # else every condition is written as `... = 1`


_DIALECTS: Final[Mapping[str, sa.Dialect]] = {
    "postgresql": PGDialect_asyncpg(),  # type: ignore[no-untyped-call]
    "sqlite": _SqliteDialect(paramstyle="qmark"),
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement with the constants that its clause carried; names of `constants` occur in `sql.binds`."""

    sql: Sql
    constants: Mapping[str, Value]

    def params(self, **values: Value) -> tuple[Value, ...]:
        """The parameters of `sql` in their order: the constants, and values by name."""
        given = {**self.constants, **values}
        return tuple(given[name] for name in self.sql.binds)


def compile(clause: ClauseElement, dialect: Dialect) -> Sql:
    """The text of a clause whose parameters all have names. Raises `ValueError` for one that carries values."""
    compiled = compile_with_constants(clause, dialect)
    if compiled.constants:
        raise ValueError(f"values inside a clause: {sorted(compiled.constants)}; use bindparam or constant()")
    return compiled.sql


def compile_with_constants(clause: ClauseElement, dialect: Dialect) -> Compiled:
    """The same for clauses that hold values (literals of expressions): they are returned beside the text."""
    compiled = clause.compile(dialect=_DIALECTS[dialect], compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    order = tuple(compiled.positiontup or ())
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required and name in order}
    return Compiled(Sql(str(compiled), order), constants)


def fits_parser(sql: Sql, dialect: Dialect) -> bool:
    """Whether the engine's parser takes a statement that is nested so deep.

    SQLite before 3.46 gives up at a hundred pending grammar symbols (YYSTACKDEPTH); its own parser tells best.
    PostgreSQL has no limit that a request could reach.
    """
    if dialect == "postgresql":
        return True
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(sql.text.replace(f"{NAMESPACE}.", ""))
        except sqlite3.OperationalError as error:
            return PARSER_OVERFLOW not in str(error)  # any other error comes after the parser
        except sqlite3.ProgrammingError:
            return True
    return True


def column(alias: str, name: str, type_: TypeEngine[Any]) -> ColumnElement[Any]:
    """A column of an aliased table or sub-select, by names alone."""
    return sa.literal_column(f"{quoted(alias)}.{quoted(name)}", type_)


def constant(value: str | int | None) -> ColumnElement[Any]:
    """A constant of our own code, written into the text."""
    if value is None:
        return sa.literal_column("NULL", NullType())
    if isinstance(value, int):
        return sa.literal_column(str(value), sa.BigInteger())
    return sa.literal_column("'" + value.replace("'", "''") + "'", sa.Text())


def labelled(clause: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A clause under a quoted name."""
    return clause.label(sa.sql.quoted_name(name, True))


def fold(clause: ColumnElement[Any]) -> ColumnElement[str]:
    """The text without regard to case (`base.text.fold`), by the function of the company's own namespace."""
    return Fold(clause)


class Fold(ColumnElement[str]):
    """`__ns__.pliant_fold(x)`."""

    inherit_cache = False
    type = sa.Text()

    def __init__(self, clause: ColumnElement[Any]) -> None:
        self.clause = clause


@compiles(Fold)
def _fold(element: Fold, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{NAMESPACE}.{FOLD_FUNCTION}({compiler.process(element.clause, **kw)})"


def is_true(clause: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a condition holds; unknown counts as no."""
    return Truth(clause, True)


def is_not_true(clause: ColumnElement[Any]) -> ColumnElement[bool]:
    """The negation of `is_true`: unknown counts as yes."""
    return Truth(clause, False)


class Truth(ColumnElement[bool]):
    """`x IS [NOT] TRUE`."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, clause: ColumnElement[Any], value: bool) -> None:
        self.clause = clause
        self.value = value


@compiles(Truth)
def _truth(element: Truth, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(({compiler.process(element.clause, **kw)}) IS {'' if element.value else 'NOT '}TRUE)"


class ListParameter(roles.InElementRole, ColumnElement[Any]):
    """A whole list as one parameter: an array on PostgreSQL, on SQLite a sub-select of a JSON array's values."""

    inherit_cache = False

    def __init__(self, name: str, element: ColumnType) -> None:
        self.bind: sa.BindParameter[Any] = sa.bindparam(name, type_=NullType())
        self.element = element
        self.type = element.sqlalchemy()

    def encoded(self, values: Sequence[Any], dialect: Dialect) -> Value:
        """A list of logical values as the driver takes it."""
        return encode_list(values, self.element, dialect)


def array_name(element: ColumnType) -> str:
    """The PostgreSQL type of an array of that kind."""
    return f"{postgres_name(element.kind)}[]"


def encode_list(values: Sequence[Any], element: ColumnType, dialect: Dialect) -> Value:
    """A list of logical values as one driver value: a list on PostgreSQL, JSON text on SQLite."""
    encode = element.encoder(dialect)
    items = list(values) if encode is unchanged else [encode(value) for value in values]
    return items if dialect == "postgresql" else dump(items).decode()


@compiles(ListParameter, "postgresql")
def _list_postgres(element: ListParameter, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.bind, **kw)} AS {array_name(element.element)})"


@compiles(ListParameter, "sqlite")
def _list_sqlite(element: ListParameter, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.bind, **kw)}))"


class InList(ColumnElement[bool]):
    """`x = ANY($1::t[])` or `x IN (SELECT value FROM json_each(?))`: one text for any length of the list."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, clause: ColumnElement[Any], values: ListParameter) -> None:
        self.clause = clause
        self.values = values


@compiles(InList, "postgresql")
def _in_postgres(element: InList, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clause, **kw)} = ANY ({compiler.process(element.values, **kw)}))"


@compiles(InList, "sqlite")
def _in_sqlite(element: InList, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clause, **kw)} IN {compiler.process(element.values, **kw)})"


class InQuery(ColumnElement[bool]):
    """`x = ANY(ARRAY(SELECT ...))` or `x IN (SELECT ...)`, for sub-selects that are computed once a statement."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, clause: ColumnElement[Any], query: sa.Select[Any]) -> None:
        self.clause = clause
        self.query = query.scalar_subquery()


@compiles(InQuery, "postgresql")
def _in_query_postgres(element: InQuery, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clause, **kw)} = ANY (ARRAY{compiler.process(element.query, **kw)}))"


@compiles(InQuery, "sqlite")
def _in_query_sqlite(element: InQuery, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clause, **kw)} IN {compiler.process(element.query, **kw)})"


class ContainsAll(ColumnElement[bool]):
    """Whether a folded text contains every text of a list parameter (on PostgreSQL: matches every LIKE pattern)."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, clause: ColumnElement[Any], name: str) -> None:
        self.clause = clause
        self.bind: sa.BindParameter[Any] = sa.bindparam(name, type_=NullType())


@compiles(ContainsAll, "postgresql")
def _contains_postgres(element: ContainsAll, compiler: SQLCompiler, **kw: Any) -> str:
    return (
        f"({compiler.process(element.clause, **kw)} LIKE ALL (CAST({compiler.process(element.bind, **kw)} AS text[])))"
    )


@compiles(ContainsAll, "sqlite")
def _contains_sqlite(element: ContainsAll, compiler: SQLCompiler, **kw: Any) -> str:
    text, terms = compiler.process(element.clause, **kw), compiler.process(element.bind, **kw)
    return f"(SELECT min(instr(s.t, j.value)) IS NOT 0 FROM (SELECT {text} AS t) AS s, json_each({terms}) AS j)"


def like_literal(text: str) -> str:
    """A text inside a LIKE pattern: `%`, `_` and the backslash are taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def like_pattern(text: str) -> str:
    """The LIKE pattern of texts that contain this one."""
    return f"%{like_literal(text)}%"
