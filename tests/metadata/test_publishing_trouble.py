"""Publications whose database fails them: a full disk and cut connections at every step, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from base.clock import now, timestamp
from base.ids import new_id
from base.limits import DEFAULTS
from metadata.migrations import MIGRATIONS
from metadata.publishing.publication import State, find_publication
from metadata.store import Catalogs
from storage.batch import Applied, Batch, Cause
from storage.engine import Engine
from storage.errors import StorageError, StorageFull
from tests.engines import POSTGRES, opened, place_of
from tests.metadata.conftest import Company
from tests.metadata.documents import entity
from tests.metadata.test_prepared import columns, columns_of, sizes, things, write

ROWS = 6
TEXT = {"size": {"type": "string"}}
NUMBER = {"size": {"type": "integer"}}
WANTED = entity(
    properties={"name": {"type": "string"}, **NUMBER, "note": {"type": "string", "default": "-" * 3000}},
    required=["note"],
    **{"x-index": [["size"]], "x-unique": [["name"]]},
)
"""A conversion, a default that takes room, an index and a unique rule."""

TURNS = 8
"""The trouble comes at the next call, then at the one after it, at most so late: some steps are met twice."""

CALLS = ("apply", "migrate", "exclusively", "build_index")


class Hindered:
    """An engine that something happens to around its n-th writing call."""

    def __init__(self, engine: Engine, call: int, hinder: Callable[[Awaitable[Any]], Awaitable[Any]]) -> None:
        self._engine = engine
        self._left = call
        self._hinder = hinder

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if name not in CALLS:
            return found

        async def call(*arguments: Any) -> Any:
            self._left -= 1
            return await (self._hinder(found(*arguments)) if self._left == 0 else found(*arguments))

        return call


class Patient:
    """An engine for those who look on: asked again when it was cut off."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if name not in ("fetch", "apply"):
            return found

        async def call(*arguments: Any) -> Any:
            for _ in range(20):
                try:
                    return await found(*arguments)
                except StorageError:
                    await asyncio.sleep(0.01)
            return await found(*arguments)

        return call


@asynccontextmanager
async def company_of(place: str) -> AsyncIterator[Company]:
    """A company with some things, prepared a few rows at a time."""
    async with opened(place, MIGRATIONS) as engine:
        await engine.create("trouble")
        company = Company(engine, "trouble", Catalogs(engine), replace(DEFAULTS, publish_chunk_rows=3))
        first = await company.publish(things(**TEXT))
        for number in range(ROWS):
            await write(company, first.catalog, name=f"n{number}", size=str(number))
        yield company


async def carried_through(
    company: Company, worker: Engine, hinder: Callable[[Awaitable[Any]], Awaitable[Any]]
) -> list[StorageError]:
    """Publish, with the trouble at one of the worker's next calls each time until it is done; what was raised."""
    engine = company.engine
    begun = await company.begin(WANTED)
    before = await company.catalogs.get("trouble", 1)
    raised: list[StorageError] = []
    for turn in range(100):
        try:
            await company.work(Hindered(worker, 1 + turn % TURNS, hinder))
        except StorageError as error:
            raised.append(error)
            await company.forget_leases()
        found = await find_publication(engine, "trouble", begun.id)
        assert found is not None
        there = await columns(company)
        if found.state is State.ACTIVE:
            break
        assert found.state is State.PREPARING
        expanded = "expand" in found.progress.done
        assert there == (await columns_of(before) | ({"size_2", "note"} if expanded else set()))
    else:
        pytest.fail("it never came to an end")
    catalog = await company.catalogs.get("trouble", 2)
    assert await sizes(company, catalog) == [(f"n{number}", number) for number in range(ROWS)]
    assert await columns(company) == await columns_of(catalog) | {"size"}
    notes = await company.rows("SELECT DISTINCT note FROM __ns__.thing")
    assert notes == [("-" * 3000,)]
    return raised


async def test_a_full_disk_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.jobs.BACKOFF_SECONDS", 0.0)
    async with company_of(str(tmp_path)) as company:

        async def bounded(pages: int) -> None:
            """Let the file have so many pages."""
            batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None)
            pragma = f"PRAGMA max_page_count = {pages}"
            assert await company.engine.migrate("trouble", [pragma], batch) == Applied()

        async def full(call: Awaitable[Any]) -> Any:
            """No room for another page while the call lasts."""
            await bounded(1)  # never below what there is
            try:
                return await call
            finally:
                await bounded(1_000_000)

        raised = await carried_through(company, company.engine, full)
        assert raised
        assert all(isinstance(error, StorageFull) for error in raised)


async def test_connections_are_cut_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.jobs.BACKOFF_SECONDS", 0.0)
    place = place_of("postgresql", tmp_path)
    knife = await asyncpg.connect(POSTGRES, server_settings={"application_name": "knife"})
    try:
        async with company_of(place) as company:
            cuts: list[Any] = []
            cutting = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name = 'pliant' AND query LIKE '%{place.partition('#')[2]}%'"
            )

            async def cut(call: Awaitable[Any]) -> Any:
                """All connections that have to do with the company end, before the call and while it lasts."""
                cuts.extend(await knife.fetch(cutting))
                going = asyncio.ensure_future(call)
                while not going.done():
                    cuts.extend(await knife.fetch(cutting))
                return await going

            engine = company.engine
            company.engine = Patient(engine)
            company.catalogs = Catalogs(company.engine)
            await carried_through(company, engine, cut)
            assert cuts
    finally:
        await knife.close()
