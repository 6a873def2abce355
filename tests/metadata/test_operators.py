"""Every operator means the same in SQL, on both engines, and in Python."""

from __future__ import annotations

import asyncio
import itertools
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.sql import ColumnElement

from base.errors import BadInput
from base.json import Json
from base.text import postgres_fold_statements
from metadata.field import Column, Field, FieldContext, FieldType
from metadata.fields.registry import FIELD_TYPES
from metadata.operator import Argument, Bind, Clock, Convert, Operator, add_months
from metadata.operators.registry import OPERATORS
from storage.batch import Sql
from storage.engine import Dialect
from storage.postgres.codecs import set_value_codecs
from storage.sql import ListParameter, compile
from storage.sqlite.functions import register
from storage.types import TEXT, ColumnType
from tests.examples import examples
from tests.metadata.values import NOW, VALUES, texts

URL = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")
DOCS = Path(__file__).parents[2] / "docs" / "operators.md"


class Arguments(Bind):
    """One operator's argument, turned into parameters as the read path does it."""

    def __init__(self, field: Field, argument: Any, now: Clock, dialect: Dialect) -> None:
        self.field, self.argument, self.now, self.dialect = field, argument, now, dialect
        self.params: dict[str, Any] = {}

    def _one(self, value: Any, type: ColumnType | None) -> ColumnElement[Any]:
        kind = type or self.field.column.type
        name = f"p{len(self.params)}"
        self.params[name] = kind.encoder(self.dialect)(value)
        return sa.bindparam(name, type_=kind.sqlalchemy())

    def value(self, convert: Convert | None = None, type: ColumnType | None = None) -> ColumnElement[Any]:
        return self._one(convert(self.argument) if convert else self.argument, type)

    def values(self, convert: Convert | None = None, type: ColumnType | None = None) -> ListParameter:
        name = f"p{len(self.params)}"
        parameter = ListParameter(name, type or self.field.column.type)
        listed = [convert(item) if convert else item for item in self.argument]
        self.params[name] = parameter.encoded(listed, self.dialect)
        return parameter

    def text(self, convert: Convert | None = None) -> ColumnElement[Any]:
        return self.value(convert, TEXT)

    def part(self, key: str, convert: Convert | None = None, type: ColumnType | None = None) -> ColumnElement[Any]:
        part = self.argument[key]
        return self._one(convert(part) if convert else part, type)

    def clock(self, convert: Callable[[Any, Clock], Any], type: ColumnType | None = None) -> ColumnElement[Any]:
        return self._one(convert(self.argument, self.now), type)

    @property
    def literal(self) -> Any:
        return self.argument


class Database(Protocol):
    """Rows of one column, and which of them a condition finds."""

    dialect: Dialect

    def fill(self, type_: ColumnType, values: Sequence[Any]) -> None: ...

    def found(self, sql: Sql, params: Mapping[str, Any]) -> set[int]: ...

    def close(self) -> None: ...


class Sqlite:
    dialect: Dialect = "sqlite"

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        register(self.connection)

    def fill(self, type_: ColumnType, values: Sequence[Any]) -> None:
        encode = type_.encoder("sqlite")
        self.connection.execute("DROP TABLE IF EXISTS t")
        self.connection.execute(f"CREATE TABLE t (id INTEGER, v {type_.ddl('sqlite')})")
        self.connection.executemany("INSERT INTO t VALUES (?, ?)", [(i, encode(v)) for i, v in enumerate(values)])

    def found(self, sql: Sql, params: Mapping[str, Any]) -> set[int]:
        text = sql.text.replace("__ns__.", "")
        return {row[0] for row in self.connection.execute(text, [params[name] for name in sql.binds])}

    def close(self) -> None:
        self.connection.close()


