"""Who asks, and what he may do: plain data behind `viewer`."""

from __future__ import annotations

from typing import Protocol

from access.actor import Actor
from access.grant import Operation
from metadata.catalog import Catalog
from records.surface import Surface


class ViewerContext(Protocol):
    """What `viewer` and `meta` need of a request's context (`info.context`)."""

    @property
    def actor(self) -> Actor:
        """Who asks."""

    @property
    def catalog(self) -> Catalog:
        """The catalog that the request sees."""

    @property
    def version(self) -> int:
        """The company's version number of that catalog."""

    @property
    def surface(self) -> Surface:
        """What exists for the actor."""

    async def position(self) -> int:
        """The last position of the company's log that the request sees."""


def rights_of(surface: Surface, entity: str) -> dict[str, bool]:
    """Operation name -> whether it exists for the actor on some rows; all False for an entity he cannot read."""
    seen = surface.entities.get(entity)
    allowed = seen.operations if seen is not None else frozenset()
    return {operation.value: operation in allowed for operation in Operation}
