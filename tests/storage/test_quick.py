"""Reads on the event loop: cheap statements are answered at once, and whatever is not stays with the threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.batch import Sql
from storage.errors import StatementRefused
from storage.sqlite.engine import SqliteEngine
from storage.sqlite.quick import CHEAP_SECONDS, Quick

COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) FROM n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    path.touch()
    return path


def test_a_statement_must_have_been_cheap_several_times(file: Path) -> None:
    quick = Quick()
    for _ in range(7):
        quick.learn(COUNT, 0.0)
        assert quick.answer(file, 0, COUNT, (3,)) is None
    quick.learn(COUNT, 0.0)
    assert quick.answer(file, 0, COUNT, (3,)) == [(3,)]
    quick.learn(COUNT, CHEAP_SECONDS * 2)
    assert quick.answer(file, 0, COUNT, (3,)) is None
    quick.close()


def test_one_that_turns_dear_is_interrupted_and_left_to_the_threads(file: Path) -> None:
    quick = Quick()
    for _ in range(8):
        quick.learn(COUNT, 0.0)
    assert quick.answer(file, 0, COUNT, (100_000_000,)) is None
    for _ in range(100):
        quick.learn(COUNT, 0.0)
    assert quick.answer(file, 0, COUNT, (3,)) is None
    quick.close()


async def test_answers_are_the_same_before_and_after(tmp_path: Path) -> None:
    engine = SqliteEngine(tmp_path, (), ())
    await engine.open()
    await engine.create("shop")
    sql = Sql(COUNT)
    assert [(await engine.fetch_row("shop", sql, (number,)))[0] for number in range(1, 40)] == list(range(1, 40))
    assert (await engine.fetch_row("shop", sql, (2_000_000,)))[0] == 2_000_000
    broken = Sql("SELECT json(CASE ? WHEN 0 THEN '{' ELSE '1' END)")
    for _ in range(20):
        await engine.fetch_row("shop", broken, (1,))
    with pytest.raises(StatementRefused):
        await engine.fetch_row("shop", broken, (0,))
    await engine.drop("shop")
    await engine.create("shop")
    assert (await engine.fetch_row("shop", sql, (5,)))[0] == 5
    await engine.close()
