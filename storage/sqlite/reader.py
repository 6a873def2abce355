"""Reader threads shared by all SQLite files of an engine; each keeps the connections it used last."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import StorageError
from storage.sqlite.errors import understood_read
from storage.sqlite.files import OpenFiles
from storage.sqlite.quick import Quick
from storage.sqlite.writer import deliver

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

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int, seconds: float, quick: Quick) -> None:
        self._loop = loop
        self._quick = quick
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
        connections = OpenFiles()
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

    def _answer(self, connections: OpenFiles, read: _Read) -> tuple[asyncio.Future[Any], Any, StorageError | None]:
        try:
            connection, deadline = connections.get(read.path, read.generation)
            deadline.set(self._seconds)
            started = time.thread_time()  # CPU: this thread may wait long for the interpreter
            rows = connection.execute(read.text, read.params).fetchall()
            self._quick.learn(read.text, time.thread_time() - started)
            return read.future, rows, None
        except Exception as error:
            fault = understood_read(error, self._seconds)
            fault.__cause__ = fault.__cause__ or error
            return read.future, None, fault
