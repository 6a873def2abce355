"""The jobs of publishing: taking a publication to its end, and dropping what has been in the trash for long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from base.clock import now, timestamp
from base.ids import new_id
from base.limits import DEFAULTS, Limits
from metadata.build import build_catalog
from metadata.catalog import Catalog
from metadata.publishing import publication as publications
from metadata.publishing.plan import plan_of
from metadata.publishing.prepare import Ended, Preparation, Stands
from metadata.publishing.publication import Publication, State
from metadata.publishing.publish import JOB
from metadata.store import Catalogs
from metadata.trash import load_trash
from storage.batch import Batch, Cause, Statement
from storage.engine import Engine
from storage.jobs import Job, complete

Announce: TypeAlias = Callable[[str, int, Catalog], None]
"""Told (namespace, version, catalog) when this process has moved a head."""


def _ignore(namespace: str, version: int, catalog: Catalog) -> None:
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
                    self._announce(namespace, done.version, preparation.plan.after)
                else:
                    await preparation.undo()
                return
            except Stands as error:
                await preparation.fail(error.faults)
            except Ended:
                continue

    async def _preparation(self, namespace: str, found: Publication, job: Job) -> Preparation:
        before = await self._catalogs.get(namespace, found.base_version)
        target = await publications.load_target(self._engine, namespace, found.id)
        documents = {(str(item["kind"]), str(item["name"])): item for item in target.documents}
        after = await asyncio.to_thread(build_catalog, documents, target.physical, limits=self._limits)
        trash = await load_trash(self._engine, namespace)
        plan = plan_of(before, after, trash, self._engine.dialect)
        return Preparation(self._engine, namespace, self._limits, job, found, target, plan)


async def _apply(engine: Engine, namespace: str, statements: Sequence[Statement], cause: str) -> None:
    batch = Batch(timestamp(now()), new_id(), Cause(None, cause), None, statements=tuple(statements))
    await engine.apply(namespace, batch)
