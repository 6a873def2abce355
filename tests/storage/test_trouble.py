"""What goes wrong comes back as a clear error, and the engine goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from base.errors import BadInput
from base.limits import DEFAULTS
from storage.batch import Applied, Execute, GuardFailed, Insert, Sql, Update
from storage.choice import open_engine
from storage.engine import Engine
from storage.errors import (
    Busy,
    Damaged,
    StatementRefused,
    StatementTooDeep,
    StorageError,
    StorageFull,
    TooSlow,
    Unreachable,
)
from storage.postgres.engine import PostgresEngine
from storage.sqlite import engine as sqlite
from storage.sqlite import files as sqlite_files
from storage.sqlite.engine import SqliteEngine
from tests.engines import POSTGRES, opened, place_of
from tests.storage.shop import MIGRATIONS, batch, change, customer, exists, log, names, renamed

SLOW = {
    "postgresql": "SELECT pg_sleep(5)",
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 1e9) SELECT max(x) FROM n",
}


@asynccontextmanager
async def impatient(place: str) -> AsyncIterator[Engine]:
    """An engine that gives up after 0.3 seconds."""
    limits = replace(DEFAULTS, request_seconds=0.3)
    url, _, prefix = place.partition("#")
    if url.startswith("postgresql"):
        engine: Engine = PostgresEngine(url, MIGRATIONS, (), limits, prefix=prefix)
    else:
        engine = SqliteEngine(Path(url), MIGRATIONS, (), limits)
    await engine.open()
    yield engine
    await engine.close()


async def test_a_statement_that_takes_too_long(engine: Engine, place: str) -> None:
    async with impatient(place) as hasty:
        for read in (hasty.fetch, hasty.fetch_row):
            with pytest.raises(TooSlow) as slow_read:
                await read("shop", Sql(SLOW[engine.dialect]))
            assert slow_read.value.code == "LIMIT_EXCEEDED"
            assert slow_read.value.details == {"limit": "request_seconds", "max": 0.3}
        slow = f"UPDATE __ns__.customer SET name = 'x' WHERE ({SLOW[engine.dialect]}) IS NULL"
        await hasty.apply("shop", batch(customer(engine)[1]))
        with pytest.raises(Busy) as slow_write:
            await hasty.apply("shop", batch(Execute(Sql(slow), ())))
        assert not isinstance(slow_write.value, TooSlow)
        assert await names(hasty, "shop") == [None]
        assert await hasty.apply("shop", batch(customer(engine, name="a")[1])) == Applied()


async def test_a_statement_that_is_nested_too_deep(engine: Engine) -> None:
    deep = Sql("SELECT " + "(SELECT " * 200 + "1" + ")" * 200)
    if engine.dialect == "sqlite" and sqlite3.sqlite_version_info < (3, 46):
        with pytest.raises(StatementTooDeep) as error:
            await engine.fetch("shop", deep)
        assert error.value.code == "LIMIT_EXCEEDED"
    else:
        assert await engine.fetch("shop", deep)


async def test_values_that_do_not_fit(engine: Engine) -> None:
    good = batch(customer(engine, name="good")[1])
    bad = [
        Insert("customer", ("id", "version"), ("uuid", "integer"), ((None, 1),)),
        Insert("customer", ("id", "version"), ("uuid", "integer"), ((customer(engine)[0], 2**70),)),
        Insert("customer", ("id", "version"), ("uuid", "integer"), ((customer(engine)[0], None),)),
        Insert("nowhere", ("id",), ("uuid",), ((customer(engine)[0],),)),
        Update("customer", customer(engine)[0], 1, ("nothing",), ("text",), ("x",)),
    ]
    results = await asyncio.gather(
        *(engine.apply("shop", batch(one)) for one in bad), engine.apply("shop", good), return_exceptions=True
    )
    assert [type(result) for result in results[:-1]] == [StatementRefused] * len(bad)
    assert results[-1] == Applied()
    assert await names(engine, "shop") == ["good"]


async def test_a_caller_that_leaves_does_not_stop_the_write(engine: Engine) -> None:
    task = asyncio.create_task(engine.apply("shop", batch(customer(engine, name="a")[1])))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stepwise = batch(customer(engine, name="b")[1], counters={"c": 1})
    task = asyncio.create_task(engine.apply("shop", stepwise))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(500):
        if await names(engine, "shop") == ["a", "b"]:
            break
        await asyncio.sleep(0.02)
    assert await names(engine, "shop") == ["a", "b"]


async def test_a_reader_that_leaves(engine: Engine) -> None:
    statement = Sql(SLOW["postgresql"] if engine.dialect == "postgresql" else "SELECT 1")
    for _ in range(6):
        task = asyncio.create_task(engine.fetch("shop", statement))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert await asyncio.gather(*(names(engine, "shop") for _ in range(20))) == [[]] * 20


async def test_a_parent_is_not_deleted_under_its_child(engine: Engine, place: str) -> None:
    """Children guard their live parent, the parent's delete looks for children after it: one of the two gives way."""
    children = Sql(f"SELECT 1 FROM __ns__.customer WHERE code = {'?' if engine.dialect == 'sqlite' else '$1'}")
    async with opened(place, MIGRATIONS) as other:
        for turn in range(15):
            parent, insert = customer(engine, name=f"p{turn}")
            await engine.apply("shop", batch(insert))
            child = batch(customer(engine, name=f"c{turn}", code=parent)[1], guards=(exists(engine, parent, "parent"),))
            delete = f"UPDATE __ns__.customer SET deleted_at = '2026-01-01T00:00:00+00:00' WHERE name = 'p{turn}'"
            gone = Execute(Sql(delete), (), 1)
            no_child = replace(exists(engine, parent, "children", after=True), sql=children, params=(parent,))
            no_child = replace(no_child, expect=type(no_child.expect).NO_ROW)
            outcomes = await asyncio.gather(
                engine.apply("shop", child), other.apply("shop", batch(gone, guards=(no_child,)))
            )
            assert sorted(map(str, outcomes)) in (
                sorted([str(Applied()), str(GuardFailed("children"))]),
                sorted([str(Applied()), str(GuardFailed("parent"))]),
            )


