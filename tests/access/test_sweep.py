"""The sweep: every company comes up to the release, one that cannot be migrated stops no other and is told of."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from access.company import Company, create_company, delete_company
from access.migrations import CONTROL_MIGRATIONS, MIGRATIONS
from access.sweep import Sweep, companies_behind, list_unmigrated
from base.clock import now, timestamp
from base.ids import new_id
from storage import ddl
from storage.batch import Batch, Cause, Sql
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import TEXT
from tests.engines import ENGINES, opened, place_of
from tests.waiting import eventually


def _note(dialect: Dialect) -> list[str]:
    return ddl.create_table("_note", [("id", TEXT, True)], ["id"], dialect)


def _column(dialect: Dialect) -> list[str]:
    return ddl.add_column("_token", "note", TEXT, dialect)


NEXT = (*MIGRATIONS, Migration(990, "notes", _note), Migration(991, "notes of tokens", _column))
"""What the release after this one might bring."""


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where this test's rows are."""
    return place_of(request.param, tmp_path)


async def found(engine: Engine, *names: str) -> list[Company]:
    """Companies of this release."""

    async def nothing(company: Company) -> None:
        pass

    return [await create_company(engine, name, nothing) for name in names]


async def test_every_company_is_brought_up_to_date(place: str) -> None:
    async with opened(place, MIGRATIONS, CONTROL_MIGRATIONS) as old:
        made = await found(old, "a", "b", "c")
        async with opened(place, NEXT, CONTROL_MIGRATIONS) as new:
            assert list((await companies_behind(new)).values()) == [("990 notes", "991 notes of tokens")] * 3
            assert await companies_behind(old) == {}
            sweep, told = Sweep(new, pause_seconds=0), list[tuple[int, int]]()
            assert await sweep.whole() == []
            await new.fetch(made[1].namespace, Sql("SELECT 1 FROM __ns__._note"))  # a request comes first
            assert await sweep.whole() == [made[1].namespace]
            swept = await sweep.run(lambda *step: told.append(step))
            assert (swept.companies, swept.behind, swept.migrated, swept.failed) == (3, 2, 2, ())
            assert told == [(1, 2), (2, 2)]
            assert await companies_behind(new) == {}
            assert (await sweep.run()).behind == 0
            assert sorted(await sweep.whole()) == sorted(item.namespace for item in made)


async def test_one_that_fails_stops_no_other_and_is_told_once(place: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "access.sweep")
    async with opened(place, MIGRATIONS, CONTROL_MIGRATIONS) as old:
        made = await found(old, "a", "b", "c")
        broken = made[1].namespace
        # somebody has made a table of this name by hand
        await run_by_hand(old, broken, *_note(old.dialect))
        async with opened(place, NEXT, CONTROL_MIGRATIONS) as new:
            sweep = Sweep(new, pause_seconds=0)
            for _ in range(2):
                swept = await sweep.run()
            assert [(item.namespace, item.migration) for item in swept.failed] == [(broken, "990 notes")]
            assert "_note" in swept.failed[0].error
            assert (sweep.behind, list(sweep.failed)) == (1, [broken])
            assert len(caplog.records) == 1, "once, not with each attempt"
            assert [item.namespace for item in await list_unmigrated(new)] == [broken]
            assert await new.lacking(broken) == ["990 notes", "991 notes of tokens"], "all or nothing"
            assert await old.fetch(broken, Sql("SELECT count(*) FROM __ns__._token"))
            await run_by_hand(old, broken, "DROP TABLE __ns__._note")
            assert (await sweep.run()).migrated == 1
            assert (sweep.behind, sweep.failed, await list_unmigrated(new)) == (0, {}, ())


async def test_what_a_request_has_mended_is_forgotten(place: str) -> None:
    async with opened(place, MIGRATIONS, CONTROL_MIGRATIONS) as old:
        made = await found(old, "a", "b")
        for company in made:
            await run_by_hand(old, company.namespace, *_note(old.dialect))
        async with opened(place, NEXT, CONTROL_MIGRATIONS) as new:
            assert len((await Sweep(new, pause_seconds=0).run()).failed) == 2
            await run_by_hand(old, made[0].namespace, "DROP TABLE __ns__._note")
            await new.fetch(made[0].namespace, Sql("SELECT 1 FROM __ns__._note"))
            await delete_company(old, made[1].id)
            assert (await Sweep(new, pause_seconds=0).run()).behind == 0
            assert await list_unmigrated(new) == ()


async def test_it_begins_after_the_start_and_tries_again(place: str) -> None:
    async with opened(place, MIGRATIONS, CONTROL_MIGRATIONS) as old:
        (company,) = await found(old, "a")
        await run_by_hand(old, company.namespace, *_note(old.dialect))
        async with opened(place, NEXT, CONTROL_MIGRATIONS) as new:
            sweep = Sweep(new, first_seconds=0, pause_seconds=0, again_seconds=0.01)
            sweep.start()

            async def failed() -> bool:
                return bool(sweep.failed)

            async def done() -> bool:
                return sweep.behind == 0

            await eventually(failed)
            await run_by_hand(old, company.namespace, "DROP TABLE __ns__._note")
            await eventually(done)
            await sweep.stop()
            assert await companies_behind(new) == {}


async def run_by_hand(engine: Engine, namespace: str, *statements: str) -> None:
    """Statements that no release knows."""
    batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None)
    await engine.migrate(namespace, statements, batch)
