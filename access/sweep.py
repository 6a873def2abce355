"""The sweep: brings the fixed tables of all companies up to this release, one after the other, beside the requests.

A company that is touched earlier is migrated by its first request; either way it is one transaction under its lock,
so whoever is killed leaves whole companies. What could not be migrated is noted in control (`unmigrated`), for the
operator, and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from access.company import Company, State, list_companies
from access.table import Query, Table, parameter
from base.clock import now, timestamp
from base.errors import PliantError
from base.ids import new_id
from storage.batch import Batch, Cause, Sql, Statement
from storage.engine import CONTROL, Engine
from storage.errors import NamespaceMissing, StorageError
from storage.migrations import NUMBERS, failed_migration
from storage.types import TEXT, TIMESTAMP

FIRST_SECONDS: Final = 5.0
"""The first sweep comes so long after the start: requests that wait for a new process go first."""

PAUSE_SECONDS: Final = 0.02
"""Between two companies, so that neither the database nor the event loop is kept busy."""

AGAIN_SECONDS: Final = 60.0
"""What failed is tried again after so long; the wait doubles up to `EVERY_SECONDS`."""

EVERY_SECONDS: Final = 3600.0
"""A release before this one, running beside it, may have made companies meanwhile."""

_SWEPT: Final = (State.ACTIVE, State.SUSPENDED)
_ERROR_CHARS: Final = 500

UNREADABLE: Final = "unreadable"
"""Stands where the migrations of a company cannot be told."""

UNMIGRATED = Table("unmigrated", {"namespace": TEXT, "migration": TEXT, "error": TEXT, "failed_at": TIMESTAMP})
"""In control: companies whose tables could not be brought up to date."""

_own = UNMIGRATED.clause
_ALL = Query(sa.select(*_own.c).order_by(_own.c["failed_at"], _own.c["namespace"]), columns=UNMIGRATED.columns)
_FORGET = Query(sa.delete(_own).where(_own.c["namespace"] == parameter("namespace", TEXT)), {"namespace": TEXT})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unmigrated:
    """A company that could not be migrated: the migration that failed (number and name), and what was said."""

    namespace: str
    migration: str
    error: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep has found: companies looked at, how many were behind, brought up to date, and failed."""

    companies: int
    behind: int
    migrated: int
    failed: tuple[Unmigrated, ...]


Report = Callable[[int, int], None]
"""Told of each company that is done: how many of how many that were behind."""


def _unheard(done: int, total: int) -> None:
    """Nobody watches."""


async def companies_behind(engine: Engine) -> dict[Company, tuple[str, ...]]:
    """The companies whose fixed tables are older than this release, with the migrations that each lacks."""
    found: dict[Company, tuple[str, ...]] = {}
    for company in await list_companies(engine):
        if company.state not in _SWEPT:
            continue
        try:
            lacking: Sequence[str] = await engine.lacking(company.namespace)
        except NamespaceMissing:  # deleted while we look
            continue
        except StorageError:  # damaged, perhaps: the sweep will tell what it is
            lacking = (UNREADABLE,)
        if lacking:
            found[company] = tuple(lacking)
    return found


async def list_unmigrated(engine: Engine) -> tuple[Unmigrated, ...]:
    """What the last sweeps of all processes could not migrate, longest first."""
    return tuple(Unmigrated(**row) for row in await _ALL.rows(engine, CONTROL))


class Sweep:
    """One per process. `start` it with the engine open when the process begins to serve; or `run` it once.

    `behind` is how many companies still are, as far as this process knows: None before it has looked.
    """

    def __init__(
        self,
        engine: Engine,
        first_seconds: float = FIRST_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
        again_seconds: float = AGAIN_SECONDS,
    ) -> None:
        self.behind: int | None = None
        self.failed: dict[str, Unmigrated] = {}
        self._engine = engine
        self._first_seconds = first_seconds
        self._pause_seconds = pause_seconds
        self._again_seconds = again_seconds
        self._whole: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    async def whole(self) -> list[str]:
        """The namespaces of active companies whose tables are those of this release.

        What visits all companies now and then takes these, and leaves the others to the sweep or their first request.
        """
        active = [item.namespace for item in await list_companies(self._engine) if item.state is State.ACTIVE]
        for namespace in active:
            if namespace not in self._whole:
                with suppress(StorageError):  # deleted or damaged: whoever needs it is told
                    if not await self._engine.lacking(namespace):
                        self._whole.add(namespace)
        return [namespace for namespace in active if namespace in self._whole]

    def start(self) -> None:
        """Begin. Needs a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        """End; a migration under way is finished or undone by the database."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def run(self, report: Report = _unheard) -> Swept:
        """Visit every company once. What fails in one stops no other. Raises `StorageError` when control is away."""
        companies = await list_companies(self._engine)
        behind = await companies_behind(self._engine)
        noted = {item.namespace for item in await list_unmigrated(self._engine)} | self.failed.keys()
        for namespace in noted - {company.namespace for company in behind}:
            await self._forget(namespace)  # its first request has migrated it, or it is deleted
        self.behind = len(behind)
        for done, (company, lacking) in enumerate(behind.items(), 1):
            if await self._migrate(company.namespace, lacking):
                self.behind -= 1
                if company.namespace in noted:
                    await self._forget(company.namespace)
            report(done, len(behind))
            await asyncio.sleep(self._pause_seconds)
        return Swept(len(companies), len(behind), len(behind) - self.behind, tuple(self.failed.values()))

    async def _migrate(self, namespace: str, lacking: tuple[str, ...]) -> bool:
        try:
            await self._engine.fetch(namespace, Sql(NUMBERS))  # the first touch migrates
        except NamespaceMissing:
            return True
        except PliantError as error:
            if namespace not in self.failed:  # once, not with each new attempt
                _log.exception("migrating %s failed", namespace)
            said = " ".join(str(error.__cause__ or error).split())[:_ERROR_CHARS]
            failure = Unmigrated(namespace, failed_migration(error) or lacking[0], said, now())
            self.failed[namespace] = failure
            await self._note(failure)
            return False
        return True

    async def _forget(self, namespace: str) -> None:
        self.failed.pop(namespace, None)
        await self._apply(_FORGET.execute(self._engine.dialect, namespace=namespace))

    async def _note(self, failure: Unmigrated) -> None:
        dialect = self._engine.dialect
        row = {name: getattr(failure, name) for name in UNMIGRATED.columns}
        forget = _FORGET.execute(dialect, namespace=failure.namespace)
        await self._apply(forget, UNMIGRATED.insert([row], dialect))

    async def _apply(self, *statements: Statement) -> None:
        batch = Batch(timestamp(now()), new_id(), Cause(None, "sweep"), None, statements=statements)
        await self._engine.apply(CONTROL, batch)

    async def _live(self) -> None:
        await asyncio.sleep(self._first_seconds)
        wait = self._again_seconds
        while True:
            try:
                failed = bool((await self.run()).failed)
            except PliantError:
                _log.exception("sweeping companies failed")
                failed = True
            await asyncio.sleep(wait if failed else EVERY_SECONDS)
            wait = min(2 * wait, EVERY_SECONDS) if failed else self._again_seconds
