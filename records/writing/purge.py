"""Purging: a record goes for ever, with its links and shares, and its history keeps positions but no images."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from access.grant import Operation
from metadata.field import OnDelete
from records.alias import Alias
from records.shares import share_table
from records.writing.delete import by_entity, free_references, referring
from records.writing.draft import Draft, Op, Staged
from records.writing.probe import Values
from records.writing.refusals import not_found
from records.writing.rights import permit_row
from records.writing.target import State, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.batch import NAMESPACE
from storage.sql import InList, constant
from storage.types import TEXT


async def purge_record(draft: Draft, plan: WritePlan, record_id: str) -> None:
    """Stage the purge of a live or deleted record and of all that it owns, live or deleted.

    Live rows that restrict stop it, references that clear become null; deleted rows keep the id of what is gone.
    Raises `Forbidden` for one that may be read but not purged.
    """
    path = ("id",)
    targets = await read_targets(draft, plan, [record_id], Wanted((Operation.PURGE,), state=State.ANY))
    target = targets.get(record_id)
    if target is None or not target.readable:
        draft.faults.append(not_found(path))
        return
    permit_row(plan, target, Operation.PURGE, path)
    first = draft.change(plan, target.row, path)
    first.op = Op.PURGED
    gone = await _owned(draft, first)
    for entity, staged in by_entity(gone).items():
        own = draft.plans.of(entity)
        await free_references(draft, own, staged)
        _remove_traces(draft, own, sorted(item.id for item in staged))


async def _owned(draft: Draft, first: Staged) -> list[Staged]:
    gone, level = [first], [first]
    while level:
        below: list[Staged] = []
        for entity, staged in by_entity(level).items():
            ids = [item.id for item in staged]
            for referrer in draft.plans.of(entity).referrers:
                if referrer.relation.on_delete is OnDelete.CASCADE:
                    for row, plan in await referring(draft, referrer, ids, deleted=True):
                        if row["id"] not in draft.staged:
                            item = draft.change(plan, row, first.token.path)
                            item.op = Op.PURGED
                            below.append(item)
        gone += below
        level = below
        if draft.full:
            return []
    return gone


def _remove_traces(draft: Draft, plan: WritePlan, ids: list[str]) -> None:
    """Links, shares and images in the log; events waiting for their position first, for they may get it meanwhile."""
    probes = [
        plan.probe(("purge link", side.table, side.here), partial(_unlink, side.table, side.here))
        for side in plan.links
    ]
    probes.append(plan.probe("purge shares", _unshare))
    logs = ("_log",) if draft.plans.dialect == "sqlite" else ("_pending", "_log")
    probes += [plan.probe(("redact", log), partial(_redact, log)) for log in logs]
    draft.statements += [probe.execute(draft.snapshot, {"ids": ids}) for probe in probes]


def _unlink(link: str, here: str, values: Values, _: Alias) -> ClauseElement:
    table = sa.table(link, sa.column(here), schema=NAMESPACE)
    return sa.delete(table).where(InList(table.c[here], values.ids()))


def _unshare(values: Values, _: Alias) -> ClauseElement:
    table = share_table()
    return sa.delete(table).where(InList(table.c.record_id, values.ids()))


def _redact(log: str, values: Values, alias: Alias) -> ClauseElement:
    names = ("record_id", "entity", "before", "after")
    table = sa.table(log, *[sa.column(name, sa.Text()) for name in names], schema=NAMESPACE)
    entity = constant(alias.entity.table_name)
    return (
        sa.update(table)
        .where(InList(table.c.record_id, values.given_list("ids", TEXT)), table.c.entity == entity)
        .values(before=constant(None), after=constant(None))
    )
