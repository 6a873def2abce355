"""How a change set gets from its drafts to a publish: conflicts with the head, rebase, preview, publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from access.right import DOCUMENTS_PUBLISH
from base.errors import Conflict, DocumentsInvalid, Fault, Text
from base.json import Json
from metadata.build import Documents
from metadata.changesets import ChangeSet, DocumentDraft, Edit, SetState, seen
from metadata.conflicts import DraftConflict, conflicts_over, theirs_of
from metadata.merging import same
from metadata.publishing.publish import Published
from resolvers.administration import AdminContext
from resolvers.changesets import Saved, change_set, drafts_of, edit_of, ended, saved, set_fault
from resolvers.preview import MakePreview, Preview
from resolvers.publishing import Proposal, proposal_of, publish_as

_ATTEMPTS: Final = 3
"""So often is a set merged over a head that moves under it; then others are always faster."""


class Side(StrEnum):
    """How a conflict is settled: with the merge of both, the draft, or what is published."""

    MERGE = "merge"
    YOURS = "yours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is to become of a conflict: a side, or a `document` that somebody has put together by hand."""

    kind: str
    name: str
    side: Side
    document: Json = None


async def conflicts(context: AdminContext, set_id: str) -> tuple[DraftConflict, ...]:
    """The documents of a set that the head has changed too, since they were first touched."""
    found = await change_set(context, set_id)
    if found.state is not SetState.OPEN:
        return ()
    return conflicts_over(context.head.catalog.documents, await drafts_of(context, found.id))


async def rebase(context: AdminContext, set_id: str, resolutions: Sequence[Resolution], expected: int | None) -> Saved:
    """Bring a set onto the head: all or nothing.

    A conflict is settled as its resolution says, one without a resolution by the merge of both. Where they meet a
    resolution is needed: the faults name each document, and nothing is done.
    """
    context.require(DOCUMENTS_PUBLISH)
    found = await change_set(context, set_id)
    if (fault := set_fault(found, expected)) is not None:
        return Saved(None, (fault,))
    head, drafts = context.head.catalog.documents, await drafts_of(context, found.id)
    told = {(item.kind, item.name): item for item in resolutions}
    edit, faults = edit_of(context, found), list[Fault]()
    disputed = {(item.kind, item.name): item for item in conflicts_over(head, drafts)}
    for key in told.keys() - disputed.keys():
        text = Text(f"{'/'.join(key)} is not in conflict", f"{'/'.join(key)} 没有冲突")
        faults.append(Fault(("resolutions", *key), "NOT_FOUND", text))
    for item in drafts:
        theirs = theirs_of(head, item)
        if same(theirs, item.draft):
            edit.revert(item)
        elif item.key in disputed:
            _settle(edit, item, disputed[item.key], told.get(item.key), faults)
        elif theirs is not item.base:
            edit.put(item.key, theirs, item.draft, item)
    if faults:
        return Saved(None, tuple(faults))
    edit.change(found, replace(found, base_version=context.head.version))
    return await saved(context, edit, found)


async def preview_set(context: AdminContext, set_id: str, allow_loss: Sequence[str], make: MakePreview) -> Preview:
    """What publishing a set would change, and every fault that stands against it, its conflicts first."""
    context.require(DOCUMENTS_PUBLISH)
    found = await change_set(context, set_id)
    drafts = await drafts_of(context, found.id)
    head = context.head
    disputed = conflict_faults(conflicts_over(head.catalog.documents, drafts))
    if found.state is not SetState.OPEN or disputed:
        return Preview(head.version, disputed or (ended(found),))
    proposal = _proposal(head.catalog.documents, found, drafts, allow_loss)
    return await make(context.actor, head, proposal)


