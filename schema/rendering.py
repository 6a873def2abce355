"""Introspection and SDL, rendered off the event loop and kept as bytes.

A large schema takes a second to write out, so a thread makes a schema of its own for it: the one that requests use is
never touched by two threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TypeVar

import orjson
from graphql import OperationDefinitionNode

from base.limits import Limits
from metadata.catalog import Catalog
from records.surface import Surface
from resolvers.roots import roots
from resolvers.variables import Coerced
from schema.adapter import merge
from schema.bounded import Bounded
from schema.cache import CompiledSchema
from schema.document import CompiledDocument
from schema.flat import FlatSchema
from schema.introspection import introspect
from schema.sdl import Sdl, sdl_of
from schema.types_root import ResolverOf

_KEPT = 64
"""Answers kept: each is up to megabytes, and a company's clients ask two or three forms of it."""

R = TypeVar("R")


class Rendering:
    """What is written out of schemas, by content; the same thing is written once though many ask for it."""

    def __init__(self, resolver_of: ResolverOf, limits: Limits) -> None:
        self._resolver_of = resolver_of
        self._kept: Bounded[Hashable, object] = Bounded(min(_KEPT, limits.cached_schemas))
        self._going: dict[Hashable, asyncio.Future[object]] = {}

    async def introspection(
        self, schema: CompiledSchema, document: CompiledDocument, node: OperationDefinitionNode, coerced: Coerced
    ) -> bytes:
        """The JSON bytes of the `data` of an operation of the document, or of the part of it, that is introspection."""
        catalog, surface = schema.catalog, schema.surface
        name = node.name.value if node.name else None
        key = (catalog.hash, surface.hash, document.text, name, repr(coerced.values))

        def render() -> bytes:
            """Runs in a thread, on a schema that nobody else has."""
            whole = self._fresh(catalog, surface)
            return orjson.dumps(introspect(whole, document.node, node, coerced.values))

        return await self._once(key, render)

    async def sdl(self, catalog: Catalog, surface: Surface) -> Sdl:
        """A schema in the schema definition language, with its ETag."""
        return await self._once((catalog.hash, surface.hash), lambda: sdl_of(self._fresh(catalog, surface)))

    def _fresh(self, catalog: Catalog, surface: Surface) -> FlatSchema:
        return merge(catalog, surface, roots(catalog, surface), self._resolver_of).core

    async def _once(self, key: Hashable, render: Callable[[], R]) -> R:
        kept = self._kept.get(key)
        if kept is None:
            going = self._going.get(key)
            if going is None:
                going = self._going[key] = asyncio.ensure_future(asyncio.to_thread(render))
                going.add_done_callback(lambda _: self._going.pop(key, None))
            # one reader who goes away does not take the answer from the others
            kept = self._kept.put(key, await asyncio.shield(going))
        return kept  # type: ignore[return-value]
