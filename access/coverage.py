"""What a grant covers, decided in Python for one record: the meaning that records/gate says again in SQL.

The oracle that the SQL is compared with, and the meaning wherever there is no SQL to ask (events cut to grants).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from access.grant import Grant, Operation, ParentRows, RowRule, Rows
from expressions import Expression, evaluate

Record = Mapping[str, Any]
"""A record by API names (`id`, `ownerId`, `teamId`, `amount`), with logical values (`storage.types`)."""


class World(Protocol):
    """What a rule may ask about the actor and the surroundings of a record of one entity."""

    @property
    def member_id(self) -> str:
        """Whose eyes these are."""

    @property
    def team_ids(self) -> frozenset[str]:
        """The actor's own teams."""

    @property
    def teams_below(self) -> frozenset[str]:
        """His own teams and all below them."""

    @property
    def reports_below(self) -> frozenset[str]:
        """Himself and everybody who reports to him, directly or not."""

    def shared(self, record: Record, level: str, field: str | None) -> bool:
        """Whether a live share of at least this level (READ, WRITE) reaches the actor; for `field` if one is named."""

    def parent_readable(self, record: Record, relation: str) -> bool:
        """Whether the actor may read the record behind a to-one relation (false where there is none)."""

    def lookup(self, record: Record, path: tuple[str, ...]) -> Any:
        """The logical value at a path of names, seen with system eyes; `("actor", ...)` is the actor's."""


def row_allowed(rule: RowRule, record: Record, world: World, level: str = "READ", field: str | None = None) -> bool:
    """Whether a row rule holds for a record. `level` and `field` are what a share must give."""
    if isinstance(rule, ParentRows):
        return world.parent_readable(record, rule.field)
    if not isinstance(rule, Rows):
        return holds(rule.expression, record, world)
    match rule:
        case Rows.ALL:
            return True
        case Rows.NONE:
            return False
        case Rows.OWN:
            return record.get("ownerId") == world.member_id
        case Rows.TEAM:
            return record.get("teamId") in world.team_ids
        case Rows.TEAM_DOWN:
            return record.get("teamId") in world.teams_below
        case Rows.REPORTS_DOWN:
            return record.get("ownerId") in world.reports_below
        case Rows.SHARED:
            return world.shared(record, level, field)


def holds(condition: Expression | None, record: Record, world: World) -> bool:
    """Whether a condition is true for a record; an absent one is, null is not."""
    return condition is None or evaluate(condition, lambda path: world.lookup(record, path)) is True


def covers_row(grant: Grant, record: Record, world: World) -> bool:
    """Whether any of the grant's row rules holds (on the old image, where there is one)."""
    return any(row_allowed(rule, record, world, share_level(grant.operation)) for rule in grant.rows)


def covers_cell(grant: Grant, field: str, record: Record, world: World) -> bool:
    """Whether this one grant covers both the row and the field (its name in the document: `account`)."""
    right = grant.fields.right(field)
    if right is False or (isinstance(right, Expression) and not holds(right, record, world)):
        return False
    level = share_level(grant.operation)
    return any(row_allowed(rule, record, world, level, field) for rule in grant.rows)


def row_granted(grants: Iterable[Grant], record: Record, world: World) -> bool:
    """Whether one of the grants (all of one operation) covers the row."""
    return any(covers_row(grant, record, world) for grant in grants)


def cell_granted(grants: Iterable[Grant], field: str, record: Record, world: World) -> bool:
    """Whether ONE of the grants covers row and field together: a union of rows and a union of fields would leak."""
    return any(covers_cell(grant, field, record, world) for grant in grants)


def share_level(operation: Operation) -> str:
    """The level that a share must have for `shared` to hold under an operation."""
    return "READ" if operation in (Operation.READ, Operation.EXPORT) else "WRITE"
