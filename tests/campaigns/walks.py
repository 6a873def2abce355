"""Pages walked by their cursors, forwards and backwards: together they are the list, each once and in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from access.actor import Actor
from metadata.field import RelationKind
from records import selection as ask
from records.selection import Constant, Deleted, Listing
from tests.campaigns.budget import Budget
from tests.campaigns.questions import Questioner
from tests.campaigns.rendering import Renderer, Request
from tests.campaigns.worlds import World
from tests.records.naive_data import Data

_PAGES = 60
_INFO = ask.PageInfo(
    "kInfo", tuple((name, name) for name in ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor"))
)

_CURSOR = Constant(None)

Compare = Callable[..., Any]


async def check_walk(
    budget: Budget, here: World, actor: Actor, data: Data, random: Random, compare: Compare, reader: Compare
) -> None:
    """Walk a generated list at the root or behind a record, both ways; each page is one checked operation."""
    asker = Questioner(here.catalog, here.surface(actor), data, random)
    owner, way, entity = _place(asker, here, reader(here, actor, data))
    made = asker.listing(entity, 1, root=True)
    record = asker.record(entity, 1)
    record = replace(record, items=(ask.Scalar("kId", "id"), *record.items))
    items = (ask.CursorItem("cursor"), ask.NodeItem("kNode", record))
    parts = (ask.Edges("kEdges", items), _INFO, ask.TotalCount("kTotal"))
    plain = replace(made, first=None, last=None, offset=None, parts=parts)
    if random.random() < 0.2:
        plain = replace(plain, deleted=random.choice(list(Deleted)))
    for forward in (True, False):
        walk = _Walk(budget, here, actor, data, asker, compare, reader, owner, way)
        await walk.go(plain, random.choice([1, 2, 3, 7]), forward)


def _place(asker: Questioner, here: World, naive: Any) -> tuple[tuple[str, str] | None, str | None, Any]:
    """Where the list stands: at the root, or behind a to-many relation of a readable, live record."""
    entity = asker._some_entity()
    ways = [
        name
        for name in sorted(asker.surface.entities[entity.name].relations)
        if entity.relations[name].kind is not RelationKind.TO_ONE
    ]
    live = [row["id"] for row in naive.visible(entity.name) if row["deletedAt"] is None]
    if not ways or not live or asker.random.random() < 0.6:
        return None, None, entity
    way = asker.random.choice(ways)
    owner = (entity.name, asker.random.choice(sorted(live)))
    return owner, way, here.catalog.entities[entity.relations[way].target]


class _Walk:
    """One walk in one direction."""

    def __init__(
        self, budget: Budget, here: World, actor: Actor, data: Data, asker: Questioner, compare: Compare,
        reader: Compare, owner: tuple[str, str] | None, way: str | None,
    ) -> None:  # fmt: skip
        self._budget, self._here, self._actor, self._data, self._asker = budget, here, actor, data, asker
        self._compare, self._reader, self._owner, self._way = compare, reader, owner, way
        self._cursors: dict[str, str] = {}
        self._stock = frozenset({asker.random.choice(here.seats).name})

    async def go(self, listing: Listing, size: int, forward: bool) -> None:
        """Page after page to the end; what was seen must be the whole list."""
        count = Constant(size)
        page = replace(listing, first=count) if forward else replace(listing, last=count)
        request, cursor = self._request(page), None
        seen: list[str] = []
        for number in range(_PAGES):
            if number == 1:  # from the second page on it is one document with one plan
                page = replace(page, after=_CURSOR) if forward else replace(page, before=_CURSOR)
                request = self._request(page)
            found = await self._page(page, request, cursor)
            if found is None:
                return
            ids = [edge["kNode"]["kId"] for edge in found["kEdges"]]
            seen = seen + ids if forward else ids + seen
            info = found["kInfo"]
            if not info["hasNextPage" if forward else "hasPreviousPage"]:
                break
            cursor = info["endCursor" if forward else "startCursor"]
        else:
            return
        if len(seen) != found["kTotal"] or len(set(seen)) != len(seen):
            self._budget.fault("a walk is not its list", self._here.namespace, listing, forward, seen, found["kTotal"])

    def _request(self, listing: Listing) -> Request:
        here = self._here
        renderer = Renderer(here.schema(self._actor), here.catalog, self._asker.random, self._asker.variables)
        return renderer.request(ask.Selection((self._root(listing),)))

    async def _page(self, listing: Listing, request: Request, cursor: str | None) -> Any:
        """One page, answered by everybody; cursors are remembered for the naive reader."""
        here, actor = self._here, self._actor
        given = Constant(cursor)
        if listing.after is not None:
            listing = replace(listing, after=given)
        if listing.before is not None:
            listing = replace(listing, before=given)
        naive = self._reader(here, actor, self._data)
        naive.cursors = self._cursors
        expected = naive.answer(ask.Selection((self._root(listing),)), self._asker.variables)
        sent = request if cursor is None else replace(request, variables={**request.variables, "cursor": cursor})
        replies = await here.answers(actor, sent, self._stock)
        self._budget.checked += 1
        answer = self._compare(self._budget, here, actor, sent, replies, expected)
        if answer is None:
            return None
        found = answer["kRoot"] if self._owner is None else answer["kRoot"]["kWay"]
        for edge in found["kEdges"]:
            self._cursors[edge["cursor"]] = edge["kNode"]["kId"]
        return found

    def _root(self, listing: Listing) -> ask.Root:
        if self._owner is None or self._way is None:
            return ask.RootListing("kRoot", listing)
        name, record_id = self._owner
        record = ask.Record(name, (ask.ToMany("kWay", self._way, listing),))
        return ask.RootRecord("kRoot", name, Constant(record_id), record)
