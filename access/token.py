"""Tokens: `plt_<company>_<secret>`. Only the SHA-256 of the whole text is kept; the text is shown once."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from access.input import Refused, read_name
from access.member import check_roles_given, live_row
from access.right import TOKENS_MANAGE
from access.store import Draft, Writer, Written, write
from access.table import MEMBER, TOKEN, Query, parameter
from base.clock import timestamp
from base.errors import Fault
from base.ids import new_id
from storage.engine import Engine
from storage.types import TIMESTAMP, UUID

PREFIX = "plt"
SECRET_BYTES = 32
"""256 random bits: nobody guesses one, so a plain hash is enough to keep it."""

_TOKEN = re.compile(rf"{PREFIX}_([a-z0-9]{{1,32}})_[A-Za-z0-9._~-]{{16,100}}\Z")

_own = TOKEN.clause
_SHOWN = {name: type_ for name, type_ in TOKEN.columns.items() if name != "hash"}
_ONE = Query(
    sa.select(*[_own.c[name] for name in _SHOWN]).where(
        _own.c["id"] == parameter("id", UUID), _own.c["revoked_at"].is_(None)
    ),
    {"id": UUID},
    _SHOWN,
)
_ALL = Query(
    sa.select(*[_own.c[name] for name in _SHOWN]).where(_own.c["revoked_at"].is_(None)).order_by(_own.c["id"]),
    columns=_SHOWN,
)
_REVOKE = Query(
    sa.update(_own).where(_own.c["id"] == parameter("id", UUID)).values(revoked_at=parameter("at", TIMESTAMP)),
    {"id": UUID, "at": TIMESTAMP},
)
_MEMBER = live_row(MEMBER)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is not revoked, without its secret."""

    id: str
    member_id: str
    name: str
    roles: tuple[str, ...]
    created_at: datetime
    maker_id: str | None  # None: made by the system
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token: `text` is shown now and never again. With faults there is none."""

    id: str | None
    text: str | None
    faults: tuple[Fault, ...] = ()


def token_text(company: str) -> str:
    """A fresh token for a company's public id; it holds only `A-Z a-z 0-9 . _ ~ -`."""
    return f"{PREFIX}_{company}_{secrets.token_urlsafe(SECRET_BYTES)}"


def token_company(text: str) -> str | None:
    """The company that a token claims to belong to; None for a text that is no token."""
    found = _TOKEN.match(text)
    return found[1] if found else None


def token_hash(text: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


async def create_token(
    writer: Writer, company: str, member_id: str, name: str, roles: Sequence[str], expires_at: datetime | None = None
) -> Issued:
    """Make a token that acts as a member with these roles.

    For himself every member may make one; for another member it needs `tokens.manage`. The roles give at most what
    the maker has, now and later: a role that its maker has lost no longer counts. Asked for by means of a token that
    expires, it expires no later, and with that token unless told otherwise.
    """
    if writer.actor is None or writer.actor.member_id != member_id:
        writer.require(TOKENS_MANAGE)
    text = token_text(company)

    written = await write(writer, lambda draft: _prepare_token(draft, text, member_id, name, roles, expires_at))
    return Issued(written.id, None if written.faults else text, written.faults)


async def revoke_token(writer: Writer, token_id: str) -> Written:
    """End a token at once (elsewhere within `limits.actor_seconds`): one's own, or any with `tokens.manage`."""
    return await write(writer, lambda draft: _prepare_revocation(draft, token_id))


async def list_tokens(engine: Engine, namespace: str) -> tuple[Token, ...]:
    """All tokens that are not revoked, oldest first."""
    return tuple(_token(row) for row in await _ALL.rows(engine, namespace))


async def _prepare_token(
    draft: Draft, text: str, member_id: str, name: str, roles: Sequence[str], expires_at: datetime | None
) -> None:
    writer = draft.writer
    try:
        name = read_name(name)
    except Refused as error:
        draft.fault(("name",), "VALIDATION", error.text.en, error.text.zh)
    if not await _MEMBER.rows(writer.engine, writer.namespace, id=member_id):
        draft.fault(("memberId",), "NOT_FOUND", "No such member", "成员不存在")
    latest = None if writer.actor is None else writer.actor.expires_at
    if expires_at is None:
        expires_at = latest
    if expires_at is not None and expires_at <= draft.at:
        draft.fault(("expiresAt",), "VALIDATION", "This instant has passed", "该时间已过")
    elif expires_at is not None and latest is not None and expires_at > latest:
        limit = timestamp(latest)
        en = f"Your own token expires at {limit}: one made with it expires no later"
        draft.fault(("expiresAt",), "VALIDATION", en, f"您的令牌于 {limit} 过期，用它创建的令牌不能更晚过期")
    check_roles_given(draft, roles)
    if draft.faults:
        return
    row: dict[str, Any] = {
        "id": new_id(),
        "hash": token_hash(text),
        "member_id": member_id,
        "name": name,
        "roles": sorted(set(roles)),
        "created_at": draft.at,
        "maker_id": writer.actor_id,
        "expires_at": expires_at,
        "revoked_at": None,
    }
    draft.id = row["id"]
    draft.insert(TOKEN, row)
    draft.note(TOKEN, row["id"], None, {column: row[column] for column in _SHOWN})


async def _prepare_revocation(draft: Draft, token_id: str) -> None:
    writer = draft.writer
    found = await _ONE.rows(writer.engine, writer.namespace, id=token_id)
    if not (writer.actor and found and found[0]["member_id"] == writer.actor.member_id):
        writer.require(TOKENS_MANAGE)
    if not found:
        draft.fault((), "NOT_FOUND", "No such token", "令牌不存在")
        return
    draft.id = token_id
    draft.execute(_REVOKE, id=token_id, at=draft.at)
    draft.note(TOKEN, token_id, found[0], None)


def _token(row: dict[str, Any]) -> Token:
    return Token(
        row["id"],
        row["member_id"],
        row["name"],
        tuple(row["roles"]),
        row["created_at"],
        row["maker_id"],
        row["expires_at"],
    )
