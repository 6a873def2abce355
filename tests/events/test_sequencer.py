"""The sequencer: after a commit the positions come by themselves, and stopping leaves nothing waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from base.ids import new_id
from events import Sequencer, read_head
from storage.engine import Engine
from tests.events.writing import change, write


async def reached(engine: Engine, namespace: str, position: int) -> None:
    """Wait until the head is there."""
    for _ in range(4_000):
        if (await read_head(engine, namespace)).position >= position:
            return
        await asyncio.sleep(0.005)
    pytest.fail(f"position {position} was never given out")


async def test_waking_numbers_what_is_committed(engine: Engine, namespace: str) -> None:
    sequencer = Sequencer(engine)
    sequencer.start()
    for _ in range(3):
        await write(engine, namespace, change(new_id(7)))
        sequencer.wake(namespace)
    await reached(engine, namespace, 3)
    await sequencer.stop()


async def test_stopping_numbers_what_waits_and_ends(engine: Engine, namespace: str) -> None:
    sequencer = Sequencer(engine, delay_seconds=60 if engine.dialect == "sqlite" else 0.05)
    sequencer.start()
    await write(engine, namespace, change(new_id(7)))
    sequencer.wake(namespace)
    await sequencer.stop()
    assert (await read_head(engine, namespace)).position == 1
    sequencer.wake(namespace)
    await sequencer.stop()


async def test_many_wake_ups_are_few_runs(engine: Engine, namespace: str) -> None:
    moves: list[tuple[str, int]] = []
    sequencer = Sequencer(engine, moved=lambda name, position: moves.append((name, position)))
    for _ in range(5):
        await write(engine, namespace, change(new_id(7)))
        for _ in range(20):
            sequencer.wake(namespace)
    await sequencer.stop()
    if engine.dialect == "postgresql":
        assert moves[-1] == (namespace, 5)
        assert len(moves) <= 5
    else:
        assert moves == []


async def test_the_full_sweep_finds_what_nobody_woke(engine: Engine, namespace: str) -> None:
    await write(engine, namespace, change(new_id(7)))

    async def everybody() -> Iterable[str]:
        return [namespace]

    sequencer = Sequencer(engine, everybody, sweep_seconds=0.01)
    sequencer.start()
    await reached(engine, namespace, 1)
    await sequencer.stop()


async def test_a_company_that_is_gone_harms_nobody(
    engine: Engine, namespace: str, caplog: pytest.LogCaptureFixture
) -> None:
    sequencer = Sequencer(engine)
    await write(engine, namespace, change(new_id(7)))
    sequencer.wake("e_gone")
    sequencer.wake(namespace)
    await reached(engine, namespace, 1)
    await sequencer.stop()
    assert ("e_gone" in caplog.text) is (engine.dialect == "postgresql")
