"""The writer of a SQLite file: what the event loop applies itself, and what it leaves to the thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from storage.batch import Applied, Execute, Outcome, Sql
from storage.engine import Engine
from storage.sqlite import writer
from storage.sqlite.apply import apply_batch
from tests.engines import opened
from tests.storage.shop import MIGRATIONS, batch, change, customer, log, names

LOOP = "loop"
THREAD = "thread"


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where each group was applied."""
    found: list[str] = []
    apply = writer._apply

    def noted(connection: Any, group: Any) -> Any:
        found.append(LOOP if threading.current_thread() is threading.main_thread() else THREAD)
        return apply(connection, group)

    monkeypatch.setattr(writer, "_apply", noted)
    return found


def made(engine: Engine, name: str) -> Any:
    """A new customer with its event."""
    _, insert = customer(engine, name=name)
    return batch(insert, changes=(change("customer", 1, name),))


async def create(engine: Engine, *listed: str) -> list[Outcome]:
    """Customers that are asked for in one turn of the loop."""
    return list(await asyncio.gather(*(engine.apply("shop", made(engine, name)) for name in listed)))


async def test_one_row_is_applied_on_the_loop(tmp_path: Path, threads: list[str]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        assert await create(engine, "a", "b", "c") == [Applied()] * 3
        assert threads == [LOOP], "one group"
        assert len(await log(engine, "shop")) == 3


async def test_what_may_take_long_is_left_to_the_thread(tmp_path: Path, threads: list[str]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        free = batch(Execute(Sql("UPDATE customer SET name = 'z' WHERE name = 'a'"), ()))
        first, second, third = await asyncio.gather(
            engine.apply("shop", made(engine, "a")), engine.apply("shop", free), engine.apply("shop", made(engine, "b"))
        )
        assert (first, second, third) == (Applied(), Applied(), Applied())
        assert threads == [LOOP, THREAD]
        assert sorted(str(name) for name in await names(engine, "shop")) == ["b", "z"], "in the order of asking"


async def test_a_group_that_fails_on_the_loop_is_done_by_the_thread(
    tmp_path: Path, threads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread also has the next ones, before the loop tries again."""

    def interrupted(*given: Any) -> Outcome:
        if threading.current_thread() is threading.main_thread():
            raise sqlite3.OperationalError("interrupted")
        return apply_batch(*given)

    monkeypatch.setattr("storage.sqlite.writer.apply_batch", interrupted)
    monkeypatch.setattr(writer, "_PARDON", 2)
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        for name in "abcd":
            assert await create(engine, name) == [Applied()]
        assert threads == [LOOP, THREAD, THREAD, THREAD, LOOP, THREAD]
        assert await names(engine, "shop") == ["a", "b", "c", "d"]


async def test_who_finds_another_writing_waits_in_the_thread(tmp_path: Path, threads: list[str]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        (file,) = (tmp_path / "companies").glob("*.db")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        going = asyncio.create_task(create(engine, "a"))
        await asyncio.sleep(0.05)
        assert not going.done()
        other.execute("ROLLBACK")
        assert await going == [Applied()]
        assert threads == [THREAD]
        other.close()
