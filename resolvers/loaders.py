"""Loaders of the slow path: what hangs off many records is read once for all of them.

One `Loaders` belongs to one request: it remembers what it has read, so a write makes a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from strawberry.dataloader import DataLoader

from base.ids import canonical_id
from base.json import Json
from metadata.catalog import Entity
from records.reading.rows import Owners, Page, Row, Rows
from records.selection import Listing
from records.snapshot import Snapshot
from resolvers.context import Context

ENTITY: Final = "__entity"
"""The key under which a record's dict holds its entity: no field of GraphQL is named so."""


_Key = TypeVar("_Key")
_Found = TypeVar("_Found")


class SharedLoader(DataLoader[_Key, _Found]):
    """A loader whose answers several fields wait for.

    The executor cancels what a failed field's siblings wait for; without a shield that would cancel the answer itself,
    and with it the whole request.
    """

    def load(self, key: _Key) -> Awaitable[_Found]:
        """The answer for a key: cancelling what is returned leaves the answer to the others."""
        return asyncio.shield(super().load(key))


class Way(NamedTuple):
    """A to-many relation that is followed: the entity whose rows own it, and its name."""

    entity: str
    relation: str


class Wanted(NamedTuple):
    """One aggregate of one owner's list."""

    owner: str | None
    function: str
    field: str


class ListLoader:
    """One listing, at the root or behind a relation: its pages, counts and aggregates for many owners at a time."""

    def __init__(self, rows: Rows, listing: Listing, way: Way | None) -> None:
        self._rows = rows
        self._listing = listing
        self._way = way
        self._pages: SharedLoader[str | None, Page] = SharedLoader(load_fn=self._load_pages)
        self._counts: SharedLoader[str | None, int] = SharedLoader(load_fn=self._load_counts)
        self._aggregates: SharedLoader[Wanted, Json] = SharedLoader(load_fn=self._load_aggregates)

    def page(self, owner: str | None) -> Awaitable[Page]:
        """The page of one owner; None stands for the root."""
        return self._pages.load(owner)

    def count(self, owner: str | None) -> Awaitable[int]:
        """Rows that match, whatever the page."""
        return self._counts.load(owner)

    def aggregate(self, owner: str | None, function: str, field: str) -> Awaitable[Json]:
        """One aggregate over all rows that match."""
        return self._aggregates.load(Wanted(owner, function, field))

    def _owners(self, ids: Sequence[str | None]) -> Owners | None:
        if self._way is None:
            return None
        return Owners(self._way.entity, self._way.relation, tuple(owner for owner in ids if owner is not None))

    async def _load_pages(self, keys: list[str | None]) -> list[Page]:
        found = await self._rows.pages(self._listing, self._owners(keys))
        return [found[key] for key in keys]

    async def _load_counts(self, keys: list[str | None]) -> list[int]:
        found = await self._rows.counts(self._listing, self._owners(keys))
        return [found.get(key, 0) for key in keys]

    async def _load_aggregates(self, keys: list[Wanted]) -> list[Json]:
        wanted = list(dict.fromkeys((key.function, key.field) for key in keys))
        owners = self._owners(list(dict.fromkeys(key.owner for key in keys)))
        found = await self._rows.aggregates(self._listing, wanted, owners)
        return [
            found[key.owner][wanted.index((key.function, key.field))] if key.owner in found else _of_nothing(key)
            for key in keys
        ]


def _of_nothing(key: Wanted) -> Json:
    return 0 if key.function == "distinctCount" else None


class Loaders:
    """Everything that one operation reads of records without being compiled."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._rows = Rows(snapshot, {})
        self._records: dict[str, SharedLoader[str, Row | None]] = {}
        self._lists: dict[Hashable, ListLoader] = {}

    def record(self, entity: str, record_id: str) -> Awaitable[Row | None]:
        """A live, readable row by its id in lower case, or None."""
        loader = self._records.get(entity)
        if loader is None:
            loader = self._records[entity] = SharedLoader(load_fn=self._by_ids(entity))
        return loader.load(record_id)

    def listing(self, key: Hashable, make: Callable[[], Listing], way: Way | None) -> ListLoader:
        """The loader of a field's listing; `key` stands for the field where it is written in the document."""
        loader = self._lists.get((key, way))
        if loader is None:
            loader = self._lists[key, way] = ListLoader(self._rows, make(), way)
        return loader

    def _by_ids(self, entity: str) -> Callable[[list[str]], Awaitable[list[Any]]]:
        async def load(ids: list[str]) -> list[Row | None]:
            """Rows in the order of their ids."""
            found = await self._rows.by_ids(entity, ids)
            return [found.get(record_id) for record_id in ids]

        return load


def loaders_of(context: Context) -> Loaders:
    """The request's loaders; a write forgets them."""
    found: Loaders | None = context.kept.get(Loaders)
    if found is None:
        found = context.kept[Loaders] = Loaders(context.snapshot)
    return found


def as_record(row: Mapping[str, Any], entity: Entity) -> dict[str, Any]:
    """A row as the executor takes it: it knows what it is."""
    return {**row, "__typename": entity.type_name, ENTITY: entity}


async def find_record(context: Context, entity: Entity, record_id: Any) -> dict[str, Any] | None:
    """A live, readable record; None for whatever is hidden, deleted, unknown or no id."""
    wanted = canonical_id(record_id)
    row = None if wanted is None else await loaders_of(context).record(entity.name, wanted)
    return None if row is None else as_record(row, entity)
