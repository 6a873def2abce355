"""A small pool of PostgreSQL connections: last in, first out, and nothing is sent when one goes from hand to hand.

asyncpg's own pool resets the session at each release, which makes a one-row read three times slower. Here nobody
changes a session: whatever a transaction sets is SET LOCAL.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from storage.errors import Busy, Unreachable
from storage.postgres.codecs import set_value_codecs
from storage.postgres.errors import is_lost, understood

Connection: TypeAlias = "asyncpg.Connection[Any]"

STATEMENTS_MAX = 1_000
"""Prepared statements per connection; the server keeps a plan for each."""

AGE_SECONDS = 1_800.0
"""A connection is replaced after so long: a backend never forgets a table that it has touched (about 30 KB each)."""

SETTINGS: Mapping[str, str] = {
    "application_name": "pliant",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "search_path": "pg_catalog",  # names are qualified; one that is not shall fail and not find something else
    "default_transaction_isolation": "read committed",
    "jit": "off",
    # statements are written for one plan; choosing anew for each run costs several times what running does
    "plan_cache_mode": "force_generic_plan",
    "idle_in_transaction_session_timeout": "5000",
}
"""What every session of Pliant starts with."""


async def connect(url: str, settings: Mapping[str, str]) -> Connection:
    """A fresh connection with Pliant's session settings and codecs. Raises `Unreachable` or `Busy`."""
    try:
        connection: Connection = await asyncpg.connect(
            url,
            timeout=10,
            statement_cache_size=STATEMENTS_MAX,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=0,
            server_settings={**SETTINGS, **settings},
        )
        await set_value_codecs(connection)
        await connection.set_type_codec("json", schema="pg_catalog", encoder=_bytes, decoder=_same, format="binary")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        fault = understood(error)
        raise (fault if isinstance(fault, Busy) else Unreachable()) from error
    return connection


async def roll_back(connection: Connection, error: Exception) -> None:
    """End a transaction that failed; a connection that is of no more use is closed instead."""
    if connection.is_closed():
        return
    if is_lost(error):
        connection.terminate()
        return
    try:
        await connection.execute("ROLLBACK")
    except Exception:  # it broke just now: the server has rolled back
        connection.terminate()


class Pool:
    """At most `size` connections, made when they are needed."""

    def __init__(self, url: str, settings: Mapping[str, str], size: int, wait_seconds: float) -> None:
        self._url = url
        self._settings = settings
        self._size = size
        self._wait_seconds = wait_seconds
        self._made = 0
        self._idle: list[Connection] = []
        self._expiry: dict[Connection, float] = {}
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._closing = False
        self.lingering: set[Callable[[], None]] = set()
        """Called when somebody waits for a connection: by those who keep one for a moment though they have no work."""

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for a connection."""
        return bool(self._waiters)

    @asynccontextmanager
    async def borrowed(self) -> AsyncIterator[Connection]:
        """A connection for the length of a block."""
        connection = await self.take()
        try:
            yield connection
        finally:
            self.give(connection)

    async def take(self) -> Connection:
        """A connection, waiting for one when all are out. Raises `Busy` when none comes back in time."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed() and self._expiry[connection] > time.monotonic():
                return connection
            self._discard(connection)
        if self._made < self._size:
            self._made += 1
            return await self._make()
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        for wake in tuple(self.lingering):
            wake()
        try:
            async with asyncio.timeout(self._wait_seconds):
                given = await waiter
        except BaseException as error:
            self._leave(waiter)
            if isinstance(error, TimeoutError):
                raise Busy() from error
            raise
        return given if given is not None else await self._make()

    def give(self, connection: Connection) -> None:
        """Put a connection back; a closed one, or one inside a transaction, is thrown away."""
        if connection.is_closed() or connection.is_in_transaction() or self._closing:
            self._discard(connection)
            if self._hand_on(None):
                self._made += 1
            return
        if not self._hand_on(connection):
            self._idle.append(connection)

    @asynccontextmanager
    async def instead(self) -> AsyncIterator[Connection]:
        """A fresh connection for the length of a block, for one that holds a broken one and so its place.

        Waiting for another place would not do: after a restart of the server all holders of broken ones would wait.
        """
        connection = await connect(self._url, self._settings)
        try:
            yield connection
        finally:
            connection.terminate()

    async def close(self) -> None:
        """Close what is idle; what is out is closed when it comes back."""
        self._closing = True
        while self._idle:
            connection = self._idle.pop()
            self._expiry.pop(connection, None)
            self._made -= 1
            try:
                await connection.close(timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _make(self) -> Connection:
        """A new connection on a place that is already counted."""
        try:
            connection = await connect(self._url, self._settings)
        except BaseException:
            if not self._hand_on(None):
                self._made -= 1
            raise
        # spread, so that not all are made anew at once
        self._expiry[connection] = time.monotonic() + AGE_SECONDS * random.uniform(0.8, 1.2)
        return connection

    def _hand_on(self, connection: Connection | None) -> bool:
        """Give a connection, or the place to make one, to who waits longest; whether somebody waits."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def _leave(self, waiter: asyncio.Future[Connection | None]) -> None:
        """A waiter gives up; what it was given in the same moment goes on."""
        if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            connection = waiter.result()
            if connection is not None:
                self.give(connection)
            elif not self._hand_on(None):
                self._made -= 1
        elif waiter in self._waiters:
            self._waiters.remove(waiter)

    def _discard(self, connection: Connection) -> None:
        self._made -= 1
        self._expiry.pop(connection, None)
        if not connection.is_closed():
            connection.terminate()


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def _same(value: bytes) -> bytes:
    return value
