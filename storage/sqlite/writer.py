"""The writer of a SQLite file, with group commit.

Batches that wait are applied together by a thread: one transaction, one commit with its fsync. Those of one row go as
one statement for all that are alike (`storage.sqlite.fused`), which leaves the interpreter to the event loop; others
one by one, a savepoint for each. What needs a transaction of its own (DDL) is run alone.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from storage.batch import Applied, Batch, ChangeRow, Outcome
from storage.errors import StorageError, Unreachable
from storage.sqlite.apply import apply_batch, read_head, write_position
from storage.sqlite.connection import Deadline, connect
from storage.sqlite.errors import ends_transaction, is_busy, understood
from storage.sqlite.fused import ROWS_MAX, Fused, Shape, Views, fuse
from storage.sqlite.turn import Turn

_ENOUGH = 8  # a group of so many is not made to wait for more

_APPLIED = Applied()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Grouped:
    batch: Batch
    fused: Fused | None
    future: asyncio.Future[Outcome]


@dataclass(frozen=True, slots=True)
class _Alone:
    """Work in a transaction of its own, which is kept only when the work says so."""

    work: Callable[[sqlite3.Connection], tuple[Any, bool]]
    future: asyncio.Future[Any]


_Item: TypeAlias = _Grouped | _Alone
_Answer: TypeAlias = tuple[asyncio.Future[Any], Any, StorageError | None]


class Writer:
    """The writer of one file, alive from `start` to `stop`; its methods are the event loop's."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop, seconds: float, *, create: bool = False) -> None:
        self._loop = loop
        self._asked: deque[_Item] = deque()  # the loop appends, the thread takes
        self._turns: queue.SimpleQueue[bool] = queue.SimpleQueue()  # of the loop that asked for something; False ends
        self._told = False  # the turn under way will be
        self._pending = 0
        worker = _Worker(path, seconds, create, self._asked, self._turns, self._answer)
        self._thread = threading.Thread(target=worker.live, name=f"write {path.stem}", daemon=True)

    @property
    def idle(self) -> bool:
        """Whether nobody waits for it."""
        return self._pending == 0

    def start(self) -> None:
        """Begin to live."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked for, then end; does not wait for it."""
        self._turns.put(False)

    async def stopped(self) -> None:
        """Wait until a stopped writer has ended."""
        await asyncio.to_thread(self._thread.join)

    async def apply(self, batch: Batch) -> Outcome:
        """Apply a Batch with those that wait beside it."""
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._put(_Grouped(batch, _fused(batch), future))
        return await future

    async def run(self, work: Callable[[sqlite3.Connection], tuple[Any, bool]]) -> Any:
        """Run work in a transaction of its own; it gives its result and whether to keep what it did."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._put(_Alone(work, future))
        return await future

    def _put(self, item: _Item) -> None:
        self._pending += 1
        self._asked.append(item)
        if not self._told:
            self._told = True
            self._loop.call_soon(self._tell)  # what this turn of the loop asks for goes together

    def _tell(self) -> None:
        self._told = False
        self._turns.put(True)

    def _answer(self, answers: list[_Answer]) -> None:
        self._loop.call_soon_threadsafe(self._deliver, answers)

    def _deliver(self, answers: list[_Answer]) -> None:
        self._pending -= len(answers)
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


@dataclass(frozen=True, slots=True)
class _Run:
    """A part of a group: with a shape as one statement, without one Batch by Batch."""

    shape: Shape | None
    items: list[_Grouped]

    @property
    def rows(self) -> list[Fused]:
        """The items of a run that has a shape, as rows of its view."""
        return [item.fused for item in self.items if item.fused is not None]


@dataclass(slots=True)
class _Open:
    """What a worker has open."""

    connection: sqlite3.Connection
    turn: Turn
    views: Views


class _Worker:
    """The thread of a writer."""

    def __init__(
        self,
        path: Path,
        seconds: float,
        create: bool,
        asked: deque[_Item],
        turns: queue.SimpleQueue[bool],
        answer: Callable[[list[_Answer]], None],
    ) -> None:
        self._path = path
        self._seconds = seconds
        self._create = create
        self._asked = asked
        self._turns = turns
        self._answer = answer
        self._deadline = Deadline()
        self._ended = False  # nothing more will be asked for
        self._seen = 0  # who wrote when the last group ended: those in it, and those who waited

    def live(self) -> None:
        """Work until told to end; what was asked for before is done.

        While the file cannot be opened each is answered with why, and it is tried again with the next.
        """
        for _ in self._steps():
            try:
                opened = self._opened()
            except Exception as error:
                fault = Unreachable() if isinstance(error, OSError) else understood(error)
                self._answer([(self._asked.popleft().future, None, fault)])
                continue
            try:
                ended = self._serve(opened)
            finally:
                for part in (opened.connection, opened.turn):
                    with suppress(sqlite3.Error, OSError):
                        part.close()
            if ended:
                return

    def _serve(self, opened: _Open) -> bool:
        """Work until told to end. False: a transaction could not be rolled back, which closing its connection does."""
        for _ in self._steps():
            answers = self._work(opened)
            self._seen = len(answers) + len(self._asked)
            self._answer(answers)
            if opened.connection.in_transaction:
                return False
        return True

    def _steps(self) -> Iterator[None]:
        """A step for each time that something is asked for, until told to end."""
        while True:
            while self._asked:
                yield
            if self._ended:
                return
            self._ended = not self._turns.get()

    def _opened(self) -> _Open:
        connection = connect(self._path, create=self._create, deadline=self._deadline)
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            return _Open(connection, Turn(self._path.with_suffix(".turn")), Views(connection))
        except BaseException:
            connection.close()
            raise

    def _work(self, opened: _Open) -> list[_Answer]:
        first = self._asked.popleft()
        if isinstance(first, _Alone):
            return [self._apart(opened, first)]
        group = self._group(first)
        until = time.monotonic() + self._seconds
        answers = self._together(opened, self._split(opened.views, group), until)
        if answers is None:
            answers = self._together(opened, [_Run(None, group)], until)
        assert answers is not None
        return answers

    def _group(self, first: _Grouped) -> list[_Grouped]:
        """What goes together: half of those who write, so that the loop prepares the others meanwhile."""
        most = min(ROWS_MAX, max(_ENOUGH, (self._seen + 1) // 2))
        group = [first]
        while len(group) < most and self._asked:
            item = self._asked[0]
            if isinstance(item, _Alone):
                break
            group.append(item)
            self._asked.popleft()
        return group

    def _split(self, views: Views, group: list[_Grouped]) -> list[_Run]:
        try:
            views.make_room()
            return _runs(views, group)
        except sqlite3.Error:  # views cannot be made or taken away now
            return [_Run(None, group)]

    def _together(self, opened: _Open, runs: list[_Run], until: float) -> list[_Answer] | None:
        """Apply the runs of a group in one transaction. None: a run of alike ones was refused, and nothing is left."""
        connection, alike = opened.connection, runs[0].shape
        items = [item for run in runs for item in run.items]
        self._deadline.at = until
        try:
            if _commits_itself(runs) and opened.turn.is_free() and self._written_at_once(opened, runs[0]):
                return [(item.future, _APPLIED, None) for item in items]
            opened.turn.begin(connection, until - time.monotonic())
            answers: list[_Answer] = []
            for run in runs:
                alike = run.shape
                if alike is None:
                    answers += _apply(connection, run.items)
                else:
                    opened.views.write(run.rows)
                    answers += [(item.future, _APPLIED, None) for item in run.items]
        except Exception as error:
            _roll_back(connection)
            if alike is None or ends_transaction(error):
                fault = understood(error)
                return [(item.future, None, fault) for item in items]
            opened.views.refused(alike)
            if not isinstance(error, sqlite3.Error | OverflowError | UnicodeError):
                _log.exception("a group was not taken as a whole; it is applied one by one")
            return None
        finally:
            self._deadline.clear()
        return _committed(connection, answers)

    def _written_at_once(self, opened: _Open, run: _Run) -> bool:
        """Apply a run by a statement that commits itself; False: somebody else writes, and nothing was done."""
        try:
            opened.views.write(run.rows)
        except sqlite3.Error as error:
            if is_busy(error):
                return False
            self._deadline.clear()  # which SQLite may have looked at once more after the commit
            if not _is_logged(opened.connection, run.items[0].batch.changes[0]):
                raise
        return True

    def _apart(self, opened: _Open, item: _Alone) -> _Answer:
        connection = opened.connection
        try:
            opened.views.let_go()
            opened.turn.begin(connection, self._seconds)
            result, keep = item.work(connection)
            connection.execute("COMMIT" if keep else "ROLLBACK")
            return item.future, result, None
        except Exception as error:
            _roll_back(connection)
            fault = understood(error)
            fault.__cause__ = fault.__cause__ or error
            return item.future, None, fault


def _runs(views: Views, group: list[_Grouped]) -> list[_Run]:
    """A group in the order of asking, except that neighbours that have views are put together by shape."""
    runs: list[_Run] = []
    alike: dict[Shape, list[_Grouped]] = {}
    for item in group:
        if item.fused is not None and views.ready(item.fused.shape):
            alike.setdefault(item.fused.shape, []).append(item)
            continue
        runs += [_Run(shape, items) for shape, items in alike.items()]
        alike.clear()
        if not runs or runs[-1].shape is not None:
            runs.append(_Run(None, []))
        runs[-1].items.append(item)
    return [*runs, *(_Run(shape, items) for shape, items in alike.items())]


def _fused(batch: Batch) -> Fused | None:
    try:
        return fuse(batch)
    except TypeError:  # what is no JSON; whoever applies it says so
        return None


def _commits_itself(runs: list[_Run]) -> bool:
    """Whether all is one statement, of which the log tells whether it was committed."""
    return len(runs) == 1 and runs[0].shape is not None and runs[0].shape.logged


def _is_logged(connection: sqlite3.Connection, change: ChangeRow) -> bool:
    """Whether an event is in the log. Raises `Unreachable` when that cannot be told."""
    try:
        found = connection.execute("SELECT 1 FROM _log WHERE record_id = ? AND id = ?", (change.record_id, change.id))
        return found.fetchone() is not None
    except sqlite3.Error as error:
        raise Unreachable() from error


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
    with suppress(sqlite3.Error):  # then the worker takes another connection
        if connection.in_transaction:
            connection.execute("ROLLBACK")
