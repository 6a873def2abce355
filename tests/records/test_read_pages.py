"""Walks through pages by cursor: the compiled path, the slow path and the naive reader agree at every step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from base.errors import BadInput
from base.limits import DEFAULTS
from metadata.field import RelationKind
from records import selection as ask
from records.binds import clock_of
from records.reading.read import compile_selection, run
from records.reading.rows import Owners, Page, Rows
from records.selection import Constant, Listing, Variable
from records.surface import surface_of
from tests.engines import ENGINES, place_of
from tests.records.asking import Asker
from tests.records.naive import Naive
from tests.records.naive_values import aggregated
from tests.records.read_world import SETS, ReadWorld, read_world

INFO = ask.PageInfo(
    "info", tuple((name, name) for name in ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor"))
)


def _asked(listing: Listing, **changes: Any) -> Listing:
    record = ask.Record(listing.entity, (ask.Scalar("id", "id"),))
    edges = ask.Edges("edges", (ask.CursorItem("cursor"), ask.NodeItem("node", record)))
    plain = {"first": None, "last": None, "offset": None, "after": None, "before": None, "parts": (edges, INFO)}
    return replace(listing, **(plain | changes))


async def _both(world: ReadWorld, actor: Any, listing: Listing, variables: dict[str, Any]) -> dict[str, Any]:
    """The compiled answer, after comparing the slow path with it."""
    plan = compile_selection(
        ask.Selection((ask.RootListing("r", listing),)), world.catalog, actor.grants, world.engine.dialect, DEFAULTS
    )
    answer = await run(plan, world.snapshot(actor), variables)
    found: dict[str, Any] = orjson.loads(answer.data)["r"]
    pages = await Rows(world.snapshot(actor), variables).pages(listing)
    page = pages[None]
    assert [edge["node"]["id"] for edge in found["edges"]] == [row["id"] for row in page.rows]
    assert [edge["cursor"] for edge in found["edges"]] == list(page.cursors)
    info = found["info"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (page.has_next, page.has_previous)
    assert info["startCursor"] == (page.cursors[0] if page.cursors else None)
    assert info["endCursor"] == (page.cursors[-1] if page.cursors else None)
    return found


@pytest.mark.parametrize("engine", ENGINES)
async def test_walks_both_ways(engine: str, tmp_path: Path) -> None:
    random = Random(7)
    async with read_world(place_of(engine, tmp_path), 7) as world:
        for index, roles in enumerate(SETS):
            actor = world.actor(roles, index % 3)
            asker = Asker(world.catalog, surface_of(world.catalog, actor.grants), world.data, random)
            naive = Naive(world.catalog, actor, world.data, clock_of(world.catalog.app))
            for _ in range(4):
                name = random.choice([item for item in asker.surface.entities if item != "team"])
                listing = asker.listing(world.catalog.entities[name], 0, root=True)
                naive.variables = asker.variables
                entity = world.catalog.entities[name]
                rows = [row for row in world.data.rows[name].values() if naive.readable(entity, row)]
                expected = [row["id"] for row in naive.chosen(listing, rows)]
                size = random.choice([3, 7])
                variables = dict(asker.variables)
                seen, cursor = [], None
                while True:  # forwards
                    after: dict[str, Any] = {} if cursor is None else {"after": Variable(("cursor",))}
                    found = await _both(
                        world, actor, _asked(listing, first=Constant(size), **after), {**variables, "cursor": cursor}
                    )
                    seen += [edge["node"]["id"] for edge in found["edges"]]
                    assert found["info"]["hasNextPage"] == (len(seen) < len(expected))
                    assert found["info"]["hasPreviousPage"] == bool(after)
                    cursor = found["info"]["endCursor"]
                    if not found["info"]["hasNextPage"]:
                        break
                assert seen == expected
                seen = []
                before: dict[str, Any] = {}
                while True:  # backwards
                    found = await _both(
                        world, actor, _asked(listing, last=Constant(size), **before), {**variables, "cursor": cursor}
                    )
                    assert found["info"]["hasNextPage"] == bool(before)
                    seen = [edge["node"]["id"] for edge in found["edges"]] + seen
                    assert found["info"]["hasPreviousPage"] == (len(seen) < len(expected))
                    cursor, before = found["info"]["startCursor"], {"before": Variable(("cursor",))}
                    if not found["info"]["hasPreviousPage"]:
                        break
                assert seen == expected


@pytest.mark.parametrize("engine", ENGINES)
async def test_reads_between_two_cursors(engine: str, tmp_path: Path) -> None:
    async with read_world(place_of(engine, tmp_path), 3) as world:
        actor = world.actor(("everything",))
        order = (ask.Order(("amount",), True), ask.Order(("name",)))
        listing = _asked(Listing("deal", (), order=order))
        whole = await _both(world, actor, listing, {})
        cursors = [edge["cursor"] for edge in whole["edges"]]
        ids = [edge["node"]["id"] for edge in whole["edges"]]
        for low, high in ((0, 5), (2, len(ids) - 1), (10, 11), (len(ids) - 3, len(ids) - 1)):
            both: dict[str, Any] = {"after": Constant(cursors[low]), "before": Constant(cursors[high])}
            ways: tuple[dict[str, Any], ...] = ({"first": Constant(50)}, {"last": Constant(50)})
            for way in ways:
                found = await _both(world, actor, replace(listing, **both, **way), {})
                assert [edge["node"]["id"] for edge in found["edges"]] == ids[low + 1 : high]
                assert found["info"]["hasNextPage"] is True


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_cursor_opens_only_its_own_list(engine: str, tmp_path: Path) -> None:
    async with read_world(place_of(engine, tmp_path), 3) as world:
        actor = world.actor(("everything",))
        base = Listing("deal", (), order=(ask.Order(("amount",), True),), filter={"hot": {"eq": Variable(("hot",))}})
        found = await _both(world, actor, _asked(base, first=Constant(2)), {"hot": True})
        cursor = found["info"]["endCursor"]
        again = _asked(base, first=Constant(2), after=Constant(cursor))
        await _both(world, actor, again, {"hot": True})
        others = [
            (again, {"hot": False}, actor),
            (replace(again, order=(ask.Order(("amount",)),)), {"hot": True}, actor),
            (replace(again, search=Constant("acme")), {"hot": True}, actor),
            (replace(again, deleted=ask.Deleted.INCLUDE), {"hot": True}, actor),
            (again, {"hot": True}, world.actor(("seller",))),
            (replace(again, after=Constant(cursor[:-2] + "AA")), {"hot": True}, actor),
            (replace(again, after=Constant("no cursor")), {"hot": True}, actor),
            (replace(again, after=Constant("")), {"hot": True}, actor),
        ]
        for listing, variables, reader in others:
            with pytest.raises(BadInput):
                await _both(world, reader, listing, variables)
            with pytest.raises(BadInput):
                await Rows(world.snapshot(reader), variables).pages(listing)
        assert b"amount" not in cursor.encode()


@pytest.mark.parametrize("engine", ENGINES)
async def test_reads_for_many_owners_at_once(engine: str, tmp_path: Path) -> None:
    random = Random(5)
    async with read_world(place_of(engine, tmp_path), 5) as world:
        for index, roles in enumerate(SETS):
            actor = world.actor(roles, index % 3)
            surface = surface_of(world.catalog, actor.grants)
            asker = Asker(world.catalog, surface, world.data, random)
            naive = Naive(world.catalog, actor, world.data, clock_of(world.catalog.app))
            for name, entity in world.catalog.entities.items():
                if name not in surface.entities:
                    continue
                rows = [row for row in world.data.rows[name].values() if naive.readable(entity, row)]
                live = [row for row in rows if row["deletedAt"] is None]
                reader = Rows(world.snapshot(actor), {})
                found = await reader.by_ids(name, [*(row["id"] for row in rows), "nonsense"])
                assert found.keys() == {row["id"] for row in live}
                names = found[live[0]["id"]] if live else {}
                record = ask.Record(name, tuple(ask.Scalar(key, key) for key in names))
                assert all(found[row["id"]] == naive._object(record, row) for row in live)
                for way in sorted(surface.entities[name].relations):
                    relation = entity.relations[way]
                    if relation.kind is RelationKind.TO_ONE or not live:
                        continue
                    listing = _asked(asker.listing(world.catalog.entities[relation.target], 0), first=Constant(2))
                    naive.variables = asker.variables
                    reader = Rows(world.snapshot(actor), asker.variables)
                    owners = Owners(name, way, tuple(row["id"] for row in live))
                    pages = await reader.pages(listing, owners)
                    counts = await reader.counts(listing, owners)
                    for row in live:
                        expected = [item["id"] for item in naive.chosen(listing, naive.related(entity, row, relation))]
                        page = pages.get(row["id"], Page())
                        assert [item["id"] for item in page.rows] == expected[:2]
                        assert page.has_next == (len(expected) > 2)
                        assert counts.get(row["id"], 0) == len(expected)


@pytest.mark.parametrize("engine", ENGINES)
async def test_slow_totals_equal_the_naive_ones(engine: str, tmp_path: Path) -> None:
    random = Random(11)
    async with read_world(place_of(engine, tmp_path), 11) as world:
        for index, roles in enumerate(SETS):
            actor = world.actor(roles, index % 3)
            asker = Asker(world.catalog, surface_of(world.catalog, actor.grants), world.data, random)
            naive = Naive(world.catalog, actor, world.data, clock_of(world.catalog.app))
            for name in sorted(asker.surface.entities):
                entity = world.catalog.entities[name]
                listing = asker.listing(entity, 0, root=True)
                naive.variables = asker.variables
                rows = naive.chosen(
                    listing, [row for row in world.data.rows[name].values() if naive.readable(entity, row)]
                )
                reader = Rows(world.snapshot(actor), asker.variables)
                assert (await reader.counts(listing)) == {None: len(rows)}
                wanted = [
                    (function, item.api_name)
                    for item in entity.by_api_name.values()
                    for function in sorted(item.type.aggregates)
                    if item.name in asker.surface.entities[name].readable
                ]
                found = (await reader.aggregates(listing, wanted))[None]
                for (function, api_name), value in zip(wanted, found, strict=True):
                    item = entity.by_api_name[api_name]
                    values = [shown for row in rows if (shown := naive.value(entity, row, api_name)) is not None]
                    expected = aggregated(function, item, values)
                    assert value == pytest.approx(expected) if isinstance(expected, float) else value == expected
