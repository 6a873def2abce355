"""Sharing one record with a member, a team or a role, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from access.grant import Operation
from base.clock import timestamp
from base.errors import BadInput, Text
from base.ids import canonical_id, new_id
from base.json import Json
from records.alias import Alias
from records.command import Share, Unshare
from records.shares import MANUAL, SHARE, SHARE_COLUMNS, field_key, share_table
from records.surface import ALWAYS_READABLE, HIDDEN_FIELDS
from records.writing.draft import Draft
from records.writing.probe import Values
from records.writing.references import require_target
from records.writing.refusals import invalid, not_found
from records.writing.rights import permit_row
from records.writing.target import Target, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.batch import ChangeRow, Insert
from storage.types import TEXT, UUID

ACCESS = "ACCESS"
"""The `op` of events about who may see or do what, as access writes them."""

_KINDS = ("member", "team", "role")
_LEVELS = ("READ", "WRITE")


async def share_record(draft: Draft, plan: WritePlan, command: Share) -> None:
    """Stage a share; it takes the place of an earlier one with the same principal.

    Nobody shares more than he has: WRITE needs the right to update the record, a field the right to read it. Without
    `fields` the share covers those that the sharer may read now. Raises `Forbidden` where sharing is not granted.
    """
    hidden = ALWAYS_READABLE | HIDDEN_FIELDS
    names = frozenset(name for name, item in plan.entity.fields.items() if name not in hidden and not item.write_only)
    wanted = Wanted((Operation.SHARE, Operation.UPDATE), cells=names)
    target = await _target(draft, plan, command.id, wanted)
    if target is None:
        return
    if command.level not in _LEVELS:
        raise BadInput(Text("The level is READ or WRITE", "级别应为 READ 或 WRITE"))
    if command.level == "WRITE":
        permit_row(plan, target, Operation.UPDATE, ("level",))
    principal = _principal(draft, command)
    fields = _fields(draft, plan, target, command.fields, names)
    until = _until(draft, command.until)
    row: dict[str, Any] = {
        "entity": plan.entity.number,
        "record_id": command.id,
        "principal_kind": command.principal_kind,
        "principal": principal,
        "level": command.level,
        "fields": fields,
        "source": MANUAL,
        "until": until,
    }
    _remove(draft, plan, row)
    dialect = draft.plans.dialect
    values = tuple(kind.encoder(dialect)(row[name]) for name, kind in SHARE_COLUMNS.items())
    kinds = tuple(kind.kind for kind in SHARE_COLUMNS.values())
    draft.statements.append(Insert(SHARE, tuple(SHARE_COLUMNS), kinds, (values,)))
    _tell(draft, row, None, {**row, "until": None if until is None else timestamp(until)})


async def unshare_record(draft: Draft, plan: WritePlan, command: Unshare) -> None:
    """Stage the end of a share; nothing happens to one that cannot be."""
    target = await _target(draft, plan, command.id, Wanted((Operation.SHARE,)))
    principal = canonical_id(command.principal) if command.principal_kind != "role" else command.principal
    known = principal in draft.snapshot.catalog.parsed.get("role", {}) or command.principal_kind != "role"
    if target is None or principal is None or not known:
        return
    row: dict[str, Any] = {
        "record_id": command.id,
        "principal_kind": command.principal_kind,
        "principal": principal,
        "source": MANUAL,
    }
    _remove(draft, plan, row)
    _tell(draft, row, row, None)


async def _target(draft: Draft, plan: WritePlan, record_id: str, wanted: Wanted) -> Target | None:
    target = (await read_targets(draft, plan, [record_id], wanted)).get(record_id)
    if target is None or not target.readable:
        draft.faults.append(not_found(("id",)))
        return None
    permit_row(plan, target, Operation.SHARE, ("id",))
    # whoever changes or deletes the record meanwhile comes first
    require_target(draft, plan, record_id, ("id",))
    return target


def _principal(draft: Draft, command: Share) -> str:
    """The principal's key: a live, readable member or team, or a role that exists."""
    if command.principal_kind not in _KINDS:
        raise BadInput(Text("Share with a member, a team or a role", "只能共享给成员、团队或角色"))
    path = ("with", command.principal_kind)
    if command.principal_kind == "role":
        if command.principal not in draft.snapshot.catalog.parsed.get("role", {}):
            draft.faults.append(not_found(path))
        return command.principal
    found = canonical_id(command.principal)
    if found is None:
        draft.faults.append(invalid(path, "must be a UUID", "必须是 UUID"))
        return command.principal
    require_target(draft, draft.plans.of(command.principal_kind), found, path)
    return found


def _fields(
    draft: Draft, plan: WritePlan, target: Target, asked: tuple[str, ...] | None, names: frozenset[str]
) -> list[str] | None:
    """The keys of the shared fields; None for all of them."""
    readable = {name for name in names if target.shows(name)}
    if asked is None:
        # all, for one who may read all there is; else what he may read now, and no field that comes later
        every = sorted(field_key(plan.entity.fields[name]) for name in readable)
        return None if Operation.READ in plan.unlimited else every
    keys = []
    for number, key in enumerate(asked):
        name = plan.entity.aliases.get(key, key)
        item = plan.entity.by_api_name.get(name) or plan.entity.fields.get(name)
        if item is None or item.name not in readable:
            draft.faults.append(
                invalid(("fields", str(number)), f"no such field '{key[:64]}'", f"没有字段“{key[:64]}”")
            )
        else:
            keys.append(field_key(item))
    return sorted(set(keys))


def _until(draft: Draft, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        draft.faults.append(
            invalid(("until",), "must be a date and time with its offset", "必须是带时区偏移的日期时间")
        )
        return None
    if instant <= draft.instant:
        draft.faults.append(invalid(("until",), "must lie ahead", "必须晚于当前时间"))
    return instant.astimezone(UTC)


def _remove(draft: Draft, plan: WritePlan, row: Mapping[str, Any]) -> None:
    probe = plan.probe("unshare", _unshare)
    draft.statements.append(probe.execute(draft.snapshot, row))


def _unshare(values: Values, _: Alias) -> ClauseElement:
    table = share_table()
    return sa.delete(table).where(
        table.c.record_id == values.given("record_id", UUID),
        table.c.principal_kind == values.given("principal_kind", TEXT),
        table.c.principal == values.given("principal", TEXT),
        table.c.source == values.given("source", TEXT),
    )


def _tell(
    draft: Draft, row: Mapping[str, Any], before: Mapping[str, Json] | None, after: Mapping[str, Json] | None
) -> None:
    changed = tuple(sorted({*(before or {}), *(after or {})}))
    draft.changes.append(ChangeRow(new_id(), SHARE, str(row["record_id"]), ACCESS, 0, changed, before, after))
