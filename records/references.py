"""References that a write makes: the target must be live and readable, and stay so until the commit.

No foreign keys: the target is asked for by a guard inside the Batch, with the actor's row rule folded in and locked
FOR SHARE, so a plain create reads nothing before it is applied.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from base.errors import Fault
from records.alias import Alias
from records.draft import Draft, Op, Required
from records.probe import Probe, Values
from records.refusals import Path, Reason, not_found
from records.writeplan import WritePlan
from storage.sql import InList, constant
from storage.types import UUID


def require_target(draft: Draft, target: WritePlan, record_id: str, path: Path) -> None:
    """Let the write fail with NOT_FOUND at `path` unless the record is live and the actor may read it.

    A record that the same write creates needs no asking; one that it deletes is no target any more.
    """
    staged = draft.staged.get(record_id)
    if staged is not None and staged.plan.name == target.name:
        if not staged.live:
            draft.faults.append(not_found(path))
            return
        if staged.op is Op.CREATED:
            return
    token = draft.token(Reason.MISSING, path)
    known = draft.required.get((target.name, record_id))
    if known is not None:
        known.uses.append(token)
        return
    draft.required[target.name, record_id] = Required(target, [token])
    draft.guards.append(_target_probe(target).guard(draft.snapshot, token, {"id": record_id}))


async def missing_targets(draft: Draft) -> list[tuple[int, Fault]]:
    """(command, fault) for every use of a record that is no target (any more), so that all are told at once."""
    wanted: dict[str, tuple[WritePlan, list[str]]] = {}
    for (entity, record_id), item in draft.required.items():
        wanted.setdefault(entity, (item.plan, []))[1].append(record_id)
    found: list[tuple[int, Fault]] = []
    for entity, (plan, ids) in wanted.items():
        decode = plan.slots["id"].decode
        seen = {str(decode(row[0])) for row in await _targets_probe(plan).rows(draft.snapshot, {"ids": ids})}
        for record_id in ids:
            if record_id not in seen:
                found += [(use.command, not_found(use.path)) for use in draft.required[entity, record_id].uses]
    return found


def _target_probe(plan: WritePlan) -> Probe:
    return plan.probe("target", lambda values, alias: _target_query(plan, values, alias))


def _target_query(plan: WritePlan, values: Values, alias: Alias) -> ClauseElement:
    table = alias.table
    found = sa.select(constant(1)).select_from(table)
    found = found.where(alias.field("id") == values.given("id", UUID), alias.live(), plan.plans.gate.rows(alias))
    return found.with_for_update(read=True, of=table)


def _targets_probe(plan: WritePlan) -> Probe:
    gate = plan.plans.gate
    return plan.probe(
        "targets",
        lambda values, alias: (
            sa.select(alias.field("id"))
            .select_from(alias.table)
            .where(InList(alias.field("id"), values.ids()), alias.live(), gate.rows(alias))
        ),
    )