async def test_opposite_orders_come_through(engine: Engine, place: str) -> None:
    ids = []
    for number in range(2):
        record_id, insert = customer(engine, name=f"n{number}")
        await engine.apply("shop", batch(insert))
        ids.append(record_id)
    async with opened(place, MIGRATIONS) as other:
        there = batch(*(renamed(record_id, None, f"{record_id} x") for record_id in ids))
        back = batch(*(renamed(record_id, None, f"{record_id} y") for record_id in reversed(ids)))
        for _ in range(4):
            outcomes = await asyncio.gather(engine.apply("shop", there), other.apply("shop", back))
            assert list(outcomes) == [Applied(), Applied()]


async def test_connections_that_are_cut(tmp_path: Path) -> None:
    place = place_of("postgresql", tmp_path)
    async with opened(place, MIGRATIONS) as engine:
        await engine.create("shop")
        written: list[str] = []
        stopped = False

        async def write(client: int) -> None:
            number = 0
            while not stopped:
                number += 1
                record_id, insert = customer(engine, name=f"{client} {number}")
                try:
                    assert await engine.apply("shop", batch(insert, changes=(change(record_id),))) == Applied()
                except Unreachable:
                    continue
                written.append(record_id)

        async def read() -> None:
            while not stopped:
                try:
                    await names(engine, "shop")
                except Unreachable:
                    continue

        tasks = [asyncio.create_task(work) for work in (*(write(client) for client in range(6)), read(), read())]
        knife = await asyncpg.connect(POSTGRES, server_settings={"application_name": "knife"})
        cuts = 0
        while cuts < 8 or len(written) <= 50:
            cuts += 1
            await asyncio.sleep(0.1)
            schema = place.partition("#")[2]
            await knife.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name = 'pliant' AND query LIKE '%{schema}%'"
            )
        stopped = True
        await asyncio.gather(*tasks)
        await knife.close()
        rows = await engine.fetch("shop", Sql("SELECT id FROM __ns__.customer"))
        there = {str(row[0]) for row in rows}
        assert set(written) <= there
        events = await log(engine, "shop")
        assert {event[2] for event in events} == there


async def test_a_server_that_is_not_there() -> None:
    engine = PostgresEngine("postgresql://nobody@127.0.0.1:1/none", (), ())
    with pytest.raises(Unreachable) as caught:
        await engine.open()
    assert "127.0.0.1" not in str(caught.value)
    await engine.close()


async def test_a_full_disk_keeps_nothing_of_the_group(tmp_path: Path) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await engine.migrate("shop", ["PRAGMA max_page_count = 120"], batch())
        writes = [batch(customer(engine, name=f"{n} {'x' * 3000}")[1]) for n in range(400)]
        results = await asyncio.gather(*(engine.apply("shop", one) for one in writes), return_exceptions=True)
        assert any(isinstance(result, StorageFull) for result in results)
        assert len(await names(engine, "shop")) == results.count(Applied())
        await engine.migrate("shop", ["PRAGMA max_page_count = 100000"], batch())
        assert await engine.apply("shop", batch(customer(engine, name="fits")[1])) == Applied()


async def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "companies").mkdir()
    (tmp_path / "companies" / "shop.db").write_bytes(b"this is no database" * 1000)
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        for _ in range(2):
            with pytest.raises(Damaged) as caught:
                await engine.apply("shop", batch())
            assert str(tmp_path) not in str(caught.value)
        await engine.drop("shop")
        await engine.create("shop")
        assert await engine.apply("shop", batch()) == Applied()


async def test_a_file_that_another_process_keeps_locked(tmp_path: Path) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        async with impatient(str(tmp_path)) as hasty:
            other = sqlite3.connect(tmp_path / "companies" / "shop.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Busy):
                await hasty.apply("shop", batch())
            other.execute("ROLLBACK")
            other.close()
            assert await hasty.apply("shop", batch()) == Applied()


async def test_more_companies_than_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "WRITERS_MAX", 2)
    monkeypatch.setattr(sqlite_files, "CONNECTIONS_MAX", 2)
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        companies = [f"c{number}" for number in range(7)]
        for company in companies:
            await engine.create(company)
        for turn in range(2):
            writes = [engine.apply(company, batch(customer(engine, name=f"{turn}")[1])) for company in companies]
            assert await asyncio.gather(*writes) == [Applied()] * 7
        for company in companies:
            assert await names(engine, company) == ["0", "1"]


@pytest.mark.parametrize("url", ["mysql://x/y", "http://x"])
def test_an_address_of_nothing_we_know(url: str) -> None:
    with pytest.raises(BadInput):
        open_engine(url, (), ())


def test_an_address_chooses_the_engine(tmp_path: Path) -> None:
    for place in (tmp_path, str(tmp_path), f"sqlite:///{tmp_path}"):
        assert open_engine(place, (), ()).dialect == "sqlite"
    assert open_engine(POSTGRES, (), ()).dialect == "postgresql"


def test_no_message_shows_sql_or_a_path() -> None:
    for kind in StorageError.__subclasses__():
        error = kind()
        assert error.text.zh
        assert "SELECT" not in error.text.en
