"""How waiting reads are spread over round trips, told by connections that only note what they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from storage.postgres.reads import TOGETHER_MAX, Reads

CONNECTIONS = 4


class Wire:
    """A pool of connections that answer with the parameters, after so many seconds a read."""

    wanted = False

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.groups: list[int] = []
        self.busy = self.most = 0

    async def take(self) -> Wire:
        return self

    def give(self, connection: Any) -> None: ...

    def is_closed(self) -> bool:
        return False

    async def fetch(self, text: str, *params: Any) -> list[Any]:
        return await self.fetchmany(text, [params])

    async def fetchmany(self, text: str, given: Sequence[Any]) -> list[Any]:
        self.groups.append(len(given))
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(self.seconds * len(given))
        self.busy -= 1
        return list(given)


def reads_over(wire: Wire) -> Reads:
    return Reads(wire, CONNECTIONS, 30.0)  # type: ignore[arg-type]


async def burst(reads: Reads, wire: Wire, count: int) -> list[int]:
    """The groups in which so many reads of one turn go; each must get its own row."""
    wire.groups.clear()
    rows = await asyncio.gather(*(reads.fetch("a text", (number,)) for number in range(count)))
    assert [list(row) for row in rows] == [[number] for number in range(count)]
    return list(wire.groups)


async def test_cheap_reads_go_in_two_halves_on_one_connection() -> None:
    wire = Wire(0)
    reads = reads_over(wire)
    await burst(reads, wire, 1)
    wire.most = 0
    assert await burst(reads, wire, 16) == [8, 8]
    assert await burst(reads, wire, 8) == [8]
    assert max(await burst(reads, wire, 100)) <= TOGETHER_MAX
    assert await burst(reads, wire, 3) == [3]


async def test_dear_reads_are_spread_over_all_connections() -> None:
    wire = Wire(0.01)
    reads = reads_over(wire)
    await burst(reads, wire, 1)
    assert max(await burst(reads, wire, 8)) == 2
    assert wire.most == CONNECTIONS


@pytest.mark.parametrize("count", [1, 4])
async def test_a_read_that_nobody_waits_for_teaches_nothing(count: int) -> None:
    wire = Wire(0.01)
    reads = reads_over(wire)
    await burst(reads, wire, 8)
    given_up = [asyncio.create_task(reads.fetch("a text", (number,))) for number in range(count)]
    await asyncio.sleep(0)
    for task in given_up:
        task.cancel()
    await reads.finished()
    await asyncio.gather(*given_up, return_exceptions=True)
    wire.most = 0
    assert max(await burst(reads, wire, 8)) == 2
    assert wire.most == CONNECTIONS


async def test_a_clock_that_stands_still_teaches_that_reads_are_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.postgres.reads.time.monotonic", lambda: 1.0)
    wire = Wire(0)
    reads = reads_over(wire)
    await burst(reads, wire, 1)
    assert await burst(reads, wire, 16) == [8, 8]
