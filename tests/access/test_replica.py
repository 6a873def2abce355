"""Replicas: who lives, who served which version lately, and what is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from access.migrations import CONTROL_MIGRATIONS, MIGRATIONS
from access.presence import Presence
from access.replica import SERVED_SECONDS, Replica, beat, list_replicas, note_served, oldest_served
from base.clock import now, timestamp
from base.ids import new_id
from storage.batch import Batch, Cause, Execute, Sql
from storage.engine import CONTROL, Engine
from tests.engines import ENGINES, opened, place_of
from tests.waiting import eventually

NAMESPACE = "c_one"


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with one company."""
    async with opened(place_of(request.param, tmp_path), MIGRATIONS, CONTROL_MIGRATIONS) as found:
        await found.create(NAMESPACE)
        yield found


async def age(engine: Engine, namespace: str, table: str, seconds: float, which: str = "true") -> None:
    """Let rows be so much older."""
    back = (
        f"seen_at - interval '{seconds} seconds'"
        if engine.dialect == "postgresql"
        else f"(SELECT pliant_now(-{seconds}))"
    )
    statement = Execute(Sql(f"UPDATE __ns__.{table} SET seen_at = {back} WHERE {which}"), ())
    await engine.apply(namespace, Batch(timestamp(now()), new_id(), Cause(None, "test"), None, statements=(statement,)))


async def test_a_replica_lives_and_leaves(engine: Engine) -> None:
    presence = Presence(engine, "1.2.3", heartbeat_seconds=0.02)
    assert await list_replicas(engine) == ()
    await presence.start()
    (found,) = await list_replicas(engine, NAMESPACE)
    assert (found.id, found.release, found.process) == (presence.process.id, "1.2.3", presence.process.process)
    assert found.host
    assert (found.version, found.served_at) == (None, None)

    async def later() -> bool:
        return (await list_replicas(engine))[0].seen_at > found.seen_at

    await eventually(later)
    assert (await list_replicas(engine))[0].started_at == found.started_at
    await presence.stop()
    assert await list_replicas(engine) == ()


async def test_what_it_serves_is_told_once_and_again(engine: Engine) -> None:
    presence = Presence(engine, "1", refresh_seconds=3600)
    presence.served(NAMESPACE, 1)
    await presence.start()
    try:
        assert await oldest_served(engine, NAMESPACE) is None, "a process that has not appeared serves nothing"

        async def served(version: int) -> bool:
            (found,) = await list_replicas(engine, NAMESPACE)
            return found.version == version

        presence.served(NAMESPACE, 4)
        await eventually(lambda: served(4))
        (first,) = await list_replicas(engine, NAMESPACE)
        for _ in range(1000):
            presence.served(NAMESPACE, 4)
        presence.served("c_gone", 1)  # deleted meanwhile: nobody minds
        presence.served(NAMESPACE, 5)
        await eventually(lambda: served(5))
        assert await oldest_served(engine, NAMESPACE) == 4, "both were served within the last ten minutes"
        (second,) = await list_replicas(engine, NAMESPACE)
        assert first.served_at is not None
        assert second.served_at is not None
        assert second.served_at >= first.served_at
    finally:
        await presence.stop()
    assert await oldest_served(engine, NAMESPACE) == 4, "what it served is told after it has left"


async def test_a_version_still_served_is_renewed(engine: Engine) -> None:
    presence = Presence(engine, "1", refresh_seconds=0.02)
    await presence.start()
    try:
        presence.served(NAMESPACE, 7)

        async def there() -> bool:
            return await oldest_served(engine, NAMESPACE) == 7

        await eventually(there)
        await age(engine, NAMESPACE, "_served", 2000)
        assert await oldest_served(engine, NAMESPACE) is None

        async def renewed() -> bool:
            presence.served(NAMESPACE, 7)
            return await there()

        await eventually(renewed)
    finally:
        await presence.stop()


async def test_the_oldest_version_is_that_of_any_replica_for_ten_minutes(engine: Engine) -> None:
    slow, fast = new_id(), new_id()
    await note_served(engine, NAMESPACE, slow, 2)
    await note_served(engine, NAMESPACE, fast, 9)
    assert await oldest_served(engine, NAMESPACE) == 2
    await age(engine, NAMESPACE, "_served", SERVED_SECONDS - 10, "version = 2")
    assert await oldest_served(engine, NAMESPACE) == 2
    await age(engine, NAMESPACE, "_served", SERVED_SECONDS + 120, "version = 2")
    assert await oldest_served(engine, NAMESPACE) == 9
    assert await oldest_served(engine, NAMESPACE, within_seconds=3000) == 2
    await note_served(engine, NAMESPACE, slow, 9)
    assert await oldest_served(engine, NAMESPACE, within_seconds=3000) == 2


async def test_silent_rows_are_removed(engine: Engine) -> None:
    silent = Presence(engine, "1")
    await beat(engine, silent.process)
    await note_served(engine, NAMESPACE, silent.process.id, 1)
    await age(engine, CONTROL, "replica", 3700)
    await age(engine, NAMESPACE, "_served", 3700)
    living = Presence(engine, "2")
    await beat(engine, living.process)
    await note_served(engine, NAMESPACE, living.process.id, 2)
    found: tuple[Replica, ...] = await list_replicas(engine, NAMESPACE)
    assert [(item.release, item.version) for item in found] == [("2", 2)]
    rows = await engine.fetch(NAMESPACE, Sql("SELECT version FROM __ns__._served"))
    assert [row[0] for row in rows] == [2]
    await beat(engine, silent.process)  # it was asleep, and is back
    assert len(await list_replicas(engine)) == 2
