"""Replicas: the processes that serve, and which versions of a company each of them has served lately.

A replica has a row in control while it lives (`replica`), and in each company that it serves a row for each version
(`_served`), renewed while requests come. By these a publication knows when nothing names a removed column any more.
`seen_at` is read off the database's clock: replicas need not agree on the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from access.table import Query, Table
from base.clock import now, timestamp
from base.ids import new_id
from storage.batch import Batch, Cause, Execute, Sql
from storage.engine import CONTROL, Dialect, Engine
from storage.types import BIGINT, INTEGER, TEXT, TIMESTAMP, UUID

HEARTBEAT_SECONDS: Final = 20.0
"""So often a replica says that it lives."""

REFRESH_SECONDS: Final = 60.0
"""So often at most a replica says again that it serves a version: `seen_at` of `_served` is late by this much."""

SERVED_SECONDS: Final = 600.0
"""A version that nobody has served for so long is served no more."""

SILENT_SECONDS: Final = 3600.0
"""Rows that nobody has renewed for so long are removed."""

REPLICA = Table(
    "replica",
    {"id": UUID, "host": TEXT, "process": INTEGER, "release": TEXT, "started_at": TIMESTAMP, "seen_at": TIMESTAMP},
)
"""In control."""

SERVED = Table("_served", {"replica_id": UUID, "version": BIGINT, "seen_at": TIMESTAMP})
"""In each company."""

_NOW: Final[Mapping[Dialect, str]] = {"postgresql": "now()", "sqlite": "(SELECT pliant_now(0))"}
_BEAT: Final = (
    "INSERT INTO __ns__.replica (id, host, process, release, started_at, seen_at) VALUES ({places}, {now}) "
    "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at"
)
_SERVE: Final = (
    "INSERT INTO __ns__._served (replica_id, version, seen_at) VALUES ({places}, {now}) "
    "ON CONFLICT (replica_id, version) DO UPDATE SET seen_at = excluded.seen_at"
)
_SINCE: Final[Mapping[Dialect, str]] = {
    "postgresql": "now() - $1::float8 * interval '1 second'",
    "sqlite": "(SELECT pliant_now(-?))",
}
_replicas, _served = REPLICA.clause, SERVED.clause
_ALL = Query(sa.select(*_replicas.c).order_by(_replicas.c["started_at"], _replicas.c["id"]), columns=REPLICA.columns)
_VERSIONS = Query(sa.select(*_served.c).order_by(_served.c["seen_at"], _served.c["version"]), columns=SERVED.columns)


@dataclass(frozen=True, slots=True)
class Process:
    """What a replica says of itself: its id for as long as it lives, where it runs, which release of Pliant it is."""

    id: str
    host: str
    process: int
    release: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica as others see it. `version` is the one of a company that it served last, None where it served none."""

    id: str
    host: str
    process: int
    release: str
    started_at: datetime
    seen_at: datetime
    version: int | None = None
    served_at: datetime | None = None


async def list_replicas(engine: Engine, namespace: str | None = None) -> tuple[Replica, ...]:
    """The replicas that live, oldest first, with the versions of one company where its namespace is given."""
    served = await _VERSIONS.rows(engine, namespace) if namespace is not None else []
    last = {row["replica_id"]: (row["version"], row["seen_at"]) for row in served}
    return tuple(Replica(**row, **_version(last, row["id"])) for row in await _ALL.rows(engine, CONTROL))


async def oldest_served(engine: Engine, namespace: str, within_seconds: float = SERVED_SECONDS) -> int | None:
    """The lowest version that any replica has served in the last `within_seconds`, those that are gone included.

    None when nobody has served any. A statement of a version below it is under way nowhere.
    """
    seconds = within_seconds + REFRESH_SECONDS  # a row is renewed once in that time, however often it is served
    sql = Sql(f"SELECT min(version) FROM __ns__._served WHERE seen_at >= {_SINCE[engine.dialect]}")
    rows = await engine.fetch(namespace, sql, (seconds,))
    return None if rows[0][0] is None else int(rows[0][0])


async def beat(engine: Engine, process: Process) -> None:
    """A replica lives. Rows of those that fell silent are removed on the way."""
    dialect = engine.dialect
    values = (
        UUID.encoder(dialect)(process.id),
        process.host,
        process.process,
        process.release,
        TIMESTAMP.encoder(dialect)(process.started_at),
    )
    await _apply(engine, CONTROL, Execute(_filled(_BEAT, dialect, len(values)), values), _forget("replica", dialect))


async def leave(engine: Engine, replica_id: str) -> None:
    """A replica ends. What it served in companies stays told until it is old."""
    place = "?" if engine.dialect == "sqlite" else "$1"
    sql = Sql(f"DELETE FROM __ns__.replica WHERE id = {place}")
    await _apply(engine, CONTROL, Execute(sql, (UUID.encoder(engine.dialect)(replica_id),)))


async def note_served(engine: Engine, namespace: str, replica_id: str, version: int) -> None:
    """A replica serves a version of a company. Rows that nobody renews are removed on the way."""
    dialect = engine.dialect
    values = (UUID.encoder(dialect)(replica_id), version)
    await _apply(engine, namespace, Execute(_filled(_SERVE, dialect, 2), values), _forget("_served", dialect))


def _version(last: Mapping[str, tuple[int, datetime]], replica_id: str) -> dict[str, Any]:
    version, served_at = last.get(replica_id, (None, None))
    return {"version": version, "served_at": served_at}


def _filled(text: str, dialect: Dialect, count: int) -> Sql:
    places = ", ".join("?" if dialect == "sqlite" else f"${number}" for number in range(1, count + 1))
    return Sql(text.format(places=places, now=_NOW[dialect]))


def _forget(table: str, dialect: Dialect) -> Execute:
    return Execute(Sql(f"DELETE FROM __ns__.{table} WHERE seen_at < {_SINCE[dialect]}"), (SILENT_SECONDS,))


async def _apply(engine: Engine, namespace: str, *statements: Execute) -> None:
    batch = Batch(timestamp(now()), new_id(), Cause(None, "replica"), None, statements=statements)
    await engine.apply(namespace, batch)
