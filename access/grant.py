"""Grants: what an actor may do with which rows and fields. An actor's grants are a bag; there is no deny."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from expressions import Expression


class Operation(StrEnum):
    """What can be granted on an entity."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    PURGE = "purge"
    EXPORT = "export"
    SHARE = "share"
    TRANSFER = "transfer"


class Rows(StrEnum):
    """The row rules that are words."""

    NONE = "none"
    OWN = "own"
    TEAM = "team"
    TEAM_DOWN = "team+"
    REPORTS_DOWN = "reports+"
    ALL = "all"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class ParentRows:
    """`parent(<to-one>)`: rows whose parent record the actor may read."""

    field: str


@dataclass(frozen=True, slots=True)
class RowsWhere:
    """Rows for which an expression over record and actor is true."""

    expression: Expression


RowRule: TypeAlias = Rows | ParentRows | RowsWhere


@dataclass(frozen=True, slots=True)
class FieldRights:
    """Which fields a grant covers: `others` for fields not named; a condition makes a cell depend on its record."""

    others: bool
    named: Mapping[str, bool | Expression]

    def right(self, field: str) -> bool | Expression:
        """True, False, or the condition under which the field is covered."""
        return self.named.get(field, self.others)


ALL_FIELDS = FieldRights(True, {})


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant: it covers a cell iff it covers the row (any of `rows`) and the field."""

    operation: Operation
    rows: tuple[RowRule, ...]
    fields: FieldRights = ALL_FIELDS
    check: Expression | None = None

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Every expression in it: of rows, of fields, of the check."""
        rows = [rule.expression for rule in self.rows if isinstance(rule, RowsWhere)]
        fields = [right for right in self.fields.named.values() if isinstance(right, Expression)]
        return (*rows, *fields, *(() if self.check is None else (self.check,)))


@dataclass(frozen=True, slots=True)
class GrantSet:
    """All grants of one set of roles in one catalog: shared by every actor with those roles.

    `hash` covers everything in it (the rule hash: surface, row rules, field conditions).
    """

    hash: str
    entities: Mapping[str, tuple[Grant, ...]]  # an entity without grants is absent
    platform: frozenset[str]

    def of(self, entity: str, operation: Operation) -> tuple[Grant, ...]:
        """The grants for one operation on one entity; empty when there is none."""
        return tuple(grant for grant in self.entities.get(entity, ()) if grant.operation is operation)
