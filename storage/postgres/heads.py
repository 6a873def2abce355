"""Hearing of heads that other processes have moved: LISTEN on a connection of its own, made again when it is lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import asyncpg

from base.errors import PliantError
from storage.postgres.pool import connect

CHANNEL: Final = "pliant_head"
"""The one channel of a database; a message is the schema's name, a blank and the version."""

NOTIFY: Final = f"SELECT pg_notify('{CHANNEL}', $1::text)"
"""Tells a new head when the transaction commits."""

_AGAIN_SECONDS: Final = (1.0, 10.0)

_log = logging.getLogger(__name__)


class Heads:
    """Listens from its making until `stop`."""

    def __init__(self, url: str, prefix: str, hear: Callable[[str, int], None]) -> None:
        self._url = url
        self._prefix = prefix
        self._hear = hear
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        """End and disconnect."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _live(self) -> None:
        while True:
            try:
                await self._listen()
            except (PliantError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                _log.info("not listening for published versions: trying again soon")
            await asyncio.sleep(random.uniform(*_AGAIN_SECONDS))

    async def _listen(self) -> None:
        """Until the connection ends. What is missed meanwhile is told by answers."""
        connection = await connect(self._url, {})
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            await ended.wait()
        finally:
            connection.terminate()

    def _heard(self, connection: Any, pid: int, channel: str, message: object) -> None:
        schema, _, version = str(message).partition(" ")
        if schema.startswith(self._prefix):
            with suppress(ValueError):
                self._hear(schema.removeprefix(self._prefix), int(version))