class Postgres:
    dialect: Dialect = "postgresql"

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.schema = f"t_{uuid.uuid4().hex}"
        self.tables: set[ColumnType] = set()
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            URL, server_settings={"TimeZone": "UTC"}, statement_cache_size=0
        )
        await set_value_codecs(self.connection)
        for statement in (f"CREATE SCHEMA {self.schema}", *postgres_fold_statements(self.schema)):
            await self.connection.execute(statement)

    def fill(self, type_: ColumnType, values: Sequence[Any]) -> None:
        self.runner.run(self._fill(type_, values))

    async def _fill(self, type_: ColumnType, values: Sequence[Any]) -> None:
        encode = type_.encoder("postgresql")
        await self.connection.execute("DROP TABLE IF EXISTS t")
        await self.connection.execute(f"CREATE TEMP TABLE t (id int, v {type_.ddl('postgresql')})")
        rows = [(i, encode(v)) for i, v in enumerate(values)]
        await self.connection.executemany("INSERT INTO t VALUES ($1, $2)", rows)

    def found(self, sql: Sql, params: Mapping[str, Any]) -> set[int]:
        return self.runner.run(self._found(sql, params))

    async def _found(self, sql: Sql, params: Mapping[str, Any]) -> set[int]:
        text = sql.text.replace("__ns__.", f"{self.schema}.")
        return {row[0] for row in await self.connection.fetch(text, *(params[name] for name in sql.binds))}

    def close(self) -> None:
        self.runner.run(self._close())
        self.runner.close()

    async def _close(self) -> None:
        await self.connection.execute(f"DROP SCHEMA {self.schema} CASCADE")
        await self.connection.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    try:
        found: Database = Sqlite() if request.param == "sqlite" else Postgres()
    except OSError:
        pytest.skip("no PostgreSQL")
    yield found
    found.close()


