"""What is committed on SQLite gets from the log into the file without the commits' doing."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from storage.batch import Applied
from storage.engine import Engine
from storage.sqlite import writer
from tests.engines import opened
from tests.storage.shop import MIGRATIONS, batch, customer, names


def in_the_file(folder: Path, beside: Path) -> int:
    """How many customers a file holds without its log."""
    copy = beside / "copy.db"
    shutil.copy(folder / "companies" / "shop.db", copy)
    connection = sqlite3.connect(f"file:{copy}?immutable=1", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM customer").fetchone()[0])
    except sqlite3.OperationalError:  # not even the table
        return 0
    finally:
        connection.close()


async def written(engine: Engine, prefix: str, count: int) -> None:
    made = [batch(customer(engine, name=f"{prefix}{number}")[1]) for number in range(count)]
    assert await asyncio.gather(*(engine.apply("shop", item) for item in made)) == [Applied()] * count


async def arrives(folder: Path, beside: Path, count: int) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if in_the_file(folder, beside) >= count:
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_file_gets_what_many_writes_left_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "CHANGES_BETWEEN", 40)
    folder = tmp_path / "data"
    async with opened(str(folder), MIGRATIONS) as engine:
        await engine.create("shop")
        await written(engine, "a", 30)
        assert in_the_file(folder, tmp_path) == 0, "few stay in the log"
        await written(engine, "b", 30)
        assert await arrives(folder, tmp_path, 60), "as long as the log, which no commit has emptied"


async def test_a_company_that_is_made_again_has_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "CHANGES_BETWEEN", 10)
    folder = tmp_path / "data"
    async with opened(str(folder), MIGRATIONS) as engine:
        for name in "ab":
            await engine.create("shop")
            await written(engine, name, 30)
            assert await arrives(folder, tmp_path, 30)
            assert await names(engine, "shop") == sorted(f"{name}{number}" for number in range(30))
            if name == "a":
                await engine.drop("shop")


async def test_a_log_beyond_its_length_is_emptied_by_the_commits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the thread does nothing."""
    monkeypatch.setattr(writer, "LOG_PAGES_MAX", 20)
    monkeypatch.setattr(writer, "CHANGES_BETWEEN", 1_000_000)
    folder = tmp_path / "data"
    async with opened(str(folder), MIGRATIONS) as engine:
        await engine.create("shop")
        for number in range(60):
            await written(engine, f"{number} ", 1)
        assert in_the_file(folder, tmp_path) > 30
        assert (folder / "companies" / "shop.db-wal").stat().st_size < 60 * 4_096 * 2
