"""Creates and updates: defaults, stamps, validation, rules, versions, references, events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from base.ids import entity_number, new_id
from records.command import Create, Update
from tests.engines import ENGINES, place_of
from tests.records.write_world import WriteWorld, faults_of, write_world


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WriteWorld]:
    async with write_world(place_of(request.param, tmp_path)) as made:
        yield made


async def test_a_create_fills_what_nobody_gave(world: WriteWorld) -> None:
    account = await world.create("account", name="Acme")
    deal = await world.create("deal", name="One", accountId=account, amount="12.5", tags=["a", "b"], extra={"k": [1]})
    row = await world.row("deal", deal)
    assert entity_number(deal) == world.catalog.entities["deal"].number
    assert row["stage"] == "OPEN"
    assert row["number"] == "D-0001"
    assert row["amount"] == Decimal("12.5000")
    assert (row["version"], row["createdAt"]) == (1, row["updatedAt"])
    assert row["createdById"] == row["updatedById"] == row["ownerId"] == world.members[0]
    assert row["teamId"] is None
    assert (row["tags"], row["extra"]) == (["a", "b"], {"k": [1]})


async def test_numbers_are_drawn_in_order_and_not_wasted(world: WriteWorld) -> None:
    for number in range(3):
        await world.create("deal", name=f"n{number}")
        assert faults_of(await world.save(Create("deal", {"name": ""}))) != []
    saved = await world.save(Create("deal", {"name": "n3"}), Create("deal", {"name": "n4"}))
    rows = await world.rows("deal")
    assert sorted(row["number"] for row in rows.values()) == [f"D-{number:04d}" for number in range(1, 6)]
    assert [rows[str(item.id)]["number"] for item in saved.results] == ["D-0004", "D-0005"]
    assert {event["after"]["number"] for event in await world.log()} == {row["number"] for row in rows.values()}


async def test_all_mistakes_of_an_input_come_at_once(world: WriteWorld) -> None:
    saved = await world.save(
        Create(
            "deal",
            {
                "name": "", "stage": "MAYBE", "amount": "1e5", "closeOn": "2026-02-30", "colour": "red",
                "extra": "a\x00b", "number": "D-9",
            },
        )
    )  # fmt: skip
    assert sorted(faults_of(saved)) == [
        ("VALIDATION", ("amount",)),
        ("VALIDATION", ("closeOn",)),
        ("VALIDATION", ("colour",)),
        ("VALIDATION", ("extra",)),
        ("VALIDATION", ("name",)),
        ("VALIDATION", ("number",)),
        ("VALIDATION", ("stage",)),
    ]
    assert saved.results[0].id is None
    assert await world.rows("deal") == {}
    assert await world.log() == []


async def test_required_and_null(world: WriteWorld) -> None:
    assert faults_of(await world.save(Create("deal", {}))) == [("REQUIRED", ("name",))]
    assert faults_of(await world.save(Create("deal", {"name": "x", "stage": None}))) == [("REQUIRED", ("stage",))]
    deal = await world.create("deal", name="x", amount=5)
    assert faults_of(await world.save(Update("deal", deal, {"name": None}))) == [("REQUIRED", ("name",))]
    assert faults_of(await world.save(Update("deal", deal, {"amount": None}))) == []
    assert (await world.row("deal", deal))["amount"] is None


async def test_text_that_no_database_keeps(world: WriteWorld) -> None:
    for text in ("a\x00", "\ud800", "ok\udfff"):
        assert faults_of(await world.save(Create("account", {"name": text}))) == [("VALIDATION", ("name",))]
        saved = await world.save(Create("deal", {"name": "d", "extra": {"a": [{text: 1}]}}))
        assert faults_of(saved) == [("VALIDATION", ("extra",))]
    name = "Ω赢单 'quoted' \"x\" \\ %_"
    assert (await world.row("account", await world.create("account", name=name)))["name"] == name


async def test_rules_read_the_record_and_the_records_behind_it(world: WriteWorld) -> None:
    blocked = await world.create("account", name="Blocked", blocked=True)
    won = await world.save(Create("deal", {"name": "x", "stage": "WON", "accountId": blocked}))
    assert faults_of(won) == [("RULE", ("closeOn",)), ("RULE", ("accountId",))]
    assert won.results[0].faults[0].details == {"rule": "won-needs-date"}
    free = await world.create("account", name="Free")
    deal = await world.create("deal", name="x", accountId=free, stage="WON", closeOn="2026-01-02")
    assert faults_of(await world.save(Update("deal", deal, {"closeOn": None}))) == [("RULE", ("closeOn",))]
    assert faults_of(await world.save(Update("account", free, {"blocked": True}))) == []
    # the deal is no hostage of its account's change: nothing that the rule reads is changed
    assert faults_of(await world.save(Update("deal", deal, {"name": "y"}))) == []
    assert faults_of(await world.save(Update("deal", deal, {"account": {"connect": blocked}}))) == [
        ("RULE", ("account", "connect"))
    ]


async def test_an_update_moves_the_version_and_tells_what_changed(world: WriteWorld) -> None:
    deal = await world.create("deal", name="One", amount="1")
    assert (
        faults_of(await world.save(Update("deal", deal, {"amount": "2.50", "closeOn": "2026-05-06", "name": "One"})))
        == []
    )
    row = await world.row("deal", deal)
    assert (row["version"], row["amount"], row["closeOn"]) == (2, Decimal("2.5"), date(2026, 5, 6))
    assert row["updatedAt"] > row["createdAt"]
    created, updated = await world.log()
    assert (created["op"], created["record_version"], created["before"]) == ("CREATED", 1, None)
    assert sorted(created["changed"]) == ["amount", "name", "number", "owner_id", "stage"]
    assert created["after"]["amount"] == "1.0000"
    assert (updated["op"], updated["record_version"]) == ("UPDATED", 2)
    assert sorted(updated["changed"]) == ["amount", "close_on"]
    assert updated["before"] == {"amount": "1.0000", "close_on": None}
    assert updated["after"] == {**created["after"], "amount": "2.5000", "close_on": "2026-05-06", "version": 2,
                                "updated_at": updated["after"]["updated_at"]}  # fmt: skip
    assert updated["actor_id"] == world.members[0]


async def test_what_is_only_written_is_in_no_event(world: WriteWorld) -> None:
    deal = await world.create("deal", name="One", pin="first secret")
    await world.save(Update("deal", deal, {"pin": "second secret"}))
    assert (await world.row("deal", deal))["pin"] == "second secret"
    events = await world.log()
    assert [event["op"] for event in events] == ["CREATED", "UPDATED"]
    assert "first secret" not in str(events)
    assert "second secret" not in str(events)
    assert events[1]["changed"] == ["pin"]


async def test_an_update_that_changes_nothing_leaves_no_trace(world: WriteWorld) -> None:
    deal = await world.create("deal", name="One", amount="2", extra={"a": 1}, tags=["x"])
    saved = await world.save(Update("deal", deal, {"name": "One", "amount": 2, "extra": {"a": 1}, "tags": ["x"]}))
    assert (saved.results[0].id, faults_of(saved)) == (deal, [])
    assert (await world.row("deal", deal))["version"] == 1
    assert len(await world.log()) == 1
    await world.save(Update("deal", deal, {"extra": {"a": True}}))
    assert (await world.row("deal", deal))["version"] == 2


async def test_expected_versions(world: WriteWorld) -> None:
    deal = await world.create("deal", name="One")
    assert faults_of(await world.save(Update("deal", deal, {"name": "Two"}, expected_version=1))) == []
    stale = await world.save(Update("deal", deal, {"name": "Three"}, expected_version=1))
    assert faults_of(stale) == [("CONFLICT", ("expectedVersion",))]
    assert stale.results[0].faults[0].details == {"version": 2}


async def test_references_need_a_live_target(world: WriteWorld) -> None:
    missing = new_id(world.catalog.entities["account"].number)
    both = await world.save(
        Create("deal", {"name": "a", "accountId": missing}),
        Create("deal", {"name": "b", "account": {"connect": missing}}),
    )
    assert faults_of(both) == [("NOT_FOUND", ("accountId",)), ("NOT_FOUND", ("account", "connect"))]
    assert faults_of(await world.save(Create("deal", {"name": "a", "accountId": "nonsense"}))) == [
        ("VALIDATION", ("accountId",))
    ]
    product = await world.create("product", code="p")
    assert faults_of(await world.save(Create("deal", {"name": "a", "accountId": product}))) == [
        ("NOT_FOUND", ("accountId",))
    ]
    assert faults_of(await world.save(Update("deal", missing, {"name": "a"}))) == [("NOT_FOUND", ("id",))]
    assert faults_of(await world.save(Update("deal", "' or 1=1--", {"name": "a"}))) == [("NOT_FOUND", ("id",))]


async def test_unique_values(world: WriteWorld) -> None:
    first = await world.create("account", name="Straße")
    assert faults_of(await world.save(Create("account", {"name": "STRASSE"}))) == [("NOT_UNIQUE", ("name",))]
    second = await world.create("account", name="other")
    assert faults_of(await world.save(Update("account", second, {"name": "strasse"}))) == [("NOT_UNIQUE", ("name",))]
    assert faults_of(await world.save(Update("account", first, {"name": "strasse"}))) == []
    # a tuple with a null is not checked
    await world.create("deal", name="same")
    await world.create("deal", name="same")
    await world.create("deal", name="same", accountId=first)
    twice = await world.save(Create("deal", {"name": "same", "accountId": first}))
    assert faults_of(twice) == [("NOT_UNIQUE", ("accountId",))]
    assert twice.results[0].faults[0].details == {"fields": ["accountId", "name"]}
    assert faults_of(await world.save(Create("account", {"name": "N"}), Create("account", {"name": "n"}))) == [
        ("NOT_UNIQUE", ("name",))
    ]
