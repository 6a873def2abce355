"""Deletion, restoring, purging, merging: what goes with a record, what stands in the way, what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from base.errors import BadInput
from base.ids import new_id
from records.command import Create, Delete, DeleteWhere, Merge, Purge, Restore, Update, UpdateWhere
from tests.engines import ENGINES, place_of
from tests.records.write_world import WriteWorld, faults_of, write_world


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WriteWorld]:
    async with write_world(place_of(request.param, tmp_path)) as made:
        yield made


async def test_a_deletion_takes_what_is_owned_and_a_restore_brings_it_back(world: WriteWorld) -> None:
    deal = await world.create(
        "deal", name="d", lines={"create": [{"label": "a", "notes": {"create": [{"text": "n"}]}}, {"label": "b"}]}
    )
    assert [event["entity"] for event in await world.log()] == ["deal", "line", "note", "line"]
    (gone,) = [item for item in (await world.rows("line")).values() if item["label"] == "b"]
    assert faults_of(await world.save(Delete("line", gone["id"]))) == []
    assert faults_of(await world.save(Delete("deal", deal))) == []
    assert (await world.rows("deal"), await world.rows("line"), await world.rows("note")) == ({}, {}, {})
    row = await world.row("deal", deal)
    assert (row["deletedById"], row["version"]) == (world.members[0], 2)
    event = next(item for item in await world.log() if item["op"] == "DELETED" and item["record_id"] == deal)
    assert event["before"]["name"] == "d"
    assert "deletion_id" not in event["after"]
    assert faults_of(await world.save(Restore("deal", deal))) == []
    (line,) = (await world.rows("line")).values()
    assert (line["label"], line["version"], len(await world.rows("note"))) == ("a", 3, 1)
    assert (await world.row("deal", deal))["deletionId"] is None
    assert faults_of(await world.save(Restore("line", gone["id"]))) == []
    assert len(await world.rows("line")) == 2
    # a live record has nothing to be restored
    before = len(await world.log())
    assert faults_of(await world.save(Restore("deal", deal))) == []
    assert len(await world.log()) == before


async def test_an_owned_record_does_not_come_back_alone(world: WriteWorld) -> None:
    deal = await world.create("deal", name="d", lines={"create": [{"label": "a"}]})
    (line,) = await world.rows("line")
    await world.save(Delete("deal", deal))
    assert faults_of(await world.save(Restore("line", line))) == [("NOT_FOUND", ("id", "dealId"))]


async def test_restrict_clear_and_keep(world: WriteWorld) -> None:
    account = await world.create("account", name="A")
    branch = await world.create("account", name="B", parentId=account)
    contact = await world.create("contact", email="a@example.com", accountId=account)
    deal = await world.create("deal", name="d", accountId=account)
    refused = await world.save(Delete("account", account))
    assert faults_of(refused) == [("REFERENCED", ("id",))]
    assert refused.results[0].faults[0].details == {"by": [{"entity": "deal", "field": "account", "ids": [deal]}]}
    assert (await world.row("contact", contact))["accountId"] == account
    await world.save(Delete("deal", deal))
    assert faults_of(await world.save(Delete("account", account))) == []
    assert (await world.row("contact", contact))["accountId"] is None
    assert (await world.row("account", branch))["parentId"] is None
    assert (await world.row("deal", deal))["accountId"] == account
    cleared = [event for event in await world.log() if event["record_id"] == contact][-1]
    assert (cleared["op"], cleared["changed"], cleared["before"]) == (
        "UPDATED",
        ["account_id"],
        {"account_id": account},
    )
    assert faults_of(await world.save(Delete("account", account))) == [("NOT_FOUND", ("id",))]
    assert faults_of(await world.save(Update("account", account, {"name": "C"}))) == [("NOT_FOUND", ("id",))]


async def test_a_restore_meets_a_taken_value(world: WriteWorld) -> None:
    account = await world.create("account", name="A")
    await world.save(Delete("account", account))
    await world.create("account", name="a")
    assert faults_of(await world.save(Restore("account", account))) == [("NOT_UNIQUE", ("id", "name"))]
    assert faults_of(await world.save(Delete("account", account))) == [("NOT_FOUND", ("id",))]
    assert (await world.row("account", account))["version"] == 2


async def test_a_purge_leaves_positions_and_no_images(world: WriteWorld) -> None:
    product = await world.create("product", code="secret-code")
    deal = await world.create(
        "deal", name="secret-name", products={"connect": [product]}, lines={"create": [{"label": "secret-line"}]}
    )
    await world.save(Delete("deal", deal))
    before = await world.log()
    assert faults_of(await world.save(Purge("deal", deal))) == []
    assert await world.rows("deal", deleted=True) == await world.rows("line", deleted=True) == {}
    assert await world.links("deal", "products") == set()
    after = await world.log()
    assert [event["position"] for event in after][: len(before)] == [event["position"] for event in before]
    assert "secret-name" not in str(after)
    assert "secret-line" not in str(after)
    assert "secret-code" in str(after)
    last = after[-2:]
    assert [(event["op"], event["entity"]) for event in last] == [("PURGED", "deal"), ("PURGED", "line")]
    assert last[0]["before"] == {"id": deal, "version": 2, "owner_id": world.members[0], "team_id": None}
    assert last[0]["after"] is None
    assert faults_of(await world.save(Purge("deal", deal))) == [("NOT_FOUND", ("id",))]


async def test_a_purge_minds_references(world: WriteWorld) -> None:
    account = await world.create("account", name="A")
    contact = await world.create("contact", email="a@example.com", accountId=account)
    deal = await world.create("deal", name="d", accountId=account)
    assert faults_of(await world.save(Purge("account", account))) == [("REFERENCED", ("id",))]
    await world.save(Delete("deal", deal))
    assert faults_of(await world.save(Purge("account", account))) == []
    assert (await world.row("contact", contact))["accountId"] is None
    assert (await world.row("deal", deal))["accountId"] == account


async def test_bulk_writes(world: WriteWorld) -> None:
    ids = [await world.create("product", code=f"p{number}", price=number) for number in range(5)]
    with pytest.raises(BadInput):
        await world.save(UpdateWhere("product", {}, {"price": 9}, at_most=10))
    some = {"price": {"gte": 3}}
    assert faults_of(await world.save(UpdateWhere("product", some, {"price": 9}, at_most=1))) == [
        ("LIMIT", ("atMost",))
    ]
    assert faults_of(await world.save(UpdateWhere("product", some, {"price": 9}, at_most=1001))) == [
        ("LIMIT", ("atMost",))
    ]
    saved = await world.save(UpdateWhere("product", some, {"price": 9}, at_most=2))
    assert [item.id for item in saved.results] == ids[3:]
    rows = await world.rows("product")
    assert [(rows[item]["price"], rows[item]["version"]) for item in ids] == [(0, 1), (1, 1), (2, 1), (9, 2), (9, 2)]
    saved = await world.save(DeleteWhere("product", {"price": {"lt": 2}}, at_most=5))
    assert [item.id for item in saved.results] == ids[:2]
    both = await world.save(UpdateWhere("product", {}, {"code": "same"}, at_most=10, all=True))
    assert {code for code, _ in faults_of(both)} == {"NOT_UNIQUE"}
    await world.save(DeleteWhere("product", {}, at_most=10, all=True))
    assert await world.rows("product") == {}
    none = await world.save(DeleteWhere("product", {"code": {"eq": "x"}}))
    assert (none.results, none.faults) == ((), ())


async def test_merging_moves_what_pointed_at_the_others(world: WriteWorld) -> None:
    keep = await world.create("account", name="Keep")
    lose = await world.create("account", name="Lose", sector="Retail", revenue="5", parentId=keep)
    last = await world.create("account", name="Last", sector="Other")
    deal = await world.create("deal", name="d", accountId=lose)
    contact = await world.create("contact", email="a@example.com", accountId=last)
    branch = await world.create("account", name="Branch", parentId=lose)
    dry = await world.save(Merge("account", (keep, lose, last), keep, dry_run=True))
    assert dry.details == {
        "keep": keep,
        "deletes": [lose, last],
        "moves": {"account.parent": 1, "contact.account": 1, "deal.account": 1},
        "fills": {"revenue": "5.0000", "sector": "Retail"},
    }
    assert (await world.row("deal", deal))["accountId"] == lose
    saved = await world.save(Merge("account", (keep, lose, last), keep))
    assert (faults_of(saved), saved.results[0].id) == ([], keep)
    row = await world.row("account", keep)
    assert (row["sector"], str(row["revenue"]), row["parentId"], row["version"]) == ("Retail", "5.0000", None, 2)
    assert (await world.row("deal", deal))["accountId"] == keep
    assert (await world.row("contact", contact))["accountId"] == keep
    assert (await world.row("account", branch))["parentId"] == keep
    assert set(await world.rows("account")) == {keep, branch}
    merged = [event for event in await world.log() if event["op"] == "MERGED"]
    assert sorted(event["record_id"] for event in merged) == sorted([lose, last])
    assert faults_of(await world.save(Merge("account", (keep, lose), keep))) == [("NOT_FOUND", ("ids", "1"))]
    with pytest.raises(BadInput):
        await world.save(Merge("account", (keep,), keep))


async def test_merging_moves_links(world: WriteWorld) -> None:
    one, other, third = [await world.create("product", code=code) for code in "abc"]
    first = await world.create("deal", name="1", products={"connect": [one, other]})
    second = await world.create("deal", name="2", products={"connect": [other, third]})
    assert faults_of(await world.save(Merge("product", (other,), one))) == []
    assert await world.links("deal", "products") == {(first, one), (second, one), (second, third)}
    assert faults_of(await world.save(Merge("deal", (second,), first))) == []
    assert await world.links("deal", "products") == {(first, one), (first, third)}


async def test_deleting_more_than_a_write_may_touch(world: WriteWorld) -> None:
    deal = await world.create("deal", name="d")
    for _ in range(2):
        lines = [{"label": "x"} for _ in range(600)]
        assert faults_of(await world.save(Update("deal", deal, {"lines": {"create": lines}}))) == []
    assert faults_of(await world.save(Delete("deal", deal))) == [("LIMIT", ("id",))]
    assert len(await world.rows("line")) == 1200
    unknown = new_id(5)
    assert faults_of(await world.save(Delete("deal", unknown))) == [("NOT_FOUND", ("id",))]
    many = [Create("product", {"code": str(number)}) for number in range(1001)]
    assert faults_of(await world.save(*many)) == [("LIMIT", ("input",))]
