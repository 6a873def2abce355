"""A transaction of the writer thread that asks the event loop what to do next.

The thread runs what the loop's coroutine sends it, one call after the other, and commits when the coroutine has ended.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from storage.batch import Batch, Outcome, Sql, Value
from storage.engine import Exclusive
from storage.errors import Busy
from storage.names import placed
from storage.sqlite.apply import Head, apply_batch, read_head, write_position

T = TypeVar("T")

PATIENCE_SECONDS: Final = 5.0
"""A coroutine that is silent for so long loses the transaction, as an idle session does on PostgreSQL."""

_Call = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]"]


class ExclusiveSession:
    """One transaction that is led from the event loop; made and run in the writer thread."""

    def __init__(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._head: Head | None = None

    def run(self, work: Callable[[Exclusive], Awaitable[T]]) -> T:
        """Run the coroutine in the loop and its calls here, until it ends. Raises what it raises, or `Busy`."""

        async def leading() -> T:
            """The coroutine, as a coroutine."""
            return await work(self)

        leader = asyncio.run_coroutine_threadsafe(leading(), self._loop)
        leader.add_done_callback(lambda _: self._calls.put(None))
        try:
            while (call := self._calls.get(timeout=PATIENCE_SECONDS)) is not None:
                self._answer(*call)
        except queue.Empty as error:
            leader.cancel()
            raise Busy() from error
        result = leader.result()
        if self._head is not None:
            write_position(self._connection, self._head.position)
        return result

    async def fetch(self, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Sequence[Any]]:
        """Rows, as the transaction sees them."""
        text = placed(sql.text, "")
        return await self._call(lambda connection: connection.execute(text, tuple(params)).fetchall())

    async def execute(self, ddl: str) -> None:
        """One statement of DDL."""
        text = placed(ddl, "")
        await self._call(lambda connection: connection.execute(text).close())

    async def apply(self, batch: Batch) -> Outcome:
        """A Batch in a savepoint."""
        return await self._call(lambda connection: self._applied(connection, batch))

    def _applied(self, connection: sqlite3.Connection, batch: Batch) -> Outcome:
        if self._head is None:
            self._head = read_head(connection)
        return apply_batch(connection, batch, self._head)

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        self._calls.put((work, future))
        return await future

    def _answer(self, work: Callable[[sqlite3.Connection], Any], future: asyncio.Future[Any]) -> None:
        try:
            result = work(self._connection)
        except Exception as error:
            self._loop.call_soon_threadsafe(_fail, future, error)
        else:
            self._loop.call_soon_threadsafe(_give, future, result)


def _give(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
