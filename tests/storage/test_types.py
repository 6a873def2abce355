"""Every kind of column keeps, compares and shows what it is given, on both engines."""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

import storage.types
from storage.json_sql import JsonArray, JsonList, JsonName, JsonObject, WordText
from storage.postgres.codecs import set_value_codecs
from storage.sql import compile as compile_sql
from storage.sql import constant
from storage.sqlite.functions import register
from storage.types import KINDS, ColumnType, decimal, float_text, time_text

URL = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")

CASES: list[tuple[ColumnType, Any, Any]] = [
    (ColumnType("text"), "", ""),
    (ColumnType("text"), '赢单 "quoted" \\ \' %_ ß İ \U0001f600\n', '赢单 "quoted" \\ \' %_ ß İ \U0001f600\n'),
    (ColumnType("integer"), -(2**31), -(2**31)),
    (ColumnType("bigint"), 2**53 - 1, 2**53 - 1),
    (ColumnType("float"), 0.1, 0.1),
    (ColumnType("float"), 1.7976931348623157e308, 1.7976931348623157e308),
    (ColumnType("float"), 5e-324, 5e-324),
    (ColumnType("float"), 123456789.12345679, 123456789.12345679),
    (decimal(4), Decimal("0.0000"), "0.0000"),
    (decimal(4), Decimal("-0.0500"), "-0.0500"),
    (decimal(4), Decimal("99999999999999.9999"), "99999999999999.9999"),
    (decimal(0), Decimal("-999999999999999999"), "-999999999999999999"),
    (decimal(6), Decimal("-999999999999.999999"), "-999999999999.999999"),
    (decimal(2), Decimal("12.30"), "12.30"),
    (ColumnType("boolean"), True, True),
    (ColumnType("boolean"), False, False),
    (ColumnType("date"), date(1, 1, 1), "0001-01-01"),
    (ColumnType("date"), date(9999, 12, 31), "9999-12-31"),
    (ColumnType("time"), time(8, 5), "08:05:00"),
    (ColumnType("time"), time(23, 59, 59, 120_000), "23:59:59.12"),
    (ColumnType("timestamp"), datetime(2026, 11, 23, 8, 5, tzinfo=UTC), "2026-11-23T08:05:00+00:00"),
    (ColumnType("timestamp"), datetime(2026, 11, 23, 8, 5, 0, 500_000, tzinfo=UTC), "2026-11-23T08:05:00.5+00:00"),
    (
        ColumnType("timestamp"),
        datetime(2026, 11, 23, 8, 5, 0, 1, tzinfo=timezone(timedelta(hours=8))),
        "2026-11-23T00:05:00.000001+00:00",
    ),
    (ColumnType("uuid"), "01931f2e-7000-7001-8000-000000000001", "01931f2e-7000-7001-8000-000000000001"),
    (ColumnType("json"), {"a": [1, None, "赢", 0.5, {}]}, {"a": [1, None, "赢", 0.5, {}]}),
    (ColumnType("json"), "text", "text"),
    (ColumnType("json"), 0, 0),
    (ColumnType("texts"), [], []),
    (ColumnType("texts"), ["a", 'q"uo,te{}', "赢", "NULL", ""], ["a", 'q"uo,te{}', "赢", "NULL", ""]),
]
CASES += [(ColumnType(kind), None, None) for kind in KINDS]


def _case_id(case: Any) -> str:
    return f"{case.kind}{case.scale or ''}" if isinstance(case, ColumnType) else repr(case)[:20]


def _shown_sqlite(rows: Sequence[tuple[ColumnType, Any]]) -> list[tuple[Any, Any]]:
    """(JSON out of SQL, decoded value) of each value, through a real column."""
    connection = sqlite3.connect(":memory:")
    register(connection)
    found = []
    for type_, value in rows:
        connection.execute(f"CREATE TABLE t (v {type_.ddl('sqlite')})")
        connection.execute("INSERT INTO t VALUES (?)", (type_.encoder("sqlite")(value),))
        column = sa.column("v", type_.sqlalchemy())
        shown = sa.select(JsonObject([("v", type_.shown(column, "sqlite"))])).select_from(sa.table("t"))
        out = json.loads(connection.execute(compile_sql(shown, "sqlite").text).fetchone()[0])["v"]
        raw = connection.execute("SELECT v FROM t").fetchone()[0]
        found.append((out, type_.decoder("sqlite")(raw)))
        connection.execute("DROP TABLE t")
    connection.close()
    return found


@pytest.fixture
async def postgres() -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    try:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(URL, server_settings={"TimeZone": "UTC"})
    except OSError:
        pytest.skip("no PostgreSQL")
    await set_value_codecs(connection)
    yield connection
    await connection.close()


async def _shown_postgres(
    connection: asyncpg.Connection[asyncpg.Record], rows: Sequence[tuple[ColumnType, Any]]
) -> list[tuple[Any, Any]]:
    found = []
    for type_, value in rows:
        name = f"t_{uuid.uuid4().hex}"
        await connection.execute(f"CREATE TEMP TABLE {name} (v {type_.ddl('postgresql')})")
        await connection.execute(f"INSERT INTO {name} VALUES ($1)", type_.encoder("postgresql")(value))
        column = sa.column("v", type_.sqlalchemy())
        shown = sa.select(JsonObject([("v", type_.shown(column, "postgresql"))])).select_from(sa.table(name))
        out = json.loads(await connection.fetchval(compile_sql(shown, "postgresql").text))["v"]
        raw = (await connection.fetch(f"SELECT v FROM {name}"))[0][0]
        found.append((out, type_.decoder("postgresql")(raw)))
        await connection.execute(f"DROP TABLE {name}")
    return found


