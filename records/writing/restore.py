"""Restoring a deleted record together with the set that was deleted with it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from access.grant import Operation
from base.errors import Fault, Text
from base.json import Json
from metadata.field import OnDelete, RelationKind
from records.alias import Alias
from records.writing.delete import by_entity
from records.writing.draft import Draft, Op, Staged
from records.writing.pointers import Referrer
from records.writing.probe import Probe, Values
from records.writing.refusals import Path, Reason, not_found
from records.writing.rights import permit_row
from records.writing.target import State, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.sql import InList, constant
from storage.types import UUID

_OWNER_GONE = Text(
    "The record that this one belongs to is deleted: restore that one first",
    "该记录所属的记录已被删除：请先恢复所属记录",
)
_PART_OWNER_GONE = Text(
    "A record that would come back with this one also belongs to one that is deleted: restore that one first",
    "会随之恢复的某条记录还属于另一条已删除的记录：请先恢复那一条",
)


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
    restored = await _bring_back(draft, draft.change(plan, target.row, path), str(target.row["deletionId"]))
    if not draft.full:
        await _require_owners(draft, restored)


async def _bring_back(draft: Draft, first: Staged, deletion: str) -> list[Staged]:
    """The record and all that its deletion took with it, level by level."""
    restored = level = [_mark_live(first)]
    while level and not draft.full:
        below: list[Staged] = []
        for entity, staged in by_entity(level).items():
            for referrer in draft.plans.of(entity).referrers:
                if referrer.relation.on_delete is OnDelete.CASCADE:
                    below += await _fallen(draft, referrer, staged, deletion)
        level = below
        restored = restored + below
    return restored


async def _require_owners(draft: Draft, restored: list[Staged]) -> None:
    """What records belong to must be live, or come back with them: they would be deleted with it."""
    for entity, staged in by_entity(restored).items():
        for item in draft.plans.of(entity).entity.fields.values():
            relation = item.relation
            if relation is None or relation.kind is not RelationKind.TO_ONE:
                continue
            if relation.on_delete is OnDelete.CASCADE:
                await _require_owner(draft, draft.plans.of(relation.target), item.api_name, staged, restored[0])


async def _require_owner(draft: Draft, target: WritePlan, api: str, staged: list[Staged], first: Staged) -> None:
    owners: dict[str, Staged] = {}
    for item in staged:  # the first one first: its fault may tell most
        if item.row[api] is not None:
            owners.setdefault(item.row[api], item)
    await draft.load(target, owners)
    for owner, item in owners.items():
        path = item.token.path
        if draft.seen(target, owner) is None:
            # of what comes back with the record he restores, the actor may not even know the fields
            where, text = ((*path, api), _OWNER_GONE) if item is first else (path, _PART_OWNER_GONE)
            details: dict[str, Json] = {} if target.surface is None else {"entity": target.name}
            draft.faults.append(Fault(where, "NOT_FOUND", text, details))
        elif owner not in draft.staged:
            token = draft.token(Reason.MOVED, path)
            draft.guards.append(_live_probe(target).guard(draft.snapshot, token, {"id": owner}))


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
