"""Engines for tests: SQLite in a folder always, PostgreSQL where a server answers.

The server is `PLIANT_TEST_DATABASE_URL`. Where none answers its tests are skipped, or fail when `PLIANT_TEST_REQUIRE`
names `postgresql`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import asyncpg
import pytest

from storage.engine import Engine
from storage.migrations import Migration
from storage.names import quoted
from storage.postgres.engine import PostgresEngine
from storage.sqlite.engine import SqliteEngine

POSTGRES = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")
REQUIRED = os.environ.get("PLIANT_TEST_REQUIRE", "")

ENGINES = ("sqlite", "postgresql")

_opened: Counter[str] = Counter()


def place_of(engine: str, folder: Path) -> str:
    """Where an engine keeps its rows: the folder, or the server's URL with a prefix for schemas behind `#`.

    The prefix belongs to the folder, so tests never meet. Skips the test where no server answers.
    """
    if engine == "sqlite":
        return str(folder)
    if not reachable():
        if "postgresql" in REQUIRED:
            pytest.fail(f"PLIANT_TEST_REQUIRE names postgresql, and no server answers at {POSTGRES}")
        pytest.skip("no PostgreSQL server")
    return f"{POSTGRES}#t{hashlib.sha256(str(folder).encode()).hexdigest()[:10]}_"


def unopened(place: str, company: Iterable[Migration] = (), control: Iterable[Migration] = ()) -> Engine:
    """The engine of a place, not yet open."""
    url, _, prefix = place.partition("#")
    if url.startswith("postgresql://"):
        if "synchronous_commit" not in url:  # hardly a test crashes its database
            url += f"{'&' if '?' in url else '?'}synchronous_commit=off"
        return PostgresEngine(url, tuple(company), tuple(control), prefix=prefix)
    return SqliteEngine(Path(url), tuple(company), tuple(control))


@asynccontextmanager
async def opened(
    place: str, company: Iterable[Migration] = (), control: Iterable[Migration] = ()
) -> AsyncIterator[Engine]:
    """An open engine with these migrations beside storage's own; the last to leave a place clears it."""
    engine = unopened(place, company, control)
    _opened[place] += 1
    try:
        await engine.open()
        try:
            yield engine
        finally:
            await engine.close()
    finally:
        _opened[place] -= 1
        if not _opened[place] and "#" in place:
            await clear(place)


async def clear(place: str) -> None:
    """Drop all schemas of a PostgreSQL place."""
    url, _, prefix = place.partition("#")
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", prefix)
        for (name,) in names:
            await connection.execute(f"SET client_min_messages = error; DROP SCHEMA {quoted(name)} CASCADE")
    finally:
        await connection.close()


@cache
def reachable() -> bool:
    """Whether the PostgreSQL server answers; asked once, in a thread, because a test's loop may be running."""
    answers: list[bool] = []

    async def connect() -> bool:
        try:
            connection = await asyncpg.connect(POSTGRES, timeout=20)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    thread = threading.Thread(target=lambda: answers.append(asyncio.run(connect())))
    thread.start()
    thread.join()
    return answers == [True]
