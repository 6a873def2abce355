"""DDL and its Batch are one transaction; writers of the old version never slip in behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from storage import ddl, migrations
from storage.batch import Applied, CatalogMoved, GuardFailed, Sql
from storage.engine import Dialect, Engine
from storage.errors import StatementRefused
from storage.migrations import Migration
from storage.types import TEXT
from tests.engines import ENGINES, POSTGRES, opened, place_of
from tests.storage.shop import MIGRATIONS, batch, change, customer, exists, log, names


async def columns(engine: Engine) -> set[str]:
    """The columns of `customer`."""
    if engine.dialect == "sqlite":
        rows = await engine.fetch("shop", Sql("SELECT name FROM pragma_table_info('customer')"))
    else:
        text = "SELECT attname FROM pg_attribute WHERE attrelid = '__ns__.customer'::regclass AND attnum > 0"
        rows = await engine.fetch("shop", Sql(text))
    return {row[0] for row in rows}


async def test_a_column_comes_with_its_version_and_event(engine: Engine) -> None:
    added = ddl.add_column("customer", "city", TEXT, engine.dialect)
    publish = batch(changes=(change("documents", 1, "PUBLISHED"),), new_catalog_version=1)
    assert await engine.migrate("shop", added, publish) == Applied()
    assert "city" in await columns(engine)
    assert len(await log(engine, "shop")) == 1
    assert await engine.migrate("shop", (), publish) == CatalogMoved(1)


async def test_what_fails_leaves_no_ddl(engine: Engine) -> None:
    added = ddl.add_column("customer", "city", TEXT, engine.dialect)
    failing = batch(guards=(exists(engine, "00000000-0000-7000-8000-000000000000", "x"),), new_catalog_version=1)
    assert await engine.migrate("shop", added, failing) == GuardFailed("x")
    with pytest.raises(StatementRefused):
        await engine.migrate("shop", [*added, "ALTER TABLE __ns__.nowhere ADD COLUMN x text"], batch())
    assert "city" not in await columns(engine)
    assert await engine.apply("shop", batch()) == Applied()


async def test_prepared_reads_and_writes_survive_a_new_column(engine: Engine) -> None:
    await engine.apply("shop", batch(customer(engine, name="a")[1]))
    assert await names(engine, "shop") == ["a"]
    await engine.migrate("shop", ddl.add_column("customer", "city", TEXT, engine.dialect), batch())
    await engine.apply("shop", batch(customer(engine, name="b")[1]))
    assert await names(engine, "shop") == ["a", "b"]


async def test_no_write_of_the_old_version_follows_the_new_one(engine: Engine, place: str) -> None:
    """Each event carries the version that it was written for: in the order of the log they never go back."""
    versions = [0]
    done = asyncio.Event()

    async def write(some: Engine) -> None:
        while not done.is_set():
            planned = versions[-1]
            record_id, insert = customer(some)
            await some.apply("shop", batch(insert, changes=(change(record_id),), catalog_version=planned))

    async def publish() -> None:
        for number in range(16):
            # a table's own lock would hide that the company's is missing, so every second one changes no table
            added = [] if number % 2 else ddl.add_column("customer", f"c{number}", TEXT, engine.dialect)
            event = change("documents", number, "PUBLISHED")
            moved = batch(catalog_version=number, new_catalog_version=number + 1, changes=(event,))
            assert await engine.migrate("shop", added, moved) == Applied()
            await asyncio.sleep(0.01)  # the writers go on for a moment with what is old now
            versions.append(number + 1)
            await asyncio.sleep(0.02)
        done.set()

    async with opened(place, MIGRATIONS) as other:
        await asyncio.gather(*(write(some) for some in (engine, other) for _ in range(5)), publish())
    await engine.sequence("shop")
    rows = await engine.fetch("shop", Sql("SELECT catalog_version FROM __ns__._log ORDER BY position"))
    written = [row[0] for row in rows]
    assert written == sorted(written)
    assert len(written) > 50
    assert {f"c{number}" for number in range(0, 16, 2)} <= await columns(engine)


async def test_of_two_publishers_one_moves_the_head(engine: Engine) -> None:
    publish = batch(new_catalog_version=1)
    outcomes = await asyncio.gather(*(engine.migrate("shop", (), publish) for _ in range(3)))
    assert sorted(map(str, outcomes)) == sorted([str(Applied())] + [str(CatalogMoved(1))] * 2)


@pytest.mark.parametrize("kind", ENGINES)
async def test_fixed_tables_are_migrated_on_first_touch(kind: str, tmp_path: Path) -> None:
    place = place_of(kind, tmp_path)
    async with opened(place, MIGRATIONS) as old:
        await old.create("shop")
        await old.apply("shop", batch(customer(old, name="Ann")[1]))
        ran: list[Dialect] = []

        def more(dialect: Dialect) -> list[str]:
            ran.append(dialect)
            return ddl.add_column("customer", "city", TEXT, dialect)

        async with opened(place, (*MIGRATIONS, Migration(501, "it's more", more))) as new:
            await asyncio.gather(*(names(new, "shop") for _ in range(5)))
            assert ran == [new.dialect]
            assert "city" in await columns(new)
        assert await names(old, "shop") == ["Ann"]  # the release before goes on


def test_two_migrations_of_one_number() -> None:
    with pytest.raises(ValueError):
        migrations.join([Migration(1, "a", lambda _: [])], [Migration(1, "b", lambda _: [])])


async def test_waiting_ddl_lets_readers_pass_and_comes_through(tmp_path: Path) -> None:
    place = place_of("postgresql", tmp_path)
    async with opened(place, MIGRATIONS) as engine:
        await engine.create("shop")
        schema = place.partition("#")[2] + "shop"
        reader = await asyncpg.connect(POSTGRES)
        await reader.execute(f"BEGIN; SELECT 1 FROM {schema}.customer")  # a report that holds the table
        added = ddl.add_column("customer", "city", TEXT, engine.dialect)
        publishing = asyncio.create_task(engine.migrate("shop", added, batch()))
        await asyncio.sleep(0.1)
        started = asyncio.get_running_loop().time()
        assert await names(engine, "shop") == []
        assert await engine.apply("shop", batch(customer(engine, name="a")[1])) == Applied()
        assert asyncio.get_running_loop().time() - started < 8
        await asyncio.sleep(0.5)
        assert not publishing.done()
        await reader.execute("COMMIT")
        assert await publishing == Applied()
        await reader.close()
