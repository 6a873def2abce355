"""Rights of writes: rows on the old image, checks on the new one, cells by one grant, transfer, sharing, leaks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from access.actor import Actor
from base.errors import BadInput, Fault, Forbidden, Text
from base.ids import new_id
from records.command import Create, Delete, Merge, Restore, Share, Unshare, Update, UpdateWhere, Upsert
from records.snapshot import Snapshot
from storage.batch import Cause, ChangeRow, Expect, Guard, Sql, Statement
from tests.engines import ENGINES, place_of
from tests.records.write_world import WriteWorld, faults_of, write_world


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WriteWorld]:
    async with write_world(place_of(request.param, tmp_path)) as made:
        yield made


async def refused(world: WriteWorld, command: object, actor: Actor) -> Sequence[str]:
    """The path of the Forbidden that the command meets."""
    with pytest.raises(Forbidden) as caught:
        await world.save(command, actor=actor)  # type: ignore[arg-type]
    path = caught.value.details.get("path", [])
    assert isinstance(path, list)
    return path


async def test_a_hidden_row_does_not_exist(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    deal = await world.create("deal", name="theirs")
    unknown = new_id(world.catalog.entities["deal"].number)
    for target in (deal, unknown):
        for command in (Update("deal", target, {"name": "x"}), Delete("deal", target), Delete("deal", target, 7)):
            assert faults_of(await world.save(command, actor=seller)) == [("NOT_FOUND", ("id",))]
    account = await world.create("account", name="theirs")
    saved = await world.save(Create("deal", {"name": "x", "accountId": account}), actor=seller)
    assert faults_of(saved) == [("NOT_FOUND", ("accountId",))]
    saved = await world.save(Create("line", {"label": "x", "dealId": deal}), actor=seller)
    assert faults_of(saved) == [("NOT_FOUND", ("dealId",))]
    # only that the value is taken can be seen
    saved = await world.save(Create("account", {"name": "Theirs"}), actor=seller)
    assert faults_of(saved) == [("NOT_UNIQUE", ("name",))]
    assert saved.results[0].faults[0].details == {"fields": ["name"]}
    saved = await world.save(Upsert("account", {"name": "Theirs"}, ("name",)), actor=seller)
    assert faults_of(saved) == [("NOT_UNIQUE", ("name",))]


async def test_checks_are_made_on_the_new_row(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    deal = await world.create("deal", actor=seller, name="mine", amount="999")
    assert await refused(world, Update("deal", deal, {"amount": "1000"}), seller) == []
    assert await refused(world, Create("deal", {"name": "x", "ownerId": world.members[2]}), seller) == []
    assert faults_of(await world.save(Update("deal", deal, {"amount": None}), actor=seller)) == []


async def test_conditions_of_cells_are_those_of_the_old_row(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    deal = await world.create("deal", actor=seller, name="mine", closeOn="2026-01-01")
    assert faults_of(await world.save(Update("deal", deal, {"stage": "WON"}), actor=seller)) == []
    assert await refused(world, Update("deal", deal, {"stage": "LOST"}), seller) == ["stage"]
    # even the value that it has: else one could guess what one may not read
    assert await refused(world, Update("deal", deal, {"name": "n", "stage": "WON"}), seller) == ["stage"]
    assert faults_of(await world.save(Update("deal", deal, {"name": "n"}), actor=seller)) == []
    assert await refused(world, Delete("deal", deal), seller) == ["id"]


async def test_fields_without_a_right_do_not_exist(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    saved = await world.save(Create("account", {"name": "x", "revenue": "5", "nonsense": 1}), actor=seller)
    assert faults_of(saved) == [("VALIDATION", ("revenue",)), ("VALIDATION", ("nonsense",))]
    with pytest.raises(Forbidden):
        await world.save(Create("product", {"code": "x"}), actor=seller)
    with pytest.raises(Forbidden):
        await world.save(Create("member", {"name": "x"}))


async def test_a_transfer_is_a_right_of_its_own(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    deal = await world.create("deal", actor=seller, name="mine")
    saved = await world.save(Update("deal", deal, {"ownerId": world.members[2]}), actor=seller)
    assert faults_of(saved) == [("VALIDATION", ("ownerId",))]
    account = await world.create("account", actor=seller, name="mine")
    assert faults_of(await world.save(Update("account", account, {"ownerId": new_id(1)}), actor=seller)) == [
        ("NOT_FOUND", ("ownerId",))
    ]
    assert faults_of(await world.save(Update("account", account, {"ownerId": world.members[2]}), actor=seller)) == []
    assert (await world.row("account", account))["ownerId"] == world.members[2]
    assert faults_of(await world.save(Update("account", account, {"sector": "x"}), actor=seller)) == [
        ("NOT_FOUND", ("id",))
    ]


async def test_bulk_writes_touch_what_may_be_seen_and_all_of_it(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    mine = [await world.create("deal", actor=seller, name=f"m{number}", amount=number) for number in range(3)]
    await world.create("deal", name="theirs", amount=1)
    saved = await world.save(UpdateWhere("deal", {}, {"amount": 7}, at_most=10, all=True), actor=seller)
    assert [item.id for item in saved.results] == mine
    contacts = [
        await world.create("contact", actor=seller, email="a@example.com"),
        await world.create("contact", email="b@example.com"),
    ]
    with pytest.raises(Forbidden):
        await world.save(UpdateWhere("contact", {}, {"account": None}, at_most=10, all=True), actor=seller)
    assert {row["version"] for row in (await world.rows("contact")).values()} == {1}
    assert len(contacts) == 2


async def test_a_deletion_names_only_readable_referrers(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    account = await world.create("account", actor=seller, name="mine")
    mine = await world.create("deal", actor=seller, name="mine", accountId=account)
    theirs = await world.create("deal", name="theirs", accountId=account)
    saved = await world.save(Delete("account", account), actor=seller)
    assert saved.results[0].faults[0].details == {"by": [{"entity": "deal", "field": "account", "ids": [mine]}]}
    await world.save(Delete("deal", mine))
    saved = await world.save(Delete("account", account), actor=seller)
    assert saved.results[0].faults[0].details == {"by": []}
    assert theirs not in str(saved)


async def test_merging_fills_only_what_may_be_read_and_written(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    keep = await world.create("account", actor=seller, name="keep")
    lose = await world.create("account", actor=seller, name="lose", sector="S")
    await world.save(Update("account", lose, {"revenue": "5"}))
    saved = await world.save(Merge("account", (lose,), keep), actor=seller)
    assert faults_of(saved) == []
    row = await world.row("account", keep)
    assert (row["sector"], row["revenue"]) == ("S", None)
    theirs = await world.create("account", name="theirs")
    assert faults_of(await world.save(Merge("account", (theirs,), keep), actor=seller)) == [("NOT_FOUND", ("ids", "0"))]
    with pytest.raises(Forbidden):
        await world.save(Restore("account", keep), actor=seller)


async def test_merging_shares_no_more_than_one_may_share(world: WriteWorld) -> None:
    seller = world.actor("seller", index=1)
    for actor, expected in ((seller, "lose"), (None, "keep")):
        keep = await world.create("account", actor=seller, name=f"keep {expected}")
        lose = await world.create("account", actor=seller, name=f"lose {expected}")
        assert (
            faults_of(await world.save(Share("account", lose, "member", world.members[2], "READ"), actor=actor)) == []
        )
        assert faults_of(await world.save(Merge("account", (lose,), keep), actor=actor)) == []
        shared = await world.engine.fetch(world.namespace, Sql("SELECT record_id FROM __ns__._share"))
        assert {str(row[0]) for row in shared} >= {{"keep": keep, "lose": lose}[expected]}


async def test_a_share_of_what_one_may_read_now_covers_no_later_field(world: WriteWorld) -> None:
    reader = world.actor("seller", index=1)
    contact = await world.create("contact", actor=reader, email="a@example.com")
    account = await world.create("account", actor=reader, name="a")
    assert (
        faults_of(await world.save(Share("account", account, "member", world.members[2], "READ"), actor=reader)) == []
    )
    assert faults_of(await world.save(Share("contact", contact, "member", world.members[2], "READ"))) == []
    rows = await world.engine.fetch(world.namespace, Sql("SELECT record_id, fields FROM __ns__._share"))
    assert {str(record): fields is None for record, fields in rows} == {account: False, contact: True}


async def test_sharing_a_record(world: WriteWorld) -> None:
    owner, friend = world.actor("seller", index=1), world.actor("seller", index=2)
    account = await world.create("account", actor=owner, name="mine")
    touch = Update("account", account, {"sector": "x"})
    assert faults_of(await world.save(touch, actor=friend)) == [("NOT_FOUND", ("id",))]
    share = Share("account", account.upper(), "member", world.members[2], "READ")
    assert faults_of(await world.save(share, actor=owner)) == []
    with pytest.raises(Forbidden):  # friends read it now; the right to update asks for own rows
        await world.save(touch, actor=friend)
    assert faults_of(await world.save(Create("deal", {"name": "d", "accountId": account}), actor=friend)) == []
    event = next(item for item in await world.log() if item["op"] == "ACCESS")
    assert (event["entity"], event["record_id"], event["after"]["level"]) == ("_share", account, "READ")
    assert event["after"]["fields"] is not None  # the sharer may not read revenue, so nobody may through his share
    assert "revenue" not in event["after"]["fields"]
    unshare = Unshare("account", account, "member", world.members[2])
    assert faults_of(await world.save(unshare, actor=owner)) == []
    assert faults_of(await world.save(touch, actor=friend)) == [("NOT_FOUND", ("id",))]
    bad = Share("account", account, "role", "nobody", "READ", ("nonsense",), "2020-01-01T00:00:00Z")
    assert sorted(faults_of(await world.save(bad, actor=owner))) == [
        ("NOT_FOUND", ("with", "role")),
        ("VALIDATION", ("fields", "0")),
        ("VALIDATION", ("until",)),
    ]
    with pytest.raises(BadInput):
        await world.save(Share("account", account, "role", "seller", "ALL"), actor=owner)


async def test_a_write_share_limits_fields(world: WriteWorld) -> None:
    friend = world.actor("seller", index=2)
    contact = await world.create("contact", email="a@example.com")
    share = Share("contact", contact, "role", "seller", "WRITE", ("email",))
    assert faults_of(await world.save(share)) == []
    assert faults_of(await world.save(Update("contact", contact, {"email": "b@example.com"}), actor=friend)) == []
    assert await refused(world, Update("contact", contact, {"accountId": None}), friend) == ["accountId"]


@dataclass
class Lock:
    """A write rule that locks records, as a workflow would."""

    locked: set[str]
    seen: list[Sequence[ChangeRow]] = field(default_factory=list)

    async def prepare(
        self, snapshot: Snapshot, actor: Actor, changes: Sequence[ChangeRow], cause: Cause
    ) -> tuple[Sequence[Fault], Sequence[Statement], Sequence[Guard]]:
        """LOCKED for a locked record, and a guard that always holds."""
        self.seen.append(changes)
        faults = [
            Fault((), "LOCKED", Text("locked", "已锁定")) for change in changes if change.record_id in self.locked
        ]
        return faults, (), (Guard("mine", Sql("SELECT 1 WHERE 1 = 2"), (), Expect.NO_ROW),)


async def test_write_rules_are_asked_once_for_each_batch(world: WriteWorld) -> None:
    deal = await world.create("deal", name="d")
    rule = Lock({deal})
    saved = await world.save(Update("deal", deal, {"name": "e"}), rules=[rule])
    assert faults_of(saved) == [("LOCKED", ())]
    assert saved.results[0].id is None
    assert (await world.row("deal", deal))["version"] == 1
    items = [Create("product", {"code": str(number)}) for number in range(3)]
    assert faults_of(await world.save(*items, rules=[rule])) == []
    assert [len(changes) for changes in rule.seen] == [1, 3]
