"""A write is a value: what `Engine.apply` does in one transaction.

The order inside the transaction is fixed: company lock, idempotency key, catalog version, counters, guards, statements,
guards that come `after`, head version, change rows; the DDL of a migration comes before the statements. Everything is
data, so each engine chooses its form: one statement with data-modifying CTEs, several statements, or one savepoint in a
writer thread.

Values in `columns`/`rows`/`params` are already encoded for the engine's dialect (`storage.types`), except `Late`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from base.immutable import immutable
from base.json import Json

NAMESPACE = "__ns__"
"""The schema name that stands in SQL text for the company's namespace; each engine puts its own in its place."""

Value: TypeAlias = Any
"""A value as the engine's driver takes it (see `storage.types.ColumnType.encoder`)."""


@dataclass(frozen=True, slots=True)
class Sql:
    """A statement's text in one dialect, with `__ns__.` before each table and placeholders of that dialect.

    PostgreSQL: `$1..$n`; SQLite: `?`, once for each use. `binds` names the parameters in placeholder order.
    """

    text: str
    binds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Late:
    """A value that the database gives out: the counter's next number, put into a pattern.

    `pattern` is literal text with at most one run of zeros in braces: `OPP-2026-{0000}`. `offset` counts from 1 for
    the first number that this Batch draws from the counter.
    """

    counter: str
    offset: int
    pattern: str

    def text(self, first: int) -> str:
        """The finished text, `first` being the first number drawn."""
        head, _, rest = self.pattern.partition("{")
        zeros, _, tail = rest.partition("}")
        return f"{head}{first + self.offset - 1:0{max(len(zeros), 1)}d}{tail}"


class Expect(Enum):
    """What a guard's query must find."""

    ROW = "row"
    NO_ROW = "no row"


@immutable
class Guard:
    """A condition that must hold inside the transaction, named by `token` when it does not.

    A `ROW` guard on PostgreSQL may end in FOR SHARE, so that what it found stays true until the commit.
    """

    token: Hashable
    sql: Sql
    params: tuple[Value, ...]
    expect: Expect = Expect.ROW
    after: bool = False  # checked after the statements instead of before (a rule about what others wrote meanwhile)


@immutable
class Insert:
    """New rows of one table. `columns` are SQL names, each row has a value (or `Late`) per column."""

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]  # kinds of `storage.types`, so that an engine can send arrays or cast
    rows: tuple[tuple[Value, ...], ...]


@immutable
class Update:
    """One row changed by its id. With `version` the row must still have it, else the guard `token` has failed."""

    table: str
    id: str
    version: int | None
    columns: tuple[str, ...]
    types: tuple[str, ...]
    values: tuple[Value, ...]
    token: Hashable = None


@immutable
class Execute:
    """Any other statement. With `expect_rows` it must touch exactly that many rows, else `token` has failed."""

    sql: Sql
    params: tuple[Value, ...]
    expect_rows: int | None = None
    token: Hashable = None


Statement: TypeAlias = Insert | Update | Execute


@immutable
class ChangeRow:
    """One change event as the log keeps it. `before`/`after` are keyed by physical column; None where there is none.

    `after` may hold `Late` values; the engine finishes them before it encodes the image.
    """

    id: str
    entity: str
    record_id: str
    op: str
    record_version: int
    changed: tuple[str, ...]
    before: Mapping[str, Json | Late] | None
    after: Mapping[str, Json | Late] | None


@immutable
class Cause:
    """Who and what made a write; the same for all change rows of a Batch."""

    actor_id: str | None
    kind: str  # request, import, publish, system, ...
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IdempotencyRow:
    """The memory of an answered mutation: the same key gives `answer` again for 24 hours."""

    key: str  # scope and key, hashed
    input_hash: str
    answer: Mapping[str, Json]
    expires_at: str  # timestamp text


@immutable
class Batch:
    """Everything that one write does, applied as a whole or not at all."""

    at: str  # one instant, `base.clock.timestamp`
    transaction_id: str
    cause: Cause
    catalog_version: int | None  # guard: the head version it was prepared for; None leaves it unchecked (control)
    counters: Mapping[str, int] = field(default_factory=dict)  # counter name -> how many numbers it draws
    guards: tuple[Guard, ...] = ()
    statements: tuple[Statement, ...] = ()
    changes: tuple[ChangeRow, ...] = ()
    idempotency: IdempotencyRow | None = None
    new_catalog_version: int | None = None  # set by publish: the head moves, under the exclusive lock


@dataclass(frozen=True, slots=True)
class Applied:
    """The Batch is committed. `numbers` holds the first number drawn from each counter."""

    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardFailed:
    """Nothing was written: the guard or statement of this token did not hold."""

    token: Hashable


@dataclass(frozen=True, slots=True)
class CatalogMoved:
    """Nothing was written: the head version is another one than the Batch was prepared for."""

    version: int


@dataclass(frozen=True, slots=True)
class NotUnique:
    """Nothing was written: a unique index (its SQL name) already holds the value."""

    index: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """Nothing was written: the idempotency key is known. The first input's hash and answer."""

    input_hash: str
    answer: Mapping[str, Json]


Outcome: TypeAlias = Applied | GuardFailed | CatalogMoved | NotUnique | Replayed
