"""References that a write makes: the target must be live and readable, and stay so until the commit.

No foreign keys: the target is asked for by a guard inside the Batch, with the actor's row rule folded in and locked
FOR SHARE, so a plain create reads nothing before it is applied.
"""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import ClauseElement

from base.errors import Fault
from records.alias import Alias
from records.writing.draft import Draft, Op, Required
from records.writing.probe import Probe, Values
from records.writing.refusals import Path, Reason, not_found
from records.writing.writeplan import WritePlan
from storage.batch import Guard
from storage.sql import InList, constant
from storage.types import INTEGER, UUID

SINGLE_GUARDS = 4
"""So many targets of one entity have a guard each, which keeps plain writes one statement; more share one."""


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
    if known is None:
        draft.required[target.name, record_id] = Required(target, [token])
    else:
        known.uses.append(token)


def target_guards(draft: Draft) -> list[Guard]:
    """The guards of all targets: one for each, or one for all of an entity where they are many."""
    by_entity: dict[str, list[tuple[str, Required]]] = {}
    for (entity, record_id), item in draft.required.items():
        by_entity.setdefault(entity, []).append((record_id, item))
    guards: list[Guard] = []
    for found in by_entity.values():
        plan, token = found[0][1].plan, found[0][1].uses[0]
        if len(found) > SINGLE_GUARDS:
            values = {"ids": sorted(record_id for record_id, _ in found), "count": len(found)}
            guards.append(_all_probe(plan).guard(draft.snapshot, token, values))
            continue
        probe = target_probe(plan)
        guards += [probe.guard(draft.snapshot, item.uses[0], {"id": record_id}) for record_id, item in found]
    return guards


async def missing_targets(draft: Draft) -> list[tuple[int, Fault]]:
    """(command, fault) for every use of a record that is no target (any more), so that all are told at once."""
    wanted: dict[str, tuple[WritePlan, list[str]]] = {}
    for (entity, record_id), item in draft.required.items():
        wanted.setdefault(entity, (item.plan, []))[1].append(record_id)
    found: list[tuple[int, Fault]] = []
    for entity, (plan, ids) in wanted.items():
        decode = plan.slots["id"].decode
        probe = plan.probe("targets", partial(_targets_query, plan))
        seen = {str(decode(row[0])) for row in await probe.rows(draft.snapshot, {"ids": ids})}
        for record_id in ids:
            if record_id not in seen:
                found += [(use.command, not_found(use.path)) for use in draft.required[entity, record_id].uses]
    return found


def target_probe(plan: WritePlan) -> Probe:
    """The condition that one record of the entity is live and may be read; it locks the record."""
    return plan.probe("target", partial(_target_query, plan), one=True)


def _all_probe(plan: WritePlan) -> Probe:
    return plan.probe("all targets", partial(_all_targets_query, plan))


def _target_query(plan: WritePlan, values: Values, alias: Alias) -> ClauseElement:
    table = alias.table
    found = sa.select(constant(1)).select_from(table)
    found = found.where(alias.field("id") == values.given("id", UUID), *_is_target(plan, alias))
    return found.with_for_update(read=True, of=table)


def _all_targets_query(plan: WritePlan, values: Values, alias: Alias) -> ClauseElement:
    """A row when every one of the ids is a target; locked in the order of ids, like every row of a Batch."""
    table, key = alias.table, alias.field("id")
    found = sa.select(key.label("id")).select_from(table).where(InList(key, values.ids()), *_is_target(plan, alias))
    locked = found.order_by(key).with_for_update(read=True, of=table).subquery("found")
    counted = sa.select(sa.func.count()).select_from(locked).scalar_subquery()
    return sa.select(constant(1)).where(counted == values.given("count", INTEGER))


def _targets_query(plan: WritePlan, values: Values, alias: Alias) -> ClauseElement:
    key = alias.field("id")
    return sa.select(key).select_from(alias.table).where(InList(key, values.ids()), *_is_target(plan, alias))


def _is_target(plan: WritePlan, alias: Alias) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return alias.live(), plan.plans.gate.rows(alias)
