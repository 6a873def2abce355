"""The one thread that writes a SQLite file, with group commit.

Batches that wait are applied together: one transaction, a savepoint for each, one commit with its fsync. Work that
needs a transaction of its own (DDL) stands in the same queue.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from storage.batch import Batch, Outcome
from storage.errors import StorageError, Unreachable
from storage.sqlite.apply import Head, apply_batch, read_head, write_position
from storage.sqlite.connection import Deadline, connect
from storage.sqlite.errors import understood
from storage.sqlite.turn import Turn

GROUP_MAX = 128
"""Batches in one transaction: more only makes the first wait for the last."""


@dataclass(frozen=True, slots=True)
class _Grouped:
    batch: Batch
    future: asyncio.Future[Outcome]


@dataclass(frozen=True, slots=True)
class _Alone:
    """Work in a transaction of its own, which is kept only when the work says so."""

    work: Callable[[sqlite3.Connection], tuple[Any, bool]]
    future: asyncio.Future[Any]


_Item: TypeAlias = _Grouped | _Alone
_Answer: TypeAlias = tuple[asyncio.Future[Any], Any, StorageError | None]


class Writer:
    """The writer of one file, alive from `start` to `stop`."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, seconds: float, *, create: bool = False) -> None:
        self._path = path
        self._loop = loop
        self._seconds = seconds
        self._create = create
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._deadline = Deadline()
        self._thread = threading.Thread(target=self._live, name=f"write {path.stem}", daemon=True)
        self._waiting = 0
        self._asked: list[_Item] = []  # in this turn of the loop

    @property
    def idle(self) -> bool:
        """Whether nobody waits for it."""
        return self._waiting == 0

    def start(self) -> None:
        """Begin to live."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked for, then end; does not wait for it."""
        self._hand_over()
        self._queue.put(None)

    async def stopped(self) -> None:
        """Wait until a stopped writer has ended."""
        await asyncio.to_thread(self._thread.join)

    async def apply(self, batch: Batch) -> Outcome:
        """Apply a Batch with those that wait beside it."""
        return await self._put(lambda future: _Grouped(batch, future))  # type: ignore[no-any-return]

    async def run(self, work: Callable[[sqlite3.Connection], tuple[Any, bool]]) -> Any:
        """Run work in a transaction of its own; it gives its result and whether to keep what it did."""
        return await self._put(lambda future: _Alone(work, future))

    async def _put(self, make: Callable[[asyncio.Future[Any]], _Item]) -> Any:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting += 1
        if not self._asked:
            self._loop.call_soon(self._hand_over)
        self._asked.append(make(future))
        return await future

    def _hand_over(self) -> None:
        """Give the thread what one turn of the loop asked for: woken by the first, it would not wait for the others."""
        items, self._asked = self._asked, []
        for item in items:
            self._queue.put(item)

    def _live(self) -> None:
        try:
            connection = connect(self._path, create=self._create, deadline=self._deadline)
        except Exception as error:
            self._refuse(understood(error))
            return
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            turn = Turn(self._path.with_suffix(".turn"))
        except Exception as error:
            connection.close()
            self._refuse(Unreachable() if isinstance(error, OSError) else understood(error))
            return
        try:
            self._work(connection, turn)
        finally:
            turn.close()
            connection.close()

    def _work(self, connection: sqlite3.Connection, turn: Turn) -> None:
        item = self._queue.get()
        while item is not None:
            following: _Item | bool | None = True
            if isinstance(item, _Alone):
                self._answer([self._apart(connection, turn, item)])
            else:
                group = [item]
                following = self._gather(group)
                self._answer(self._together(connection, turn, group))
            item = self._queue.get() if isinstance(following, bool) else following

    def _gather(self, group: list[_Grouped]) -> _Item | bool | None:
        """Add the Batches that wait; what stands behind them and does not fit, or True when the queue is empty."""
        while len(group) < GROUP_MAX:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return True
            if not isinstance(item, _Grouped):
                return item
            group.append(item)
        return True

    def _together(self, connection: sqlite3.Connection, turn: Turn, group: list[_Grouped]) -> list[_Answer]:
        answers: list[_Answer] = []
        try:
            turn.begin(connection, self._seconds)
            self._deadline.set(self._seconds)
            head = read_head(connection)
            start = head.position
            for item in group:
                answers.append(_applied(connection, item, head))
                if not connection.in_transaction:
                    raise answers[-1][2] or Unreachable()
            if head.position != start:
                write_position(connection, head.position)
            self._deadline.clear()
            connection.execute("COMMIT")
        except Exception as error:
            # Nothing of the group is kept, also of those that had gone well.
            _roll_back(connection)
            fault = understood(error)
            answers = [(item.future, None, fault) for item in group]
        self._deadline.clear()
        return answers

    def _apart(self, connection: sqlite3.Connection, turn: Turn, item: _Alone) -> _Answer:
        try:
            turn.begin(connection, self._seconds)
            result, keep = item.work(connection)
            connection.execute("COMMIT" if keep else "ROLLBACK")
            return item.future, result, None
        except Exception as error:
            _roll_back(connection)
            fault = understood(error)
            fault.__cause__ = fault.__cause__ or error
            return item.future, None, fault

    def _refuse(self, fault: StorageError) -> None:
        """Answer everything with the fault that kept the file from being opened, until stopped."""
        while (item := self._queue.get()) is not None:
            self._answer([(item.future, None, fault)])

    def _answer(self, answers: list[_Answer]) -> None:
        self._loop.call_soon_threadsafe(self._done, answers)

    def _done(self, answers: list[_Answer]) -> None:
        self._waiting -= len(answers)
        deliver(answers)


def deliver(answers: list[_Answer]) -> None:
    """Hand results or errors to those who wait; runs in the loop's thread."""
    for future, result, fault in answers:
        if future.done():
            continue
        if fault is None:
            future.set_result(result)
        else:
            future.set_exception(fault)


def _applied(connection: sqlite3.Connection, item: _Grouped, head: Head) -> _Answer:
    try:
        return item.future, apply_batch(connection, item.batch, head), None
    except StorageError as fault:
        return item.future, None, fault


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
