"""Group commit on PostgreSQL: the Batches of one company that wait go together into one transaction.

    SELECT pg_advisory_lock_shared(company)     writers share it, publish keeps them out; held for some groups
    one statement per Batch, pipelined          each with a snapshot of its own, after the lock; their end commits
    SELECT pg_advisory_unlock_shared(company)

What is sent between two Syncs is one transaction, so a group of one text, which most are, is one round trip. One of
several texts is BEGIN, a pipeline for each, COMMIT. The lock is the session's: it is there before a transaction begins
and outlives its commit, which is all that publishing asks of it; nobody who holds it waits in the queue for it.

While a group is under way the next one gathers. A Batch that breaks a constraint rolls the group back; it is then run
again with a savepoint for each Batch. Two groups of a company never hold rows of each other: a Batch that touches a
row of the running group waits for it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import asyncpg

from base.immutable import immutable
from storage.batch import Batch, NotUnique, Outcome
from storage.errors import Busy, Unreachable
from storage.names import placed
from storage.postgres.apply import replayed
from storage.postgres.errors import is_lost, is_retried, understood, violated_index
from storage.postgres.fused import APPLIED, Fused
from storage.postgres.pool import Connection, Pool, roll_back

GROUP_MAX = 64
"""Batches in one transaction: more only makes the first wait for the last."""

_ENOUGH = 8  # a group of so many is not made to wait for more
_QUIET_TURNS = 2  # of the event loop: what one turn reads from a socket asks for its write in the next
_SECOND_FROM = _ENOUGH  # so many must wait before a second transaction is opened beside the running one
_GROUPS_MAX = 2
_HELD_SECONDS = 0.02  # then the lock is let go, so that who publishes has his turn
_LINGER_SECONDS = 0.002  # so long it is kept while nothing waits: those who were just answered come again
_FROZEN_MS = 5_000  # a process that stands still with the lock loses it, and its connection
ATTEMPTS = 6
"""How often a transaction is run that loses against others (deadlock, serialization, lock timeout)."""


@immutable
class _Item:
    batch: Batch
    fused: Fused
    future: asyncio.Future[Outcome]


async def pause(attempt: int) -> None:
    """Wait before the next attempt: longer each time, and never as long as the one that was run into."""
    await asyncio.sleep(random.uniform(0.5, 1.5) * 0.01 * 2**attempt)


class Lane:
    """The waiting Batches of one company."""

    def __init__(self, pool: Pool, schema: str, lock: int, emptied: Callable[[], None]) -> None:
        self._pool = pool
        self._schema = schema
        self._hold = f"SET idle_session_timeout = {_FROZEN_MS}; SELECT pg_advisory_lock_shared({lock:d})"
        self._let_go = f"SELECT pg_advisory_unlock_shared({lock:d}); RESET idle_session_timeout"
        self._begin = f"BEGIN; SELECT pg_advisory_xact_lock_shared({lock:d})"
        self._emptied = emptied
        self._waiting: list[_Item] = []
        self._running: list[list[_Item]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lingering: asyncio.Future[None] | None = None

    async def apply(self, batch: Batch, fused: Fused) -> Outcome:
        """Apply a Batch with those that wait beside it. Cancelling the caller does not stop the transaction."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Item(batch, fused, future))
        self._wake()
        self._start()
        return await future

    async def finished(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self) -> None:
        running = len(self._tasks)
        if running == 0 or (running < _GROUPS_MAX and len(self._waiting) >= _SECOND_FROM):
            # A task begins in the next turn of the loop: what is asked for in this turn is in its group.
            task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._tasks:
            return  # who still runs takes what waits, and may be what it waits for
        if self._waiting:
            self._start()
        else:
            self._emptied()

    async def _work(self) -> None:
        """Run groups until nothing waits that this task could run."""
        try:
            connection = await self._pool.take()
        except Exception as error:
            _fail(self._gather(), understood(error))
            return
        try:
            if await self._locked(connection):
                await self._groups(connection)
            else:
                # It broke while it was idle: nothing is written, and a fresh connection may do.
                async with self._pool.instead() as fresh:
                    await fresh.execute(self._hold)
                    await self._groups(fresh)
        except Exception as error:
            _fail(self._gather(), understood(error), error)
        finally:
            await self._unlocked(connection)
            self._pool.give(connection)

    async def _locked(self, connection: Connection) -> bool:
        """Take the company's lock; False when the connection is broken."""
        try:
            await connection.execute(self._hold)
        except Exception as error:
            await roll_back(connection, error)
            if not connection.is_closed():
                raise
        return not connection.is_closed()

    async def _unlocked(self, connection: Connection) -> None:
        """Give the lock back, or the connection up: a session that keeps it keeps publishers out."""
        if not connection.is_closed():
            try:
                await connection.execute(self._let_go)
            except Exception:
                connection.terminate()

    async def _groups(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _HELD_SECONDS
        while not connection.is_closed():
            await self._settled()
            if not self._waiting:
                await self._linger(min(_LINGER_SECONDS, until - loop.time()))
                await self._settled()
            group = self._gather()
            if not group:
                return
            self._running.append(group)
            try:
                await self._run(connection, group)
            except Exception as error:
                await roll_back(connection, error)
                _fail(group, understood(error), error)
            finally:
                self._running.remove(group)
            if self._pool.wanted or loop.time() > until:
                return  # others first: this company comes again behind them

    async def _settled(self) -> None:
        """Let the loop turn while that brings more to a small group: each costs as much as several Batches."""
        quiet = 0
        while len(self._waiting) < _ENOUGH and quiet < _QUIET_TURNS:
            before = len(self._waiting)
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == before else 0

    async def _linger(self, seconds: float) -> None:
        """Wait a moment with lock and connection for the next Batch, unless somebody wants the connection."""
        if seconds <= 0 or self._lingering is not None or self._pool.wanted:
            return
        loop = asyncio.get_running_loop()
        self._lingering = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        self._pool.lingering.add(self._wake)
        try:
            await self._lingering
        finally:
            self._lingering = None
            self._pool.lingering.discard(self._wake)
            timer.cancel()

    def _wake(self) -> None:
        if self._lingering is not None and not self._lingering.done():
            self._lingering.set_result(None)

    def _gather(self) -> list[_Item]:
        changed: set[Any] = set()
        held: set[Any] = set()
        for item in (item for group in self._running for item in group):
            changed |= item.fused.touched
            held |= item.fused.shared
        # Not all when they are many: the process has no work while the database has all of theirs.
        most = min(GROUP_MAX, max(_ENOUGH, (len(self._waiting) + 1) // 2))
        group: list[_Item] = []
        rest: list[_Item] = []
        for item in self._waiting:
            fused = item.fused
            free = not self._running or not (fused.touched & changed or fused.touched & held or fused.shared & changed)
            (group if free and len(group) < most else rest).append(item)
        self._waiting = rest
        # One order of locking for all processes; new rows lock nothing that others want, so they go by text.
        group.sort(key=lambda item: (min(item.fused.touched, default=""), item.fused.text))
        return group

    async def _run(self, connection: Connection, group: list[_Item]) -> None:
        """Run a group to its end; raises when what is left of it failed for good."""
        try:
            await self._together(connection, group)
            return
        except _Unknown:
            raise
        except Exception as error:
            await roll_back(connection, error)
        if connection.is_closed():
            # It broke before the commit: nothing is written, and a fresh connection may do.
            async with self._pool.instead() as fresh:
                await self._retry(fresh, group)
        else:
            await self._retry(connection, group)

    async def _retry(self, connection: Connection, group: list[_Item]) -> None:
        """Run a group whose transaction failed: a savepoint for each, and a transaction for each that loses again."""
        again = await self._one_by_one(connection, group)
        for attempt in range(ATTEMPTS):
            if not again:
                return
            await pause(attempt)
            again = [item for one in again for item in await self._one_by_one(connection, [one])]
        if again:
            raise Busy()

    async def _together(self, connection: Connection, group: list[_Item]) -> None:
        same = all(item.fused.text == group[0].fused.text for item in group)
        rows = await (self._at_once(connection, group) if same else self._in_turn(connection, group))
        refused = []
        for item, row in zip(group, rows, strict=True):
            if row[2]:
                _succeed(item, APPLIED)
            else:
                refused.append((item, row))
        for item, row in refused:
            # All is committed, and these have written nothing: what goes wrong now is theirs alone.
            try:
                _succeed(item, await self._outcome(connection, item, row))
            except Exception as error:
                await roll_back(connection, error)
                _fail([item], understood(error), error)

    async def _at_once(self, connection: Connection, group: list[_Item]) -> Sequence[Any]:
        """Run Batches of one text in one round trip, whose end commits."""
        text = placed(group[0].fused.text, self._schema)
        try:
            rows: Sequence[Any] = await connection.fetchmany(text, [item.fused.arguments for item in group])
        except Exception as error:
            if is_lost(error):
                raise _Unknown() from error
            raise
        return rows

    async def _in_turn(self, connection: Connection, group: list[_Item]) -> Sequence[Any]:
        """Run Batches of several texts."""
        await connection.execute("BEGIN")
        rows: list[Any] = []
        for text, run in groupby(group, lambda item: item.fused.text):
            arguments = [item.fused.arguments for item in run]
            rows += await connection.fetchmany(placed(text, self._schema), arguments)
        await self._commit(connection)
        return rows

    async def _one_by_one(self, connection: Connection, group: Sequence[_Item]) -> list[_Item]:
        """Run a group with a savepoint for each; answers all but those that should be tried again."""
        answers: list[tuple[_Item, Outcome | Exception]] = []
        again: list[_Item] = []
        await connection.execute(self._begin)
        for item in group:
            await connection.execute("SAVEPOINT batch")
            try:
                rows = await connection.fetch(placed(item.fused.text, self._schema), *item.fused.arguments)
                answers.append((item, await self._outcome(connection, item, rows[0])))
                await connection.execute("RELEASE SAVEPOINT batch")
            except (asyncpg.PostgresError, ValueError) as error:
                await connection.execute("ROLLBACK TO SAVEPOINT batch")
                index = violated_index(error)
                if is_retried(error):
                    again.append(item)
                else:
                    answers.append((item, NotUnique(index) if index is not None else error))
        await self._commit(connection)
        for item, answer in answers:
            if isinstance(answer, Exception):
                _fail([item], understood(answer), answer)
            else:
                _succeed(item, answer)
        return again

    async def _outcome(self, connection: Connection, item: _Item, row: Any) -> Outcome:
        outcome = item.fused.outcome(row)
        if row[2]:
            assert outcome is not None
            return outcome
        # A key that is known explains any failure: the first try has moved on what this one was prepared for.
        known = await replayed(connection, self._schema, item.batch)
        if known is None and outcome is None:
            raise Busy()
        return known or outcome  # type: ignore[return-value]  # one of the two is there

    async def _commit(self, connection: Connection) -> None:
        try:
            await connection.execute("COMMIT")
        except Exception as error:
            raise _Unknown() from error


class _Unknown(Unreachable):
    """The commit was sent and no answer came: it may have happened."""


def _succeed(item: _Item, outcome: Outcome) -> None:
    if not item.future.done():
        item.future.set_result(outcome)


def _fail(items: Sequence[_Item], fault: Exception, cause: Exception | None = None) -> None:
    fault.__cause__ = fault.__cause__ or cause
    for item in items:
        if not item.future.done():
            item.future.set_exception(fault)
