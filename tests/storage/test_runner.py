"""The runner finds due jobs, runs each once, tries failed ones again, and leaves what it cannot finish to others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pytest

from base.clock import now
from storage.engine import Engine
from storage.jobs import Job, complete, enqueue
from storage.runner import Runner
from tests.storage.shop import batch, customer, names


class Naming:
    """A kind of job that adds a customer and ends, in one transaction."""

    name = "naming"

    def __init__(self, engine: Engine, failures: int = 0) -> None:
        self.engine = engine
        self.failures = failures
        self.attempts: list[int] = []

    async def run(self, namespace: str, job: Job) -> None:
        """One attempt; the first ones fail as often as was asked."""
        self.attempts.append(job.attempt)
        if len(self.attempts) <= self.failures:
            raise ValueError("not yet")
        await asyncio.sleep(0)
        done = complete(self.engine.dialect, job)
        await self.engine.apply(namespace, batch(customer(self.engine, name=f"c{job.attempt}")[1], done))


async def _shop() -> Iterable[str]:
    return ["shop"]


async def _put(engine: Engine, seconds: float = 0.0) -> None:
    at = now() + timedelta(seconds=seconds)
    await engine.apply("shop", batch(enqueue(engine.dialect, "naming", {}, at)))


async def _until(engine: Engine, count: int) -> None:
    for _ in range(1_000):
        if len(await names(engine, "shop")) >= count:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the jobs were not run")


async def test_a_job_is_run_when_it_is_woken(engine: Engine) -> None:
    kind = Naming(engine)
    runner = Runner(engine, [kind], sweep_seconds=60)
    runner.start()
    await _put(engine)
    runner.wake("shop")
    await _until(engine, 1)
    await runner.stop()
    assert kind.attempts == [1]


async def test_the_sweep_finds_what_nobody_told_of(engine: Engine) -> None:
    await _put(engine)
    runner = Runner(engine, [Naming(engine)], _shop, sweep_seconds=0.05)
    runner.start()
    await _until(engine, 1)
    await runner.stop()


async def test_a_failed_job_is_tried_again(engine: Engine) -> None:
    kind = Naming(engine, failures=1)
    runner = Runner(engine, [kind], _shop, sweep_seconds=0.05, full_sweep_seconds=0.05)
    await _put(engine)
    runner.start()
    await _until(engine, 1)
    await runner.stop()
    assert kind.attempts == [1, 2]


async def test_two_runners_run_a_job_once(engine: Engine) -> None:
    kinds = [Naming(engine), Naming(engine)]
    runners = [Runner(engine, [kind], _shop, sweep_seconds=0.02) for kind in kinds]
    await _put(engine)
    for runner in runners:
        runner.start()
        runner.wake("shop")
    await _until(engine, 1)
    await asyncio.sleep(0.2)
    for runner in runners:
        await runner.stop()
    assert len([attempt for kind in kinds for attempt in kind.attempts]) == 1


async def test_a_job_of_a_stopped_runner_is_taken_up_when_its_lease_is_over(engine: Engine) -> None:
    started = asyncio.Event()

    class Hanging(Naming):
        """A kind whose first attempt never ends."""

        async def run(self, namespace: str, job: Job) -> None:
            """Hang, then do."""
            if job.attempt == 1:
                started.set()
                await asyncio.sleep(3600)
            await super().run(namespace, job)

    await _put(engine)
    first = Runner(engine, [Hanging(engine)], _shop, lease_seconds=0.5)
    first.start()
    first.wake("shop")
    await started.wait()
    await first.stop()
    second = Runner(engine, [Hanging(engine)], _shop, sweep_seconds=0.05, lease_seconds=0.5)
    second.start()
    second.wake("shop")
    await _until(engine, 1)
    await second.stop()
