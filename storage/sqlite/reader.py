"""Reader threads shared by all SQLite files of an engine; each keeps the connections it used last."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import StorageError
from storage.sqlite.connection import Deadline, connect
from storage.sqlite.errors import understood
from storage.sqlite.writer import deliver

CONNECTIONS_MAX = 32
"""Open files per thread: beyond that the one unused for longest is closed."""

_TAKEN_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Read:
    path: Path
    generation: int
    text: str
    params: Sequence[Any]
    future: asyncio.Future[Any]


class Readers:
    """A few threads that answer reading statements, none of which can write."""

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._queue: queue.SimpleQueue[_Read | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._live, name=f"read {n}", daemon=True) for n in range(threads)]

    def start(self) -> None:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()

    async def stop(self) -> None:
        """Answer what is in the queue, then end."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    async def fetch(self, path: Path, generation: int, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """All rows of a statement. A file that was dropped and made again has a higher `generation`."""
        future: asyncio.Future[list[tuple[Any, ...]]] = self._loop.create_future()
        self._queue.put(_Read(path, generation, text, params, future))
        return await future

    def _live(self) -> None:
        connections = _Connections()
        while (first := self._queue.get()) is not None:
            reads, ended = self._share(first)
            answers = [self._answer(connections, read) for read in reads]
            self._loop.call_soon_threadsafe(deliver, answers)
            if ended:
                break
        connections.close()

    def _share(self, first: _Read) -> tuple[list[_Read], bool]:
        """This thread's share of what waits: one wake-up of the loop for several answers."""
        reads = [first]
        for _ in range(min(self._queue.qsize() // len(self._threads), _TAKEN_AT_ONCE - 1)):
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return reads, True
            reads.append(item)
        return reads, False

    def _answer(self, connections: _Connections, read: _Read) -> tuple[asyncio.Future[Any], Any, StorageError | None]:
        try:
            connection, deadline = connections.get(read.path, read.generation)
            deadline.set(self._seconds)
            return read.future, connection.execute(read.text, read.params).fetchall(), None
        except Exception as error:
            fault = understood(error)
            fault.__cause__ = fault.__cause__ or error
            return read.future, None, fault


class _Connections:
    """The open files of one thread."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, tuple[int, sqlite3.Connection, Deadline]] = OrderedDict()

    def get(self, path: Path, generation: int) -> tuple[sqlite3.Connection, Deadline]:
        """The connection to a file of this generation, opened when it is not."""
        found = self._open.get(path)
        if found is not None and found[0] == generation:
            self._open.move_to_end(path)
            return found[1], found[2]
        if found is not None:
            found[1].close()
            del self._open[path]
        deadline = Deadline()
        connection = connect(path, reading=True, deadline=deadline)
        self._open[path] = (generation, connection, deadline)
        if len(self._open) > CONNECTIONS_MAX:
            self._open.popitem(last=False)[1][1].close()
        return connection, deadline

    def close(self) -> None:
        """Close all."""
        for _, connection, _ in self._open.values():
            connection.close()
        self._open.clear()
