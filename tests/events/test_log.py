"""The log read back: dense, in order, never part of a transaction."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from base.clock import now
from base.errors import BadInput
from base.ids import new_id
from events import Event, read_head, read_history, read_page
from events.log import PAGE_MAX
from storage.engine import Engine
from tests.events.writing import change, write


async def test_an_event_comes_back_as_it_was_written(engine: Engine, namespace: str) -> None:
    record = new_id(7)
    transaction = await write(engine, namespace, change(record, 3))
    await engine.sequence(namespace)
    (event,) = await read_page(engine, namespace, 0, 10)
    assert (event.position, event.last, event.transaction_id) == (1, True, transaction)
    assert (event.entity, event.record_id, event.op, event.record_version) == ("account", record, "UPDATED", 3)
    assert event.changed == ("name",)
    assert event.before == {"name": "old"}
    assert event.after == {"name": "v3", "amount": "1.50"}
    assert (event.cause.actor_id, event.cause.kind) == (None, "import")
    assert event.cause.detail == {"file": "accounts.csv"}
    assert abs(event.at - now()) < timedelta(minutes=1)
    assert event.at.tzinfo is not None


async def test_an_empty_log(engine: Engine, namespace: str) -> None:
    head = await read_head(engine, namespace)
    assert head.position == 0
    assert head.epoch
    assert await read_page(engine, namespace, 0, 10) == []
    assert await read_page(engine, namespace, 99, 10) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
async def test_pages_never_split_a_transaction(engine: Engine, namespace: str, limit: int) -> None:
    sizes = [1, 3, 1, 1, 4, 2]
    for size in sizes:
        await write(engine, namespace, *[change(new_id(7)) for _ in range(size)])
    await engine.sequence(namespace)
    read: list[Event] = []
    while page := await read_page(engine, namespace, read[-1].position if read else 0, limit):
        assert page[-1].last
        assert len(page) <= limit or len({event.transaction_id for event in page}) == 1
        read += page
    assert [event.position for event in read] == list(range(1, sum(sizes) + 1))
    assert [event.last for event in read].count(True) == len(sizes)
    assert (await read_head(engine, namespace)).position == sum(sizes)


async def test_many_writers_leave_no_hole(engine: Engine, namespace: str) -> None:
    async def writer() -> None:
        for version in range(5):
            await write(engine, namespace, change(new_id(7), version), change(new_id(7), version))
            await engine.sequence(namespace)

    await asyncio.gather(*[writer() for _ in range(4)])
    await engine.sequence(namespace)
    events = await read_page(engine, namespace, 0, 1000)
    assert [event.position for event in events] == list(range(1, 41))
    for first, second in zip(events[::2], events[1::2], strict=True):
        assert first.transaction_id == second.transaction_id
        assert (first.last, second.last) == (False, True)


async def test_history_is_one_records_newest_first(engine: Engine, namespace: str) -> None:
    mine, other = new_id(7), new_id(7)
    for version in range(1, 5):
        await write(engine, namespace, change(mine, version), change(other, version))
    await engine.sequence(namespace)
    newest = await read_history(engine, namespace, "account", mine, 3)
    assert [event.record_version for event in newest] == [4, 3, 2]
    rest = await read_history(engine, namespace, "account", mine, 3, before_position=newest[-1].position)
    assert [event.record_version for event in rest] == [1]
    assert await read_history(engine, namespace, "contact", mine, 3) == []


@pytest.mark.parametrize("limit", [0, -1, PAGE_MAX + 1])
async def test_a_limit_out_of_bounds(engine: Engine, namespace: str, limit: int) -> None:
    with pytest.raises(BadInput):
        await read_page(engine, namespace, 0, limit)
    with pytest.raises(BadInput):
        await read_history(engine, namespace, "account", new_id(), limit)
