"""PostgreSQL's connections: places are neither lost nor waited for by those who hold them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from storage.batch import Applied, Guard, Sql
from storage.engine import Engine
from storage.errors import Unreachable
from storage.postgres.engine import PostgresEngine
from storage.postgres.pool import Pool
from tests.storage.shop import MIGRATIONS, batch, customer, names


@pytest.fixture
def url(place: str) -> str:
    """The address of the server; there is none for SQLite."""
    if not place.startswith("postgresql"):
        pytest.skip("SQLite has no connections to a server")
    return place.partition("#")[0]


async def test_a_place_outlives_the_waiter_who_left(url: str) -> None:
    pool = Pool(url, {}, 1, 1.0)
    held = await pool.take()
    waiting = asyncio.ensure_future(pool.take())
    await asyncio.sleep(0)
    waiting.cancel()
    held.terminate()
    pool.give(held)
    with suppress(asyncio.CancelledError):
        await waiting
    pool.give(await pool.take())
    await pool.close()


async def test_who_lingers_with_a_connection_hears_that_it_is_wanted(url: str) -> None:
    pool = Pool(url, {}, 1, 1.0)
    held = await pool.take()
    pool.lingering.add(lambda: pool.give(held))
    assert await pool.take() is held
    pool.lingering.clear()
    pool.give(held)
    await pool.close()


async def test_who_holds_a_broken_connection_does_not_wait_for_its_place(engine: Engine, url: str, place: str) -> None:
    narrow = PostgresEngine(url, MIGRATIONS, (), connections=1, prefix=place.partition("#")[2])
    await narrow.open()
    suicide = Guard("never", Sql("SELECT pg_terminate_backend(pg_backend_pid())"), ())
    async with asyncio.timeout(10):
        with pytest.raises(Unreachable):
            await narrow.apply("shop", batch(guards=(suicide,)))
        assert await narrow.apply("shop", batch(customer(engine, name="Ann")[1])) == Applied()
        assert await names(narrow, "shop") == ["Ann"]
    await narrow.close()
