"""Soft deletion: a record with what it owns, seen from every record that refers to it.

Owned rows and those that cascade go with it under one `deletionId`; references that say `clear` become null; live
rows that restrict stop it. What is found is read before the Batch; guards that run after its statements make sure
that nobody has come to refer to the deleted rows meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from access.grant import Operation
from base.ids import new_id
from base.json import Json
from metadata.field import OnDelete
from records.writing.draft import Draft, Op, Staged
from records.writing.pointers import Referrer
from records.writing.probe import Probe
from records.writing.refusals import Path, Reason, not_found, other_version, referenced
from records.writing.rights import permit_row
from records.writing.target import Target, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.batch import Expect
from storage.sql import InList, constant

SHOWN_REFERRERS = 5
"""So many of the records that stand in the way are named, for each field."""


async def delete_record(draft: Draft, plan: WritePlan, record_id: str, expected: int | None) -> None:
    """Soft delete of one record by id. Raises `Forbidden` for one that may be read but not deleted."""
    targets = await read_targets(draft, plan, [record_id], Wanted((Operation.DELETE,)))
    target = targets.get(record_id)
    if target is None or not target.readable:
        draft.faults.append(not_found(("id",)))
        return
    permit_row(plan, target, Operation.DELETE, ("id",))
    if expected is not None and target.row["version"] != expected:
        draft.faults.append(other_version(("expectedVersion",), target.row["version"]))
        return
    await delete_records(draft, plan, {record_id: (target, ("id",))}, expected=expected is not None)


async def delete_records(
    draft: Draft,
    plan: WritePlan,
    doomed: Mapping[str, tuple[Target, Path]],
    *,
    op: Op = Op.DELETED,
    expected: bool = False,
) -> None:
    """Stage the deletion of records that the actor may delete, with all that follows from it."""
    deletion = new_id()
    first = [
        _mark_deleted(draft, draft.change(plan, target.row, path, expected=expected), deletion, op)
        for target, path in doomed.values()
    ]
    gone = await _cascade(draft, first, deletion)
    for entity, staged in by_entity(gone).items():
        await free_references(draft, draft.plans.of(entity), staged)


def _mark_deleted(draft: Draft, staged: Staged, deletion: str, op: Op) -> Staged:
    staged.op = op
    staged.row.update(deletedAt=draft.instant, deletedById=draft.actor_id, deletionId=deletion)
    return staged


async def _cascade(draft: Draft, first: list[Staged], deletion: str) -> list[Staged]:
    """All rows that go: the first ones, and level by level what cascades from them."""
    gone, level = list(first), list(first)
    while level:
        below: list[Staged] = []
        for entity, staged in by_entity(level).items():
            plan = draft.plans.of(entity)
            paths = {item.id: item.token.path for item in staged}
            for referrer in plan.referrers:
                if referrer.relation.on_delete is OnDelete.CASCADE:
                    for row, child in await referring(draft, referrer, paths):
                        if row["id"] not in draft.staged or draft.staged[row["id"]].live:
                            item = draft.change(child, row, paths[row[referrer.api]])
                            below.append(_mark_deleted(draft, item, deletion, Op.DELETED))
        gone += below
        level = below
        if draft.full:
            return []
    return gone


async def free_references(draft: Draft, plan: WritePlan, staged: list[Staged]) -> None:
    """Clear references to deleted rows, refuse where one restricts, and guard all of it."""
    paths = {item.id: item.token.path for item in staged}
    for referrer in plan.referrers:
        found = []
        if referrer.relation.on_delete is not OnDelete.CASCADE:
            found = await referring(draft, referrer, paths)
        found += _referring_anew(draft, referrer, paths)
        for row, child in found:
            known = draft.staged.get(row["id"])
            if known is not None and (not known.live or known.row[referrer.api] not in paths):
                continue
            path = paths[row[referrer.api]]
            if referrer.relation.on_delete is OnDelete.CLEAR:
                draft.change(child, row, path).row[referrer.api] = None
            else:
                others = [item["id"] for item, _ in found if item[referrer.api] == row[referrer.api]]
                draft.faults.append(referenced(path, await _named(draft, child, referrer, others)))
                break
        guard_unreferenced(draft, referrer, list(paths), staged[0].token.path)


def _referring_anew(draft: Draft, referrer: Referrer, ids: Collection[str]) -> list[tuple[dict[str, Any], WritePlan]]:
    """Records that this very write makes refer to these."""
    return [
        (item.row, item.plan)
        for item in draft.staged.values()
        if item.plan.name == referrer.entity
        and item.live
        and item.row[referrer.api] in ids
        and (item.old is None or item.old[referrer.api] not in ids)
    ]


def guard_unreferenced(draft: Draft, referrer: Referrer, ids: list[str], path: Path) -> None:
    """After the statements of the Batch no live row may refer to these records: others may have come meanwhile."""
    token = draft.token(Reason.MOVED, path)
    probe = _left_probe(draft.plans.of(referrer.entity), referrer)
    draft.guards.append(probe.guard(draft.snapshot, token, {"ids": sorted(ids)}, Expect.NO_ROW, after=True))


async def referring(
    draft: Draft, referrer: Referrer, ids: Iterable[str], *, deleted: bool = False
) -> list[tuple[dict[str, Any], WritePlan]]:
    """The rows (live ones, or all) that refer to these records through one field, seen with system eyes.

    At most one more than a write may touch.
    """
    plan = draft.plans.of(referrer.entity)
    found = await _referring_probe(plan, referrer, deleted).rows(draft.snapshot, {"ids": list(ids)})
    return [(plan.row(row), plan) for row in found]


async def _named(draft: Draft, plan: WritePlan, referrer: Referrer, ids: list[str]) -> list[Mapping[str, Json]]:
    """The referring records that the actor may read; that there are others, he learns from the fault alone."""
    shown = await readable_referrers(draft, plan, referrer, ids)
    return [{"entity": plan.name, "field": referrer.field.name, "ids": shown[:SHOWN_REFERRERS]}] if shown else []


async def readable_referrers(draft: Draft, plan: WritePlan, referrer: Referrer, ids: list[str]) -> list[str]:
    """Those of the referring records that the actor may read together with the field that refers, in id order."""
    rows = await _readable_probe(plan, referrer).rows(draft.snapshot, {"ids": ids})
    decode = plan.slots["id"].decode
    return [str(decode(row[0])) for row in rows]


def by_entity(staged: Iterable[Staged]) -> dict[str, list[Staged]]:
    """Staged records by the name of their entity."""
    found: dict[str, list[Staged]] = {}
    for item in staged:
        found.setdefault(item.plan.name, []).append(item)
    return found


def _referring_probe(plan: WritePlan, referrer: Referrer, deleted: bool) -> Probe:
    limit = plan.plans.limits.relation_rows + 1
    return plan.probe(
        ("referring", referrer.field.name, deleted),
        lambda values, alias: (
            sa.select(*plan.selected(alias))
            .select_from(alias.table)
            .where(InList(alias.column(referrer.field.column), values.ids()), sa.true() if deleted else alias.live())
            .order_by(alias.field("id"))
            .limit(constant(limit))
        ),
    )


def _left_probe(plan: WritePlan, referrer: Referrer) -> Probe:
    return plan.probe(
        ("left", referrer.field.name),
        lambda values, alias: (
            sa.select(constant(1))
            .select_from(alias.table)
            .where(InList(alias.column(referrer.field.column), values.ids()), alias.live())
            .limit(constant(1))
        ),
    )


def _readable_probe(plan: WritePlan, referrer: Referrer) -> Probe:
    gate = plan.plans.gate
    return plan.probe(
        ("named", referrer.field.name),
        lambda values, alias: (
            sa.select(alias.field("id"))
            .select_from(alias.table)
            .where(InList(alias.field("id"), values.ids()), gate.rows(alias), gate.cell(alias, referrer.field))
            .order_by(alias.field("id"))
        ),
    )
