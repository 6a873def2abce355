"""Jobs and timers: rows with a due time and a lease, in the company they belong to.

A job is put there by the Batch of the write that wants it (`enqueue`), taken by one worker (`claim`), and removed by
the Batch of the work it did (`complete`), so that work and end of the job are one transaction. Who dies loses the
lease, and somebody else takes the job; so a handler may run twice, but commits once. Due times and leases are read off
the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from base.clock import now, timestamp
from base.ids import new_id
from base.json import Json
from storage.batch import Applied, Batch, Cause, Execute, Insert, Sql
from storage.engine import Dialect, Engine
from storage.types import INTEGER, JSON, TEXT, TEXTS, TIMESTAMP, UUID

LEASE_SECONDS: Final = 60.0
"""How long a worker may be silent before somebody else takes its job."""

BACKOFF_SECONDS: Final = 2.0
"""The wait after the first failure; it doubles with each attempt, up to an hour."""

LEASE_LOST: Final = "job lease"
"""The token of the guard that fails when somebody else has taken the job meanwhile."""

_BACKOFF_MAX: Final = 3600.0
_ERROR_CHARS: Final = 2000
_COLUMNS: Final = {"id": UUID, "kind": TEXT, "payload": JSON, "run_at": TIMESTAMP, "attempt": INTEGER}

_POSTGRES_NOW: Final = "now()"
_SQLITE_NOW: Final = "(SELECT pliant_now(0))"
_DUE: Final = "run_at <= {now} AND (lease_until IS NULL OR lease_until <= {now}) ORDER BY run_at LIMIT"

_IS_DUE: Final[Mapping[Dialect, Sql]] = {
    "postgresql": Sql(f"SELECT 1 FROM __ns__._job WHERE {_DUE.format(now=_POSTGRES_NOW)} 1"),
    "sqlite": Sql(f"SELECT 1 FROM __ns__._job WHERE {_DUE.format(now=_SQLITE_NOW)} 1"),
}
_CLAIM: Final[Mapping[Dialect, Sql]] = {
    # an array, because a sub-select in IN may be run again for each row and then takes more than its limit
    "postgresql": Sql(
        "UPDATE __ns__._job SET lease_token = $1::text, lease_until = now() + $2::float8 * interval '1 second', "
        "attempt = attempt + 1 WHERE id = ANY (ARRAY(SELECT id FROM __ns__._job WHERE kind = ANY ($3::text[]) AND "
        f"{_DUE.format(now=_POSTGRES_NOW)} $4::integer FOR UPDATE SKIP LOCKED))"
    ),
    "sqlite": Sql(
        "UPDATE __ns__._job SET lease_token = ?, lease_until = pliant_now(?), attempt = attempt + 1 "
        "WHERE id IN (SELECT id FROM __ns__._job WHERE kind IN (SELECT value FROM json_each(?)) AND "
        f"{_DUE.format(now=_SQLITE_NOW)} ?)"
    ),
}
_MINE: Final = f"SELECT {', '.join(_COLUMNS)} FROM __ns__._job WHERE lease_token = {{place}} ORDER BY run_at, id"
_CLAIMED: Final[Mapping[Dialect, Sql]] = {
    "postgresql": Sql(_MINE.format(place="$1")),
    "sqlite": Sql(_MINE.format(place="?")),
}
_COMPLETE: Final[Mapping[Dialect, Sql]] = {
    "postgresql": Sql("DELETE FROM __ns__._job WHERE id = $1::uuid AND lease_token = $2::text"),
    "sqlite": Sql("DELETE FROM __ns__._job WHERE id = ? AND lease_token = ?"),
}
_EXTEND: Final[Mapping[Dialect, Sql]] = {
    "postgresql": Sql(
        "UPDATE __ns__._job SET lease_until = now() + $1::float8 * interval '1 second' "
        "WHERE id = $2::uuid AND lease_token = $3::text"
    ),
    "sqlite": Sql("UPDATE __ns__._job SET lease_until = pliant_now(?) WHERE id = ? AND lease_token = ?"),
}
_FAIL: Final[Mapping[Dialect, Sql]] = {
    "postgresql": Sql(
        "UPDATE __ns__._job SET run_at = now() + $1::float8 * interval '1 second', error = $2::text, "
        "lease_token = NULL, lease_until = NULL WHERE id = $3::uuid AND lease_token = $4::text"
    ),
    "sqlite": Sql(
        "UPDATE __ns__._job SET run_at = pliant_now(?), error = ?, lease_token = NULL, lease_until = NULL "
        "WHERE id = ? AND lease_token = ?"
    ),
}


class JobKind(Protocol):
    """A kind of work that an upper room knows how to do. Kinds are joined in pliant/house.py."""

    @property
    def name(self) -> str:
        """The stable name that stands in the rows."""

    async def run(self, namespace: str, job: Job) -> None:
        """Do the work, and end it with `complete` in the Batch of the work. Whatever is raised is a failed attempt."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that this worker holds until its lease ends. `attempt` is 1 the first time."""

    id: str
    kind: str
    payload: Json
    run_at: datetime
    attempt: int
    lease_token: str


