"""The preview of a publish: everything that it would change, who would notice, what stands against it, what it costs.

Nothing is written. The GraphQL side is compared by the room above (`Compare`), because types are made there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from access.actor import Actor
from base.errors import DocumentsInvalid, Fault, Text
from metadata.catalog import Catalog
from metadata.publishing.census import Census
from metadata.publishing.cost import NO_COST, Cost, cost_of
from metadata.publishing.diff import Change, diff_catalogs
from metadata.publishing.document_diff import DocumentDifference, diff_documents
from metadata.publishing.failing import Finder
from metadata.publishing.publish import merge, plan_steps
from metadata.publishing.uses import Dependent, dependents, going_things
from metadata.publishing.work import table_works
from metadata.store import Head
from resolvers.failing import FailingRows, shown_failures
from resolvers.publishing import Proposal, check_removals, proposed_catalog, role_faults
from resolvers.runtime import Runtime


class Severity(StrEnum):
    """What a change of the schema means for a client that is in use."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One change of the GraphQL schema. `coordinate` is a schema coordinate: `Opportunity.amount`."""

    severity: Severity
    coordinate: str
    text: Text


Compare: TypeAlias = Callable[[Catalog, Catalog], tuple[SchemaChange, ...]]
"""The schema of a company's owner under two catalogs, compared."""


@dataclass(frozen=True, slots=True)
class ClientUse:
    """Evidence that a client uses something that goes: which coordinates, by which document and credential.

    `document` is the hash of its text, `name` its operation or persisted name, `token` the token's id (None: no
    token), `count` requests in the last 90 days. `persisted` ones are registered, perhaps never seen.
    """

    coordinates: tuple[str, ...]
    document: str
    name: str | None
    token: str | None = None
    token_name: str | None = None
    count: int = 0
    last_at: str | None = None
    persisted: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing a proposal over version `version` would change, and the faults that stand against it."""

    version: int
    faults: tuple[Fault, ...] = ()
    documents: tuple[DocumentDifference, ...] = ()
    changes: tuple[Change, ...] = ()
    schema: tuple[SchemaChange, ...] = ()
    rows: tuple[FailingRows, ...] = ()
    dependents: tuple[Dependent, ...] = ()
    clients: tuple[ClientUse, ...] = ()
    cost: Cost = NO_COST


async def preview(runtime: Runtime, actor: Actor, head: Head, proposal: Proposal, compare: Compare) -> Preview:
    """What publishing would do, with faults of documents and rows. Raises `BadInput` for a removal of nothing."""
    before = head.catalog
    check_removals(before, proposal)
    documents = diff_documents(before.documents, merge(before.documents, proposal.documents, proposal.removals))
    try:
        after = await proposed_catalog(runtime, head, proposal)
    except DocumentsInvalid as error:
        return Preview(head.version, error.faults, documents)
    changes = diff_catalogs(before, after)
    engine, namespace = runtime.engine, actor.namespace
    census = Census(engine, namespace)
    steps = await plan_steps(census, before, after, changes, proposal.allow_loss, engine.dialect)
    faults = [*steps.faults, *await role_faults(runtime, namespace, actor, before, after, proposal)]
    failing = await Finder(engine, namespace, runtime.limits).find(before, after)
    return Preview(
        head.version,
        tuple(faults),
        documents,
        changes,
        compare(before, after),
        await shown_failures(runtime, actor, head, failing),
        dependents(before, going_things(before, changes)),
        cost=cost_of(await table_works(census, before, after, engine.dialect)),
    )
