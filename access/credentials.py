"""From a token to an actor: one look-up, kept for a few seconds, dropped when access changes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from access.actor import Actor
from access.company import Company, State, find_company
from access.comparison import lacking
from access.grant import GrantSet
from access.member import active_roles_of_member, roles_of_member, teams_of_member
from access.resolve import Resolver, RoleBook
from access.system import ACTIVE
from access.table import MEMBER, TOKEN, Query, parameter
from access.token import token_company, token_hash
from base.clock import now
from base.errors import NotFound, Text, Unauthenticated
from base.limits import DEFAULTS, Limits
from storage.engine import Engine
from storage.sql import constant
from storage.types import TEXT, TEXTS, TIMESTAMP, UUID

CatalogOf = Callable[[Company], Awaitable[RoleBook]]
"""The head catalog of a company: `metadata.store.Catalogs` behind it, so mostly an answer from memory."""

MAX_CACHED_ACTORS = 10_000
"""Actors kept in one process; the one read longest ago goes first."""

_token = TOKEN.clause.alias("t")
_member = MEMBER.clause.alias("m")
_COLUMNS = {
    "id": UUID,
    "roles": TEXTS,
    "maker_id": UUID,
    "expires_at": TIMESTAMP,
    "member_id": UUID,
    "name": TEXT,
    "email": TEXT,
    "locale": TEXT,
    "team_id": UUID,
}
_LOOK_UP = Query(
    sa.select(
        *[_token.c[name] for name in ("id", "roles", "maker_id", "expires_at", "member_id")],
        *[_member.c[name] for name in ("name", "email", "locale", "team_id")],
    )
    .select_from(_token.join(_member, _member.c["id"] == _token.c["member_id"]))
    .where(
        _token.c["hash"] == parameter("hash", TEXT),
        _token.c["revoked_at"].is_(None),
        _member.c["deleted_at"].is_(None),
        _member.c["status"] == constant(ACTIVE),
    ),
    {"hash": TEXT},
    _COLUMNS,
)
_MEMBER_COLUMNS = {name: _COLUMNS[name] for name in ("member_id", "name", "email", "locale", "team_id")}
_ACTIVE_MEMBER = Query(
    sa.select(_member.c["id"], *[_member.c[name] for name in ("name", "email", "locale", "team_id")]).where(
        _member.c["id"] == parameter("id", UUID),
        _member.c["deleted_at"].is_(None),
        _member.c["status"] == constant(ACTIVE),
    ),
    {"id": UUID},
    _MEMBER_COLUMNS,
)


@dataclass(slots=True)
class _Known:
    """What was read for one token; `actor` belongs to the catalog of hash `catalog`."""

    company: Company
    row: dict[str, Any]
    teams: tuple[str, ...]
    maker_roles: tuple[str, ...] | None
    until: datetime
    catalog: str = ""
    actor: Actor | None = None


class Credentials:
    """Authenticates tokens for every door. Unknown, expired, revoked, foreign and suspended look the same."""

    def __init__(
        self,
        engine: Engine,
        resolver: Resolver | None = None,
        limits: Limits = DEFAULTS,
        size: int = MAX_CACHED_ACTORS,
    ) -> None:
        self._engine = engine
        self._resolver = resolver or Resolver()
        self._age = timedelta(seconds=limits.actor_seconds)
        self._size = size
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._turn = 0

    def __len__(self) -> int:
        return len(self._known)

    async def authenticate(self, token: str, catalog_of: CatalogOf) -> Actor:
        """The actor behind a token, with the grants of the company's head catalog. Raises `Unauthenticated`."""
        company_id = token_company(token)
        if company_id is None:
            raise _refusal()
        key = token_hash(token)
        known = self._known.get(key)
        at = now()
        if known is None or known.until <= at:
            known = await self._read(company_id, key, at)
        expires_at = known.row["expires_at"]
        if expires_at is not None and expires_at <= at:
            raise _refusal()
        book = await catalog_of(known.company)
        if known.actor is None or known.catalog != book.hash:
            known.actor, known.catalog = self._actor(known, book), book.hash
        return known.actor

    def forget(self, namespace: str) -> None:
        """Drop what is known of a company: after its access events, a suspension, a deletion."""
        self._turn += 1
        for key in [key for key, known in self._known.items() if known.company.namespace == namespace]:
            del self._known[key]

    async def _read(self, company_id: str, key: str, at: datetime) -> _Known:
        self._known.pop(key, None)
        turn = self._turn
        company = await find_company(self._engine, company_id)
        if company is None or company.state is not State.ACTIVE:
            raise _refusal()
        namespace = company.namespace
        rows = await _LOOK_UP.rows(self._engine, namespace, hash=key)
        if not rows:
            raise _refusal()
        row = rows[0]
        teams = await teams_of_member(self._engine, namespace, row["member_id"])
        maker_roles = None
        if row["maker_id"] is not None:
            maker_roles = await active_roles_of_member(self._engine, namespace, row["maker_id"])
        known = _Known(company, row, teams, maker_roles, at + self._age)
        # What was read while somebody changed access is good for this request only.
        if turn == self._turn:
            self._known[key] = known
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return known

    def _actor(self, known: _Known, book: RoleBook) -> Actor:
        row = known.row
        roles = tuple(row["roles"])
        if known.maker_roles is not None:
            maker = self._resolver.grants(book, known.maker_roles)
            roles = tuple(role for role in roles if not lacking(maker, self._resolver.grants(book, [role])))
        grants = self._resolver.grants(book, roles)
        return _made(known.company, row, known.teams, roles, grants, row["id"], book.hash, row["expires_at"])


async def act_as(engine: Engine, company: Company, member_id: str, book: RoleBook, resolver: Resolver) -> Actor:
    """The actor that a member is by himself, with all his roles: for work that the system does in his name.

    Raises `NotFound` when there is no such active member.
    """
    rows = await _ACTIVE_MEMBER.rows(engine, company.namespace, id=member_id)
    if not rows:
        raise NotFound(Text("No such active member", "没有此在职成员"))
    roles = await roles_of_member(engine, company.namespace, member_id)
    teams = await teams_of_member(engine, company.namespace, member_id)
    return _made(company, rows[0], teams, roles, resolver.grants(book, roles), None, book.hash)


def _made(
    company: Company,
    row: dict[str, Any],
    teams: tuple[str, ...],
    roles: tuple[str, ...],
    grants: GrantSet,
    token_id: str | None,
    catalog: str,
    expires_at: datetime | None = None,
) -> Actor:
    return Actor(
        company=company.id,
        namespace=company.namespace,
        member_id=row["member_id"],
        name=row["name"],
        email=row["email"],
        team_ids=teams,
        roles=roles,
        grants=grants,
        locale=row["locale"] or "en",
        token_id=token_id,
        expires_at=expires_at,
        default_team_id=row["team_id"],
        catalog=catalog,
    )


def _refusal() -> Unauthenticated:
    return Unauthenticated(Text("These credentials are not valid", "凭据无效"))
