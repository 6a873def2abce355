"""What a write asks for, as plain data: one mutation field is one `Commands` value, applied as one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from base.errors import Fault
from base.immutable import immutable
from base.json import Json


@immutable
class Create:
    """A new row. `input` keeps GraphQL's form: API names, relation inputs nested; absent keys are absent."""

    entity: str
    input: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Update:
    """Changes to one row; with `expected_version` a row that has moved on is a CONFLICT."""

    entity: str
    id: str
    input: Mapping[str, Json]
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Upsert:
    """Create, or when a live row has the same values in `by`: update it, or leave it (`ignore`)."""

    entity: str
    input: Mapping[str, Json]
    by: tuple[str, ...]
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Soft delete of one row with what it owns."""

    entity: str
    id: str
    expected_version: int | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring a deleted row back with the set that was deleted with it."""

    entity: str
    id: str


@dataclass(frozen=True, slots=True)
class Purge:
    """Remove a row for ever and redact its history."""

    entity: str
    id: str


@dataclass(frozen=True, slots=True)
class UpdateWhere:
    """The same changes to all rows that match; more matches than `at_most` = LIMIT and nothing done."""

    entity: str
    filter: Mapping[str, Json]
    input: Mapping[str, Json]
    at_most: int = 1
    all: bool = False


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """Soft delete of all rows that match."""

    entity: str
    filter: Mapping[str, Json]
    at_most: int = 1
    all: bool = False


@dataclass(frozen=True, slots=True)
class Merge:
    """Rows `ids` become the one row `keep`: references move, empty fields are filled, the others are deleted."""

    entity: str
    ids: tuple[str, ...]
    keep: str
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """Let a member, team or role read or write one row, perhaps only some fields, perhaps until an instant."""

    entity: str
    id: str
    principal_kind: str  # member | team | role
    principal: str
    level: str  # READ | WRITE
    fields: tuple[str, ...] | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Unshare:
    """Take a share back."""

    entity: str
    id: str
    principal_kind: str
    principal: str


Command: TypeAlias = (
    Create | Update | Upsert | Delete | Restore | Purge | UpdateWhere | DeleteWhere | Merge | Share | Unshare
)


@immutable
class Commands:
    """The commands of one mutation field. Not atomic (plural creates only): rows that hold are written, others not."""

    items: Sequence[Command]
    atomic: bool = True
    operation: str = ""  # the mutation field's name: part of the idempotency scope
    idempotency_key: str | None = None


@immutable
class Result:
    """What became of one command: the record's id, or the faults that stopped it."""

    id: str | None
    faults: tuple[Fault, ...] = ()


@immutable
class Saved:
    """The answer of a write. `results` stand in input order (for UpdateWhere/DeleteWhere: one per row touched).

    `faults` belong to the field as a whole; `details` carries a dry run's findings. With any fault nothing of an
    atomic write is in the database. `images` holds, by record id, the full rows (by column, as the log keeps them) of
    records that one command has just written and that nothing else in its transaction can have changed.
    """

    results: tuple[Result, ...]
    faults: tuple[Fault, ...] = ()
    details: Mapping[str, Any] | None = None
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)