def enqueue(
    dialect: Dialect, kind: str, payload: Mapping[str, Json], run_at: datetime, dedupe_key: str | None = None
) -> Insert:
    """The statement that puts a job there. With a `dedupe_key` that waits already the Batch is `NotUnique`."""
    row = {"id": new_id(), "kind": kind, "payload": payload, "run_at": run_at, "attempt": 0}
    values = tuple(type_.encoder(dialect)(row[name]) for name, type_ in _COLUMNS.items())
    kinds = tuple(type_.kind for type_ in _COLUMNS.values())
    return Insert("_job", (*_COLUMNS, "dedupe_key"), (*kinds, "text"), ((*values, dedupe_key),))


async def due(engine: Engine, namespace: str) -> bool:
    """Whether a job waits that nobody holds; a cheap read, to be asked before claiming."""
    return bool(await engine.fetch(namespace, _IS_DUE[engine.dialect]))


async def claim(
    engine: Engine, namespace: str, kinds: Sequence[str], limit: int = 10, lease_seconds: float = LEASE_SECONDS
) -> list[Job]:
    """Take up to `limit` due jobs of these kinds, the one due for longest first; each is held by one worker only."""
    token = new_id()
    take, found = _CLAIM[engine.dialect], _CLAIMED[engine.dialect]
    listed = TEXTS.encoder(engine.dialect)(list(kinds))
    await _apply(engine, namespace, Execute(take, (token, lease_seconds, listed, limit)))
    decoders = [type_.decoder(engine.dialect) for type_ in _COLUMNS.values()]
    rows = await engine.fetch(namespace, found, (token,))
    jobs = []
    for row in rows:
        job_id, kind, payload, run_at, attempt = (decode(value) for decode, value in zip(decoders, row, strict=True))
        jobs.append(Job(job_id, kind, payload, run_at, attempt, token))
    return jobs


def complete(dialect: Dialect, job: Job) -> Execute:
    """The statement that ends a job; the Batch fails with `LEASE_LOST` when somebody else has it by now."""
    return Execute(_COMPLETE[dialect], (job.id, job.lease_token), 1, LEASE_LOST)


async def extend(engine: Engine, namespace: str, job: Job, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Keep a job for longer; False when it is lost already."""
    statement = Execute(_EXTEND[engine.dialect], (lease_seconds, job.id, job.lease_token), 1, LEASE_LOST)
    return await _apply(engine, namespace, statement)


async def fail(engine: Engine, namespace: str, job: Job, error: str) -> bool:
    """Give a job back after a failure, to be tried again later; False when it is lost already."""
    wait = min(BACKOFF_SECONDS * 2.0 ** (job.attempt - 1), _BACKOFF_MAX)
    parameters = (wait, error[:_ERROR_CHARS], job.id, job.lease_token)
    return await _apply(engine, namespace, Execute(_FAIL[engine.dialect], parameters, 1, LEASE_LOST))


async def _apply(engine: Engine, namespace: str, statement: Execute) -> bool:
    batch = Batch(timestamp(now()), new_id(), Cause(None, "job"), None, statements=(statement,))
    return isinstance(await engine.apply(namespace, batch), Applied)
