"""The preview of a publish: everything that it would change, who would notice, what stands against it, what it costs.

Nothing is written. The GraphQL side is compared by the room above (`Compare`), because types are made there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from access.actor import Actor
from access.token import list_tokens
from base.clock import timestamp
from base.errors import DocumentsInvalid, Fault, Text
from metadata.catalog import Catalog
from metadata.persisted import persisted_texts
from metadata.publishing.census import Census
from metadata.publishing.cost import NO_COST, Cost, cost_of
from metadata.publishing.diff import Change
from metadata.publishing.document_diff import DocumentDifference, diff_documents
from metadata.publishing.failing import Failing, Finder
from metadata.publishing.planning import Planned, beside_trash, merge, plan_publish
from metadata.publishing.table_work import table_works
from metadata.publishing.uses import Dependent, dependents, going_things
from metadata.store import Head
from metadata.trash import Trash
from metadata.usage import Use, read_uses, summed
from resolvers.failing import FailingRows, shown_failures
from resolvers.publishing import Proposal, check_removals, role_faults
from resolvers.runtime import Runtime

_TOKENS: Final = "tokens.manage"
"""Who lacks it is told the ids of tokens, not their names."""


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

ReadDocument: TypeAlias = Callable[[Catalog, str], Collection[str]]
"""The schema coordinates that a GraphQL document names, as the company's owner sees them; none for what is invalid."""


@dataclass(frozen=True, slots=True)
class ClientUse:
    """Evidence that a client uses something that goes: which coordinates, by which document, credential and form.

    `document` is the hash of its text, `name` its operation or persisted name, `token` the token's id (None: no
    token), `form` the form that its requests name, `count` requests in the last 90 days. `persisted` ones are
    registered, perhaps never seen.
    """

    coordinates: tuple[str, ...]
    document: str
    name: str | None
    token: str | None = None
    token_name: str | None = None
    form: str | None = None
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


MakePreview: TypeAlias = Callable[[Actor, Head, Proposal], Awaitable[Preview]]
"""Previews a proposal over a head, the GraphQL side included; given by the room above."""


def clients_of(uses: Iterable[Use], changes: Iterable[SchemaChange], names: Mapping[str, str]) -> Iterator[ClientUse]:
    """Who was seen using what breaks, most frequent first; `names` are those of tokens by id."""
    breaking = {change.coordinate for change in changes if change.severity is Severity.BREAKING}
    hits = ((tuple(name for name in use.document.coordinates if name in breaking), use) for use in uses)
    seen = summed(
        ((hit, use.document.document, use.document.name, use.token, use.form), use) for hit, use in hits if hit
    )
    for (hit, document, name, token, form), (count, last) in seen.items():
        who = names.get(token) if token is not None else None
        yield ClientUse(hit, document, name, token, who, form, count, timestamp(last))


async def _clients(
    runtime: Runtime, actor: Actor, before: Catalog, schema: tuple[SchemaChange, ...], read: ReadDocument
) -> tuple[ClientUse, ...]:
    """Clients by evidence of use, then persisted documents that would break though nobody was seen with them."""
    if runtime.usage is not None:
        await runtime.usage.flush()
    engine, namespace = runtime.engine, actor.namespace
    may_name = _TOKENS in actor.platform
    uses = await read_uses(engine, namespace, runtime.limits)
    names = {token.id: token.name for token in await list_tokens(engine, namespace)} if may_name else {}
    found = list(clients_of(uses, schema, names))
    breaking = {change.coordinate for change in schema if change.severity is Severity.BREAKING}
    if breaking:
        for item, text in (await persisted_texts(engine, namespace)).items():
            hit = tuple(name for name in read(before, text) if name in breaking)
            if hit:
                found.append(ClientUse(hit, item.id, item.name, persisted=True))
    return tuple(found)


async def preview(
    runtime: Runtime, actor: Actor, head: Head, proposal: Proposal, compare: Compare, read: ReadDocument
) -> Preview:
    """What publishing would do, with faults of documents and rows. Raises `BadInput` for a removal of nothing."""
    before = head.catalog
    check_removals(before, proposal)
    wanted = merge(before.documents, proposal.documents, proposal.removals)
    documents = diff_documents(before.documents, wanted)
    engine, namespace = runtime.engine, actor.namespace
    losses, limits = proposal.allow_loss, runtime.limits

    async def looked(_: Trash) -> tuple[Planned, tuple[Failing, ...]]:
        """The plan, and the records that fail."""
        made = await plan_publish(engine, namespace, head, proposal.documents, proposal.removals, losses, limits)
        return made, await Finder(engine, namespace, limits, made.plan).find()

    try:
        planned, failing = await beside_trash(engine, namespace, looked)
    except DocumentsInvalid as error:
        return Preview(head.version, error.faults, documents)
    after, changes = planned.catalog, planned.changes
    told = {(fault.path, fault.code) for fault in planned.faults}
    blocking = (item.fault() for item in failing if item.blocks and item.count)
    faults = [*planned.faults, *(fault for fault in blocking if (fault.path, fault.code) not in told)]
    faults += await role_faults(runtime, namespace, actor, before, after, proposal)
    schema = compare(before, after)
    works = await table_works(Census(engine, namespace), planned)
    return Preview(
        head.version,
        tuple(faults),
        documents,
        changes,
        schema,
        await shown_failures(runtime, actor, head, failing),
        dependents(before, going_things(before, changes)),
        await _clients(runtime, actor, before, schema, read),
        cost_of(works, prepared=not planned.at_once),
    )
