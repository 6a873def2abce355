"""Positions are dense, whole transactions stand together, and a record's changes keep their order."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from base.ids import new_id
from storage.batch import Applied
from storage.engine import Engine
from storage.postgres import engine as postgres_engine
from storage.postgres import sequence as postgres_sequence
from tests.engines import POSTGRES, opened, place_of
from tests.storage.shop import MIGRATIONS, batch, change, customer, log, renamed


async def check(engine: Engine) -> int:
    """Dense, contiguous per transaction with one `last`, versions in order; how many events there are."""
    events = await log(engine, "shop")
    assert [event[0] for event in events] == list(range(1, len(events) + 1))
    finished: set[str] = set()
    seen: dict[str, int] = {}
    for number, (_, transaction, record_id, version, last) in enumerate(events):
        assert transaction not in finished
        following = events[number + 1][1] if number + 1 < len(events) else None
        assert last is (following != transaction)
        if last:
            finished.add(transaction)
        assert version == seen.get(record_id, 0) + 1
        seen[record_id] = version
    return len(events)


async def write(engine: Engine, rounds: int) -> int:
    """Some clients that change the same few records, several in one Batch; how many events they made."""
    ids = []
    for number in range(4):
        record_id, insert = customer(engine, name=f"n{number}")
        await engine.apply("shop", batch(insert, changes=(change(record_id),)))
        ids.append(record_id)
    versions = dict.fromkeys(ids, 1)
    made = len(ids)

    async def client(number: int) -> None:
        nonlocal made
        for turn in range(rounds):
            chosen = sorted({ids[(number + turn) % 4], ids[(number * turn) % 4]})
            guess = {record_id: versions[record_id] for record_id in chosen}
            updates = [renamed(record_id, guess[record_id], f"{record_id} {turn}") for record_id in chosen]
            changes = tuple(change(record_id, guess[record_id] + 1) for record_id in chosen)
            if await engine.apply("shop", batch(*updates, changes=changes)) == Applied():
                made += len(chosen)
                versions.update({record_id: guess[record_id] + 1 for record_id in chosen})

    await asyncio.gather(*(client(number) for number in range(6)))
    return made


async def test_several_sequencers_and_writers(engine: Engine, place: str) -> None:
    stopped = False

    async def number_log(some: Engine) -> None:
        while not stopped:
            await some.sequence("shop")
            await asyncio.sleep(0)

    async with opened(place, MIGRATIONS) as other:
        tasks = [asyncio.create_task(number_log(some)) for some in (engine, engine, other)]
        made = await write(engine, 20)
        stopped = True
        await asyncio.gather(*tasks)
    assert await check(engine) == made


async def test_transactions_that_write_side_by_side_are_not_mixed(tmp_path: Path) -> None:
    """Two open transactions draw their numbers in turn; in the log each stands in one piece."""
    place = place_of("postgresql", tmp_path)
    async with opened(place, MIGRATIONS) as engine:
        await engine.create("shop")
        schema = place.partition("#")[2] + "shop"
        connections = [await asyncpg.connect(POSTGRES) for _ in range(2)]
        ids = [new_id() for _ in connections]
        for connection in connections:
            await connection.execute("BEGIN")
        for number in range(3):
            for connection, transaction in zip(connections, ids, strict=True):
                await connection.execute(
                    f"INSERT INTO {schema}._pending (id, transaction_id, at, cause, entity, record_id, op, "
                    "record_version, changed) VALUES ($1, $2, now(), '{}', 'customer', $3, 'UPDATED', $4, '[]')",
                    new_id(),
                    transaction,
                    transaction,
                    number + 1,
                )
        for connection in connections:
            await connection.execute("COMMIT")
            await connection.close()
        assert await check(engine) == 6


async def test_a_long_queue_is_taken_in_parts(engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_sequence, "ROWS_AT_ONCE", 7)
    for name in ("_WAITING", "_MOVE_PART"):
        text = getattr(postgres_sequence, name)
        monkeypatch.setattr(postgres_sequence, name, text.replace("20001", "8").replace("20000", "7"))
    made = await write(engine, 8)
    whole = batch(changes=tuple(change(f"r{number}") for number in range(20)))
    await engine.apply("shop", whole)
    assert await check(engine) == made + 20
    assert await engine.sequence("shop") == made + 20


async def test_the_queue_is_cleared_of_what_was_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(postgres_engine, "SWEPT_EVERY", 10)
    place = place_of("postgresql", tmp_path)
    async with opened(place, MIGRATIONS) as engine:
        await engine.create("shop")
        made = await write(engine, 1)
        assert await engine.sequence("shop") == made
        for turn in range(2):
            await engine.apply("shop", batch(changes=tuple(change(f"r{turn}{number}") for number in range(12))))
            made += 12
            assert await engine.sequence("shop") == made
        assert await check(engine) == made
        connection = await asyncpg.connect(POSTGRES)
        schema = place.partition("#")[2] + "shop"
        query = "SELECT reltuples FROM pg_class WHERE oid = to_regclass($1)"
        assert await connection.fetchval(query, f"{schema}._pending") == 0
        await connection.close()
