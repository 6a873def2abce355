"""The seat: where work from outside any request is done, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from access.actor import Actor
from access.company import Company
from access.credentials import act_as
from access.resolve import Resolver
from access.store import Writer
from base.errors import Conflict, Text
from base.limits import DEFAULTS, Limits
from metadata.store import Catalogs, Head
from records.reading.cursor import Sealer
from records.snapshot import Snapshot
from storage.engine import Engine


def _nobody(namespace: str) -> None:
    """Nobody wants to know of a commit."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A company, and the member whose rights hold for what is read and written here.

    `committed` is told the namespace after each commit.
    """

    engine: Engine
    company: Company
    member_id: str
    catalogs: Catalogs
    sealer: Sealer
    resolver: Resolver = field(default_factory=Resolver)
    limits: Limits = DEFAULTS
    committed: Callable[[str], None] = _nobody

    async def head(self) -> Head:
        """What the company serves now. Raises `Conflict` before its first publish."""
        head = await self.catalogs.head(self.company.namespace)
        if head is None:
            raise Conflict(Text("The company has no documents yet: publish some first", "公司尚无文档：请先发布"))
        return head

    async def snapshot(self) -> Snapshot:
        """The newest catalog through the member's eyes. Raises `NotFound` when he is no longer active."""
        head = await self.head()
        actor = await self.actor(head)
        return Snapshot(
            self.engine, self.company.namespace, head.catalog, head.version, actor, self.limits, self.sealer
        )

    async def actor(self, head: Head) -> Actor:
        """The member with all his roles."""
        return await act_as(self.engine, self.company, self.member_id, head.catalog, self.resolver)

    async def writer(self) -> Writer:
        """The system's hand for members and teams."""
        head = await self.head()
        return Writer(
            self.engine,
            self.company.namespace,
            head.catalog,
            head.version,
            None,
            self.resolver,
            committed=self.committed,
        )
