"""Reads of one row that wait at the same time: each gets its own answer, whoever stands beside it."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from storage.batch import Sql
from storage.engine import Engine
from storage.errors import NamespaceMissing, StatementRefused
from tests.engines import POSTGRES

ECHO = {"postgresql": "SELECT $1::integer + 1", "sqlite": "SELECT ? + 1"}
PICKY = {"postgresql": "SELECT 10 / $1::integer", "sqlite": "SELECT json(CASE ? WHEN 0 THEN '{' ELSE '1' END)"}


async def test_many_at_once_get_their_own_rows(engine: Engine) -> None:
    sql = Sql(ECHO[engine.dialect])
    rows = await asyncio.gather(*(engine.fetch_row("shop", sql, (number,)) for number in range(200)))
    assert [row[0] for row in rows] == list(range(1, 201))


async def test_several_texts_at_once(engine: Engine) -> None:
    texts = [f"{ECHO[engine.dialect]} + {more}" for more in range(10)]
    asked = [(text, number) for number in range(10) for text in texts]
    rows = await asyncio.gather(*(engine.fetch_row("shop", Sql(text), (number,)) for text, number in asked))
    assert [row[0] for row in rows] == [number + 1 + texts.index(text) for text, number in asked]


async def test_one_that_fails_leaves_its_neighbours_alone(engine: Engine) -> None:
    sql = Sql(PICKY[engine.dialect])
    answers = await asyncio.gather(
        *(engine.fetch_row("shop", sql, (number,)) for number in (1, 0, 2, 0, 5)), return_exceptions=True
    )
    assert [isinstance(answer, StatementRefused) for answer in answers] == [False, True, False, True, False]


async def test_one_that_is_cancelled_leaves_its_neighbours_alone(engine: Engine) -> None:
    sql = Sql(ECHO[engine.dialect])
    tasks = [asyncio.create_task(engine.fetch_row("shop", sql, (number,))) for number in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answer[0] for answer in answers[1::2] if not isinstance(answer, BaseException)] == list(range(2, 21, 2))
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])


async def test_a_company_that_is_not_there(engine: Engine) -> None:
    with pytest.raises(NamespaceMissing):
        await engine.fetch_row("nowhere", Sql(ECHO[engine.dialect]), (1,))


async def test_connections_that_were_cut(engine: Engine) -> None:
    if engine.dialect == "sqlite":
        return
    sql = Sql("SELECT pg_backend_pid() + 0 * $1::integer")
    rows = await asyncio.gather(*(engine.fetch_row("shop", sql, (number,)) for number in range(20)))
    other = await asyncpg.connect(POSTGRES)
    for pid in {row[0] for row in rows}:
        await other.execute("SELECT pg_terminate_backend($1)", pid)
    await other.close()
    await asyncio.sleep(0.05)
    again = await asyncio.gather(*(engine.fetch_row("shop", sql, (number,)) for number in range(20)))
    assert len(again) == 20
