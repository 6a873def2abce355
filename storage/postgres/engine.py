"""The production engine: one PostgreSQL schema per company, one for control.

Reads run on a small pool; writes go through a company's `Lane` when they are one statement, else as a transaction of
their own; DDL runs on connections of its own. See docs/storage.md for the locks.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from base.errors import PliantError, Text
from base.limits import DEFAULTS, Limits
from storage import fixed, migrations
from storage.batch import Applied, Batch, NotUnique, Outcome, Sql, Value
from storage.engine import CONTROL, Dialect, Exclusive
from storage.errors import Busy, NamespaceMissing, StatementRefused, StorageError, TooSlow, Unreachable
from storage.migrations import Migration
from storage.names import checked_namespace, placed, quoted
from storage.postgres.apply import Refused, apply_steps, replayed
from storage.postgres.errors import is_lost, is_retried, understood, violated_index
from storage.postgres.exclusive import ExclusiveSession, NotKept
from storage.postgres.fused import fuse
from storage.postgres.heads import Heads
from storage.postgres.lane import ATTEMPTS, Lane, pause
from storage.postgres.pool import Connection, Pool, connect, roll_back
from storage.postgres.reads import Reads
from storage.postgres.sequence import SWEPT_EVERY, sequence, sweep

T = TypeVar("T")

MINIMUM_VERSION = 14
"""Older servers do not notice that a publisher is gone while it waits (client_connection_check_interval)."""

_PUBLISHERS = 2  # DDL of so many companies at once
_BUILDERS = 1  # large indexes at once: each reads a whole table
_MIGRATE_SECONDS = 20.0  # how long DDL is tried against busy tables

_SCHEMA_EXISTS = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"
_INDEX_VALID = (
    "SELECT i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2"
)


class PostgresEngine:
    """Companies as schemas `<prefix><namespace>` of one database."""

    def __init__(
        self,
        url: str,
        company: Iterable[Migration],
        control: Iterable[Migration],
        limits: Limits = DEFAULTS,
        connections: int = 4,
        prefix: str = "",
    ) -> None:
        self._url = url
        self._company = migrations.join(fixed.MIGRATIONS, company)
        self._control = migrations.join(fixed.MIGRATIONS, control)
        self._limits = limits
        self._prefix = prefix
        seconds = limits.request_seconds
        self._pool = Pool(url, {"statement_timeout": str(int(seconds * 1000))}, connections, seconds)
        self._reads = Reads(self._pool, connections, seconds)
        self._publishers = asyncio.Semaphore(_PUBLISHERS)
        self._builders = asyncio.Semaphore(_BUILDERS)
        self._heads: Heads | None = None
        self._lanes: dict[str, Lane] = {}
        self._tasks: set[asyncio.Future[Outcome]] = set()
        self._ready: set[str] = set()
        self._swept: dict[str, int] = {}  # the log's position when a company's queue was last cleared
        self._touching: dict[str, asyncio.Lock] = {}

    @property
    def dialect(self) -> Dialect:
        """`postgresql`."""
        return "postgresql"

    async def open(self) -> None:
        """Connect, and create or migrate control. Raises `StorageError` for a server that is too old."""
        async with self._pool.borrowed() as connection:
            if connection.get_server_version() < (MINIMUM_VERSION,):
                en, zh = (
                    f"PostgreSQL {MINIMUM_VERSION} or newer is needed",
                    f"需要 PostgreSQL {MINIMUM_VERSION} 或更新版本",
                )
                raise StorageError(Text(en, zh))
        await self.create(CONTROL)

    async def close(self) -> None:
        """Finish the writes under way and disconnect."""
        if self._heads is not None:
            await self._heads.stop()
        for lane in list(self._lanes.values()):
            await lane.finished()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._reads.finished()
        await self._pool.close()

    async def create(self, namespace: str) -> None:
        """Create a company's schema with its fixed tables; nothing happens if it is there."""
        async with self._touching.setdefault(namespace, asyncio.Lock()):
            if namespace not in self._ready:
                await self._migrate_fixed(namespace, create=True)

    async def drop(self, namespace: str) -> None:
        """Remove a company's schema with all its rows; nothing happens if it is gone."""
        async with self._touching.setdefault(namespace, asyncio.Lock()):
            self._ready.discard(namespace)
            self._swept.pop(namespace, None)

            async def work(connection: Connection) -> None:
                """Drop it, when no writer holds the company's lock."""
                await connection.execute(f"DROP SCHEMA IF EXISTS {quoted(self._schema(namespace))} CASCADE")

            await self._publish(namespace, work)

    async def lacking(self, namespace: str) -> Sequence[str]:
        """The migrations that a company's schema still needs."""
        schema = self._schema(namespace)
        async with self._pool.borrowed() as connection:
            try:
                if not await connection.fetch(_SCHEMA_EXISTS, schema):
                    raise NamespaceMissing()
                rows = await connection.fetch(placed(migrations.NUMBERS, schema))
            except Exception as error:
                raise understood(error) from error
        return [item.label for item in migrations.missing(self._steps(namespace), {row[0] for row in rows})]

    async def fetch(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Sequence[Any]]:
        """Run one reading statement; JSON comes as `bytes`, text as `str`."""
        if namespace not in self._ready:
            await self._touch(namespace)
        text = placed(sql.text, self._schema(namespace))
        try:
            return await self._fetch(text, params)
        except Unreachable:
            # The server was restarted, perhaps, and this was a connection of before.
            return await self._fetch(text, params)
        except StatementRefused as error:
            self._doubt(namespace, error)
            raise

    async def fetch_row(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Any]:
        """Run one reading statement that gives one row, in a round trip shared with those that wait beside it."""
        if namespace not in self._ready:
            await self._touch(namespace)
        text = placed(sql.text, self._schema(namespace))
        try:
            return await self._reads.fetch(text, params)
        except Unreachable:
            return await self._reads.fetch(text, params)
        except StatementRefused as error:
            self._doubt(namespace, error)
            raise

    async def apply(self, namespace: str, batch: Batch) -> Outcome:
        """Apply a Batch, in one transaction with those of the company that wait beside it."""
        if batch.new_catalog_version is not None:
            return await self.migrate(namespace, (), batch)
        if namespace not in self._ready:
            await self._touch(namespace)
        fused = fuse(batch)
        if fused is not None:
            return await self._lane(namespace).apply(batch, fused)
        # A task of its own: cancelling the caller does not stop the transaction.
        task = asyncio.ensure_future(self._apply_steps(namespace, batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def migrate(self, namespace: str, ddl: Sequence[str], batch: Batch) -> Outcome:
        """Run DDL and a Batch in one transaction; an outcome but `Applied` keeps neither."""
        if namespace not in self._ready:
            await self._touch(namespace)
        schema = self._schema(namespace)

        async def work(connection: Connection) -> Outcome:
            """One attempt."""
            return await apply_steps(connection, schema, batch, ddl)

        try:
            outcome: Outcome = await self._publish(namespace, work)
            return outcome
        except Refused as refused:
            return await self._explained(namespace, batch, refused.outcome)
        except StorageError as error:
            index = violated_index(error.__cause__) if isinstance(error.__cause__, Exception) else None
            if index is None:
                raise
            return NotUnique(index)

    async def exclusively(self, namespace: str, work: Callable[[Exclusive], Awaitable[tuple[T, bool]]]) -> T:
        """Run `work` in one transaction under the company's exclusive lock; again while tables are busy."""
        if namespace not in self._ready:
            await self._touch(namespace)
        schema = self._schema(namespace)

        async def lead(connection: Connection) -> T:
            """The work, and whether it is kept."""
            result, keep = await work(ExclusiveSession(connection, schema))
            if not keep:
                raise NotKept(result)
            return result

        try:
            kept: T = await self._publish(namespace, lead)
            return kept
        except NotKept as undone:
            left: T = undone.result
            return left

    async def build_index(self, namespace: str, name: str, ddl: Sequence[str]) -> Applied | NotUnique:
        """Make an index with CREATE INDEX CONCURRENTLY (`ddl` says so); one that was left invalid is dropped before.

        It waits for transactions that are older, a long report for instance, and keeps nobody out meanwhile.
        """
        if namespace not in self._ready:
            await self._touch(namespace)
        schema = self._schema(namespace)
        drop = f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(schema)}.{quoted(name)}"
        async with self._builders:
            connection = await connect(self._url, {"client_connection_check_interval": "100"})
            try:
                found = await connection.fetch(_INDEX_VALID, schema, name)
                if found and found[0][0]:
                    return Applied()
                if found:
                    await connection.execute(drop)
                for text in ddl:
                    await connection.execute(placed(text, schema))
                return Applied()
            except Exception as error:
                if violated_index(error) is None:
                    raise understood(error) from error
                await connection.execute(drop)
                return NotUnique(name)
            finally:
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connection.close(timeout=5)

    def listen(self, hear: Callable[[str, int], None]) -> None:
        """Listen on the database's channel until the engine is closed."""
        self._heads = Heads(self._url, self._prefix, hear)

    async def sequence(self, namespace: str) -> int:
        """Move committed change rows into the log at dense positions; the head position after that."""
        if namespace not in self._ready:
            await self._touch(namespace)
        schema = self._schema(namespace)
        async with self._pool.borrowed() as connection:
            try:
                position = await sequence(connection, schema)
                if position - self._swept.setdefault(namespace, position) >= SWEPT_EVERY:
                    await sweep(connection, schema)
                    self._swept[namespace] = position
                return position
            except Exception as error:
                await roll_back(connection, error)
                raise understood(error) from error

    def _doubt(self, namespace: str, error: StatementRefused) -> None:
        """A schema dropped by another process, perhaps: look again next time."""
        if isinstance(error.__cause__, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError):
            self._ready.discard(namespace)

    async def _fetch(self, text: str, params: Sequence[Value]) -> Sequence[Sequence[Any]]:
        connection = await self._pool.take()
        try:
            return await connection.fetch(text, *params)
        except asyncpg.QueryCanceledError as error:
            raise TooSlow(self._limits.request_seconds) from error
        except Exception as error:
            if is_lost(error):
                connection.terminate()
            raise understood(error) from error
        finally:
            self._pool.give(connection)

    def _schema(self, namespace: str) -> str:
        return self._prefix + checked_namespace(namespace)

    def _lock(self, namespace: str) -> int:
        """The company's advisory lock; locks are shared by the whole database, so the number is a hash."""
        digest = hashlib.sha256(f"pliant {self._schema(namespace)}".encode()).digest()
        return int.from_bytes(digest[:8], signed=True)

    def _lane(self, namespace: str) -> Lane:
        lane = self._lanes.get(namespace)
        if lane is None:

            def emptied() -> None:
                """Forget a lane in which nothing waits."""
                self._lanes.pop(namespace, None)

            lane = Lane(self._pool, self._schema(namespace), self._lock(namespace), emptied)
            self._lanes[namespace] = lane
        return lane

    async def _apply_steps(self, namespace: str, batch: Batch) -> Outcome:
        schema = self._schema(namespace)
        for attempt in range(ATTEMPTS):
            async with self._pool.borrowed() as connection:
                try:
                    await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock_shared({self._lock(namespace):d})")
                    outcome = await apply_steps(connection, schema, batch)
                    await connection.execute("COMMIT")
                    return outcome
                except Refused as refused:
                    await roll_back(connection, refused)
                    return await replayed(connection, schema, batch) or refused.outcome
                except Exception as error:
                    await roll_back(connection, error)
                    index = violated_index(error)
                    if index is not None:
                        return NotUnique(index)
                    if not is_retried(error):
                        raise understood(error) from error
            await pause(attempt)
        raise Busy()

    async def _explained(self, namespace: str, batch: Batch, outcome: Outcome) -> Outcome:
        """A key that is known explains any failure."""
        async with self._pool.borrowed() as connection:
            return await replayed(connection, self._schema(namespace), batch) or outcome

    async def _publish(self, namespace: str, work: Any) -> Any:
        """Run work in one transaction under the company's exclusive lock, again and again while tables are busy.

        The lock comes before the first DDL: a writer holds the shared one and then waits for a table, so the other
        way round the two would wait for each other.
        """
        settings = {
            "lock_timeout": str(self._limits.lock_timeout_ms),
            "client_connection_check_interval": "100",
        }
        deadline = time.monotonic() + _MIGRATE_SECONDS
        async with self._publishers:
            connection = await connect(self._url, settings)
            try:
                while True:
                    try:
                        await connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({self._lock(namespace):d})")
                        result = await work(connection)
                        await connection.execute("COMMIT")
                        return result
                    except Exception as error:
                        await roll_back(connection, error)
                        if isinstance(error, Refused | NotKept | PliantError):
                            raise
                        if not is_retried(error) or time.monotonic() > deadline:
                            raise understood(error) from error
                    await asyncio.sleep(random.uniform(0.02, 0.2))
            finally:
                with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await connection.close(timeout=5)

    async def _touch(self, namespace: str) -> None:
        """Before the first use: the schema is there, and its fixed tables are what this release needs."""
        async with self._touching.setdefault(namespace, asyncio.Lock()):
            if namespace in self._ready:
                return
            if await self.lacking(namespace):
                await self._migrate_fixed(namespace, create=False)
            self._ready.add(namespace)

    async def _migrate_fixed(self, namespace: str, *, create: bool) -> None:
        schema = self._schema(namespace)

        async def work(connection: Connection) -> None:
            """What is missing, asked again under the lock."""
            if create:
                await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            await connection.execute(placed(migrations.CREATE_TABLE, schema))
            done = {row[0] for row in await connection.fetch(placed(migrations.NUMBERS, schema))}
            for migration in migrations.missing(self._steps(namespace), done):
                with migrations.told(migration):
                    for text in (*migration.statements("postgresql"), migrations.record(migration)):
                        await connection.execute(placed(text, schema))

        await self._publish(namespace, work)
        self._ready.add(namespace)

    def _steps(self, namespace: str) -> tuple[Migration, ...]:
        return self._control if namespace == CONTROL else self._company
