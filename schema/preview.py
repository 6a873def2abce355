"""The preview of a publish as the administration and the command line ask for it: with the GraphQL side compared."""

from __future__ import annotations

from collections.abc import Collection

from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode, parse

from access.actor import Actor
from metadata.catalog import Catalog
from metadata.store import Head
from resolvers.preview import Preview, preview
from resolvers.publishing import Proposal
from resolvers.runtime import Runtime
from schema.coordinates import coordinates_of
from schema.difference import compare_catalogs, owners_schema


async def preview_of(runtime: Runtime, actor: Actor, head: Head, proposal: Proposal) -> Preview:
    """What publishing a proposal would change, who would notice, and what stands against it; nothing is written."""
    return await preview(runtime, actor, head, proposal, compare_catalogs, _Reader())


class _Reader:
    """Reads persisted documents against the owner's schema, which is made when the first one is read."""

    def __init__(self) -> None:
        self._schemas: dict[str, GraphQLSchema] = {}

    def __call__(self, catalog: Catalog, text: str) -> Collection[str]:
        """The coordinates that a document names."""
        schema = self._schemas.get(catalog.hash)
        if schema is None:
            schema = self._schemas[catalog.hash] = owners_schema(catalog).core
        try:
            node = parse(text, no_location=True)
            operations = [item for item in node.definitions if isinstance(item, OperationDefinitionNode)]
            return {name for item in operations for name in coordinates_of(schema, node, item, {}).found}
        except (GraphQLError, RecursionError):
            return ()
