"""What a read refuses, and the forms of statements that plans rely on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from base.errors import BadInput, LimitExceeded
from base.limits import DEFAULTS
from records import selection as ask
from records.reading.read import Plan, PlanTooDeep, compile_selection, run
from records.reading.rows import Rows
from records.selection import Constant, Listing, Variable
from tests.engines import ENGINES, place_of
from tests.records.read_world import ReadWorld, read_world

ID = ask.Scalar("id", "id")


def _deals(**changes: Any) -> Listing:
    parts = (ask.Nodes("nodes", ask.Record("deal", (ID,))), ask.TotalCount("total"))
    return replace(Listing("deal", parts), **changes)


def _plan(world: ReadWorld, *roots: ask.Root, roles: tuple[str, ...] = ("everything",)) -> Plan:
    grants = world.actor(roles).grants
    return compile_selection(ask.Selection(roots), world.catalog, grants, world.engine.dialect, DEFAULTS)


async def _answer(world: ReadWorld, plan: Plan, variables: dict[str, Any]) -> Any:
    return orjson.loads((await run(plan, world.snapshot(world.actor(("everything",))), variables)).data)


@pytest.mark.parametrize("engine", ENGINES)
async def test_refuses_what_is_over_a_limit_or_no_value(engine: str, tmp_path: Path) -> None:
    term = Variable(("v",))
    cases: list[tuple[dict[str, Any], Any, type[Exception]]] = [
        ({"first": term}, -1, BadInput),
        ({"first": term}, 1001, LimitExceeded),
        ({"last": term}, 1001, LimitExceeded),
        ({"offset": term}, 10_001, LimitExceeded),
        ({"first": term, "last": Constant(1)}, 1, BadInput),
        ({"offset": term, "after": Constant("x")}, 1, BadInput),
        ({"filter": {"stage": {"eq": Constant(None)}}}, None, BadInput),
        ({"filter": {"stage": {"eq": term}}}, None, BadInput),
        ({"filter": {"stage": {"in": term}}}, ["OPEN"] * 10_001, LimitExceeded),
        ({"filter": {"amount": {"gt": term}}}, "twelve", BadInput),
        ({"filter": {"closeOn": {"lt": term}}}, "2026-02-30", BadInput),
        ({"filter": {"name": {"eq": term}}}, "a\x00b", BadInput),
        ({"filter": {"name": {"contains": term}}}, "\ud800", BadInput),
        ({"search": term}, "\ud800", BadInput),
        ({"filter": {"amount": {"between": term}}}, "1", BadInput),
        ({"filter": {"nothing": {"eq": term}}}, "x", BadInput),
        ({"search": term}, " ".join("abcdefghijk"), LimitExceeded),
    ]
    deep: Any = {}
    for _ in range(11):
        deep = {"not": deep}
    cases.append(({"filter": deep}, None, LimitExceeded))
    cases.append(({"filter": {"or": tuple({"hot": {"eq": Constant(True)}} for _ in range(300))}}, None, LimitExceeded))
    async with read_world(place_of(engine, tmp_path), 1, 4) as world:
        for changes, value, error in cases:
            with pytest.raises(error):
                await _answer(world, _plan(world, ask.RootListing("deals", _deals(**changes))), {"v": value})
            with pytest.raises(error):
                await Rows(world.snapshot(world.actor(("everything",))), {"v": value}).pages(_deals(**changes))


@pytest.mark.parametrize("engine", ENGINES)
async def test_hostile_text_is_only_text(engine: str, tmp_path: Path) -> None:
    async with read_world(place_of(engine, tmp_path), 1, 4) as world:
        for operator in world.catalog.entities["deal"].fields["name"].type.operators:
            if operator in ("isNull", "in", "notIn", "between"):
                continue
            plan = _plan(world, ask.RootListing("deals", _deals(filter={"name": {operator: Variable(("v",))}})))
            for text in ("' or 1=1--", "%", "\\", '"; drop table deal; --', "$1", "?", "__ns__."):
                await _answer(world, plan, {"v": text})
        plan = _plan(world, ask.RootRecord("deal", "deal", Variable(("id",)), ask.Record("deal", (ID,))))
        ids: tuple[Any, ...] = ("' or 1=1--", "", "x" * 36, "{00000000-0000-7000-8000-00000000000", 7, None)
        for item in ids:
            assert await _answer(world, plan, {"id": item}) == {"deal": None}


@pytest.mark.parametrize("engine", ENGINES)
async def test_long_and_many_response_keys(engine: str, tmp_path: Path) -> None:
    keys = [f"{'k' * 70}{index}" for index in range(130)]
    record = ask.Record("deal", tuple(ask.Scalar(key, "amount") for key in keys))
    short = ask.Record("deal", tuple(ask.Scalar(f"s{index}", "id") for index in range(130)))
    async with read_world(place_of(engine, tmp_path), 1, 4) as world:
        deal = next(row for row in world.data.rows["deal"].values() if row["deletedAt"] is None)
        for asked in (record, short):
            plan = _plan(world, ask.RootRecord("deal", "deal", Constant(deal["id"]), asked))
            answer = await _answer(world, plan, {})
            assert list(answer["deal"]) == [item.key for item in asked.items if isinstance(item, ask.Scalar)]
        info = ask.PageInfo("info", tuple((f"p{index}", "hasNextPage") for index in range(120)))
        plan = _plan(world, ask.RootListing("deals", replace(_deals(), parts=(info,))))
        assert len((await _answer(world, plan, {}))["deals"]["info"]) == 120


@pytest.mark.parametrize("engine", ENGINES)
async def test_one_text_for_all_actors_and_values(engine: str, tmp_path: Path) -> None:
    async with read_world(place_of(engine, tmp_path), 1, 4) as world:
        listing = _deals(filter={"stage": {"in": Variable(("v",))}})
        plans = [_plan(world, ask.RootListing("deals", listing), roles=("seller",)) for _ in range(2)]
        assert plans[0].sql == plans[1].sql
        assert all(member not in plans[0].sql.text for member in (*world.members, *world.teams))
        for index in range(3):
            actor = world.actor(("seller",), index)
            for values in ([], ["OPEN"], ["OPEN", "WON", "LOST"]):
                await run(plans[0], world.snapshot(actor), {"v": values})


@pytest.mark.parametrize("engine", ENGINES)
async def test_meta_is_read_with_the_rows(engine: str, tmp_path: Path) -> None:
    async with read_world(place_of(engine, tmp_path), 1, 4) as world:
        meta = ask.RootMeta("meta", (("version", "catalogVersion"), ("position", "position"), ask.TypeName("t", "M")))
        answer = await _answer(world, _plan(world, meta, ask.RootListing("deals", _deals())), {})
        assert list(answer) == ["meta", "deals"]
        assert answer["meta"]["version"] == world.version
        assert answer["meta"]["t"] == "M"


@pytest.mark.parametrize("engine", ENGINES)
async def test_says_what_is_too_deep(engine: str, tmp_path: Path) -> None:
    async with read_world(place_of(engine, tmp_path), 1, 4) as world:

        def nested(depth: int) -> ask.Record:
            below: tuple[Any, ...] = ()
            if depth:
                below = (ask.ToMany("sub", "branches", Listing("account", (ask.Nodes("nodes", nested(depth - 1)),))),)
            return ask.Record("account", (ID, *below))

        def root(depth: int) -> ask.Root:
            return ask.RootListing("accounts", Listing("account", (ask.Nodes("nodes", nested(depth)),)))

        for depth in range(4):
            await _answer(world, _plan(world, root(depth)), {})
        if engine == "sqlite":
            with pytest.raises(PlanTooDeep):
                _plan(world, root(12))
        else:
            await _answer(world, _plan(world, root(12)), {})
