"""Deletion, restoring, purging, merging: what goes with a record, what stands in the way, what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from base.errors import BadInput
from base.ids import new_id
from base.limits import DEFAULTS
from metadata.publishing.publish import publish
from metadata.store import Head
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
    # deals declare the field: their lists have changed
    told = {event["record_id"]: event for event in await world.log() if event["record_version"] == 2}
    assert [told[deal]["changed"] for deal in (first, second)] == [["products"], ["products"]]
    assert (await world.row("deal", first))["version"] == 2
    assert faults_of(await world.save(Merge("deal", (second,), first))) == []
    assert await world.links("deal", "products") == {(first, one), (first, third)}
    assert (await world.row("deal", first))["version"] == 3


@pytest.mark.parametrize("engine", ENGINES)
async def test_what_is_linked_from_many_can_be_merged(engine: str, tmp_path: Path) -> None:
    async with write_world(place_of(engine, tmp_path), replace(DEFAULTS, relation_rows=5)) as world:
        one, other = [await world.create("product", code=code) for code in "ab"]
        deals = [await world.create("deal", name=str(n), products={"connect": [other]}) for n in range(6)]
        assert faults_of(await world.save(Merge("product", (other,), one))) == []
        assert await world.links("deal", "products") == {(deal, one) for deal in deals}
        assert [(await world.row("deal", deal))["version"] for deal in deals] == [1] * 6  # more than a write may touch


async def test_two_merges_do_not_keep_what_the_other_deletes(world: WriteWorld) -> None:
    for number in range(5):
        one, other = [await world.create("product", code=f"{letter}{number}") for letter in "ab"]
        both = await asyncio.gather(
            world.save(Merge("product", (one, other), one)), world.save(Merge("product", (one, other), other))
        )
        assert sorted(len(faults_of(saved)) for saved in both) == [0, 1]
        assert {code for saved in both for code, _ in faults_of(saved)} <= {"NOT_FOUND", "CONFLICT"}
        assert len(await world.rows("product")) == number + 1


async def test_what_is_kept_is_not_deleted_meanwhile(world: WriteWorld) -> None:
    for number in range(5):
        keep, lose = [await world.create("product", code=f"{letter}{number}") for letter in "ab"]
        await world.create("deal", name=str(number), lines={"create": [{"label": "x", "productId": lose}]})
        merged, deleted = await asyncio.gather(
            world.save(Merge("product", (lose,), keep)), world.save(Delete("product", keep))
        )
        assert bool(faults_of(merged)) is not bool(faults_of(deleted))
        live = await world.rows("product")
        assert all(row["productId"] in live for row in (await world.rows("line")).values())


async def _with_parts(world: WriteWorld) -> None:
    part: Mapping[str, Any] = {
        "kind": "entity", "name": "part", "title": "Part", "type": "object", "x-display": "text",
        "properties": {
            "text": {"type": "string"},
            "own": {"x-type": "reference", "x-entity": "part", "x-inverse": "parts", "x-onDelete": "cascade"},
            "deal": {"x-type": "reference", "x-entity": "deal", "x-inverse": "parts", "x-onDelete": "cascade"},
        },
    }  # fmt: skip
    published = await publish(
        world.engine, world.namespace, Head(world.version, world.catalog), {("entity", "part"): part}
    )
    world.catalog, world.version = published.catalog, published.version


async def test_rings_come_back(world: WriteWorld) -> None:
    await _with_parts(world)
    alone = await world.create("part", text="alone")
    ring = [await world.create("part", text=text) for text in "abc"]
    for record, own in [(alone, alone), *zip(ring, [*ring[1:], ring[0]], strict=True)]:
        assert faults_of(await world.save(Update("part", record, {"ownId": own}))) == []
    for record in (alone, ring[0]):
        assert faults_of(await world.save(Delete("part", record))) == []
    assert await world.rows("part") == {}
    for record in (alone, ring[1]):
        assert faults_of(await world.save(Restore("part", record))) == []
    assert set(await world.rows("part")) == {alone, *ring}


async def test_nothing_comes_back_below_an_owner_that_is_deleted(world: WriteWorld) -> None:
    await _with_parts(world)
    deal = await world.create("deal", name="d")
    above = await world.create("part", text="above")
    below = await world.create("part", text="below", ownId=above, dealId=deal)
    for entity, record in (("part", above), ("deal", deal)):
        assert faults_of(await world.save(Delete(entity, record))) == []
    assert faults_of(await world.save(Restore("part", above))) == [("NOT_FOUND", ("id",))]
    assert await world.rows("part") == {}
    assert faults_of(await world.save(Restore("deal", deal))) == []
    assert faults_of(await world.save(Restore("part", above))) == []
    assert set(await world.rows("part")) == {above, below}


async def test_a_write_does_not_stand_in_its_own_way_without_saying_so(world: WriteWorld) -> None:
    one, other = [await world.create("product", code=code) for code in "ab"]
    deal = await world.create("deal", name="d", lines={"create": [{"label": "x", "productId": one}]})
    swapped = await world.save(Update("product", one, {"code": "b"}), Update("product", other, {"code": "a"}))
    assert {code for code, _ in faults_of(swapped)} == {"NOT_UNIQUE"}
    (line,) = await world.rows("line")
    moved = await world.save(Update("line", line, {"productId": other}), Delete("product", other))
    assert faults_of(moved) == [("REFERENCED", ("id",))]
    # the same link twice in one write is one link
    links = {"products": {"connect": [one]}}
    assert faults_of(await world.save(Update("deal", deal, links), Update("deal", deal, links))) == []
    assert await world.links("deal", "products") == {(deal, one)}


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
