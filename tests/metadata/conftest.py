"""A company on each engine, with the tables that publishing needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from base.clock import now, timestamp
from base.errors import DocumentsInvalid
from base.ids import new_id, public_id
from base.limits import DEFAULTS, Limits
from metadata.catalog import Catalog
from metadata.migrations import MIGRATIONS
from metadata.publishing.jobs import ContractJob, PublicationJob
from metadata.publishing.publication import Publication, find_publication
from metadata.publishing.publish import Published, publish
from metadata.store import Catalogs
from storage.batch import Applied, Batch, Cause, Execute, Insert, Outcome, Sql
from storage.engine import Engine
from storage.jobs import claim
from tests.engines import ENGINES, opened, place_of
from tests.metadata.documents import Documents


@dataclass
class Company:
    """One namespace of one engine."""

    engine: Engine
    namespace: str
    catalogs: Catalogs
    limits: Limits = DEFAULTS

    async def publish(self, upserts: Documents, removals: Any = (), **words: Any) -> Published:
        """Publish over what the company serves now."""
        head = await self.catalogs.head(self.namespace)
        done = await publish(self.engine, self.namespace, head, upserts, removals, limits=self.limits, **words)
        return done if done.publication is None else await self.prepared(done)

    async def begin(self, upserts: Documents, removals: Any = (), **words: Any) -> Publication:
        """Begin a publish that has to be prepared, and leave it there."""
        head = await self.catalogs.head(self.namespace)
        done = await publish(self.engine, self.namespace, head, upserts, removals, limits=self.limits, **words)
        assert done.publication is not None
        return done.publication

    async def work(self, engine: Engine | None = None) -> None:
        """Run what jobs are due, as one worker; `engine` takes the place of the company's own."""
        worker = engine or self.engine
        kinds = {kind.name: kind for kind in (PublicationJob(worker, self.catalogs, self.limits), ContractJob(worker))}
        for job in await claim(self.engine, self.namespace, list(kinds), 10):
            await kinds[job.kind].run(self.namespace, job)

    async def forget_leases(self) -> None:
        """Let the jobs of a dead worker be due again."""
        text = "UPDATE __ns__._job SET lease_until = NULL, lease_token = NULL WHERE lease_token IS NOT NULL"
        batch = Batch(timestamp(now()), new_id(), Cause(None, "test"), None, statements=(Execute(Sql(text), ()),))
        await self.engine.apply(self.namespace, batch)

    async def prepared(self, begun: Published) -> Published:
        """A publication taken to its end. Raises `DocumentsInvalid` when it failed."""
        assert begun.publication is not None
        await self.work()
        found = await find_publication(self.engine, self.namespace, begun.publication.id)
        assert found is not None
        if found.version is None:
            raise DocumentsInvalid(found.faults)
        return Published(found.version, await self.catalogs.get(self.namespace, found.version), begun.changes, found)

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
