"""The rows of the expression tests in both databases."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from expressions import Dialect
from storage.postgres.codecs import set_value_codecs
from tests.expressions.world import Row, connect_sqlite, create_table, encoded

URL = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")

Found = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Twin:
    """A database that holds rows: what it speaks, and how to ask it."""

    dialect: Dialect
    rows: Sequence[Row]
    run: Callable[[str, Sequence[Any]], Awaitable[Found]]


@asynccontextmanager
async def sqlite_twin(rows: Sequence[Row]) -> AsyncIterator[Twin]:
    """The rows in SQLite."""
    connection = connect_sqlite()
    connection.execute(create_table("expression_row", "sqlite"))
    values = encoded(rows, "sqlite")
    connection.executemany(f"INSERT INTO expression_row VALUES ({', '.join('?' * len(values[0]))})", values)

    async def run(sql: str, params: Sequence[Any]) -> Found:
        found: Found = connection.execute(sql, params).fetchall()
        return found

    yield Twin("sqlite", rows, run)
    connection.close()


@asynccontextmanager
async def postgres_twin(rows: Sequence[Row]) -> AsyncIterator[Twin]:
    """The rows in a schema of their own in PostgreSQL; skips where there is none."""
    try:
        connection = await asyncpg.connect(URL, timeout=5)
    except (OSError, TimeoutError):
        pytest.skip("no PostgreSQL")
    await set_value_codecs(connection)
    schema = f"expressions_{uuid.uuid4().hex[:12]}"
    await connection.execute(f"CREATE SCHEMA {schema}")
    try:
        await connection.execute(f"SET search_path = {schema}")
        await connection.execute(create_table("expression_row", "postgresql"))
        values = encoded(rows, "postgresql")
        places = ", ".join(f"${n}" for n in range(1, len(values[0]) + 1))
        await connection.executemany(f"INSERT INTO expression_row VALUES ({places})", values)

        async def run(sql: str, params: Sequence[Any]) -> Found:
            return [tuple(found) for found in await connection.fetch(sql, *params)]

        yield Twin("postgresql", rows, run)
    finally:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.close()


TWINS = {"sqlite": sqlite_twin, "postgresql": postgres_twin}
