"""The preview of a publish as the administration and the command line ask for it: with the GraphQL side compared."""

from __future__ import annotations

from access.actor import Actor
from metadata.store import Head
from resolvers.preview import Preview, preview
from resolvers.publishing import Proposal
from resolvers.runtime import Runtime
from schema.difference import compare_catalogs


async def preview_of(runtime: Runtime, actor: Actor, head: Head, proposal: Proposal) -> Preview:
    """What publishing a proposal would change, who would notice, and what stands against it; nothing is written."""
    return await preview(runtime, actor, head, proposal, compare_catalogs)
