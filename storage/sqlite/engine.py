"""The embedded engine: one SQLite file per company and one for control, no server.

A file has one writer thread (`storage.sqlite.writer`) while it is written; a few reader threads serve all
files. Several processes may open the same folder.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from base.errors import PliantError, Text
from base.limits import DEFAULTS, Limits
from storage import fixed, migrations
from storage.batch import Applied, Batch, NotUnique, Outcome, Sql, Value
from storage.engine import CONTROL, Dialect, Exclusive
from storage.errors import NamespaceMissing, StatementRefused, StorageError, Unreachable
from storage.migrations import Migration
from storage.names import checked_namespace, placed
from storage.sqlite.apply import apply_batch, read_head, write_position
from storage.sqlite.connection import MINIMUM_VERSION
from storage.sqlite.exclusive import ExclusiveSession
from storage.sqlite.quick import Quick
from storage.sqlite.reader import Readers
from storage.sqlite.writer import Writer

T = TypeVar("T")

WRITERS_MAX = 64
"""Writer threads alive at once: beyond that the idle one unused for longest ends."""

READER_THREADS = 3

_POSITION = "SELECT position FROM _head WHERE id = 1"
_INDEX_EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?"
_FILES = (".db", ".db-wal", ".db-shm", ".turn")


class SqliteEngine:
    """Companies as files `<directory>/companies/<namespace>.db`, control as `<directory>/control.db`."""

    def __init__(
        self,
        directory: Path,
        company: Iterable[Migration],
        control: Iterable[Migration],
        limits: Limits = DEFAULTS,
    ) -> None:
        self._directory = directory
        self._company = migrations.join(fixed.MIGRATIONS, company)
        self._control = migrations.join(fixed.MIGRATIONS, control)
        self._limits = limits
        self._loop: asyncio.AbstractEventLoop
        self._readers: Readers
        self._quick: Quick
        self._writers: OrderedDict[str, Writer] = OrderedDict()
        self._ready: set[str] = set()
        self._touching: dict[str, asyncio.Lock] = {}
        self._generations: dict[str, int] = {}
        self._paths: dict[str, Path] = {CONTROL: directory / "control.db"}

    @property
    def dialect(self) -> Dialect:
        """`sqlite`."""
        return "sqlite"

    async def open(self) -> None:
        """Make the folders, start the readers, create or migrate control.

        Raises `StorageError` for an old SQLite, `Unreachable` for a folder that cannot be made or entered.
        """
        if sqlite3.sqlite_version_info < MINIMUM_VERSION:
            needed = ".".join(map(str, MINIMUM_VERSION))
            raise StorageError(Text(f"SQLite {needed} or newer is needed", f"需要 SQLite {needed} 或更新版本"))
        self._loop = asyncio.get_running_loop()
        try:
            (self._directory / "companies").mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise Unreachable() from error
        self._quick = Quick()
        self._readers = Readers(self._loop, READER_THREADS, self._limits.request_seconds, self._quick)
        self._readers.start()
        await self.create(CONTROL)

    async def close(self) -> None:
        """Finish what is under way and end all threads."""
        writers = list(self._writers.values())
        self._writers.clear()
        for writer in writers:
            writer.stop()
        for writer in writers:
            await writer.stopped()
        await self._readers.stop()
        self._quick.close()

    async def create(self, namespace: str) -> None:
        """Make a company's file with its fixed tables; nothing happens if it is there."""
        async with self._touching.setdefault(namespace, asyncio.Lock()):
            if namespace not in self._ready:
                await self._stop_writer(namespace)  # one that was not made to create finds no file
                await self._migrate_fixed(namespace, create=True)

    async def drop(self, namespace: str) -> None:
        """Remove a company's file with all its rows; nothing happens if it is gone."""
        async with self._touching.setdefault(namespace, asyncio.Lock()):
            self._ready.discard(namespace)
            self._generations[namespace] = self._generations.get(namespace, 0) + 1
            await self._stop_writer(namespace)
            path = self._path(namespace)
            for suffix in _FILES:
                path.with_suffix(suffix).unlink(missing_ok=True)
            self._paths.pop(namespace, None)

    async def lacking(self, namespace: str) -> Sequence[str]:
        """The migrations that a company's file still needs."""
        path = self._path(namespace)
        if not await asyncio.to_thread(path.exists):
            raise NamespaceMissing()
        generation = self._generations.get(namespace, 0)
        try:
            rows = await self._readers.fetch(path, generation, placed(migrations.NUMBERS, ""), ())
        except StatementRefused:  # not even the table of migrations: a creation that was cut off
            rows = []
        return [item.label for item in migrations.missing(self._steps(namespace), {row[0] for row in rows})]

    async def fetch(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Sequence[Any]]:
        """Run one reading statement in a reader thread; JSON and text come as `str`."""
        if namespace not in self._ready:
            await self._touch(namespace)
        generation = self._generations.get(namespace, 0)
        return await self._readers.fetch(self._path(namespace), generation, placed(sql.text, ""), params)

    async def fetch_row(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Any]:
        """The one row of a reading statement; what is known to be cheap is read at once, on the loop."""
        if namespace not in self._ready:
            await self._touch(namespace)
        text, path, generation = placed(sql.text, ""), self._path(namespace), self._generations.get(namespace, 0)
        rows = self._quick.answer(path, generation, text, params)
        if rows is None:
            rows = await self._readers.fetch(path, generation, text, params)
        (row,) = rows
        return row

    async def apply(self, namespace: str, batch: Batch) -> Outcome:
        """Apply a Batch, in one commit with those that wait beside it."""
        if namespace not in self._ready:
            await self._touch(namespace)
        return await self._writer(namespace).apply(batch)

    async def migrate(self, namespace: str, ddl: Sequence[str], batch: Batch) -> Outcome:
        """Run DDL and a Batch in one transaction of the writer; an outcome but `Applied` keeps neither."""
        if namespace not in self._ready:
            await self._touch(namespace)

        def work(connection: sqlite3.Connection) -> tuple[Outcome, bool]:
            """One attempt."""
            head = read_head(connection)
            outcome = apply_batch(connection, batch, head, ddl)
            write_position(connection, head.position)
            return outcome, isinstance(outcome, Applied)

        outcome: Outcome = await self._writer(namespace).run(work)
        return outcome

    async def exclusively(self, namespace: str, work: Callable[[Exclusive], Awaitable[tuple[T, bool]]]) -> T:
        """Run `work` in one transaction of the writer, led from the loop."""
        if namespace not in self._ready:
            await self._touch(namespace)

        def lead(connection: sqlite3.Connection) -> tuple[T | PliantError, bool]:
            """The writer's side of it; what the work refuses goes back as it is."""
            try:
                return ExclusiveSession(connection, self._loop).run(work)
            except PliantError as error:
                return error, False

        result: T | PliantError = await self._writer(namespace).run(lead)
        if isinstance(result, PliantError):
            raise result
        return result

    async def build_index(self, namespace: str, name: str, ddl: Sequence[str]) -> Applied | NotUnique:
        """Make an index in a transaction of the writer: readers go on, writers of the company wait."""
        if namespace not in self._ready:
            await self._touch(namespace)

        def build(connection: sqlite3.Connection) -> tuple[Applied | NotUnique, bool]:
            """The index, unless it is there."""
            if connection.execute(_INDEX_EXISTS, (name,)).fetchone() is not None:
                return Applied(), False
            for text in ddl:
                try:
                    connection.execute(placed(text, ""))
                except sqlite3.IntegrityError:
                    return NotUnique(name), False
            return Applied(), True

        outcome: Applied | NotUnique = await self._writer(namespace).run(build)
        return outcome

    def listen(self, hear: Callable[[str, int], None]) -> None:
        """Nothing: processes that share a folder hear of each other's publishes with their next answer."""

    async def sequence(self, namespace: str) -> int:
        """The head position: the writer has numbered everything already."""
        rows = await self.fetch(namespace, Sql(_POSITION))
        return int(rows[0][0])

    def _path(self, namespace: str) -> Path:
        path = self._paths.get(namespace)  # one object per file: making and hashing a Path costs as much as a read
        if path is None:
            path = self._paths[namespace] = self._directory / "companies" / f"{checked_namespace(namespace)}.db"
        return path

    def _writer(self, namespace: str, *, create: bool = False) -> Writer:
        writer = self._writers.get(namespace)
        if writer is None:
            writer = Writer(self._path(namespace), self._loop, self._limits.request_seconds, create=create)
            writer.start()
            self._writers[namespace] = writer
            self._retire()
        self._writers.move_to_end(namespace)
        return writer

    def _retire(self) -> None:
        """End idle writers beyond the limit, those unused for longest first."""
        surplus = len(self._writers) - WRITERS_MAX
        for namespace, writer in list(self._writers.items())[:-1]:
            if surplus > 0 and writer.idle:
                del self._writers[namespace]
                writer.stop()
                surplus -= 1

    async def _stop_writer(self, namespace: str) -> None:
        writer = self._writers.pop(namespace, None)
        if writer is not None:
            writer.stop()
            await writer.stopped()

    async def _touch(self, namespace: str) -> None:
        """Before the first use: the file is there, and its fixed tables are what this release needs."""
        async with self._touching.setdefault(namespace, asyncio.Lock()):
            if namespace in self._ready:
                return
            if await self.lacking(namespace):
                await self._migrate_fixed(namespace, create=False)
            self._ready.add(namespace)

    async def _migrate_fixed(self, namespace: str, *, create: bool) -> None:
        steps = self._steps(namespace)

        def work(connection: sqlite3.Connection) -> tuple[None, bool]:
            """What is missing, asked again under the lock."""
            connection.execute(placed(migrations.CREATE_TABLE, ""))
            done = {row[0] for row in connection.execute(placed(migrations.NUMBERS, "")).fetchall()}
            for migration in migrations.missing(steps, done):
                with migrations.told(migration):
                    for text in (*migration.statements("sqlite"), migrations.record(migration)):
                        connection.execute(placed(text, ""))
            return None, True

        try:
            await self._writer(namespace, create=create).run(work)
        except StorageError:
            await self._stop_writer(namespace)
            raise
        self._ready.add(namespace)

    def _steps(self, namespace: str) -> tuple[Migration, ...]:
        return self._control if namespace == CONTROL else self._company
