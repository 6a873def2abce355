"""Publications under way, and the trash: what administration reads of them and does with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from access.right import DOCUMENTS_PUBLISH, DOCUMENTS_READ
from base.clock import now, timestamp
from base.errors import BadInput, Fault, LimitExceeded, Text
from base.ids import canonical_id, new_id
from metadata.publishing import publication as publications
from metadata.publishing.jobs import drop_trashed
from metadata.publishing.publication import Publication, State, find_publication, list_publications
from metadata.trash import Trashed, find_trashed, load_trash
from resolvers.administration import AdminContext
from storage.batch import Applied, Batch, Cause


async def publications_of(context: AdminContext, first: int) -> tuple[Publication, ...]:
    """Publications that had to be prepared, newest first."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    _check_first(context, first)
    return await list_publications(context.runtime.engine, context.actor.namespace, first)


async def publication_of(context: AdminContext, id: str) -> Publication | None:
    """One publication; None when there is none."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    known = canonical_id(id)
    return None if known is None else await find_publication(context.runtime.engine, context.actor.namespace, known)


async def cancel_publication(context: AdminContext, id: str) -> tuple[Publication | None, tuple[Fault, ...]]:
    """Stop a publication; what it had added is removed by its job."""
    context.require(DOCUMENTS_PUBLISH)
    engine, namespace = context.runtime.engine, context.actor.namespace
    for _ in range(3):
        found = await publication_of(context, id)
        if found is None:
            return None, (_unknown(),)
        if found.state is not State.PREPARING:
            return found, (_ended(found),)
        cancelling = replace(found, state=State.CANCELLING)
        batch = Batch(
            timestamp(now()),
            new_id(),
            Cause(context.actor.member_id, "publish", {"publication": found.id}),
            None,
            statements=(publications.move(found, cancelling, engine.dialect),),
            changes=(publications.event(found, cancelling),),
        )
        if isinstance(await engine.apply(namespace, batch), Applied):
            context.runtime.wake(namespace)
            context.runtime.wake_jobs(namespace)
            return cancelling, ()
    return None, (_unknown(),)


async def trash_of(context: AdminContext) -> Sequence[Trashed]:
    """What is in the trash, newest first."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    return (await load_trash(context.runtime.engine, context.actor.namespace)).items


async def discard_trash(context: AdminContext, id: str) -> tuple[Fault, ...]:
    """Drop a piece of trash for ever, before its time."""
    context.require(DOCUMENTS_PUBLISH)
    engine, namespace = context.runtime.engine, context.actor.namespace
    known = canonical_id(id)
    item = None if known is None else await find_trashed(engine, namespace, known)
    if item is None:
        return (Fault(("id",), "NOT_FOUND", Text("Nothing in the trash has this id", "回收站中没有该 id 对应的内容")),)
    if not await drop_trashed(engine, namespace, item, context.actor.member_id):
        en = "A publication under way may want it back, or it came back already: look again when that has ended"
        return (Fault(("id",), "CONFLICT", Text(en, "正在进行的发布可能需要该内容，或其已被恢复：请稍后再试")),)
    context.runtime.wake(namespace)
    return ()


def _unknown() -> Fault:
    return Fault(("id",), "NOT_FOUND", Text("There is no such publication", "没有这次发布"))


def _ended(found: Publication) -> Fault:
    en = f"the publication is {found.state}: only one that is being prepared can be cancelled"
    zh = f"该发布的状态为 {found.state}：只能取消准备中的发布"
    return Fault(("id",), "CONFLICT", Text(en, zh), {"state": str(found.state)})


def _check_first(context: AdminContext, first: int) -> None:
    most = context.runtime.limits.page_size_max
    if first < 0:
        raise BadInput(Text("'first' must be 0 or more", "“first”必须大于等于 0"))
    if first > most:
        raise LimitExceeded(Text(f"'first' is at most {most}", f"“first”最大为 {most}"), {"limit": most})
