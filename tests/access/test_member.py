"""Members through their verbs: inputs, rights, the last manager, events, and overtaking."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from access.closure import REPORTS
from access.member import add_member, find_member, manager_remains, update_member
from access.resolve import Resolver
from access.table import MEMBER, Query
from base.clock import now, timestamp
from base.errors import Forbidden, SchemaChanged
from base.ids import entity_number, new_id
from storage.batch import Applied, Batch, Cause
from storage.ddl import add_column
from storage.types import TEXT
from tests.access.conftest import CLERK, Book, House, make_book


async def rows(house: House, member_id: str) -> dict[str, Any]:
    table = MEMBER.clause
    query = Query(table.select().where(table.c["id"] == table.c["id"]), columns=MEMBER.columns)
    found = await query.rows(house.engine, house.company.namespace)
    return next(row for row in found if row["id"] == member_id)


async def test_a_member_is_a_record_with_events(house: House) -> None:
    team = await house.team("Sales")
    boss = await house.member("Boss")
    member_id = await house.member(
        " Ann ", email="Ann@Example.COM", locale="zh-Hans", timeZone="Asia/Shanghai", hiredOn="2026-01-31",
        managerId=boss, roles=["seller"], teamIds=[team],
    )  # fmt: skip
    assert entity_number(member_id) == 1
    row = await rows(house, member_id)
    assert (row["name"], row["email"], row["status"], row["version"]) == ("Ann", "ann@example.com", "ACTIVE", 1)
    assert (row["owner_id"], row["team_id"], row["manager_id"]) == (member_id, team, boss)
    mine = [event for event in await house.events() if event.record_id == member_id]
    assert [(event.entity, event.op) for event in mine] == [
        ("member", "CREATED"), ("_member_role", "ACCESS"), ("_team_member", "ACCESS"),
    ]  # fmt: skip
    assert mine[0].after is not None
    assert mine[0].after["hired_on"] == "2026-01-31"
    assert mine[0].before is None
    assert mine[1].after == {"role": ["seller"]}
    assert len({event.transaction_id for event in mine}) == 1
    assert house.committed == [house.company.namespace] * 3


async def test_update_keeps_what_is_absent_and_clears_what_is_null(house: House) -> None:
    member_id = await house.member("Ann", email="a@example.com", locale="en")
    written = await update_member(house.writer(), member_id, {"email": None, "name": "Anna"})
    assert written.faults == ()
    row = await rows(house, member_id)
    assert (row["name"], row["email"], row["locale"], row["version"]) == ("Anna", None, "en", 2)
    event = (await house.events())[-1]
    assert event.op == "UPDATED"
    assert set(event.changed) == {"name", "email"}
    assert event.before is not None
    assert event.before["name"] == "Ann"
    assert event.after is not None
    assert event.after["locale"] == "en"


@pytest.mark.parametrize(
    ("input", "path", "code"),
    [
        ({}, ("name",), "REQUIRED"),
        ({"name": None}, ("name",), "REQUIRED"),
        ({"name": "  "}, ("name",), "VALIDATION"),
        ({"name": "x" * 201}, ("name",), "VALIDATION"),
        ({"name": "a\x00b"}, ("name",), "VALIDATION"),
        ({"name": 5}, ("name",), "VALIDATION"),
        ({"name": "A", "email": "nobody"}, ("email",), "VALIDATION"),
        ({"name": "A", "email": "OWNER@example.com"}, ("email",), "NOT_UNIQUE"),
        ({"name": "A", "locale": "not a tag"}, ("locale",), "VALIDATION"),
        ({"name": "A", "timeZone": "Asia/Shanghia"}, ("timeZone",), "VALIDATION"),
        ({"name": "A", "hiredOn": "2026-02-30"}, ("hiredOn",), "VALIDATION"),
        ({"name": "A", "status": "GONE"}, ("status",), "VALIDATION"),
        ({"name": "A", "managerId": "7"}, ("managerId",), "VALIDATION"),
        ({"name": "A", "managerId": new_id(1)}, ("managerId",), "NOT_FOUND"),
        ({"name": "A", "teamIds": [new_id(2)]}, ("teamIds",), "NOT_FOUND"),
        ({"name": "A", "roles": "seller"}, ("roles",), "VALIDATION"),
        ({"name": "A", "roles": ["seler"]}, ("roles",), "VALIDATION"),
        ({"name": "A", "mail": "x"}, ("mail",), "VALIDATION"),
    ],
)
async def test_a_bad_input_is_a_fault_with_its_path(
    house: House, input: dict[str, Any], path: tuple[str, ...], code: str
) -> None:
    before = await house.events()
    written = await add_member(house.writer(), input)
    assert written.id is None
    assert [(fault.path, fault.code) for fault in written.faults] == [(path, code)]
    assert written.faults[0].text.zh
    assert await house.events() == before


async def test_nobody_grants_what_he_lacks(house: House) -> None:
    clerk = await house.member("Clerk", roles=["clerk"])
    writer = house.writer(house.actor(clerk, "clerk"))
    written = await add_member(writer, {"name": "New", "roles": ["owner"]})
    assert [fault.path for fault in written.faults] == [("roles",)]
    assert (await add_member(writer, {"name": "New", "roles": ["clerk"]})).faults == ()
    written = await update_member(writer, clerk, {"roles": ["clerk", "seller"]})
    assert [fault.path for fault in written.faults] == [("roles",)]


async def test_roles_that_a_member_has_already_may_stay(house: House) -> None:
    seller = await house.member("Seller", roles=["seller"])
    clerk = await house.member("Clerk", roles=["clerk"])
    writer = house.writer(house.actor(clerk, "clerk"))
    assert (await update_member(writer, seller, {"roles": ["seller", "clerk"]})).faults == ()


async def test_members_need_rights_except_for_their_own_name(house: House) -> None:
    seller = await house.member("Seller", roles=["seller"])
    writer = house.writer(house.actor(seller, "seller"))
    assert (await update_member(writer, seller, {"name": "Me", "locale": "zh-Hans"})).faults == ()
    changes: list[dict[str, Any]] = [{"email": "x@y.zz"}, {"roles": ["owner"]}, {"teamIds": []}, {"status": "ACTIVE"}]
    for change in changes:
        with pytest.raises(Forbidden):
            await update_member(writer, seller, change)
    with pytest.raises(Forbidden):
        await update_member(writer, house.owner_id, {"name": "You"})
    with pytest.raises(Forbidden):
        await add_member(writer, {"name": "New"})


async def test_the_last_manager_of_members_cannot_lose_it(house: House) -> None:
    changes: list[dict[str, Any]] = [{"roles": []}, {"roles": ["seller"]}, {"status": "INACTIVE"}]
    for change in changes:
        written = await update_member(house.writer(), house.owner_id, change)
        assert [fault.code for fault in written.faults] == ["RULE"]
    assert (await update_member(house.writer(), house.owner_id, {"roles": ["clerk"]})).faults == ()
    second = await house.member("Second", roles=["clerk"])
    assert (await update_member(house.writer(), house.owner_id, {"roles": []})).faults == ()
    written = await update_member(house.writer(), second, {"status": "INACTIVE"})
    assert [fault.code for fault in written.faults] == ["RULE"]


async def test_two_managers_cannot_both_step_down_at_once(house: House) -> None:
    second = await house.member("Second", roles=["clerk"])
    writer = house.writer()
    both = await asyncio.gather(
        update_member(writer, house.owner_id, {"roles": []}), update_member(writer, second, {"roles": []})
    )
    assert sorted(len(written.faults) for written in both) == [0, 1]
    engine, namespace = house.engine, house.company.namespace
    assert await manager_remains(engine, namespace, writer.book, Resolver())


async def test_publishing_roles_can_ask_whether_a_manager_remains(house: House) -> None:
    engine, namespace = house.engine, house.company.namespace
    assert await manager_remains(engine, namespace, make_book(CLERK), Resolver())
    assert not await manager_remains(engine, namespace, Book("x", {}), Resolver())


async def test_reports_do_not_go_in_circles(house: House) -> None:
    top = await house.member("Top")
    middle = await house.member("Middle", managerId=top)
    low = await house.member("Low", managerId=middle)
    for manager in (top, middle, low):
        written = await update_member(house.writer(), top, {"managerId": manager})
        assert [fault.path for fault in written.faults] == [("managerId",)]
    assert (await update_member(house.writer(), low, {"managerId": None})).faults == ()
    assert (await update_member(house.writer(), top, {"managerId": low})).faults == ()
    pairs = await REPORTS.pairs(house.engine, house.company.namespace)
    assert {(upper, lower) for upper, lower in pairs if upper == low} == {(low, low), (low, top), (low, middle)}


async def test_crossing_moves_make_no_circle(house: House) -> None:
    left, right = await house.member("Left"), await house.member("Right")
    both = await asyncio.gather(
        update_member(house.writer(), left, {"managerId": right}),
        update_member(house.writer(), right, {"managerId": left}),
    )
    assert sorted(len(written.faults) for written in both) == [0, 1]


async def test_a_member_that_does_not_exist(house: House) -> None:
    written = await update_member(house.writer(), new_id(1), {"name": "Ghost"})
    assert [fault.code for fault in written.faults] == ["NOT_FOUND"]


async def test_another_catalog_version_asks_to_come_again(house: House) -> None:
    writer = house.writer()
    late = type(writer)(writer.engine, writer.namespace, writer.book, 7)
    with pytest.raises(SchemaChanged):
        await add_member(late, {"name": "Late"})


async def test_a_member_is_found_by_address(house: House) -> None:
    engine, namespace = house.engine, house.company.namespace
    assert await find_member(engine, namespace, " Owner@Example.com ") == house.owner_id
    assert await find_member(engine, namespace, "nobody@example.com") is None


async def test_images_hold_the_companys_own_columns(house: House) -> None:
    batch = Batch(timestamp(now()), new_id(), Cause(None, "publish"), 1, new_catalog_version=1)
    texts = add_column("member", "nickname", TEXT, house.engine.dialect)
    assert isinstance(await house.engine.migrate(house.company.namespace, texts, batch), Applied)
    writer = replace(house.writer(), columns={"member": {"nickname": TEXT}})
    assert (await update_member(writer, house.owner_id, {"name": "Boss"})).faults == ()
    event = (await house.events())[-1]
    assert event.after is not None
    assert event.after["nickname"] is None
    assert (await add_member(writer, {"name": "New"})).faults == ()
