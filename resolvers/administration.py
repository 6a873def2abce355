"""Administration of a company: its documents, versions and persisted documents, for an actor with the rights.

Each function asks for the right that it needs; what its caller can mend comes back as faults.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from access.actor import Actor
from access.replica import Replica, list_replicas
from access.right import DOCUMENTS_PUBLISH, DOCUMENTS_READ
from access.store import Writer
from base.errors import BadInput, Conflict, DocumentsInvalid, Fault, LimitExceeded, NotFound, SchemaChanged, Text
from base.json import Json
from base.limits import Limits
from metadata.adopting.adopt import Adopted, adopt
from metadata.build import Documents
from metadata.layers import Layer, layer_of, read_layers
from metadata.persisted import Persisted, list_persisted, register_document, remove_persisted
from metadata.publishing.publish import Published
from metadata.store import Head, Version, list_versions
from metadata.usage import Use, read_uses
from resolvers.preview import MakePreview, Preview
from resolvers.publishing import Key, proposal_of, publish_as
from resolvers.runtime import Runtime

T = TypeVar("T")

_NAME_CHARS: Final = 200

_ATTEMPTS: Final = 3  # publishes may follow each other


@dataclass(frozen=True, slots=True)
class AdminContext:
    """`info.context` of the administration's resolvers. The actor's grants are those of the head."""

    runtime: Runtime
    actor: Actor
    head: Head
    locale: str
    request_id: str

    def require(self, *rights: str) -> None:
        """Raise `Forbidden` unless the actor has one of these platform rights."""
        self.actor.require(*rights)

    async def write(self, work: Callable[[Writer], Awaitable[T]]) -> T:
        """Run a verb of access (`write_access`) as the actor."""
        return await write_access(self.runtime, self.actor.namespace, self.head, self.actor, work)


async def write_access(
    runtime: Runtime, namespace: str, head: Head, actor: Actor | None, work: Callable[[Writer], Awaitable[T]]
) -> T:
    """Run a verb of access, as the system when there is no actor; on the new head when a publish came between."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await work(runtime.writer(namespace, head, actor))
        except SchemaChanged:
            known = head.version
            await runtime.companies.refresh(namespace)
            head = await runtime.companies.head(namespace)
            if head.version == known:
                raise
            actor = runtime.fitting(actor, head.catalog) if actor is not None else None
    return await work(runtime.writer(namespace, head, actor))


def documents_of(context: AdminContext, kind: str | None) -> Documents:
    """The documents of the head, as authored, of one kind or of all."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    documents = context.head.catalog.documents
    return {key: document for key, document in sorted(documents.items()) if kind is None or key[0] == kind}


def find_document(context: AdminContext, kind: str, name: str) -> Any:
    """One document as authored. Raises `NotFound`."""
    found = documents_of(context, kind).get((kind, name))
    if found is None:
        raise NotFound(Text(f"There is no document {kind}/{name}", f"没有文档 {kind}/{name}"))
    return found


async def layers_of(context: AdminContext, documents: Documents) -> Mapping[Key, Layer]:
    """The layers of these documents of the head; the company's own have none."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    known = await read_layers(context.runtime.engine, context.actor.namespace)
    present = context.head.catalog.documents.keys()
    found = ((key, layer_of(known, key, document, present)) for key, document in documents.items())
    return {key: layer for key, layer in found if layer is not None}