@pytest.mark.parametrize("type_, value, expected", CASES, ids=_case_id)
def test_a_value_comes_back_from_sqlite(type_: ColumnType, value: Any, expected: Any) -> None:
    assert _shown_sqlite([(type_, value)]) == [(expected, value)]


async def test_every_value_comes_back_from_postgres(postgres: asyncpg.Connection[asyncpg.Record]) -> None:
    found = await _shown_postgres(postgres, [(type_, value) for type_, value, _ in CASES])
    assert found == [(expected, value) for _, value, expected in CASES]


async def test_json_is_put_together_alike(postgres: asyncpg.Connection[asyncpg.Record]) -> None:
    """Objects with more keys than a function has arguments, lists of rows, arrays, names; words that are none."""
    rows = sa.table("r", sa.column("w", sa.Text()), sa.column("n", sa.Integer()))
    many: list[tuple[str, sa.ColumnElement[Any]]] = [(f"k{place}", rows.c.n) for place in range(230)]
    row = JsonObject([*many, ("w", rows.c.w), ("t", JsonName("Thing")), ("a", JsonArray([rows.c.w, rows.c.n]))])
    word = sa.type_coerce(rows.c.w, WordText(["A", "B"]))
    whole = sa.select(
        JsonObject(
            [
                ("rows", JsonList(row)),
                ("few", JsonList(rows.c.w, rows.c.n > constant(1))),
                ("none", JsonList(rows.c.w, rows.c.n > constant(9))),
                ("words", JsonList(word)),
                ("empty", JsonObject([])),
            ]
        )
    ).select_from(rows)
    words = ["A", None, 'he said "hi"\\\n', "B"]
    want = {
        "rows": [
            {**{f"k{place}": n for place in range(230)}, "w": w, "t": "Thing", "a": [w, n]} for n, w in enumerate(words)
        ],
        "few": words[2:],
        "none": [],
        "words": words,
        "empty": {},
    }
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE r (w TEXT, n INTEGER)")
    connection.executemany("INSERT INTO r VALUES (?, ?)", [(w, n) for n, w in enumerate(words)])
    assert json.loads(connection.execute(compile_sql(whole, "sqlite").text).fetchone()[0]) == want
    connection.close()
    await postgres.execute("CREATE TEMP TABLE r (w text, n integer)")
    await postgres.executemany("INSERT INTO r VALUES ($1, $2)", [(w, n) for n, w in enumerate(words)])
    assert json.loads(await postgres.fetchval(compile_sql(whole, "postgresql").text)) == want


def test_the_table_in_the_docstring_names_every_kind() -> None:
    lines = [line for line in (storage.types.__doc__ or "").splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines[1:]] == list(KINDS)
    for line in lines[1:]:
        kind, on_postgres, on_sqlite = (part.strip() for part in line.split("|")[1:4])
        type_ = decimal(4) if kind == "decimal" else ColumnType(kind)
        assert type_.ddl("postgresql").replace("(18,4)", "(18,s)") == on_postgres
        assert on_sqlite.startswith(type_.ddl("sqlite"))


def test_a_float_has_no_minus_zero_and_no_infinity() -> None:
    assert float_text(-0.0) == "0"
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            float_text(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_shown_exactly(value: float) -> None:
    assert float(float_text(value) or "") == value
    assert (float_text(value) or "")[-2:] != ".0"


async def test_the_last_date_travels_in_arrays_too(postgres: asyncpg.Connection[asyncpg.Record]) -> None:
    days = [date(9999, 12, 31), date(2026, 1, 1), date(1, 1, 1)]
    assert await postgres.fetchval("SELECT $1::date[]", days) == days
    assert await postgres.fetchval("SELECT 'infinity' = ANY($1::date[])", days) is False


async def test_floats_are_spelt_as_postgres_does(postgres: asyncpg.Connection[asyncpg.Record]) -> None:
    values = [m * 10.0**e for m in (1.0, -1.5, 1.2345678901234567, 9.999999999999999) for e in range(-12, 25)]
    rows = await postgres.fetch("SELECT to_json(v)::text FROM unnest($1::float8[]) v", values)
    assert [row[0] for row in rows] == [float_text(value) for value in values]


@given(st.times(), st.times())
def test_times_sort_as_their_texts(a: time, b: time) -> None:
    assert (a < b) == (time_text(a) < time_text(b))


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(-(10**20), 10**20), st.integers(0, 6), st.integers(0, 8))
def test_a_scaled_decimal_compares_exactly_with_any_argument(stored: int, other: int, scale: int, more: int) -> None:
    left = Decimal(stored).scaleb(-scale)
    right = Decimal(other).scaleb(-more)
    try:
        encoded = decimal(scale).encoder("sqlite")(right)
    except ValueError:
        assert more > scale
        return
    assert (stored < encoded, stored == encoded) == (left < right, left == right)


@pytest.mark.parametrize("kind, scale", [("money", 0), ("decimal", 7), ("decimal", -1), ("text", 2)])
def test_a_type_that_does_not_exist_is_refused(kind: str, scale: int) -> None:
    with pytest.raises(ValueError):
        ColumnType(kind, scale)
