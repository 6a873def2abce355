"""Compiled schemas, kept by content: companies with equal documents and actors with equal surfaces share one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import strawberry

from access.grant import GrantSet
from base.errors import PliantError
from base.limits import DEFAULTS, Limits
from metadata.catalog import Catalog
from records.surface import Surface, surface_of
from resolvers.roots import roots
from resolvers.variables import Coercers
from schema.adapter import merge
from schema.bounded import Bounded
from schema.document import Binding, CompiledDocument, compile_document
from schema.shared import STRUCTURAL_ENUMS
from schema.types_root import ResolverOf


class CompiledSchema:
    """What can be asked of one catalog within one surface, with the documents that were asked."""

    def __init__(self, catalog: Catalog, surface: Surface, resolver_of: ResolverOf, limits: Limits) -> None:
        self.catalog = catalog
        self.surface = surface
        self.roots = roots(catalog, surface)
        self._merged = merge(catalog, surface, self.roots, resolver_of)
        self.core = self._merged.core
        self._binding = Binding(
            self.core, catalog, self.roots, Coercers(STRUCTURAL_ENUMS, limits.input_objects), limits
        )
        self._documents: Bounded[str, CompiledDocument] = Bounded(limits.cached_documents)

    @property
    def strawberry_schema(self) -> strawberry.Schema:
        """The schema as Strawberry's transports and its executor take it."""
        return self._merged.strawberry

    def document(self, text: str) -> CompiledDocument:
        """A document ready to run, compiled at its first use. Raises `LimitExceeded` and `DocumentInvalid`."""
        found = self._documents.get(text)
        if found is None:
            found = self._documents.put(text, compile_document(text, self._binding))
        return found

    def texts(self, most: int) -> list[str]:
        """The documents asked for lately, the last one first."""
        return self._documents.newest(most)


class SchemaCache:
    """Compiled schemas by the hashes of catalog and surface; at most `limits.cached_schemas`."""

    def __init__(self, resolver_of: ResolverOf, limits: Limits = DEFAULTS) -> None:
        self._resolver_of = resolver_of
        self._limits = limits
        self._surfaces: Bounded[tuple[str, str], Surface] = Bounded(limits.cached_schemas * 4)
        self._schemas: Bounded[tuple[str, str], CompiledSchema] = Bounded(limits.cached_schemas)

    def __len__(self) -> int:
        return len(self._schemas)

    def surface(self, catalog: Catalog, grants: GrantSet) -> Surface:
        """The surface of a grant set, taken once."""
        key = (catalog.hash, grants.hash)
        found = self._surfaces.get(key)
        return found if found is not None else self._surfaces.put(key, surface_of(catalog, grants))

    def get(self, catalog: Catalog, grants: GrantSet) -> CompiledSchema:
        """The compiled schema for an actor's grants; building one takes some ten milliseconds at 200 entities."""
        surface = self.surface(catalog, grants)
        key = (catalog.hash, surface.hash)
        found = self._schemas.get(key)
        if found is None:
            found = self._schemas.put(key, CompiledSchema(catalog, surface, self._resolver_of, self._limits))
        return found

    async def follow(self, before: Catalog, old: GrantSet, after: Catalog, new: GrantSet, documents: int) -> None:
        """Make the schema that takes another one's place, with so many of its documents, before anybody asks for it.

        In a thread, so that requests go on meanwhile; documents that hold no longer are left out.
        """
        known = self._schemas.get((before.hash, self.surface(before, old).hash))
        if known is None:
            return
        texts = known.texts(documents)
        surface, schema = await asyncio.to_thread(self._made, after, new, texts)
        key = (after.hash, surface.hash)
        self._surfaces.put((after.hash, new.hash), surface)
        if self._schemas.get(key) is None:
            self._schemas.put(key, schema)

    def _made(self, catalog: Catalog, grants: GrantSet, texts: Sequence[str]) -> tuple[Surface, CompiledSchema]:
        surface = surface_of(catalog, grants)
        schema = CompiledSchema(catalog, surface, self._resolver_of, self._limits)
        for text in texts:
            with suppress(PliantError):
                schema.document(text)
        return surface, schema
