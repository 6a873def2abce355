"""Nobody grants what he lacks: whether one set of grants is at most another, decided by structure.

The answer errs on the side of refusing: two expressions that mean the same in other words count as different.
"""

from __future__ import annotations

from collections.abc import Iterable

from access.grant import FieldRights, Grant, GrantSet, RowRule, Rows

_WIDER: dict[RowRule, frozenset[RowRule]] = {
    Rows.OWN: frozenset({Rows.REPORTS_DOWN}),  # whoever reports to me includes me
    Rows.TEAM: frozenset({Rows.TEAM_DOWN}),
}


def lacking(have: GrantSet, wanted: GrantSet) -> tuple[str, ...]:
    """What `wanted` gives and `have` does not, sorted: `members.manage`, `opportunity.read`. Empty: at most as much."""
    missing = set(wanted.platform - have.platform)
    for entity, grants in wanted.entities.items():
        own = have.entities.get(entity, ())
        missing.update(f"{entity}.{grant.operation.value}" for grant in grants if not _covered(grant, own))
    return tuple(sorted(missing))


def _covered(grant: Grant, own: Iterable[Grant]) -> bool:
    return any(other.operation is grant.operation and _at_most(grant, other) for other in own)


def _at_most(grant: Grant, other: Grant) -> bool:
    if other.check is not None and other.check != grant.check:
        return False
    if not all(_row_covered(rule, other.rows) for rule in grant.rows):
        return False
    return _fields_at_most(grant.fields, other.fields)


def _row_covered(rule: RowRule, rows: tuple[RowRule, ...]) -> bool:
    return Rows.ALL in rows or rule in rows or any(wider in rows for wider in _WIDER.get(rule, ()))


def _fields_at_most(fields: FieldRights, other: FieldRights) -> bool:
    if fields.others and not other.others:
        return False
    names = set(fields.named) | set(other.named)
    return all(
        fields.right(name) is False or other.right(name) is True or other.right(name) == fields.right(name)
        for name in names
    )
