"""Two releases of Pliant serve one database side by side while the tables of all companies are migrated."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from access.migrations import CONTROL_MIGRATIONS
from access.sweep import Sweep, companies_behind
from pliant.house import COMPANY_MIGRATIONS, House
from pliant.settings import Settings
from storage import ddl, fixed
from storage.batch import Sql
from storage.engine import Dialect, Engine
from storage.migrations import Migration, join
from storage.types import TEXT
from tests.contract.busy import Work
from tests.engines import opened, unopened
from tests.houses import KEYS, Client, found_company, opened_house
from tests.schema.samples import SALES

ROOT = Path(__file__).parents[2]


def wider(migrations: Iterable[Migration], dialect: Dialect) -> list[str]:
    """One column more in every fixed table, and an index over it."""
    texts = [text for item in join(fixed.MIGRATIONS, migrations) for text in item.statements(dialect)]
    tables = [match[1] for text in texts if (match := re.match(r"\s*CREATE TABLE __ns__\.(\w+)", text))]
    assert {"_head", "_log", "_idempotency"} <= set(tables)
    return [
        statement
        for table in tables
        for statement in (
            *ddl.add_column(table, "later", TEXT, dialect),
            *ddl.create_index(f"{table}_later", table, ["later"], dialect),
        )
    ]


def of_next(migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
    """The migrations of a release that widens every table and adds one."""
    return (
        *migrations,
        Migration(990, "wider tables", lambda dialect: wider(migrations, dialect)),
        Migration(991, "a table", lambda dialect: ddl.create_table("_later", [("id", TEXT, True)], ["id"], dialect)),
    )


NEXT = of_next(COMPANY_MIGRATIONS)
NEXT_CONTROL = of_next(CONTROL_MIGRATIONS)


@asynccontextmanager
async def older(place: str, *tokens: str) -> AsyncIterator[Process]:
    """A process of this release at work, which has done a round; in the end it must have had no error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.contract.busy", place, *tokens, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    try:
        await rounds(process, 1)
        try:
            yield process
        except AssertionError:
            if process.returncode is None and process.stdin is not None:
                process.stdin.close()
            print((await process.communicate())[1].decode())
            raise
        await rounds(process, 3)
        assert process.stdin is not None
        process.stdin.close()
        _, err = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, err.decode()
        assert b"Error" not in err, err.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def rounds(process: Process, count: int) -> None:
    """Wait until the process has done so many rounds more."""
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(count):
        if not await asyncio.wait_for(process.stdout.readline(), 120):
            raise AssertionError((await process.stderr.read()).decode())


async def test_the_release_before_goes_on_beside_the_new_one(place: str) -> None:
    async with opened_house(place) as first:
        owners = [await found_company(first, SALES, f"Company {number}") for number in range(4)]
        tokens = [owner.token for owner in owners]
        async with older(place, *tokens) as process:
            settings = Settings(secret_keys=KEYS)
            house = await House.open(settings, unopened(place, NEXT, NEXT_CONTROL))
            try:
                assert len(await companies_behind(house.engine)) == 4
                newer = [Work(Client(house, token), "newer") for token in tokens]
                await newer[0].round(0)  # this company is migrated by its first request, the others by the sweep
                await house.appear()

                async def work() -> None:
                    for turn in range(1, 4):
                        for one in newer:
                            await one.round(turn)

                swept, _ = await asyncio.gather(house.sweep.run(), work())
                assert swept.failed == ()
                assert await companies_behind(house.engine) == {}
                for namespace in await house.sweep.whole():
                    await house.engine.fetch(namespace, Sql("SELECT later FROM __ns__._log WHERE later IS NOT NULL"))
                await rounds(process, 3)
                # the release before founds a company: the new one migrates it when it is asked
                late = await found_company(first, SALES, "Late")
                assert len(await companies_behind(house.engine)) == 1
                await Work(Client(house, late.token), "newer").round(0)
                await Work(late, "older").round(3)
                assert len((await owners[0].administer("{ replicas { id } }"))["replicas"]) == 2
            finally:
                await house.close()
        for owner in owners:
            names = await owner.data('{ accounts(filter: {name: {startsWith: "newer"}}) { totalCount } }')
            assert names["accounts"]["totalCount"] >= 3


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.2])
async def test_a_killed_sweep_leaves_whole_companies(place: str, wait: float) -> None:
    async with opened_house(place) as first:
        for number in range(6):
            await found_company(first, SALES, f"Company {number}")
        async with opened(place, COMPANY_MIGRATIONS, NEXT_CONTROL) as engine:
            module = "tests.contract.test_two_releases"
            process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, place, stdout=PIPE, cwd=ROOT)
            assert process.stdout is not None
            await process.stdout.readline()
            await asyncio.sleep(wait)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            async with opened(place, NEXT, NEXT_CONTROL) as new:
                behind = await companies_behind(new)
                assert set(behind.values()) <= {("990 wider tables", "991 a table")}
                for company in behind:
                    assert await columns(engine, company.namespace) == set(), "not a column of a half migration"
                assert (await Sweep(new, pause_seconds=0).run()).migrated == len(behind)
                for namespace in await first.sweep.whole():
                    assert len(await columns(engine, namespace)) > 8


async def columns(engine: Engine, namespace: str) -> set[str]:
    """The tables that have got the new column, asked past the engine's own idea of what is there."""
    if engine.dialect == "sqlite":
        text = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE c.name = 'later'"
    else:
        text = (
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_class h ON "
            "h.relnamespace = c.relnamespace WHERE h.oid = '__ns__._head'::regclass AND a.attname = 'later' "
            "AND c.relkind = 'r'"
        )
    return {str(row[0]) for row in await engine.fetch(namespace, Sql(text))}


async def sweep(place: str) -> None:
    """Migrate all companies, telling of each."""
    engine = unopened(place, NEXT, NEXT_CONTROL)
    await engine.open()
    print("open", flush=True)
    await Sweep(engine, pause_seconds=0).run()


if __name__ == "__main__":
    asyncio.run(sweep(sys.argv[1]))
