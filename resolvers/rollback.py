"""Going back to an old version, and looking at one.

A rollback is a publish: the old version's documents over the head, and the removal of what did not exist then. What
was renamed since then is followed by `metadata.returning`; what was removed comes back with its values while they are
kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from access.actor import Actor
from access.right import DOCUMENTS_PUBLISH, DOCUMENTS_READ
from base.errors import BadInput, DocumentsInvalid, Fault, Text
from metadata.build import Documents
from metadata.merging import same
from metadata.publishing.publish import Published
from metadata.returning import returning
from metadata.store import Head, list_versions
from metadata.versions import Difference, differences, read_bodies
from resolvers.administration import AdminContext
from resolvers.preview import MakePreview, Preview
from resolvers.publishing import Proposal, publish_as
from resolvers.runtime import Runtime


@dataclass(frozen=True, slots=True)
class VersionDocuments:
    """A version with its documents as they were authored."""

    version: int
    hash: str
    created_at: datetime
    author_id: str | None
    documents: Documents


async def version_documents(context: AdminContext, number: int) -> VersionDocuments:
    """One version. Raises `NotFound`."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    engine, namespace = context.runtime.engine, context.actor.namespace
    (body,) = await read_bodies(engine, namespace, _number(number))
    (found,) = await list_versions(engine, namespace, 1, number + 1)
    return VersionDocuments(number, found.hash, found.created_at, found.author_id, body.documents)


async def version_changes(context: AdminContext, number: int) -> tuple[Difference, ...]:
    """What a version changed of the documents before it."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    bodies = await read_bodies(context.runtime.engine, context.actor.namespace, number - 1, _number(number))
    return differences(bodies[0].documents, bodies[1].documents)


async def version_diff(context: AdminContext, before: int, after: int) -> tuple[Difference, ...]:
    """What differs between two versions; 0 is the empty company. Raises `NotFound`."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    bodies = await read_bodies(context.runtime.engine, context.actor.namespace, before, after)
    return differences(bodies[0].documents, bodies[1].documents)


async def rollback_proposal(
    runtime: Runtime, namespace: str, head: Head, to: int, allow_loss: Sequence[str] = ()
) -> Proposal:
    """What takes a company from its head back to the documents of an old version. Raises `NotFound`, `BadInput`."""
    old, now = await read_bodies(runtime.engine, namespace, _number(to), head.version)
    documents = {
        key: document
        for key, document in returning(old, now).items()
        if key not in now.documents or not same(document, now.documents[key])
    }
    removals = tuple(sorted(now.documents.keys() - old.documents.keys()))
    return Proposal(documents, removals, tuple(allow_loss))


async def rollback_as(
    runtime: Runtime,
    namespace: str,
    actor: Actor | None,
    head: Head,
    to: int,
    allow_loss: Sequence[str] = (),
    expected_version: int | None = None,
    wait_seconds: float | None = None,
) -> Published:
    """Publish an old version's documents; `actor` None is the system. Raises as `publish_as` does."""
    proposal = await rollback_proposal(runtime, namespace, head, to, allow_loss)
    return await publish_as(runtime, namespace, actor, head, proposal, expected_version, wait_seconds)


async def preview_rollback(context: AdminContext, to: int, allow_loss: Sequence[str], make: MakePreview) -> Preview:
    """What a rollback would change, and every fault that stands against it."""
    context.require(DOCUMENTS_PUBLISH)
    runtime, namespace = context.runtime, context.actor.namespace
    proposal = await rollback_proposal(runtime, namespace, context.head, to, allow_loss)
    return await make(context.actor, context.head, proposal)


async def rollback(
    context: AdminContext, to: int, allow_loss: Sequence[str], expected: int | None
) -> tuple[Published | None, tuple[Fault, ...]]:
    """Go back to the documents of an old version, as a new version."""
    context.require(DOCUMENTS_PUBLISH)
    head = context.head
    if expected is not None and expected != head.version:
        text = Text(f"The company is at version {head.version} now", f"公司当前版本为 {head.version}")
        return None, (Fault(("expectedVersion",), "CONFLICT", text, {"version": head.version}),)
    try:
        runtime, actor = context.runtime, context.actor
        return await rollback_as(runtime, actor.namespace, actor, head, to, allow_loss, head.version), ()
    except DocumentsInvalid as error:
        return None, error.faults


def _number(version: int) -> int:
    if version < 1:
        raise BadInput(Text("versions begin with 1", "版本号从 1 开始"))
    return version
