"""Teams: a tree. Their rows belong to themselves, so that `team+` on `team` shows a member his part of the tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from access.closure import TEAMS
from access.input import Reader, read_id, read_name, read_values, require_keys
from access.member import live_row
from access.right import TEAMS_MANAGE
from access.store import Draft, Writer, Written, write
from access.system import TEAM_NUMBER
from access.table import MEMBER, TEAM, TEAM_MEMBER, Query, parameter
from base.ids import new_id
from base.json import Json
from storage.sql import constant
from storage.types import UUID

_READERS: Mapping[str, tuple[str, Reader]] = {
    "name": ("name", read_name),
    "parentId": ("parent_id", read_id),
    "leadId": ("lead_id", read_id),
}
_REQUIRED = frozenset({"name"})

_LEAD = live_row(MEMBER)
_PARENT = live_row(TEAM)
_team, _link = TEAM.clause, TEAM_MEMBER.clause
_SUBTEAM = Query(
    sa.select(_team.c["id"])
    .where(_team.c["parent_id"] == parameter("id", UUID), _team.c["deleted_at"].is_(None))
    .limit(constant(1)),
    {"id": UUID},
    {"id": UUID},
)
_BELONGS = Query(
    sa.select(_link.c["member_id"]).where(_link.c["team_id"] == parameter("id", UUID)).limit(constant(1)),
    {"id": UUID},
    {"member_id": UUID},
)


async def add_team(writer: Writer, input: Mapping[str, Json]) -> Written:
    """Add a team: `name`, perhaps parentId and leadId. Needs `teams.manage`."""
    writer.require(TEAMS_MANAGE)
    return await write(writer, lambda draft: _prepare_add(draft, input))


async def update_team(writer: Writer, team_id: str, input: Mapping[str, Json]) -> Written:
    """Rename a team, give it another lead, or move it with everything below it. Needs `teams.manage`."""
    writer.require(TEAMS_MANAGE)
    return await write(writer, lambda draft: _prepare_change(draft, team_id, input))


async def remove_team(writer: Writer, team_id: str) -> Written:
    """Delete a team without members and subteams. Rows that belong to it keep its id. Needs `teams.manage`."""
    writer.require(TEAMS_MANAGE)
    return await write(writer, lambda draft: _prepare_remove(draft, team_id))


async def _prepare_add(draft: Draft, input: Mapping[str, Json]) -> None:
    writer = draft.writer
    require_keys(draft, input, _REQUIRED)
    values = read_values(draft, input, _READERS, _REQUIRED)
    await _check_targets(draft, None, values)
    if draft.faults:
        return
    team_id = draft.id = new_id(TEAM_NUMBER)
    table = TEAM.widened(writer.columns.get(TEAM.name, {}))
    row: dict[str, Any] = {**dict.fromkeys(table.columns), **values}
    row.update(
        id=team_id,
        version=1,
        created_at=draft.at,
        updated_at=draft.at,
        created_by=writer.actor_id,
        updated_by=writer.actor_id,
        owner_id=values.get("lead_id"),
        team_id=team_id,
    )
    draft.create_record(table, row)
    TEAMS.add(draft, team_id, row["parent_id"])


async def _prepare_change(draft: Draft, team_id: str, input: Mapping[str, Json]) -> None:
    old = await _live_team(draft, team_id)
    values = read_values(draft, input, _READERS, _REQUIRED)
    if old is None:
        return
    await _check_targets(draft, team_id, values)
    if draft.faults:
        return
    if "lead_id" in values:
        values["owner_id"] = values["lead_id"]
    draft.update_record(TEAM.widened(draft.writer.columns.get(TEAM.name, {})), old, values)
    if "parent_id" in values and values["parent_id"] != old["parent_id"]:
        TEAMS.move(draft, team_id, values["parent_id"])


async def _prepare_remove(draft: Draft, team_id: str) -> None:
    writer = draft.writer
    old = await _live_team(draft, team_id)
    if old is None:
        return
    for query, en, zh in ((_SUBTEAM, "subteams", "下级团队"), (_BELONGS, "members", "成员")):
        if await query.rows(writer.engine, writer.namespace, id=team_id):
            draft.fault((), "REFERENCED", f"The team still has {en}; move them first", f"团队仍有{zh}，请先移走")
    if draft.faults:
        return
    stamp = {"deleted_at": draft.at, "deleted_by": writer.actor_id, "deletion_id": new_id()}
    draft.update_record(TEAM.widened(writer.columns.get(TEAM.name, {})), old, stamp, op="DELETED")
    TEAMS.remove(draft, team_id)


async def _live_team(draft: Draft, team_id: str) -> Mapping[str, Any] | None:
    writer = draft.writer
    query = live_row(TEAM.widened(writer.columns.get(TEAM.name, {})))
    found = await query.rows(writer.engine, writer.namespace, id=team_id)
    if not found:
        draft.fault((), "NOT_FOUND", "No such team", "团队不存在")
        return None
    draft.id = team_id
    return found[0]


async def _check_targets(draft: Draft, team_id: str | None, values: Mapping[str, Any]) -> None:
    writer = draft.writer
    lead, parent = values.get("lead_id"), values.get("parent_id")
    if lead is not None and not await _LEAD.rows(writer.engine, writer.namespace, id=lead):
        draft.fault(("leadId",), "NOT_FOUND", "No such member", "成员不存在")
    if parent is None:
        return
    if not await _PARENT.rows(writer.engine, writer.namespace, id=parent):
        draft.fault(("parentId",), "NOT_FOUND", "No such team", "团队不存在")
    elif team_id and await TEAMS.is_below(writer.engine, writer.namespace, team_id, parent):
        draft.fault(("parentId",), "VALIDATION", "A team cannot go below itself", "团队不能移到自己的下级")
