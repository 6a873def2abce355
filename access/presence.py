"""The presence of this process among the replicas: it says that it lives, and which versions it serves."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress

from access.replica import HEARTBEAT_SECONDS, REFRESH_SECONDS, Process, beat, leave, note_served
from base.clock import now
from base.errors import PliantError
from base.ids import new_id
from storage.engine import Engine
from storage.errors import NamespaceMissing

_log = logging.getLogger(__name__)


class Presence:
    """One per process. `start` it with the engine open when the process begins to serve, `stop` it before it closes.

    A process that never starts it (a command) is no replica, and nothing is written.
    """

    def __init__(
        self,
        engine: Engine,
        release: str,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self.process = Process(new_id(), socket.gethostname(), os.getpid(), release, now())
        self._engine = engine
        self._heartbeat_seconds = heartbeat_seconds
        self._refresh_seconds = refresh_seconds
        self._told: dict[str, int] = {}
        self._waiting: dict[tuple[str, int], None] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Appear. Raises `StorageError`: a process that cannot say so much cannot serve either."""
        if not self._tasks:
            await beat(self._engine, self.process)
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(work()) for work in (self._beat, self._forget, self._tell)]

    async def stop(self) -> None:
        """Disappear; nothing happens when it was not started."""
        if not self._tasks:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        with suppress(PliantError):  # the row of a replica that cannot say farewell grows old
            await leave(self._engine, self.process.id)

    def served(self, namespace: str, version: int) -> None:
        """A request of a company is answered by a version. Asked with every request: a look-up, mostly."""
        if self._told.get(namespace) != version and self._tasks:
            self._told[namespace] = version
            self._waiting[namespace, version] = None
            self._wake.set()

    async def _beat(self) -> None:
        silent = False
        while True:
            await asyncio.sleep(self._heartbeat_seconds)
            try:
                await beat(self._engine, self.process)
                silent = False
            except PliantError:
                if not silent:  # a database that is away for an hour is one line, not 180
                    _log.exception("the heartbeat of this replica failed")
                silent = True

    async def _forget(self) -> None:
        """What was told is told again when it is served again."""
        while True:
            await asyncio.sleep(self._refresh_seconds)
            self._told.clear()

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                namespace, version = next(iter(self._waiting))
                del self._waiting[namespace, version]
                try:
                    await note_served(self._engine, namespace, self.process.id, version)
                except NamespaceMissing:
                    pass  # the company was deleted meanwhile
                except PliantError:
                    _log.exception("noting the version served of %s failed", namespace)  # the next minute tells it
