"""Nested writes, upserts, plural creates, idempotency."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from base.errors import BadInput, Conflict
from base.ids import new_id
from records.command import Create, Delete, Update, Upsert
from tests.engines import ENGINES, place_of
from tests.records.write_world import WriteWorld, faults_of, write_world


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WriteWorld]:
    async with write_world(place_of(request.param, tmp_path)) as made:
        yield made


async def test_to_one_inputs(world: WriteWorld) -> None:
    deal = await world.create(
        "deal", name="d", account={"create": {"name": "New", "parent": {"create": {"name": "Top"}}}}
    )
    accounts = {row["name"]: row for row in (await world.rows("account")).values()}
    assert (await world.row("deal", deal))["accountId"] == accounts["New"]["id"]
    assert accounts["New"]["parentId"] == accounts["Top"]["id"]
    assert [event["entity"] for event in await world.log()] == ["deal", "account", "account"]
    assert len({event["transaction_id"] for event in await world.log()}) == 1
    await world.save(Update("deal", deal, {"account": {"connect": accounts["Top"]["id"]}}))
    assert (await world.row("deal", deal))["accountId"] == accounts["Top"]["id"]
    await world.save(Update("deal", deal, {"account": {"disconnect": True}}))
    assert (await world.row("deal", deal))["accountId"] is None
    await world.save(Update("deal", deal, {"accountId": accounts["New"]["id"]}))
    await world.save(Update("deal", deal, {"account": None}))
    assert (await world.row("deal", deal))["accountId"] is None
    both = {"accountId": accounts["New"]["id"], "account": {"connect": accounts["New"]["id"]}}
    assert faults_of(await world.save(Update("deal", deal, both))) == [("VALIDATION", ("account",))]
    two = {"account": {"connect": accounts["New"]["id"], "create": {"name": "x"}}}
    assert faults_of(await world.save(Update("deal", deal, two))) == [("VALIDATION", ("account",))]


async def test_nested_mistakes_have_paths(world: WriteWorld) -> None:
    lines: list[dict[str, Any]] = [{"label": "ok"}, {"label": "bad", "price": "-1"}, {"price": "x"}]
    missing = new_id(world.catalog.entities["product"].number)
    saved = await world.save(
        Create("deal", {"name": "d", "account": {"create": {"name": ""}}, "lines": {"create": lines},
                        "products": {"connect": [missing, "?"]}})
    )  # fmt: skip
    assert sorted(faults_of(saved)) == [
        ("REQUIRED", ("lines", "create", "2", "label")),
        ("VALIDATION", ("account", "create", "name")),
        ("VALIDATION", ("lines", "create", "1", "price")),
        ("VALIDATION", ("lines", "create", "2", "price")),
        ("VALIDATION", ("products", "connect", "1")),
    ]
    lines = [{"label": "a", "productId": missing}]
    saved = await world.save(Create("deal", {"name": "d", "lines": {"create": lines}}))
    assert faults_of(saved) == [("NOT_FOUND", ("lines", "create", "0", "productId"))]
    assert await world.log() == []


async def test_depth_and_rows_are_limited(world: WriteWorld) -> None:
    deep: dict[str, Any] = {"name": "0"}
    for number in range(1, 5):
        deep = {"name": str(number), "parent": {"create": deep}}
    (fault,) = faults_of(await world.save(Create("account", deep)))
    assert fault == ("LIMIT", ("parent", "create", "parent", "create", "parent", "create", "parent"))
    lines = [{"label": "x"}] * 1000
    (fault,) = faults_of(await world.save(Create("deal", {"name": "d", "lines": {"create": lines}})))
    assert fault[0] == "LIMIT"
    assert faults_of(await world.save(Create("deal", {"name": "d", "lines": {"create": lines[1:]}}))) == []
    assert len(await world.log()) == 1000


async def test_links(world: WriteWorld) -> None:
    one, other, third = [await world.create("product", code=code) for code in "abc"]
    deal = await world.create("deal", name="d", products={"connect": [one, other, one]})
    assert await world.links("deal", "products") == {(deal, one), (deal, other)}
    await world.save(Update("deal", deal, {"products": {"connect": [other]}}))
    assert (await world.row("deal", deal))["version"] == 1
    await world.save(Update("deal", deal, {"products": {"connect": [third], "disconnect": [one]}}))
    assert await world.links("deal", "products") == {(deal, third), (deal, other)}
    event = (await world.log())[-1]
    assert (event["record_id"], event["changed"], event["record_version"]) == (deal, ["products"], 2)
    await world.save(Update("deal", deal, {"products": {"set": [one, third]}}))
    assert await world.links("deal", "products") == {(deal, one), (deal, third)}
    gone = await world.save(Update("deal", deal, {"products": {"disconnect": [other]}}))
    assert faults_of(gone) == [("NOT_FOUND", ("products", "disconnect", "0"))]
    await world.save(Delete("product", one))
    await world.save(Update("deal", deal, {"products": {"set": []}}))
    assert await world.links("deal", "products") == {(deal, one)}


async def test_owned_lists(world: WriteWorld) -> None:
    deal = await world.create("deal", name="d", lines={"create": [{"label": "a"}, {"label": "b"}, {"label": "c"}]})
    other = await world.create("deal", name="e", lines={"create": [{"label": "z"}]})
    lines = {row["label"]: row["id"] for row in (await world.rows("line")).values()}
    update = {
        "update": [{"id": lines["a"], "input": {"price": "3"}}],
        "delete": [lines["b"]],
        "create": [{"label": "n"}],
    }
    assert faults_of(await world.save(Update("deal", deal, {"lines": update}))) == []
    rows = {row["label"]: row for row in (await world.rows("line")).values() if row["dealId"] == deal}
    assert (set(rows), str(rows["a"]["price"])) == ({"a", "c", "n"}, "3.0000")
    assert (await world.row("deal", deal))["version"] == 1
    strange = {"update": [{"id": lines["z"], "input": {"label": "stolen"}}], "delete": [lines["b"]]}
    assert faults_of(await world.save(Update("deal", deal, {"lines": strange}))) == [
        ("NOT_FOUND", ("lines", "update", "0", "id")),
        ("NOT_FOUND", ("lines", "delete", "0")),
    ]
    bad = {"update": [{"id": lines["a"], "input": {"price": "x"}}]}
    saved = await world.save(Update("deal", deal, {"lines": bad}))
    assert faults_of(saved) == [("VALIDATION", ("lines", "update", "0", "input", "price"))]
    own = {"create": [{"label": "n", "dealId": other}]}
    saved = await world.save(Update("deal", deal, {"lines": own}))
    assert faults_of(saved) == [("VALIDATION", ("lines", "create", "0", "dealId"))]
    whole = {"set": [{"id": lines["c"], "input": {"label": "C"}}, {"input": {"label": "D"}}]}
    assert faults_of(await world.save(Update("deal", deal, {"lines": whole}))) == []
    assert {row["label"] for row in (await world.rows("line")).values()} == {"C", "D", "z"}
    await world.save(Delete("deal", other))
    assert {row["label"] for row in (await world.rows("line")).values()} == {"C", "D"}


async def test_upserts(world: WriteWorld) -> None:
    saved = await world.save(Upsert("account", {"name": "Acme", "sector": "A"}, ("name",)))
    first = saved.results[0].id
    again = await world.save(Upsert("account", {"name": "ACME", "sector": "B"}, ("name",)))
    assert (again.results[0].id, faults_of(again)) == (first, [])
    row = await world.row("account", str(first))
    assert (row["name"], row["sector"], row["version"]) == ("ACME", "B", 2)
    left = await world.save(Upsert("account", {"name": "acme", "sector": "C"}, ("name",), ignore=True))
    assert left.results[0].id == first
    assert (await world.row("account", str(first)))["sector"] == "B"
    for _ in range(2):
        deal: dict[str, Any] = {"name": "d", "account": {"connect": first}, "amount": 1}
        assert faults_of(await world.save(Upsert("deal", deal, ("accountId", "name")))) == []
        assert faults_of(await world.save(Upsert("deal", {"name": "free"}, ("account", "name")))) == []
    assert sorted(row["name"] for row in (await world.rows("deal")).values()) == ["d", "free", "free"]
    with pytest.raises(BadInput):
        await world.save(Upsert("account", {"name": "x"}, ("sector",)))


async def test_upserts_that_meet(world: WriteWorld) -> None:
    many = [world.save(Upsert("product", {"code": "x", "price": number}, ("code",))) for number in range(12)]
    saved = await asyncio.gather(*many)
    assert [fault for item in saved for fault in faults_of(item) if fault[0] != "CONFLICT"] == []
    (row,) = (await world.rows("product")).values()
    assert {item.results[0].id for item in saved if not faults_of(item)} == {row["id"]}
    assert row["version"] == len(await world.log())


async def test_plural_creates(world: WriteWorld) -> None:
    await world.create("product", code="taken")
    missing = new_id(world.catalog.entities["account"].number)
    items = [Create("product", {"code": code}) for code in ("a", "taken", "", "b", "a")]
    atomic = await world.save(*items)
    assert [item.id for item in atomic.results] == [None] * 5
    assert faults_of(atomic) != []
    loose = await world.save(*items, atomic=False)
    assert [item.id is not None for item in loose.results] == [True, False, True, True, False]
    assert faults_of(loose) == [("NOT_UNIQUE", ("code",)), ("NOT_UNIQUE", ("code",))]
    assert {row["code"] for row in (await world.rows("product")).values()} == {"taken", "a", "", "b"}
    deals = [Create("deal", {"name": "1", "accountId": missing}), Create("deal", {"name": "2"}), Create("deal", {})]
    deals += [Create("deal", {"name": "3", "accountId": missing})]
    loose = await world.save(*deals, atomic=False)
    assert [item.id is not None for item in loose.results] == [False, True, False, False]
    assert faults_of(loose) == [("NOT_FOUND", ("accountId",)), ("REQUIRED", ("name",)), ("NOT_FOUND", ("accountId",))]
    (row,) = (await world.rows("deal")).values()
    assert row["number"] == "D-0001"


async def test_idempotency(world: WriteWorld) -> None:
    first = await world.save(Create("deal", {"name": "d"}), key="k")
    again = await world.save(Create("deal", {"name": "d"}), key="k")
    assert again == first
    assert len(await world.rows("deal")) == 1
    with pytest.raises(BadInput):
        await world.save(Create("deal", {"name": "e"}), key="k")
    other = await world.save(Create("deal", {"name": "e"}), key="k", operation="another")
    assert other.results[0].id != first.results[0].id
    theirs = await world.save(Create("deal", {"name": "e"}), key="k", actor=world.actor("owner", index=1))
    assert theirs.results[0].id not in {first.results[0].id, other.results[0].id}
    deal = str(first.results[0].id)
    for _ in range(2):
        moved = await world.save(Update("deal", deal, {"name": "f"}, expected_version=1), key="u")
        assert faults_of(moved) == []
    assert (await world.row("deal", deal))["version"] == 2
    for _ in range(2):
        deleted = await world.save(Delete("deal", deal), key="x")
        assert (deleted.results[0].id, faults_of(deleted)) == (deal, [])
    refused = await world.save(Create("deal", {}), key="bad")
    assert faults_of(refused) == [("REQUIRED", ("name",))]
    assert faults_of(await world.save(Create("deal", {"name": "x"}), key="bad")) == []
    part = [Create("product", {"code": "p"}), Create("product", {})]
    one, two = [await world.save(*part, atomic=False, key="part") for _ in range(2)]
    assert one == two
    assert faults_of(two) == [("REQUIRED", ("code",))]
    with pytest.raises(BadInput):
        await world.save(Create("deal", {"name": "d"}), key="x" * 256)


async def test_a_key_in_flight(world: WriteWorld) -> None:
    many = [world.save(Create("deal", {"name": "d"}), key="k") for _ in range(6)]
    answers = await asyncio.gather(*many, return_exceptions=True)
    saved = [item for item in answers if not isinstance(item, BaseException)]
    assert {type(item) for item in answers if isinstance(item, BaseException)} <= {Conflict}
    assert len({item.results[0].id for item in saved}) == 1
    assert len(await world.rows("deal")) == 1
