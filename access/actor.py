"""The actor of a request: a member, perhaps through a token, with the grants of his roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from access.grant import GrantSet
from base.errors import Forbidden, Text


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. A token acts as its member: `member_id`, own rows and createdBy are that member's."""

    company: str  # public id
    namespace: str
    member_id: str
    name: str
    email: str | None
    team_ids: tuple[str, ...]  # teams he belongs to (his own; closures are tables)
    roles: tuple[str, ...]
    grants: GrantSet
    locale: str = "en"
    token_id: str | None = None
    expires_at: datetime | None = None  # when his token does
    default_team_id: str | None = None  # what teamId becomes on create
    catalog: str = ""  # the hash of the catalog that `grants` were resolved in, where it is known

    @property
    def platform(self) -> frozenset[str]:
        """His platform rights."""
        return self.grants.platform

    def has(self, *rights: str) -> bool:
        """Whether he has one of these platform rights."""
        return not self.grants.platform.isdisjoint(rights)

    def require(self, *rights: str) -> None:
        """Raise `Forbidden`, with the first of them, unless he has one of these platform rights."""
        if not self.has(*rights):
            wanted = rights[0]
            raise Forbidden(Text(f"This needs the right '{wanted}'", f"此操作需要权限“{wanted}”"), {"right": wanted})
