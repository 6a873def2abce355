"""Reads on PostgreSQL that wait at the same time share round trips.

Equal texts are sent one behind the other without waiting for answers (Bind and Execute pipelined before one Sync), each
with a snapshot of its own; for a read of one record that takes a third of a process's work for it away. Nobody waits
for company: what is asked for in one turn of the event loop is sent at its end. Cheap reads go together on one
connection, in two halves when they are many, so that the process works for the one while the database works for the
other; dear ones are spread over connections, so that the database's cores share them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import asyncpg

from storage.batch import Value
from storage.errors import Busy, TooSlow
from storage.postgres.errors import is_lost, understood
from storage.postgres.pool import Connection, Pool

TOGETHER_MAX = 16
"""Reads in one round trip: more only makes the first wait for the last."""

ROUND_SECONDS = 0.0015
"""So long may a round trip take by what is known of a statement, as long as there is another connection to take."""

_ENOUGH = 8  # reads that are not halved: each round trip costs as much as several

_LEAST_SECONDS = 1e-5  # some clocks stand still between two looks

_KNOWN_MAX = 2_000  # texts whose cost is remembered
_FORGETTING = 1.02  # a cost that is not seen again grows by this factor with each round

_Item = tuple[Sequence[Value], "asyncio.Future[Sequence[Any]]"]


class Reads:
    """The waiting reads of one engine, by text. Each gives exactly one row."""

    def __init__(self, pool: Pool, workers: int, patience: float) -> None:
        self._pool = pool
        self._most = workers
        self._patience = patience  # statement_timeout
        self._waiting: dict[str, deque[_Item]] = {}
        self._scheduled = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._seconds: dict[str, float] = {}  # the least that a read of a text took lately

    async def fetch(self, text: str, params: Sequence[Value]) -> Sequence[Any]:
        """The one row of a statement. Raises `StorageError`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Sequence[Any]] = loop.create_future()
        waiting = self._waiting.get(text)
        if waiting is None:
            waiting = self._waiting[text] = deque()
        waiting.append((params, future))
        if not self._scheduled and len(self._tasks) < self._most:
            # at the end of this turn: what else is asked for in it goes along
            self._scheduled = True
            loop.call_soon(self._start)
        try:
            return await future
        except Busy as error:
            if isinstance(error.__cause__, asyncpg.QueryCanceledError):
                raise TooSlow(self._patience) from error.__cause__
            raise

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self) -> None:
        self._scheduled = False
        loop = asyncio.get_running_loop()
        wanted = sum(self._rounds(text, len(items)) for text, items in self._waiting.items())
        for _ in range(min(self._most - len(self._tasks), wanted)):
            task = loop.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._waiting and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._start)

    async def _work(self) -> None:
        """Run groups on one connection until nothing waits, or others wait for the connection."""
        if not self._waiting:
            return
        try:
            connection = await self._pool.take()
        except Exception as error:
            self._fail_all(error)
            return
        try:
            while not connection.is_closed() and self._waiting:
                text, group = self._gather()
                started = time.monotonic()
                run = _together(connection, text, group) if len(group) > 1 else _alone(connection, text, group[0])
                if await run:
                    self._learn(text, (time.monotonic() - started) / len(group))
                if self._pool.wanted:
                    return
        finally:
            self._pool.give(connection)

    def _gather(self) -> tuple[str, list[_Item]]:
        """This connection's share of the text that came first; what is left of it goes behind the others."""
        text = next(iter(self._waiting))
        waiting = self._waiting.pop(text)
        count = len(waiting)
        rounds = self._rounds(text, count)
        if rounds == 1 and count > _ENOUGH:
            rounds = 2  # one after the other
        share = min(-(-count // rounds), TOGETHER_MAX)
        group = [waiting.popleft() for _ in range(share)]
        if waiting:
            self._waiting[text] = waiting
        return text, group

    def _rounds(self, text: str, count: int) -> int:
        """Over how many connections so many reads of a text are spread."""
        fit = min(TOGETHER_MAX, int(ROUND_SECONDS / self._seconds.get(text, ROUND_SECONDS)))
        return min(self._most, -(-count // max(fit, 1)))

    def _learn(self, text: str, seconds: float) -> None:
        """What a read takes: the least that was seen, since this process's own delays are in every figure."""
        known, seconds = self._seconds.get(text), max(seconds, _LEAST_SECONDS)
        if known is None and len(self._seconds) >= _KNOWN_MAX:
            self._seconds.clear()
        self._seconds[text] = seconds if known is None else min(seconds, known * _FORGETTING)

    def _fail_all(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for items in waiting.values():
            for _, future in items:
                _fail(future, error)


async def _together(connection: Connection, text: str, group: Sequence[_Item]) -> bool:
    """Run a group; whether that tells what its reads take."""
    try:
        rows = await connection.fetchmany(text, [params for params, _ in group])
        if len(rows) != len(group):
            raise ValueError("a statement gave other than one row")
    except (asyncpg.PostgresError, ValueError) as error:
        if not is_lost(error):
            # one of them is at fault: each gets its own answer
            for item in group:
                await _alone(connection, text, item)
            return False
        _lose(connection, [future for _, future in group], error)
    except BaseException as error:
        _lose(connection, [future for _, future in group], error)
    else:
        for (_, future), row in zip(group, rows, strict=True):
            if not future.done():
                future.set_result(row)
        return True
    return False


async def _alone(connection: Connection, text: str, item: _Item) -> bool:
    """Run one read; whether that tells what it takes."""
    params, future = item
    if future.done():
        return False
    try:
        (row,) = await connection.fetch(text, *params)
    except BaseException as error:
        _lose(connection, [future], error)
        return False
    if not future.done():
        future.set_result(row)
    return True


def _lose(connection: Connection, futures: Sequence[asyncio.Future[Sequence[Any]]], error: BaseException) -> None:
    if not isinstance(error, Exception):
        connection.terminate()
        for future in futures:
            future.cancel()
        raise error
    if is_lost(error):
        connection.terminate()
    for future in futures:
        _fail(future, error)


def _fail(future: asyncio.Future[Sequence[Any]], error: Exception) -> None:
    if future.done():
        return
    fault = understood(error)
    fault.__cause__ = fault.__cause__ or (error if fault is not error else None)
    future.set_exception(fault)
