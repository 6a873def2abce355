"""Members: adding, changing, giving roles and teams. Fixed fields of `member` change here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from access.closure import REPORTS
from access.comparison import lacking
from access.input import (
    Reader,
    read_date,
    read_email,
    read_id,
    read_list,
    read_locale,
    read_name,
    read_status,
    read_text,
    read_time_zone,
    read_values,
    require_keys,
)
from access.resolve import Resolver, RoleBook, roles_of
from access.right import MEMBERS_MANAGE, SEEING_ROLES, TEAMS_MANAGE
from access.store import Draft, Writer, Written, write
from access.system import ACTIVE, MEMBER_NUMBER
from access.table import MEMBER, MEMBER_ROLE, TEAM, TEAM_MEMBER, Query, Table, parameter
from base.errors import Fault, Text
from base.ids import new_id
from base.json import Json
from base.registry import hint
from storage.engine import Engine
from storage.sql import constant
from storage.types import TEXT, UUID

ROLES = "roles"
TEAM_IDS = "teamIds"

_READERS: Mapping[str, tuple[str, Reader]] = {
    "name": ("name", read_name),
    "email": ("email", read_email),
    "locale": ("locale", read_locale),
    "timeZone": ("time_zone", read_time_zone),
    "status": ("status", read_status),
    "managerId": ("manager_id", read_id),
    "hiredOn": ("hired_on", read_date),
    "leftOn": ("left_on", read_date),
    ROLES: (ROLES, lambda value: read_list(value, read_text)),
    TEAM_IDS: (TEAM_IDS, lambda value: read_list(value, read_id)),
}
_REQUIRED = frozenset({"name", "status", ROLES, TEAM_IDS})
_OWN = frozenset({"name", "locale", "timeZone"})
"""What a member may change of himself without any right."""


def live_row(table: Table) -> Query:
    """A live row of an entity's table by its id, with all known columns."""
    own = table.clause
    wanted = [own.c[name] for name in table.columns]
    clause = sa.select(*wanted).where(own.c["id"] == parameter("id", UUID), own.c["deleted_at"].is_(None))
    return Query(clause, {"id": UUID}, table.columns)


def _links(table: Table, key: str, wanted: str) -> Query:
    own = table.clause
    clause = sa.select(own.c[wanted]).where(own.c[key] == parameter("id", UUID)).order_by(own.c[wanted])
    return Query(clause, {"id": UUID}, {wanted: table.columns[wanted]})


def _unlink(table: Table, key: str, other: str) -> Query:
    own = table.clause
    clause = sa.delete(own).where(
        own.c[key] == parameter("id", UUID), own.c[other] == parameter("other", table.columns[other])
    )
    return Query(clause, {"id": UUID, "other": table.columns[other]})


_member = MEMBER.clause.alias("m")
_role = MEMBER_ROLE.clause.alias("r")


def _held(column: sa.ColumnClause[Any]) -> sa.Select[Any]:
    """A column of the roles that active members have."""
    held = sa.select(column).select_from(_role.join(_member, _member.c["id"] == _role.c["member_id"]))
    return held.where(_member.c["status"] == constant(ACTIVE), _member.c["deleted_at"].is_(None))


_HOLDERS = Query(
    _held(_role.c["member_id"]).where(_role.c["role"] == parameter("role", TEXT)).limit(constant(2)),
    {"role": TEXT},
    {"member_id": UUID},
)
"""Two holders are enough to know whether there is one beside a given member."""

_LIVE = live_row(MEMBER)
_TEAM = live_row(TEAM)
_own = MEMBER.clause
_BY_EMAIL = Query(
    sa.select(_own.c["id"]).where(_own.c["email"] == parameter("email", TEXT), _own.c["deleted_at"].is_(None)),
    {"email": TEXT},
    {"id": UUID},
)
_ROLES_OF = _links(MEMBER_ROLE, "member_id", "role")
_TEAMS_OF = _links(TEAM_MEMBER, "member_id", "team_id")
_ACTIVE_ROLES_OF = Query(
    _held(_role.c["role"]).where(_role.c["member_id"] == parameter("id", UUID)).order_by(_role.c["role"]),
    {"id": UUID},
    {"role": TEXT},
)
_DROP_ROLE = _unlink(MEMBER_ROLE, "member_id", "role")
_DROP_TEAM = _unlink(TEAM_MEMBER, "member_id", "team_id")


async def add_member(writer: Writer, input: Mapping[str, Json]) -> Written:
    """Add a member: `name` and perhaps email, locale, timeZone, status, managerId, hiredOn, leftOn, roles, teamIds.

    The first team becomes the one that his rows belong to. Needs `members.manage`, and every right of the roles given.
    """
    writer.require(MEMBERS_MANAGE)
    return await write(writer, lambda draft: prepare_member(draft, input))


