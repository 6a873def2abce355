"""The writer of a SQLite file, with group commit.

Batches that wait are applied together: one transaction, a savepoint for each, one commit with its fsync. What writes
one row is applied on the event loop itself, as cheap reads are (`storage.sqlite.quick`), and only the commit is left to
the writer's thread, so that the two do not contend for the interpreter (docs/storage.md). What takes longer, has to
wait, or needs a transaction of its own (DDL) is the thread's from its beginning. The two use one connection in turn.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from storage.batch import Batch, Outcome
from storage.errors import StorageError, Unreachable
from storage.sqlite.apply import apply_batch, is_single, read_head, write_position
from storage.sqlite.connection import Deadline, connect
from storage.sqlite.errors import understood
from storage.sqlite.turn import Turn

GROUP_MAX = 128
"""Batches in one transaction: more only makes the first wait for the last."""

LOOP_GROUP_MAX = 32
"""Batches that the event loop applies in a row: about two milliseconds."""

_INTERRUPTED_SECONDS = 0.02  # the longest that a group keeps the loop; the thread then does it again
_DEAR_SECONDS = 0.001  # CPU: a Batch that takes more is the thread's
_PARDON = 100  # so many groups are the thread's before the loop tries again


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


@dataclass(frozen=True, slots=True)
class _Applied:
    """A group that the loop has applied: the thread commits it."""

    answers: list[_Answer]


@dataclass(frozen=True, slots=True)
class _Open:
    """What loop and thread use in turn."""

    connection: sqlite3.Connection
    turn: Turn


class Writer:
    """The writer of one file, alive from `start` to `stop`. From `_live` on, methods are the thread's."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, seconds: float, *, create: bool = False) -> None:
        self._path = path
        self._loop = loop
        self._seconds = seconds
        self._create = create
        self._queue: queue.SimpleQueue[list[_Grouped] | _Alone | _Applied | None] = queue.SimpleQueue()
        self._deadline = Deadline()
        self._thread = threading.Thread(target=self._live, name=f"write {path.stem}", daemon=True)
        self._asked: deque[_Item] = deque()
        self._under_way = 0
        self._open: _Open | None = None
        self._fault: StorageError | None = None  # that kept the file from being opened
        self._busy = True  # the thread has the connection
        self._stopping = False
        self._pardon = 0  # groups that are still the thread's

    @property
    def idle(self) -> bool:
        """Whether nobody waits for it."""
        return not self._asked and self._under_way == 0

    def start(self) -> None:
        """Begin to live."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked for, then end; does not wait for it."""
        self._stopping = True
        self._next()

    async def stopped(self) -> None:
        """Wait until a stopped writer has ended."""
        await asyncio.to_thread(self._thread.join)

    async def apply(self, batch: Batch) -> Outcome:
        """Apply a Batch with those that wait beside it."""
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._put(_Grouped(batch, future))
        return await future

    async def run(self, work: Callable[[sqlite3.Connection], tuple[Any, bool]]) -> Any:
        """Run work in a transaction of its own; it gives its result and whether to keep what it did."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._put(_Alone(work, future))
        return await future

    def _put(self, item: _Item) -> None:
        if not self._asked and not self._busy:
            self._loop.call_soon(self._next)  # what this turn of the loop asks for goes together
        self._asked.append(item)

    def _next(self) -> None:
        """Give the thread something to do, if it has nothing."""
        if self._busy:
            return
        if not self._asked:
            if self._stopping:
                self._busy = True
                self._queue.put(None)
            return
        if self._fault is not None:
            fault, asked = self._fault, list(self._asked)
            self._asked.clear()
            deliver([(item.future, None, fault) for item in asked])
            self._next()
            return
        job = self._job()
        self._busy = True
        self._queue.put(job)

    def _job(self) -> list[_Grouped] | _Alone | _Applied:
        first = self._asked.popleft()
        if isinstance(first, _Alone):
            self._under_way = 1
            return first
        group, small = [first], is_single(first.batch)
        while self._asked and len(group) < (LOOP_GROUP_MAX if small else GROUP_MAX):
            item = self._asked[0]
            if isinstance(item, _Alone) or (small and not is_single(item.batch)):
                break
            group.append(item)
            self._asked.popleft()
        self._under_way = len(group)
        if self._pardon:
            self._pardon -= 1
        elif small:
            answers = self._at_once(group)
            if answers is not None:
                return _Applied(answers)
        return group

    def _at_once(self, group: list[_Grouped]) -> list[_Answer] | None:
        """Apply a group here; None: nothing of it is done, the thread must."""
        assert self._open is not None
        connection = self._open.connection
        try:
            if not self._open.turn.begin_at_once(connection):
                return None
            started = time.thread_time()
            self._deadline.set(_INTERRUPTED_SECONDS)
            answers = _apply(connection, group)
            if time.thread_time() - started > _DEAR_SECONDS * len(group):
                self._pardon = _PARDON
            return answers
        except Exception:
            _roll_back(connection)
            self._pardon = _PARDON
            return None
        finally:
            self._deadline.clear()

    def _done(self, answers: list[_Answer]) -> None:
        self._busy, self._under_way = False, 0
        deliver(answers)
        self._next()

    def _opened(self, opened: _Open | None, fault: StorageError | None) -> None:
        self._open, self._fault, self._busy = opened, fault, False
        self._next()

    def _live(self) -> None:
        """The thread."""
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
            self._loop.call_soon_threadsafe(self._opened, _Open(connection, turn), None)
            while (job := self._queue.get()) is not None:
                self._loop.call_soon_threadsafe(self._done, self._work(connection, turn, job))
        finally:
            turn.close()
            connection.close()

    def _refuse(self, fault: StorageError) -> None:
        """The file cannot be opened: everything is answered with the fault, until stopped."""
        self._loop.call_soon_threadsafe(self._opened, None, fault)
        self._queue.get()

    def _work(
        self, connection: sqlite3.Connection, turn: Turn, job: list[_Grouped] | _Alone | _Applied
    ) -> list[_Answer]:
        match job:
            case _Alone():
                return [self._apart(connection, turn, job)]
            case _Applied(answers):
                return _committed(connection, answers)
        try:
            turn.begin(connection, self._seconds)
            self._deadline.set(self._seconds)
            answers = _apply(connection, job)
        except Exception as error:
            _roll_back(connection)
            fault = understood(error)
            return [(item.future, None, fault) for item in job]
        finally:
            self._deadline.clear()
        return _committed(connection, answers)

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


def deliver(answers: list[_Answer]) -> None:
    """Hand results or errors to those who wait; runs in the loop's thread."""
    for future, result, fault in answers:
        if future.done():
            continue
        if fault is None:
            future.set_result(result)
        else:
            future.set_exception(fault)


def _apply(connection: sqlite3.Connection, group: list[_Grouped]) -> list[_Answer]:
    """Apply a group in the running transaction. Raises when nothing of the transaction is left."""
    answers: list[_Answer] = []
    head = read_head(connection)
    start = head.position
    for item in group:
        try:
            answers.append((item.future, apply_batch(connection, item.batch, head), None))
        except StorageError as fault:
            answers.append((item.future, None, fault))
            if not connection.in_transaction:
                raise
    if not connection.in_transaction:
        raise Unreachable()
    if head.position != start:
        write_position(connection, head.position)
    return answers


def _committed(connection: sqlite3.Connection, answers: list[_Answer]) -> list[_Answer]:
    """The answers once they are on the disk; else nothing of the group is kept, also of those that had gone well."""
    try:
        connection.execute("COMMIT")
        return answers
    except Exception as error:
        _roll_back(connection)
        fault = understood(error)
        return [(future, None, fault) for future, _, _ in answers]


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
