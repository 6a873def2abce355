"""Writers that meet: versions, references, uniques and deletions under concurrency; two Batches joined into one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from records.command import Commands, Create, Delete, Restore, Update
from records.writing.join import join
from records.writing.prepare import prepare
from storage.batch import Applied, Batch, Cause, Late
from tests.engines import ENGINES, place_of
from tests.records.write_world import WriteWorld, faults_of, write_world


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WriteWorld]:
    async with write_world(place_of(request.param, tmp_path)) as made:
        yield made


async def test_every_update_counts_or_is_told(world: WriteWorld) -> None:
    deal = await world.create("deal", name="d")
    saved = await asyncio.gather(*[world.save(Update("deal", deal, {"amount": number})) for number in range(1, 13)])
    won = [item for item in saved if not faults_of(item)]
    assert {code for item in saved for code, _ in faults_of(item)} <= {"CONFLICT"}
    assert (await world.row("deal", deal))["version"] == 1 + len(won)
    assert [event["record_version"] for event in await world.log()] == list(range(1, 2 + len(won)))
    stale = await asyncio.gather(
        *[world.save(Update("deal", deal, {"name": str(number)}, 1 + len(won))) for number in range(4)]
    )
    assert sum(not faults_of(item) for item in stale) == 1


async def test_nobody_refers_to_what_is_being_deleted(world: WriteWorld) -> None:
    for number in range(6):
        account = await world.create("account", name=str(number))
        deals = [world.save(Create("deal", {"name": str(index), "accountId": account})) for index in range(3)]
        *created, deleted = await asyncio.gather(*deals, world.save(Delete("account", account)))
        live = [row for row in (await world.rows("deal")).values() if row["accountId"] == account]
        if faults_of(deleted):
            assert {code for code, _ in faults_of(deleted)} <= {"REFERENCED", "CONFLICT"}
            assert account in await world.rows("account")
        else:
            assert live == []
            assert {code for item in created for code, _ in faults_of(item)} == {"NOT_FOUND"}


async def test_owned_rows_made_meanwhile_go_with_their_owner(world: WriteWorld) -> None:
    for number in range(6):
        deal = await world.create("deal", name=str(number), lines={"create": [{"label": "x"}]})
        lines = [world.save(Update("deal", deal, {"lines": {"create": [{"label": str(index)}]}})) for index in range(3)]
        *_, deleted = await asyncio.gather(*lines, world.save(Delete("deal", deal)))
        live = [row for row in (await world.rows("line")).values() if row["dealId"] == deal]
        assert (deal in await world.rows("deal")) is bool(faults_of(deleted))
        if not faults_of(deleted):
            assert live == []


async def test_one_of_many_equal_values_wins(world: WriteWorld) -> None:
    saved = await asyncio.gather(*[world.save(Create("product", {"code": "x"})) for _ in range(8)])
    assert sorted(str(faults_of(item)) for item in saved) == ["[('NOT_UNIQUE', ('code',))]"] * 7 + ["[]"]
    (only,) = await world.rows("product")
    await world.save(Delete("product", only))
    restored, created = await asyncio.gather(
        world.save(Restore("product", only)), world.save(Create("product", {"code": "x"}))
    )
    assert sorted([bool(faults_of(restored)), bool(faults_of(created))]) == [False, True]


async def _batch(world: WriteWorld, entity: str, **values: str) -> Batch:
    snapshot = world.snapshot()
    prepared = await prepare(snapshot, Commands((Create(entity, values),)), Cause(snapshot.actor.member_id, "request"))
    assert prepared.batch is not None
    return prepared.batch


async def test_two_batches_are_one_transaction(world: WriteWorld) -> None:
    first, second = await _batch(world, "deal", name="one"), await _batch(world, "deal", name="two")
    joined = join(first, second)
    numbers = [value for change in joined.changes for value in (change.after or {}).values() if isinstance(value, Late)]
    assert [number.offset for number in numbers] == [1, 2]
    assert isinstance(await world.engine.apply(world.namespace, joined), Applied)
    rows = {row["name"]: row["number"] for row in (await world.rows("deal")).values()}
    assert rows == {"one": "D-0001", "two": "D-0002"}
    events = await world.log()
    assert len({event["transaction_id"] for event in events}) == 1
    assert [event["last"] for event in events] == [False, True]
    assert [event["after"]["number"] for event in events] == ["D-0001", "D-0002"]


async def test_a_plain_create_is_one_insert_with_the_same_text_each_time(world: WriteWorld) -> None:
    account = await world.create("account", name="A")
    one = await _batch(world, "contact", email="a@example.com", accountId=account)
    other = await _batch(world, "contact", email="b@example.com", accountId=account)
    assert (len(one.guards), len(one.statements), len(one.changes), one.counters) == (1, 1, 1, {})
    assert one.guards[0].sql is other.guards[0].sql
    assert type(one.statements[0]) is type(other.statements[0])
    assert one.statements[0].columns is other.statements[0].columns  # type: ignore[union-attr]


async def test_many_targets_share_a_guard(world: WriteWorld) -> None:
    products = [await world.create("product", code=str(number)) for number in range(6)]
    missing = world.members[0]
    lines = [{"label": "x", "productId": product} for product in products]
    assert faults_of(await world.save(Create("deal", {"name": "d", "lines": {"create": lines}}))) == []
    lines[2] = lines[4] = {"label": "x", "productId": missing}
    saved = await world.save(Create("deal", {"name": "e", "lines": {"create": lines}}))
    assert faults_of(saved) == [
        ("NOT_FOUND", ("lines", "create", "2", "productId")),
        ("NOT_FOUND", ("lines", "create", "4", "productId")),
    ]
    creates = [
        Create("line", {"label": "x", "productId": item, "dealId": deal})
        for item in products
        for deal in await world.rows("deal")
    ]
    before = len(await world.log())
    assert faults_of(await world.save(*creates)) == []
    assert len(await world.log()) == before + 6
    assert faults_of(await world.save(Delete("product", products[0]))) == [("REFERENCED", ("id",))]
