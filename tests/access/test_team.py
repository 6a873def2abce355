"""Teams: a tree whose closure is always the transitive closure of its parents."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from access.closure import REPORTS, TEAMS
from access.member import update_member
from access.table import TEAM, Query
from access.team import add_team, remove_team, update_team
from base.errors import Forbidden
from base.ids import new_id
from storage.types import UUID
from tests.access.conftest import House, open_house, opened_access
from tests.examples import examples


def transitive_pairs(parents: Mapping[str, str | None]) -> frozenset[tuple[str, str]]:
    """The closure of a tree given as node -> parent, reckoned from nothing: what the table must hold."""
    pairs: set[tuple[str, str]] = set()
    for node in parents:
        upper: str | None = node
        while upper is not None:
            pairs.add((upper, node))
            upper = parents[upper]
    return frozenset(pairs)


async def test_a_team_belongs_to_itself_and_to_its_lead(house: House) -> None:
    written = await add_team(house.writer(), {"name": "Sales", "leadId": house.owner_id})
    event = (await house.events())[-1]
    assert event.op == "CREATED"
    assert event.after is not None
    assert (event.after["team_id"], event.after["owner_id"]) == (written.id, house.owner_id)


async def test_a_subtree_moves_with_everything_below(house: House) -> None:
    a, b = await house.team("A"), await house.team("B")
    a1 = await house.team("A1", a)
    a2 = await house.team("A2", a1)
    assert (await update_team(house.writer(), a1, {"parentId": b})).faults == ()
    pairs = await TEAMS.pairs(house.engine, house.company.namespace)
    assert pairs == transitive_pairs({a: None, b: None, a1: b, a2: a1})
    assert (await update_team(house.writer(), a1, {"parentId": None})).faults == ()
    assert await TEAMS.pairs(house.engine, house.company.namespace) == transitive_pairs(
        {a: None, b: None, a1: None, a2: a1}
    )


@pytest.mark.parametrize(
    ("input", "path", "code"),
    [
        ({}, ("name",), "REQUIRED"),
        ({"name": "A", "parentId": new_id(2)}, ("parentId",), "NOT_FOUND"),
        ({"name": "A", "leadId": new_id(1)}, ("leadId",), "NOT_FOUND"),
        ({"name": "A", "leader": None}, ("leader",), "VALIDATION"),
    ],
)
async def test_bad_input(house: House, input: dict[str, Any], path: tuple[str, ...], code: str) -> None:
    written = await add_team(house.writer(), input)
    assert [(fault.path, fault.code) for fault in written.faults] == [(path, code)]


async def test_a_team_cannot_go_below_itself(house: House) -> None:
    top = await house.team("Top")
    low = await house.team("Low", top)
    for parent in (top, low):
        written = await update_team(house.writer(), top, {"parentId": parent})
        assert [fault.path for fault in written.faults] == [("parentId",)]


async def test_only_an_empty_team_is_removed(house: House) -> None:
    top = await house.team("Top")
    low = await house.team("Low", top)
    member = await house.member("Ann", teamIds=[low])
    for team in (top, low):
        assert [fault.code for fault in (await remove_team(house.writer(), team)).faults] == ["REFERENCED"]
    assert (await update_member(house.writer(), member, {"teamIds": []})).faults == ()
    assert (await remove_team(house.writer(), low)).faults == ()
    assert (await remove_team(house.writer(), top)).faults == ()
    assert await TEAMS.pairs(house.engine, house.company.namespace) == frozenset()
    event = (await house.events())[-1]
    assert event.op == "DELETED"
    assert event.before is not None
    assert event.before["name"] == "Top"
    assert [fault.code for fault in (await remove_team(house.writer(), top)).faults] == ["NOT_FOUND"]


async def test_teams_need_their_right(house: House) -> None:
    seller = await house.member("Seller", roles=["seller"])
    writer = house.writer(house.actor(seller, "seller"))
    team = await house.team("A")
    for verb in (add_team(writer, {"name": "B"}), update_team(writer, team, {"name": "B"}), remove_team(writer, team)):
        with pytest.raises(Forbidden):
            await verb


EDITS = st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 9))), min_size=1, max_size=14)


@settings(max_examples=examples(8), deadline=None, suppress_health_check=list(HealthCheck))
@given(edits=EDITS)
def test_closures_equal_the_transitive_closure(place: str, edits: list[tuple[int, int | None]]) -> None:
    asyncio.run(edit_trees(place, edits))


async def edit_trees(place: str, edits: list[tuple[int, int | None]]) -> None:
    """Six nodes, then edits: a known node moves (or not, where it would circle), the next index adds one."""
    async with opened_access(place) as engine, open_house(engine) as house:
        teams: dict[str, str | None] = {}
        members: dict[str, str | None] = {house.owner_id: None}
        for index, target in edits:
            await edit(house, teams, index, target, is_team=True)
            await edit(house, members, index, target, is_team=False)
        namespace = house.company.namespace
        assert await TEAMS.pairs(engine, namespace) == transitive_pairs(teams)
        assert await REPORTS.pairs(engine, namespace) == transitive_pairs(members)


async def edit(house: House, tree: dict[str, str | None], index: int, target: int | None, *, is_team: bool) -> None:
    nodes = list(tree)
    parent = nodes[target % len(nodes)] if target is not None and nodes else None
    if index >= len(nodes):
        node = await house.team("T", parent) if is_team else await house.member("M", managerId=parent)
        tree[node] = parent
        return
    node = nodes[index]
    circles = parent is not None and (node, parent) in transitive_pairs(tree)
    if is_team:
        written = await update_team(house.writer(), node, {"parentId": parent})
    else:
        written = await update_member(house.writer(), node, {"managerId": parent})
    assert bool(written.faults) is circles
    if not circles:
        tree[node] = parent


async def test_moves_of_several_processes_keep_the_closure(place: str, house: House) -> None:
    namespace = house.company.namespace
    nodes = [await house.team(str(index)) for index in range(6)]
    choose = random.Random(7)
    async with opened_access(place) as other:
        second = replace(house.writer(), engine=other)
        for _ in range(6):
            moves = [
                update_team(writer, choose.choice(nodes), {"parentId": choose.choice([None, *nodes])})
                for writer in (house.writer(), second)
            ]
            await asyncio.gather(*moves)
    table = TEAM.clause
    query = Query(sa.select(table.c["id"], table.c["parent_id"]), columns={"id": UUID, "parent_id": UUID})
    parents = {row["id"]: row["parent_id"] for row in await query.rows(house.engine, namespace)}
    assert await TEAMS.pairs(house.engine, namespace) == transitive_pairs(parents)
