"""A job is held by one worker, comes back when its worker fails or falls silent, and ends with its work."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from base.clock import now
from storage.batch import Applied, GuardFailed, NotUnique, Sql
from storage.engine import Engine
from storage.jobs import LEASE_LOST, claim, complete, enqueue, extend, fail
from tests.storage.shop import batch, customer, names


async def put(engine: Engine, seconds: float = -1, kind: str = "mail", key: str | None = None, **payload: Any) -> Any:
    """A job due in so many seconds."""
    statement = enqueue(engine.dialect, kind, payload, now() + timedelta(seconds=seconds), key)
    return await engine.apply("shop", batch(statement))


async def test_a_due_job_is_taken_once_and_in_order(engine: Engine) -> None:
    for seconds in (-3, -1, -2, 60):
        assert await put(engine, seconds, after=seconds) == Applied()
    await put(engine, -9, kind="other")
    jobs = await claim(engine, "shop", ["mail", "sms"])
    assert [job.payload for job in jobs] == [{"after": -3}, {"after": -2}, {"after": -1}]
    assert [job.attempt for job in jobs] == [1, 1, 1]
    assert await claim(engine, "shop", ["mail", "sms"]) == []
    assert [job.kind for job in await claim(engine, "shop", ["other"])] == ["other"]


async def test_the_end_of_a_job_is_in_the_batch_of_its_work(engine: Engine) -> None:
    await put(engine)
    (job,) = await claim(engine, "shop", ["mail"])
    work = batch(customer(engine, name="sent")[1], complete(engine.dialect, job))
    assert await engine.apply("shop", work) == Applied()
    again = batch(customer(engine, name="sent twice")[1], complete(engine.dialect, job))
    assert await engine.apply("shop", again) == GuardFailed(LEASE_LOST)
    assert await names(engine, "shop") == ["sent"]


async def test_a_silent_worker_loses_its_job(engine: Engine) -> None:
    await put(engine)
    (first,) = await claim(engine, "shop", ["mail"], lease_seconds=30)
    assert await extend(engine, "shop", first, 0.05)
    await asyncio.sleep(0.1)
    (second,) = await claim(engine, "shop", ["mail"])
    assert (second.id, second.attempt) == (first.id, 2)
    assert not await extend(engine, "shop", first)
    assert not await fail(engine, "shop", first, "late")
    assert await engine.apply("shop", batch(complete(engine.dialect, first))) == GuardFailed(LEASE_LOST)
    assert await engine.apply("shop", batch(complete(engine.dialect, second))) == Applied()


async def test_a_failed_job_waits_longer_each_time(engine: Engine) -> None:
    await put(engine)
    (job,) = await claim(engine, "shop", ["mail"])
    assert await fail(engine, "shop", job, "no route")
    assert await claim(engine, "shop", ["mail"]) == []
    rows = await engine.fetch("shop", Sql("SELECT error, attempt, lease_token FROM __ns__._job"))
    assert tuple(rows[0]) == ("no route", 1, None)


async def test_a_key_waits_once(engine: Engine) -> None:
    assert await put(engine, key="k") == Applied()
    assert await put(engine, key="k") == NotUnique("_job_dedupe")
    (job,) = await claim(engine, "shop", ["mail"])
    await engine.apply("shop", batch(complete(engine.dialect, job)))
    assert await put(engine, key="k") == Applied()


async def test_many_workers_share_without_doubles(engine: Engine) -> None:
    for number in range(60):
        await put(engine, number=number)
    taken = await asyncio.gather(*(claim(engine, "shop", ["mail"], 7) for _ in range(12)))
    ids = [job.id for jobs in taken for job in jobs]
    assert len(ids) == len(set(ids))
    assert all(len(jobs) <= 7 for jobs in taken)
    rest = [job.id for _ in range(9) for job in await claim(engine, "shop", ["mail"], 7)]
    assert len({*ids, *rest}) == 60
