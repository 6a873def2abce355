"""The jobs of publishing: taking a publication to its end, and dropping what has been in the trash for long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

from base.clock import now, timestamp
from base.ids import new_id
from base.limits import DEFAULTS, Limits
from metadata.build import build_catalog
from metadata.catalog import Catalog
from metadata.changesets import Seen, mark_published
from metadata.publishing import publication as publications
from metadata.publishing.plan import plan_of
from metadata.publishing.prepare import Ended, Preparation, Stands
from metadata.publishing.publication import Publication, State
from metadata.publishing.publish import CONTRACT, JOB
from metadata.store import Catalogs
from metadata.trash import TRASH, Kept, Trashed, drop_ddl, find_trashed, image, load_trash, take
from storage.batch import Applied, Batch, Cause, ChangeRow, Statement
from storage.engine import Engine, Exclusive
from storage.jobs import Job, complete, enqueue

Announce: TypeAlias = Callable[[str, int, Catalog], Awaitable[None]]
"""Told (namespace, version, catalog) when this process has moved a head."""


AGAIN: Final = timedelta(minutes=10)
"""When trash that could not be dropped is looked at again: so long a replica may have been silent."""


async def _unknown(namespace: str) -> int | None:
    return None


async def _ignore(namespace: str, version: int, catalog: Catalog) -> None:
    """Nobody wants to know."""


class PublicationJob:
    """The kind of job that takes a publication to its end."""

    name = JOB

    def __init__(
        self, engine: Engine, catalogs: Catalogs, limits: Limits = DEFAULTS, announce: Announce = _ignore
    ) -> None:
        self._engine = engine
        self._catalogs = catalogs
        self._limits = limits
        self._announce = announce

    async def run(self, namespace: str, job: Job) -> None:
        """Do what is left to be done. Run again, by whomever, it goes on where the rows say that it stands."""
        payload = job.payload
        assert isinstance(payload, Mapping)
        publication_id = str(payload["publication"])
        while True:
            found = await publications.find_publication(self._engine, namespace, publication_id)
            if found is None or not found.open:
                await _apply(self._engine, namespace, (complete(self._engine.dialect, job),), "job")
                return
            preparation = await self._preparation(namespace, found, job)
            try:
                if found.state is State.PREPARING:
                    done = await preparation.prepare()
                    assert done.version is not None
                    await self._announce(namespace, done.version, preparation.plan.after)
                    await self._mark(namespace, done, preparation)
                else:
                    head = await self._catalogs.head(namespace)
                    assert head is not None  # a publication has a version before it
                    await preparation.undo(head.catalog)
                return
            except Stands as error:
                await preparation.fail(error.faults)
            except Ended:
                continue

    async def _mark(self, namespace: str, done: publications.Publication, preparation: Preparation) -> None:
        """The change set that was published, if it was one; a process that dies before leaves it open."""
        marked, version = preparation.target.change_set, done.version
        if marked is not None and version is not None:
            documents = preparation.plan.after.documents
            await mark_published(self._engine, namespace, Seen.of(marked), version, documents, done.author_id)

    async def _preparation(self, namespace: str, found: Publication, job: Job) -> Preparation:
        before = await self._catalogs.get(namespace, found.base_version)
        target = await publications.load_target(self._engine, namespace, found.id)
        documents = {(str(item["kind"]), str(item["name"])): item for item in target.documents}
        after = await asyncio.to_thread(build_catalog, documents, target.physical, limits=self._limits)
        trash = await load_trash(self._engine, namespace)
        plan = plan_of(before, after, trash, self._engine.dialect)
        return Preparation(self._engine, namespace, self._limits, job, found, target, plan)


class ContractJob:
    """The kind of job that drops a piece of trash when its time is over and no replica may still name it.

    `oldest_served` tells the lowest version that a replica has served to a company of late, None when it is unknown.
    """

    name = CONTRACT

    def __init__(self, engine: Engine, oldest_served: Callable[[str], Awaitable[int | None]] = _unknown) -> None:
        self._engine = engine
        self._oldest_served = oldest_served

    async def run(self, namespace: str, job: Job) -> None:
        """Drop it, or come again later."""
        payload = job.payload
        assert isinstance(payload, Mapping)
        item = await find_trashed(self._engine, namespace, str(payload["trash"]))
        if item is None:
            await _apply(self._engine, namespace, (complete(self._engine.dialect, job),), "job")
            return
        oldest = await self._oldest_served(namespace)
        late = oldest is not None and oldest < item.removed_version
        if late or not await drop_trashed(self._engine, namespace, item, None, job):
            later = enqueue(self._engine.dialect, CONTRACT, payload, now() + AGAIN)
            await _apply(self._engine, namespace, (complete(self._engine.dialect, job), later), "job")


async def drop_trashed(
    engine: Engine, namespace: str, item: Trashed, actor_id: str | None, job: Job | None = None
) -> bool:
    """Remove a piece of trash for ever; False when it came back, or a publication under way may want it."""
    dialect = engine.dialect
    below = [
        other
        for other in (await load_trash(engine, namespace)).items
        if item.kind is Kept.ENTITY and other.table == item.table and other.id != item.id
    ]
    links = [text for other in below if other.kind is Kept.LINK for text in drop_ddl(other, dialect)]
    dropped = [item, *below]
    batch = Batch(
        timestamp(now()),
        new_id(),
        Cause(actor_id, "contract"),
        None,
        guards=(publications.none_open(dialect),),
        statements=(
            *(take(each, dialect) for each in dropped),
            *((complete(dialect, job),) if job is not None else ()),
        ),
        changes=tuple(ChangeRow(new_id(), TRASH, each.id, "PURGED", 1, (), image(each), None) for each in dropped),
    )

    async def work(session: Exclusive) -> tuple[bool, bool]:
        """First make sure that it is there."""
        if not isinstance(await session.apply(batch), Applied):
            return False, False
        for text in (*links, *drop_ddl(item, dialect)):
            await session.execute(text)
        return True, True

    return await engine.exclusively(namespace, work)


async def _apply(engine: Engine, namespace: str, statements: Sequence[Statement], cause: str) -> None:
    batch = Batch(timestamp(now()), new_id(), Cause(None, cause), None, statements=tuple(statements))
    await engine.apply(namespace, batch)