async def find_versions(context: AdminContext, first: int, before: int | None) -> tuple[Version, ...]:
    """Published versions, newest first."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    most = context.runtime.limits.page_size_max
    if first < 0:
        raise BadInput(Text("'first' must be 0 or more", "“first”必须大于等于 0"))
    if first > most:
        raise LimitExceeded(Text(f"'first' is at most {most}", f"“first”最大为 {most}"), {"limit": most})
    return await list_versions(context.runtime.engine, context.actor.namespace, first, before)


def adopt_schema(context: AdminContext, schema: Json, name: str | None) -> tuple[Adopted | None, tuple[Fault, ...]]:
    """An entity document made of a foreign JSON Schema, or the faults that stand against it."""
    context.require(DOCUMENTS_PUBLISH)
    try:
        return adopt(schema, name, context.runtime.limits), ()
    except DocumentsInvalid as error:
        return None, error.faults


async def preview_documents(
    context: AdminContext,
    documents: Sequence[Json],
    removals: Sequence[Key],
    allow_loss: Sequence[str],
    make: MakePreview,
) -> Preview:
    """What publishing would change, and every fault that stands against it; `make` also compares the GraphQL side."""
    context.require(DOCUMENTS_PUBLISH)
    try:
        proposal = proposal_of(documents, removals, allow_loss)
    except DocumentsInvalid as error:
        return Preview(context.head.version, error.faults)
    return await make(context.actor, context.head, proposal)


async def find_uses(context: AdminContext) -> Sequence[Use]:
    """Evidence of use in the days that are kept, what is counted until now included."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    runtime = context.runtime
    if runtime.usage is not None:
        await runtime.usage.flush()
    return await read_uses(runtime.engine, context.actor.namespace, runtime.limits)


async def publish_documents(
    context: AdminContext,
    documents: Sequence[Json],
    removals: Sequence[Key],
    allow_loss: Sequence[str],
    expected_version: int | None,
) -> tuple[Published | None, tuple[Fault, ...]]:
    """Publish in one step. Another version than expected, or one that came between, is a CONFLICT among the faults."""
    context.require(DOCUMENTS_PUBLISH)
    runtime, actor = context.runtime, context.actor
    await runtime.companies.refresh(actor.namespace)
    head = await runtime.companies.head(actor.namespace)
    expected = head.version if expected_version is None else expected_version
    try:
        proposal = proposal_of(documents, removals, allow_loss)
        fitting = runtime.fitting(actor, head.catalog)
        return await publish_as(runtime, actor.namespace, fitting, head, proposal, expected), ()
    except DocumentsInvalid as error:
        return None, error.faults
    except Conflict as error:
        return None, (Fault(("expectedVersion",), error.code, error.text, error.details),)


async def find_replicas(context: AdminContext) -> tuple[Replica, ...]:
    """The processes that serve, each with the version of this company that it served last."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    return await list_replicas(context.runtime.engine, context.actor.namespace)


async def find_persisted(context: AdminContext) -> tuple[Persisted, ...]:
    """The registered documents."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    return await list_persisted(context.runtime.engine, context.actor.namespace)


async def persist(context: AdminContext, document_id: str, text: str, name: str | None) -> tuple[Fault, ...]:
    """Register a document under its id."""
    context.require(DOCUMENTS_PUBLISH)
    limits = context.runtime.limits
    if not text or len(text) > limits.document_chars:
        en = f"a document has 1 to {limits.document_chars} characters"
        zh = f"文档须为 1 到 {limits.document_chars} 个字符"
        return (Fault(("text",), "VALIDATION", Text(en, zh)),)
    if name is not None and len(name) > _NAME_CHARS:
        en, zh = f"a name has at most {_NAME_CHARS} characters", f"名称最多 {_NAME_CHARS} 个字符"
        return (Fault(("name",), "VALIDATION", Text(en, zh)),)
    actor = context.actor
    await register_document(context.runtime.engine, actor.namespace, document_id, text, name, actor.member_id)
    context.runtime.wake(actor.namespace)
    return ()


async def forget_persisted(context: AdminContext, document_id: str) -> tuple[Fault, ...]:
    """Remove a registered document."""
    context.require(DOCUMENTS_PUBLISH)
    actor = context.actor
    if not await remove_persisted(context.runtime.engine, actor.namespace, document_id, actor.member_id):
        return (Fault(("id",), "NOT_FOUND", Text("No persisted document has this id", "没有该 id 对应的持久化文档")),)
    context.runtime.persisted.forget(actor.namespace, document_id)
    context.runtime.wake(actor.namespace)
    return ()


def limits_of(limits: Limits) -> dict[str, float]:
    """Every limit of this server by its name."""
    return {item.name: getattr(limits, item.name) for item in fields(limits)}