async def update_member(writer: Writer, member_id: str, input: Mapping[str, Json]) -> Written:
    """Change a member; absent keys stay, `roles` and `teamIds` are whole lists.

    Needs `members.manage`; `teams.manage` is enough for teamIds alone, and a member may change his own name, locale
    and time zone.
    """
    own = writer.actor is not None and writer.actor.member_id == member_id and set(input) <= _OWN
    if not own:
        writer.require(TEAMS_MANAGE if set(input) == {TEAM_IDS} else MEMBERS_MANAGE)
    return await write(writer, lambda draft: prepare_change(draft, member_id, input))


async def find_member(engine: Engine, namespace: str, email: str) -> str | None:
    """The id of the live member with an e-mail address, in whatever case; None when there is none."""
    rows = await _BY_EMAIL.rows(engine, namespace, email=email.strip().lower())
    return str(rows[0]["id"]) if rows else None


async def roles_of_member(engine: Engine, namespace: str, member_id: str) -> tuple[str, ...]:
    """The names of a member's roles, sorted."""
    return tuple(row["role"] for row in await _ROLES_OF.rows(engine, namespace, id=member_id))


async def active_roles_of_member(engine: Engine, namespace: str, member_id: str) -> tuple[str, ...]:
    """The names of the roles that a member may use now, sorted: none once he is inactive or deleted."""
    return tuple(row["role"] for row in await _ACTIVE_ROLES_OF.rows(engine, namespace, id=member_id))


async def holders_of(engine: Engine, namespace: str, role: str) -> tuple[str, ...]:
    """The ids of active members who have a role by its name; two at most, which is enough to know of another one."""
    return tuple(str(row["member_id"]) for row in await _HOLDERS.rows(engine, namespace, role=role))


async def teams_of_member(engine: Engine, namespace: str, member_id: str) -> tuple[str, ...]:
    """The ids of a member's teams, sorted."""
    return tuple(row["team_id"] for row in await _TEAMS_OF.rows(engine, namespace, id=member_id))


async def manager_remains(engine: Engine, namespace: str, book: RoleBook, resolver: Resolver) -> bool:
    """Whether an active member holds `members.manage` under these roles: asked before roles are published."""
    return await _other_manager(engine, namespace, manager_roles(book, resolver), None)


def manager_roles(book: RoleBook, resolver: Resolver) -> tuple[str, ...]:
    """The roles that give `members.manage`, by themselves or through what they include, old names too."""
    names = {name for role in roles_of(book).values() for name in (role.name, *role.was)}
    return tuple(name for name in sorted(names) if MEMBERS_MANAGE in resolver.grants(book, [name]).platform)


async def prepare_member(draft: Draft, input: Mapping[str, Json]) -> None:
    """Put a new member into a draft; `draft.id` is his id."""
    writer = draft.writer
    require_keys(draft, input, frozenset({"name"}))
    values = read_values(draft, input, _READERS, _REQUIRED)
    roles, teams = values.pop(ROLES, None) or (), values.pop(TEAM_IDS, None) or ()
    member_id = draft.id = new_id(MEMBER_NUMBER)
    await _check_manager(draft, None, values.get("manager_id"))
    await _check_teams(draft, teams)
    check_roles_given(draft, roles)
    if draft.faults:
        return
    _unique_email(draft)
    table = MEMBER.widened(writer.columns.get(MEMBER.name, {}))
    row: dict[str, Any] = dict.fromkeys(table.columns)
    row.update(status=ACTIVE, **{key: value for key, value in values.items() if value is not None})
    row.update(
        id=member_id,
        version=1,
        created_at=draft.at,
        updated_at=draft.at,
        created_by=writer.actor_id,
        updated_by=writer.actor_id,
        owner_id=member_id,
        team_id=teams[0] if teams else None,
    )
    draft.create_record(table, row)
    REPORTS.add(draft, member_id, row["manager_id"])
    _link(draft, MEMBER_ROLE, "role", member_id, (), roles)
    _link(draft, TEAM_MEMBER, "team_id", member_id, (), teams)


