"""Administration of people: members, teams, roles, tokens, and explaining who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from access.effective import Explained, explain
from access.member import add_member, roles_of_member, teams_of_member, update_member
from access.resolve import roles_of
from access.right import MEMBERS_MANAGE, ROLES_MANAGE, SEEING_ROLES, TEAMS_MANAGE, TOKENS_MANAGE
from access.role import Role
from access.store import Written
from access.system import INACTIVE
from access.team import add_team, remove_team, update_team
from access.token import Issued, Token, create_token, list_tokens, revoke_token
from base.errors import BadInput, Text
from base.ids import canonical_id
from base.json import Json
from resolvers.administration import AdminContext

Input = Mapping[str, Json]
"""Values by API name; absent ones stay as they are."""


async def save_member(context: AdminContext, member_id: str | None, input: Input) -> Written:
    """Add a member (no id) or change one."""
    if member_id is None:
        return await context.write(lambda writer: add_member(writer, input))
    known = _id(member_id)
    return await context.write(lambda writer: update_member(writer, known, input))


async def deactivate_member(context: AdminContext, member_id: str) -> Written:
    """Let a member act no more; what he owns stays."""
    return await save_member(context, member_id, {"status": INACTIVE})


async def save_team(context: AdminContext, team_id: str | None, input: Input) -> Written:
    """Add a team (no id), or change or move one."""
    if team_id is None:
        return await context.write(lambda writer: add_team(writer, input))
    known = _id(team_id)
    return await context.write(lambda writer: update_team(writer, known, input))


async def delete_team(context: AdminContext, team_id: str) -> Written:
    """Delete an empty team."""
    known = _id(team_id)
    return await context.write(lambda writer: remove_team(writer, known))


async def access_of(context: AdminContext, member_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A member's roles and teams: his own, or any with the right to manage members or teams."""
    if member_id != context.actor.member_id:
        context.require(MEMBERS_MANAGE, TEAMS_MANAGE)
    engine, namespace, known = context.runtime.engine, context.actor.namespace, _id(member_id)
    return await roles_of_member(engine, namespace, known), await teams_of_member(engine, namespace, known)


def roles_list(context: AdminContext) -> Sequence[Role]:
    """The roles of the head, by name."""
    context.require(*SEEING_ROLES)
    return [role for _, role in sorted(roles_of(context.head.catalog).items())]


async def effective_access(context: AdminContext, member_id: str, entity: str) -> tuple[Explained, ...]:
    """Which grants a member has on an entity, and the roles that they come through.

    It names fields and rules that the member himself may not see: `viewer.can` is what everybody may ask.
    """
    context.require(MEMBERS_MANAGE, ROLES_MANAGE)
    if entity not in context.head.catalog.entities:
        raise BadInput(Text(f"There is no entity '{entity[:80]}'", f"没有实体“{entity[:80]}”"))
    roles = await roles_of_member(context.runtime.engine, context.actor.namespace, _id(member_id))
    return explain(roles_of(context.head.catalog), roles, entity)


async def find_tokens(context: AdminContext) -> tuple[Token, ...]:
    """All tokens with the right to manage them, else the member's own."""
    found = await list_tokens(context.runtime.engine, context.actor.namespace)
    if TOKENS_MANAGE in context.actor.platform:
        return found
    return tuple(token for token in found if token.member_id == context.actor.member_id)


async def issue_token(
    context: AdminContext, member_id: str | None, name: str, roles: Sequence[str], expires_at: str | None
) -> Issued:
    """A new token for the actor himself, or for another member."""
    company, holder = context.actor.company, _id(member_id) if member_id else context.actor.member_id
    until = datetime.fromisoformat(expires_at) if expires_at is not None else None
    return await context.write(lambda writer: create_token(writer, company, holder, name, roles, until))


async def end_token(context: AdminContext, token_id: str) -> Written:
    """Revoke a token."""
    known = _id(token_id)
    return await context.write(lambda writer: revoke_token(writer, known))


_NOBODY = "00000000-0000-0000-0000-000000000000"


def _id(text: str) -> str:
    """An id for the database: text that is none becomes one that nothing has."""
    return canonical_id(text) or _NOBODY
