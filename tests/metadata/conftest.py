"""A company on each engine, with the tables that publishing needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from base.ids import new_id, public_id
from metadata.catalog import Catalog
from metadata.migrations import MIGRATIONS
from metadata.publishing.publish import Published, publish
from metadata.store import Catalogs
from storage.batch import Applied, Batch, Cause, Insert, Outcome, Sql
from storage.engine import Engine
from tests.engines import ENGINES, opened, place_of
from tests.metadata.documents import Documents


@dataclass
class Company:
    """One namespace of one engine."""

    engine: Engine
    namespace: str
    catalogs: Catalogs

    async def publish(self, upserts: Documents, removals: Any = (), **words: Any) -> Published:
        """Publish over what the company serves now."""
        head = await self.catalogs.head(self.namespace)
        return await publish(self.engine, self.namespace, head, upserts, removals, **words)

    async def insert(self, catalog: Catalog, entity: str, **values: Any) -> Outcome:
        """Put a row straight into an entity's table; values are logical, by field name."""
        shape = catalog.entities[entity]
        moment = "2026-11-23T08:00:00+00:00"
        row = {"id": new_id(shape.number), "version": 1, "createdAt": moment, "updatedAt": moment, **values}
        columns, kinds, cells = [], [], []
        for name, value in row.items():
            item = shape.fields[name]
            logical = item.type.logical(item.options, value)
            columns.append(item.column.name)
            kinds.append(item.column.type.kind)
            cells.append(item.column.type.encoder(self.engine.dialect)(logical))
        insert = Insert(shape.table_name, tuple(columns), tuple(kinds), (tuple(cells),))
        batch = Batch(moment, new_id(), Cause(None, "test"), None, statements=(insert,))
        return await self.engine.apply(self.namespace, batch)

    async def put(self, catalog: Catalog, entity: str, **values: Any) -> None:
        """`insert` that must succeed."""
        assert isinstance(await self.insert(catalog, entity, **values), Applied)

    async def rows(self, text: str) -> list[tuple[Any, ...]]:
        """The rows of a query; texts as `str`."""
        found = await self.engine.fetch(self.namespace, Sql(text))
        return [tuple(cell.decode() if isinstance(cell, bytes) else cell for cell in row) for row in found]


@pytest.fixture(params=ENGINES)
async def company(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Company]:
    """An empty company."""
    namespace = f"t{public_id()}"
    async with opened(place_of(request.param, tmp_path), MIGRATIONS) as engine:
        await engine.create(namespace)
        yield Company(engine, namespace, Catalogs(engine))
        await engine.drop(namespace)
