"""What is done now and then in each company: answers that nobody can ask for any more are forgotten."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from base.clock import now, timestamp
from base.errors import PliantError
from base.ids import new_id
from storage.batch import Batch, Cause, Execute, Sql
from storage.engine import Engine
from storage.types import TIMESTAMP

FIRST_SECONDS: Final = 60.0
"""The first sweep comes so long after the start: processes that live shortly need none."""

EVERY_SECONDS: Final = 3600.0
"""Keys live for a day, so an hour more or less does not matter."""

_log = logging.getLogger(__name__)


class Upkeep:
    """One per process. `start` it with the engine open, `stop` it before the engine closes.

    `namespaces` lists the companies. Several processes may sweep at once: the second finds nothing to do.
    """

    def __init__(self, engine: Engine, namespaces: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._engine = engine
        self._namespaces = namespaces
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin. Needs a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        """End, in the middle of a sweep perhaps."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def sweep(self) -> None:
        """Visit every company once. What fails in one is logged, and done with the next sweep."""
        try:
            for namespace in await self._namespaces():
                await self._visit(namespace)
        except PliantError:
            _log.exception("listing companies for upkeep failed")

    async def _visit(self, namespace: str) -> None:
        try:
            await forget_expired_keys(self._engine, namespace)
        except PliantError:
            _log.exception("upkeep of %s failed", namespace)

    async def _live(self) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        while True:
            await self.sweep()
            await asyncio.sleep(EVERY_SECONDS)


async def forget_expired_keys(engine: Engine, namespace: str) -> None:
    """Remove idempotency rows whose time is over. A company without any is only read: it needs no writer."""
    instant = now()
    params = (TIMESTAMP.encoder(engine.dialect)(instant),)
    expired = f"FROM __ns__._idempotency WHERE expires_at <= {'?' if engine.dialect == 'sqlite' else '$1'}"
    if not await engine.fetch(namespace, Sql(f"SELECT 1 {expired} LIMIT 1"), params):
        return
    delete = Execute(Sql(f"DELETE {expired}"), params)
    batch = Batch(timestamp(instant), new_id(), Cause(None, "upkeep"), None, statements=(delete,))
    await engine.apply(namespace, batch)