async def prepare_change(draft: Draft, member_id: str, input: Mapping[str, Json]) -> None:
    """Put changes of a member into a draft."""
    writer = draft.writer
    table = MEMBER.widened(writer.columns.get(MEMBER.name, {}))
    found = await live_row(table).rows(writer.engine, writer.namespace, id=member_id)
    if not found:
        draft.fault((), "NOT_FOUND", "No such member", "成员不存在")
        return
    old = found[0]
    draft.id = member_id
    values = read_values(draft, input, _READERS, _REQUIRED)
    roles, teams = values.pop(ROLES, None), values.pop(TEAM_IDS, None)
    old_roles = await roles_of_member(writer.engine, writer.namespace, member_id)
    old_teams = await teams_of_member(writer.engine, writer.namespace, member_id)
    new_roles = old_roles if roles is None else roles
    if values.get("manager_id") is not None:
        await _check_manager(draft, member_id, values["manager_id"])
    await _check_teams(draft, [team for team in teams or () if team not in old_teams])
    check_roles_given(draft, [role for role in new_roles if role not in old_roles])
    status = values.get("status", old["status"])
    await _check_last_manager(draft, old, old_roles, status, new_roles)
    if draft.faults:
        return
    _unique_email(draft)
    if teams is not None:
        values["team_id"] = teams[0] if teams else None
        _link(draft, TEAM_MEMBER, "team_id", member_id, old_teams, teams)
    if roles is not None:
        _link(draft, MEMBER_ROLE, "role", member_id, old_roles, roles)
    draft.update_record(table, old, values)
    if "manager_id" in values and values["manager_id"] != old["manager_id"]:
        REPORTS.move(draft, member_id, values["manager_id"])


def check_roles_given(draft: Draft, names: Iterable[str], path: tuple[str, ...] = (ROLES,)) -> None:
    """Faults for roles that do not exist; nobody grants what he lacks.

    Whoever may not see the roles gets one answer for both: another would tell him their names and what they give.
    """
    writer = draft.writer
    known = roles_of(writer.book)
    seeing = writer.actor is None or writer.actor.has(*SEEING_ROLES)
    for name in names:
        missing = _lacking(writer, name) if name in known else ()
        if name in known and not missing:
            continue
        if not seeing:
            en = f"There is no role '{name}' that you may give"
            draft.fault(path, "VALIDATION", en, f"没有您可以授予的角色“{name}”")
        elif missing:
            some = ", ".join(missing[:5])
            en = f"Role '{name}' gives what you do not have yourself: {some}"
            draft.fault(path, "VALIDATION", en, f"角色“{name}”包含您自己没有的权限：{some}")
        else:
            near = hint(name, known)
            draft.fault(path, "VALIDATION", f"Unknown role '{name}'{near.en}", f"未知角色“{name}”{near.zh}")


def _lacking(writer: Writer, role: str) -> tuple[str, ...]:
    """What a role gives and the actor does not have; the system has everything."""
    if writer.actor is None:
        return ()
    return lacking(writer.actor.grants, writer.resolver.grants(writer.book, [role]))


async def _check_manager(draft: Draft, member_id: str | None, manager_id: str | None) -> None:
    if manager_id is None:
        return
    writer = draft.writer
    path = ("managerId",)
    if not await _LIVE.rows(writer.engine, writer.namespace, id=manager_id):
        draft.fault(path, "NOT_FOUND", "No such member", "成员不存在")
    elif member_id and await REPORTS.is_below(writer.engine, writer.namespace, member_id, manager_id):
        draft.fault(path, "VALIDATION", "Nobody reports to himself or to his own reports", "不能汇报给自己或自己的下属")


async def _check_teams(draft: Draft, teams: Iterable[str]) -> None:
    for team in teams:
        if not await _TEAM.rows(draft.writer.engine, draft.writer.namespace, id=team):
            draft.fault((TEAM_IDS,), "NOT_FOUND", "No such team", "团队不存在")


async def _check_last_manager(
    draft: Draft, old: Mapping[str, Any], old_roles: Iterable[str], status: str, new_roles: Iterable[str]
) -> None:
    writer = draft.writer
    giving = manager_roles(writer.book, writer.resolver)
    before = old["status"] == ACTIVE and any(role in giving for role in old_roles)
    after = status == ACTIVE and any(role in giving for role in new_roles)
    if before and not after and not await _other_manager(writer.engine, writer.namespace, giving, old["id"]):
        draft.fault(
            ("status",) if status != ACTIVE else (ROLES,),
            "RULE",
            "This is the last active member who may manage members; give another member that right first",
            "这是最后一位可管理成员的在职成员，请先将该权限授予其他成员",
        )


async def _other_manager(engine: Engine, namespace: str, roles: Iterable[str], member_id: str | None) -> bool:
    for role in roles:
        if any(row["member_id"] != member_id for row in await _HOLDERS.rows(engine, namespace, role=role)):
            return True
    return False


def _unique_email(draft: Draft) -> None:
    text = Text("Another member has this e-mail address", "该电子邮箱已被其他成员使用")
    draft.refusals["unique"] = Fault(("email",), "NOT_UNIQUE", text)


def _link(draft: Draft, table: Table, column: str, member_id: str, old: Iterable[str], new: Iterable[str]) -> None:
    before, after = sorted(old), sorted(new)
    if before == after:
        return
    drop = _DROP_ROLE if table is MEMBER_ROLE else _DROP_TEAM
    for item in before:
        if item not in after:
            draft.execute(drop, id=member_id, other=item)
    draft.insert(table, *({"member_id": member_id, column: item} for item in after if item not in before))
    draft.note(table, member_id, {column: before}, {column: after})