def make_field(kind: FieldType) -> Field:
    """A field of the type's sample property with the one column `v`."""
    assert isinstance(kind.sample, Mapping)
    options = kind.parse(kind.sample, FieldContext("entity", "field", (), {}), [])
    columns = tuple(Column("v", type_) for _, type_ in kind.column_types(options))
    return Field("field", kind, options, "Field", columns=columns)


ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Shanghai", "America/New_York", "America/Sao_Paulo")]
clocks = st.builds(
    Clock,
    now=st.just(NOW) | st.datetimes(datetime(2025, 6, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(ZONES),
    week_start=st.integers(1, 7),
    fiscal_year_start=st.integers(1, 12),
)


def argument_of(operator: Operator, kind: str) -> st.SearchStrategy[Any]:
    """Logical arguments of an operator over a column kind."""
    value = VALUES[kind]
    if kind == "decimal":
        value |= st.integers(-30_000, 30_000).map(lambda n: Decimal(n).scaleb(-4))
    match operator.argument:
        case Argument.VALUE:
            return value
        case Argument.VALUES:
            return st.lists(value, max_size=4)
        case Argument.BOOLEAN:
            return st.booleans()
        case Argument.TEXT | Argument.ELEMENT:
            return texts
        case Argument.ELEMENTS:
            return st.lists(texts, max_size=3)
        case Argument.RANGE:
            return st.fixed_dictionaries({"from": value, "to": value})
        case Argument.PERIOD:
            units = ["days", "weeks", "months"]
            return st.builds(lambda unit, count: {unit: count}, st.sampled_from(units), st.integers(0, 15))
        case _:
            path = st.lists(st.sampled_from(["a", "b", "0", "1", "-1", "+1", " 01", "x"]), max_size=3)
            return st.fixed_dictionaries({"path": path, "eq": VALUES["json"]})


FIELDS_BY_KIND = {
    make_field(kind).column.type.kind: kind
    for kind in reversed(list(FIELD_TYPES))
    if make_field(kind).columns and kind.operators
}


@pytest.mark.parametrize("kind", sorted(FIELDS_BY_KIND))
def test_sql_and_python_agree(database: Database, kind: str) -> None:
    offered = {
        name
        for item in FIELD_TYPES
        if make_field(item).columns and make_field(item).column.type.kind == kind
        for name in item.operators
    }
    field = make_field(FIELDS_BY_KIND[kind])
    value = st.none() | VALUES[kind]

    @settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        rows = data.draw(st.lists(value, min_size=1, max_size=12))
        clock = data.draw(clocks)
        database.fill(field.column.type, rows)
        for name in sorted(offered):
            operator = OPERATORS[name]
            argument = data.draw(argument_of(operator, kind) | _near(operator, rows), label=name)
            check(database, field, operator, argument, rows, clock)

    agree()


def _near(operator: Operator, rows: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Arguments taken from the rows themselves, so that equality is met."""
    values = [row for row in rows if row is not None]
    if not values or operator.argument not in (Argument.VALUE, Argument.VALUES):
        return st.nothing()
    one = st.sampled_from(values)
    return one if operator.argument is Argument.VALUE else st.lists(one, max_size=3)


def check(
    database: Database, field: Field, operator: Operator, argument: Any, rows: Sequence[Any], clock: Clock
) -> None:
    """The rows that SQL finds are those that match in Python."""
    bind = Arguments(field, argument, clock, database.dialect)
    column: ColumnElement[Any] = sa.column("v", field.column.type.sqlalchemy())
    condition = operator.sql(field, column, bind, database.dialect)
    query: sa.Select[Any] = sa.select(sa.column("id")).select_from(sa.table("t")).where(condition)
    found = database.found(compile(query, database.dialect), bind.params)
    expected = {i for i, row in enumerate(rows) if operator.matches(field, row, argument, clock)}
    assert found == expected, (operator.name, argument, rows)


TABLE: list[tuple[str, str, Any, Any, bool]] = [
    ("text", "neq", None, "x", True),
    ("text", "notIn", None, ["x"], True),
    ("text", "in", "x", [], False),
    ("text", "notIn", None, [], True),
    ("text", "contains", "STRASSE", "straße", True),
    ("text", "contains", "100%", "0%", True),
    ("text", "contains", "100x", "0%", False),
    ("text", "contains", "a_b", "_", True),
    ("text", "contains", "axb", "a_b", False),
    ("text", "contains", "a\\b", "\\", True),
    ("text", "contains", "' or 1=1--", "' OR 1=1--", True),
    ("text", "contains", "赢单了", "赢单", True),
    ("text", "contains", "anything", "", True),
    ("text", "contains", None, "", False),
    ("text", "startsWith", "Ärger", "ä", True),
    ("text", "endsWith", "ΟΔΟΣ", "ος", True),
    ("text", "endsWith", "b", "ab", False),
    ("text", "like", "Acme", "acme", False),
    ("text", "like", "Acme", "A%e", True),
    ("text", "like", "A%e", "A\\%e", True),
    ("text", "like", "Axe", "A\\%e", False),
    ("text", "like", "a\\", "a\\", True),
    ("text", "like", "a[b]*?", "a[b]*?", True),
    ("text", "iLike", "ACME GmbH", "acme g%", True),
    ("text", "eq", "a", "A", False),
    ("text", "gt", None, "a", False),
    ("texts", "has", ["a", "b"], "b", True),
    ("texts", "hasAll", [], [], True),
    ("texts", "hasAll", None, [], False),
    ("texts", "hasAny", ["a"], [], False),
    ("texts", "isEmpty", None, True, True),
    ("texts", "isEmpty", [], True, True),
    ("texts", "isEmpty", ["a"], False, True),
    ("texts", "isEmpty", None, False, False),
    ("decimal", "eq", Decimal("1.00"), Decimal("1.004"), False),
    ("decimal", "neq", None, Decimal("1.004"), True),
    ("decimal", "gt", Decimal("1.01"), Decimal("1.004"), True),
    ("decimal", "lte", Decimal("1.00"), Decimal("1.004"), True),
    ("decimal", "lt", Decimal("1.00"), Decimal("99999999999999999999"), True),
    ("json", "path", {"a": [{"b": 1.0}]}, {"path": ["a", "0", "b"], "eq": 1}, True),
    ("json", "path", {"a": True}, {"path": ["a"], "eq": 1}, False),
    ("json", "path", {"a": {"x": 1, "y": 2}}, {"path": ["a"], "eq": {"y": 2, "x": 1}}, True),
    ("json", "path", {"a": 1}, {"path": ["b"], "eq": 1}, False),
    ("date", "inLast", date(2026, 3, 29), {"days": 1}, True),
    ("date", "inLast", date(2026, 3, 28), {"days": 1}, False),
    ("date", "inLast", date(2026, 3, 30), {"days": 7}, False),
    ("date", "inNext", date(2026, 4, 4), {"days": 7}, True),
    ("date", "inNext", date(2026, 4, 5), {"days": 7}, False),
    ("date", "inLast", date(2026, 3, 1), {"months": 1}, True),
    ("date", "inLast", date(2026, 2, 28), {"months": 1}, False),
    ("timestamp", "inLast", NOW - timedelta(days=7), {"weeks": 1}, True),
    ("timestamp", "inLast", NOW, {"weeks": 1}, False),
    ("timestamp", "inNext", NOW, {"days": 1}, True),
    ("date", "thisWeek", date(2026, 3, 23), True, True),
    ("date", "thisWeek", date(2026, 3, 30), True, False),
    ("date", "thisWeek", None, False, True),
    ("date", "thisMonth", date(2026, 3, 31), True, True),
    ("date", "thisQuarter", date(2026, 4, 1), True, False),
    ("date", "thisYear", date(2025, 12, 31), True, False),
    ("timestamp", "thisYear", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), True, True),
]


@pytest.mark.parametrize("kind, name, value, argument, expected", TABLE)
def test_the_documented_meaning(
    database: Database, kind: str, name: str, value: Any, argument: Any, expected: bool
) -> None:
    field = make_field(FIELDS_BY_KIND[kind])
    clock = Clock(NOW, ZoneInfo("UTC"))
    assert OPERATORS[name].matches(field, value, argument, clock) is expected
    database.fill(field.column.type, [value])
    check(database, field, OPERATORS[name], argument, [value], clock)


def test_a_day_begins_when_it_begins_in_the_zone() -> None:
    shanghai = Clock(datetime(2026, 3, 31, 16, 30, tzinfo=UTC), ZoneInfo("Asia/Shanghai"), fiscal_year_start=4)
    assert shanghai.today == date(2026, 4, 1)
    assert shanghai.year() == (date(2026, 4, 1), date(2027, 4, 1))
    assert shanghai.midnight(date(2026, 4, 1)) == datetime(2026, 3, 31, 16, tzinfo=UTC)


@given(clocks)
def test_spans_hold_today_and_follow_each_other(clock: Clock) -> None:
    for span in (clock.week(), clock.month(), clock.quarter(), clock.year()):
        assert span[0] <= clock.today < span[1]
    assert clock.week()[0].isoweekday() == clock.week_start
    assert clock.year()[0].month == clock.fiscal_year_start
    assert (clock.quarter()[0].month - clock.fiscal_year_start) % 3 == 0


def test_a_month_is_never_longer_than_it_is() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 1, 1), -1) == date(2025, 12, 1)


@pytest.mark.parametrize("period", [{"days": -1}, {"days": 2**31 - 1}, {"months": 2**31 - 1}, {"weeks": 2**31 - 1}])
@pytest.mark.parametrize("name", ["inLast", "inNext"])
@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_period_that_cannot_be_is_the_callers_mistake(kind: str, name: str, period: dict[str, int]) -> None:
    field = make_field(FIELDS_BY_KIND[kind])
    with pytest.raises(BadInput):
        OPERATORS[name].matches(field, None, period, Clock(NOW, ZoneInfo("UTC")))


@pytest.mark.parametrize("name", ["like", "iLike"])
def test_a_pattern_has_a_limit(database: Database, name: str) -> None:
    field, clock = make_field(FIELD_TYPES["text"]), Clock(NOW, ZoneInfo("UTC"))
    database.fill(field.column.type, ["\ufdfa" * 1000])
    check(database, field, OPERATORS[name], "\ufdfa" * 1000, ["\ufdfa" * 1000], clock)
    with pytest.raises(BadInput):
        OPERATORS[name].sql(
            field, sa.column("v", sa.Text()), Arguments(field, "a" * 1001, clock, database.dialect), database.dialect
        )


def test_texts_of_any_size_can_be_looked_for(database: Database) -> None:
    field, clock = make_field(FIELD_TYPES["longText"]), Clock(NOW, ZoneInfo("UTC"))
    rows = ["ß" * 60_000, "x"]
    database.fill(field.column.type, rows)
    for name in ("contains", "startsWith", "endsWith"):
        check(database, field, OPERATORS[name], "ss" * 60_000, rows, clock)


def test_every_operator_of_a_field_type_exists() -> None:
    assert {name for kind in FIELD_TYPES for name in kind.operators} == set(OPERATORS.names)


def test_types_that_share_a_filter_share_its_operators() -> None:
    shared = sorted((kind for kind in FIELD_TYPES if kind.filter_name), key=lambda kind: kind.filter_name)
    for name, group in itertools.groupby(shared, key=lambda kind: kind.filter_name):
        assert len({(kind.operators, kind.graphql_name) for kind in group}) == 1, name


def test_the_docs_name_every_operator() -> None:
    text = DOCS.read_text()
    assert [name for name in OPERATORS.names if f"| `{name}` |" not in text] == []


def test_json_null_is_a_value_of_json() -> None:
    value: Json = {"a": None}
    field, clock = make_field(FIELD_TYPES["json"]), Clock(NOW, ZoneInfo("UTC"))
    assert not OPERATORS["path"].matches(field, value, {"path": ["a"], "eq": 0}, clock)


def test_times_compare_to_the_microsecond() -> None:
    field, clock = make_field(FIELD_TYPES["time"]), Clock(NOW, ZoneInfo("UTC"))
    assert OPERATORS["lt"].matches(field, time(8), time(8, 0, 0, 1), clock)
