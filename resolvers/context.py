"""The context of one request: whose eyes, which version, and what the answer is told to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from access.actor import Actor
from events.log import read_head
from metadata.catalog import Catalog
from metadata.store import Head
from records.snapshot import Snapshot
from records.surface import Surface, surface_of
from resolvers.runtime import Runtime
from storage.batch import Cause


@dataclass
class Context:
    """`info.context` of every resolver, and what compiled operations run with.

    `operation` is the name in the document; it goes into the cause of writes. `kept` is the request's own memory of
    loaders, empty until the stock executor asks.
    """

    runtime: Runtime
    head: Head
    actor: Actor
    surface: Surface
    locale: str
    request_id: str = ""
    operation: str | None = None
    kept: dict[Any, Any] = field(default_factory=dict)
    snapshot: Snapshot = field(init=False)
    """The company's rows as the actor may see them."""

    def __post_init__(self) -> None:
        self._look()

    @property
    def catalog(self) -> Catalog:
        """The catalog that the request sees."""
        return self.head.catalog

    @property
    def version(self) -> int:
        """The company's version number of that catalog."""
        return self.head.version

    @property
    def cause(self) -> Cause:
        """Who and what makes the writes of this request."""
        detail = {"requestId": self.request_id, "operation": self.operation, "tokenId": self.actor.token_id}
        return Cause(self.actor.member_id, "request", {name: value for name, value in detail.items() if value})

    async def advance(self) -> bool:
        """Go on with the company's new head, once a write was told of it.

        False when there is none, or when something that the request may name is no longer there.
        """
        runtime, namespace = self.runtime, self.actor.namespace
        await runtime.companies.refresh(namespace)
        head = await runtime.companies.head(namespace)
        actor = runtime.fitting(self.actor, head.catalog)
        if head.version == self.head.version or not _within(self.surface, surface_of(head.catalog, actor.grants)):
            return False
        self.head, self.actor = head, actor
        self.kept.clear()
        self._look()
        return True

    def _look(self) -> None:
        runtime, actor, head = self.runtime, self.actor, self.head
        self.snapshot = Snapshot(
            runtime.engine, actor.namespace, head.catalog, head.version, actor, runtime.limits, runtime.sealer
        )

    async def position(self) -> int:
        """The last position of the company's log that the request sees."""
        return (await read_head(self.runtime.engine, self.actor.namespace)).position


def _within(old: Surface, new: Surface) -> bool:
    """Whether whatever one surface names exists in the other too."""
    return all(
        name in new.entities
        and seen.readable <= new.entities[name].readable
        and seen.relations <= new.entities[name].relations
        and seen.createable <= new.entities[name].createable
        and seen.updatable <= new.entities[name].updatable
        and seen.operations <= new.entities[name].operations
        for name, seen in old.entities.items()
    )
