"""Rights of writes, decided once the new image is known: rows and fields on the old image, checks on the new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.grant import Grant, Operation
from expressions import Evaluation, Lookup
from records.surface import TRANSFER_FIELDS
from records.writing.draft import Draft
from records.writing.refusals import Path, forbidden
from records.writing.rules import lookup_of
from records.writing.target import Target
from records.writing.writeplan import Creating, WritePlan

Given = Mapping[str, str]
"""Names of the fields that a write gives a value to, each with its key in the input."""


def permit_create(draft: Draft, plan: WritePlan, row: Mapping[str, Any], given: Given, path: Path) -> None:
    """Raise `Forbidden` unless a grant's check holds for the new row, and such a grant covers each given field."""
    if Operation.CREATE in plan.unlimited:
        return
    lookup = lookup_of(draft, plan, row)
    grants = [grant for grant in plan.creating if _holds(grant.check, lookup)]
    if not grants:
        raise forbidden("create", plan.name, path)
    if any(given.keys() <= grant.always for grant in grants):
        return
    for name, key in given.items():
        if not any(_covers(grant, name, lookup) for grant in grants):
            raise forbidden("create", plan.name, (*path, key))


def permit_update(
    draft: Draft, plan: WritePlan, target: Target, row: Mapping[str, Any], given: Given, path: Path
) -> None:
    """Raise `Forbidden` unless ONE grant covers row and field and its check holds on the new row, for each field.

    Every given field counts, changed or not: else the answer would tell whether a hidden value was guessed.
    """
    if Operation.UPDATE not in plan.unlimited:
        grants = _granting(draft, plan, target, row, Operation.UPDATE)
        if not grants:
            raise forbidden("update", plan.name, path)
        for name, key in given.items():
            if not any(target.cell(Operation.UPDATE, number, grant, name) for number, grant in grants):
                raise forbidden("update", plan.name, (*path, key))
    moved = [key for name, key in given.items() if name in TRANSFER_FIELDS and row[key] != target.row[key]]
    limited = moved and Operation.TRANSFER not in plan.unlimited
    if limited and not _granting(draft, plan, target, row, Operation.TRANSFER):
        raise forbidden("transfer", plan.name, (*path, moved[0]))


def permit_row(plan: WritePlan, target: Target, operation: Operation, path: Path) -> None:
    """Raise `Forbidden` unless a grant of the operation covers the row: delete, restore, purge, share."""
    if not may_row(plan, target, operation):
        raise forbidden(operation.value, plan.name, path)


def may_row(plan: WritePlan, target: Target, operation: Operation) -> bool:
    """Whether a grant of the operation covers the row."""
    if operation in plan.unlimited:
        return True
    grants = plan.grants.get(operation, ())
    return any(target.covered(operation, number) for number in range(len(grants)))


def may_fill(plan: WritePlan, target: Target, name: str) -> bool:
    """Whether the actor may change a field of the row, checks aside."""
    if Operation.UPDATE in plan.unlimited:
        return True
    grants = enumerate(plan.grants.get(Operation.UPDATE, ()))
    return any(target.cell(Operation.UPDATE, number, grant, name) for number, grant in grants)


def _granting(
    draft: Draft, plan: WritePlan, target: Target, row: Mapping[str, Any], operation: Operation
) -> list[tuple[int, Grant]]:
    lookup = lookup_of(draft, plan, row)
    return [
        (number, grant)
        for number, (grant, check) in enumerate(
            zip(plan.grants.get(operation, ()), plan.checks.get(operation, ()), strict=True)
        )
        if target.covered(operation, number) and _holds(check, lookup)
    ]


def _holds(check: Evaluation | None, lookup: Lookup) -> bool:
    return check is None or check(lookup) is True


def _covers(grant: Creating, name: str, lookup: Lookup) -> bool:
    when = grant.when.get(name)
    return name in grant.always or (when is not None and when(lookup) is True)
