"""Engines for tests: SQLite in a folder always, PostgreSQL where a server answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import asyncpg
import pytest

from storage.engine import Engine
from storage.migrations import Migration
from storage.sqlite import SqliteEngine

POSTGRES = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")

ENGINES = ("sqlite", "postgresql")


def place_of(engine: str, folder: Path) -> str:
    """Where an engine keeps its rows: the folder, or the server's URL. Skips the test where no server answers."""
    if engine == "sqlite":
        return str(folder)
    if not _reachable():
        pytest.skip("no PostgreSQL server")
    return POSTGRES


@asynccontextmanager
async def opened(
    place: str, company: Iterable[Migration] = (), control: Iterable[Migration] = ()
) -> AsyncIterator[Engine]:
    """An open engine with these migrations beside storage's own."""
    engine: Engine = SqliteEngine(Path(place), tuple(company), tuple(control))
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


@cache
def _reachable() -> bool:
    async def connect() -> bool:
        try:
            connection = await asyncpg.connect(POSTGRES, timeout=3)
        except (OSError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    return asyncio.run(connect())
