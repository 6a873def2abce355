"""Who asks: the one authenticate() of all doors. The company comes from the credentials alone."""

from __future__ import annotations

from typing import Protocol

from access.actor import Actor
from base.errors import Text, Unauthenticated

CHALLENGE = 'Bearer realm="pliant"'
"""What a 401 says in WWW-Authenticate."""

_MISSING = Text("Send a token: Authorization: Bearer plt_…", "请提供令牌：Authorization: Bearer plt_…")


class Authenticator(Protocol):
    """Whoever knows tokens."""

    async def authenticate(self, token: str) -> Actor:
        """The actor behind a token. Raises `Unauthenticated`."""


async def authenticate(authenticator: Authenticator, authorization: bytes | None) -> Actor:
    """The actor of a request by its Authorization header. Raises `Unauthenticated`."""
    token = bearer(authorization)
    if token is None:
        raise Unauthenticated(_MISSING)
    return await authenticator.authenticate(token)


def bearer(authorization: bytes | None) -> str | None:
    """The token of `Bearer <token>` (RFC 6750; the scheme in any case), or None."""
    if authorization is None or authorization[:7].lower() != b"bearer ":
        return None
    try:
        return authorization[7:].strip().decode("ascii") or None
    except UnicodeDecodeError:
        return None
