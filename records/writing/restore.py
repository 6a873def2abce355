"""Restoring a deleted record together with the set that was deleted with it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from access.grant import Operation
from base.errors import Fault, Text
from metadata.field import OnDelete, RelationKind
from records.alias import Alias
from records.writing.delete import by_entity
from records.writing.draft import Draft, Op, Staged
from records.writing.probe import Probe, Values
from records.writing.refusals import Path, Reason, not_found
from records.writing.rights import permit_row
from records.writing.target import State, Wanted, read_targets
from records.writing.writeplan import Referrer, WritePlan
from storage.sql import InList, constant
from storage.types import UUID


async def restore_record(draft: Draft, plan: WritePlan, record_id: str, path: Path = ("id",)) -> None:
    """Stage the return of a deleted record and of what its deletion took with it; a live one stays as it is.

    References that the deletion cleared stay null. Raises `Forbidden` for one that may be read but not restored.
    """
    targets = await read_targets(draft, plan, [record_id], Wanted((Operation.RESTORE,), state=State.ANY))
    target = targets.get(record_id)
    if target is None or not target.readable:
        draft.faults.append(not_found(path))
        return
    permit_row(plan, target, Operation.RESTORE, path)
    if target.row["deletedAt"] is None:
        return
    await _require_owners(draft, plan, draft.change(plan, target.row, path), path)
    if not draft.faults:
        await _bring_back(draft, draft.staged[record_id], str(target.row["deletionId"]))


async def _require_owners(draft: Draft, plan: WritePlan, staged: Staged, path: Path) -> None:
    """What a record belongs to must be live: it would be deleted with it."""
    for item in plan.entity.fields.values():
        relation = item.relation
        if relation is None or relation.kind is not RelationKind.TO_ONE or relation.on_delete is not OnDelete.CASCADE:
            continue
        owner = staged.row[item.api_name]
        if owner is None:
            continue
        target = plan.plans.of(relation.target)
        await draft.load(target, [owner])
        if draft.seen(target, owner) is None:
            text = Text(
                "The record that this one belongs to is deleted: restore that one first",
                "该记录所属的记录已被删除：请先恢复所属记录",
            )
            draft.faults.append(Fault((*path, item.api_name), "NOT_FOUND", text, {"entity": target.name}))
            continue
        token = draft.token(Reason.MOVED, path)
        draft.guards.append(_live_probe(target).guard(draft.snapshot, token, {"id": owner}))


async def _bring_back(draft: Draft, first: Staged, deletion: str) -> None:
    level = [_mark_live(first)]
    while level:
        below: list[Staged] = []
        for entity, staged in by_entity(level).items():
            for referrer in draft.plans.of(entity).referrers:
                if referrer.relation.on_delete is OnDelete.CASCADE:
                    below += await _fallen(draft, referrer, staged, deletion)
        if draft.full:
            return
        level = below


async def _fallen(draft: Draft, referrer: Referrer, staged: list[Staged], deletion: str) -> list[Staged]:
    """The rows that the same deletion took through one reference."""
    plan = draft.plans.of(referrer.entity)
    values = {"ids": [item.id for item in staged], "deletion": deletion}
    rows = [plan.row(row) for row in await _fallen_probe(plan, referrer).rows(draft.snapshot, values)]
    path = staged[0].token.path
    return [_mark_live(draft.change(plan, row, path)) for row in rows if row["id"] not in draft.staged]


def _mark_live(staged: Staged) -> Staged:
    staged.op = Op.RESTORED
    staged.row.update(deletedAt=None, deletedById=None, deletionId=None)
    return staged


def _fallen_probe(plan: WritePlan, referrer: Referrer) -> Probe:
    limit = plan.plans.limits.relation_rows + 1
    return plan.probe(
        ("fallen", referrer.field.name),
        lambda values, alias: (
            sa.select(*plan.selected(alias))
            .select_from(alias.table)
            .where(
                InList(alias.column(referrer.field.column), values.ids()),
                alias.field("deletionId") == values.given("deletion", UUID),
            )
            .order_by(alias.field("id"))
            .limit(constant(limit))
        ),
    )


def _live_probe(plan: WritePlan) -> Probe:
    def query(values: Values, alias: Alias) -> sa.Select[Any]:
        table = alias.table
        found = sa.select(constant(1)).select_from(table).where(alias.field("id") == values.given("id", UUID))
        return found.where(alias.live()).with_for_update(read=True, of=table)

    return plan.probe("live", query)