async def publish_set(
    context: AdminContext, set_id: str, allow_loss: Sequence[str], expected: int | None
) -> tuple[Published | None, tuple[Fault, ...]]:
    """Publish a set over the head, whatever the head has become; documents that both changed stand against it.

    The set is marked as published in a transaction of its own, after the publish or the publication that prepares it.
    When the process ends before that, publishing the set again finds that everything is as it wants it, and only marks
    it.
    """
    context.require(DOCUMENTS_PUBLISH)
    runtime, actor = context.runtime, context.actor
    found = await change_set(context, set_id)
    if (fault := set_fault(found, expected)) is not None:
        return None, (fault,)
    drafts = await drafts_of(context, found.id)
    if not drafts:
        text = Text("the change set is empty: put documents into it", "变更集为空：请先放入文档")
        return None, (Fault((), "VALIDATION", text),)
    for attempt in range(_ATTEMPTS):
        await runtime.companies.refresh(actor.namespace)
        head = await runtime.companies.head(actor.namespace)
        disputed = conflicts_over(head.catalog.documents, drafts)
        if disputed:
            return None, conflict_faults(disputed)
        proposal = _proposal(head.catalog.documents, found, drafts, allow_loss)
        try:
            fitting = runtime.fitting(actor, head.catalog)
            published = await publish_as(
                runtime, actor.namespace, fitting, head, proposal, head.version, change_set=seen(found, drafts)
            )
        except DocumentsInvalid as error:
            return None, error.faults
        except Conflict:
            if attempt + 1 == _ATTEMPTS:
                raise
        else:
            context.runtime.wake(actor.namespace)
            return published, ()
    raise AssertionError("the last attempt answers or raises")


def _settle(
    edit: Edit, item: DocumentDraft, conflict: DraftConflict, told: Resolution | None, faults: list[Fault]
) -> None:
    side = Side.MERGE if told is None else told.side
    if told is not None and told.document is not None:
        try:
            ((key, document),) = proposal_of([told.document]).documents.items()
        except DocumentsInvalid as error:
            faults.extend(replace(fault, path=("resolutions", *item.key)) for fault in error.faults)
            return
        if key != item.key:
            text = Text(f"must be the document {'/'.join(item.key)}", f"必须是文档 {'/'.join(item.key)}")
            faults.append(Fault(("resolutions", *item.key), "VALIDATION", text))
            return
        edit.put(item.key, conflict.theirs, document, item)
    elif side is Side.YOURS:
        edit.put(item.key, conflict.theirs, item.draft, item)
    elif side is Side.THEIRS or (conflict.mergeable and same(conflict.merged, conflict.theirs)):
        edit.revert(item)
    elif conflict.mergeable:
        edit.put(item.key, conflict.theirs, conflict.merged, item)
    else:
        faults.extend(conflict_faults([conflict]))


def _proposal(
    head: Documents, found: ChangeSet, drafts: Sequence[DocumentDraft], allow_loss: Sequence[str]
) -> Proposal:
    """What a set without conflicts would publish; what the head already is needs no publishing."""
    wanted = [item for item in drafts if not same(theirs_of(head, item), item.draft)]
    documents = {item.key: item.draft for item in wanted if item.draft is not None}
    removals = tuple(item.key for item in wanted if item.draft is None)
    return Proposal(documents, removals, (*found.allow_loss, *allow_loss))


def conflict_faults(disputed: Sequence[DraftConflict]) -> tuple[Fault, ...]:
    """A conflict as a fault: which document, where, and what to do."""
    found = []
    for item in disputed:
        where = [".".join(meeting.path) for meeting in item.meetings]
        both = ", ".join(where[:5]) or "-"
        if item.mergeable:
            en = "was published meanwhile with other changes, which can be merged: rebase the change set"
            zh = "期间已有其他修改发布，且可自动合并：请变基（rebase）变更集"
        else:
            en = f"was published meanwhile with other changes to the same places ({both}): rebase with a resolution"
            zh = f"期间已有其他修改发布，且改动了相同位置（{both}）：请在变基时指定处理方式"
        details: dict[str, Json] = {"paths": where, "mergeable": item.mergeable}
        found.append(Fault((item.kind, item.name), "CONFLICT", Text(en, zh), details))
    return tuple(found)
