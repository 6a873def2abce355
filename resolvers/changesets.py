"""Change sets for an actor: drafts of several admins, merged per document over whatever the head has become.

Only a document that was changed on both sides stands against publishing; `rebase` settles it. Every function asks for
the right it needs; what its caller can mend comes back as faults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from base.errors import Conflict, DocumentsInvalid, Fault, LimitExceeded, NotFound, Text
from base.ids import canonical_id
from base.json import Json
from metadata.build import Documents
from metadata.changesets import (
    SET_MOVED,
    ChangeSet,
    DocumentDraft,
    Edit,
    SetState,
    create_change_set,
    find_change_set,
    list_change_sets,
    read_drafts,
)
from metadata.document import measure
from metadata.kinds import KINDS
from metadata.merging import Document, Meeting, differing_paths, merge_documents, same
from metadata.publishing.publish import Published
from metadata.versions import former_names
from resolvers.administration import AdminContext
from resolvers.publishing import PUBLISH, READ, ROLES, Key, Preview, Proposal, preview, proposal_of, publish_as
from storage.batch import Applied, GuardFailed, NotUnique, Outcome

_NAME_CHARS: Final = 200
_ATTEMPTS: Final = 3
"""So often is a set merged over a head that moves under it; then others are always faster."""


class Side(StrEnum):
    """How a conflict is settled: with the merge of both, the draft, or what is published."""

    MERGE = "merge"
    YOURS = "yours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class DraftConflict:
    """A document that the set and the head have both changed. `theirs` is the head's; None is one that is not there.

    `paths` are where the two differ, `meetings` where both changed the same. Without `meetings` `merged` is a proposal
    that holds the changes of both.
    """

    kind: str
    name: str
    base: Document | None
    theirs: Document | None
    yours: Document | None
    paths: tuple[tuple[str, ...], ...]
    meetings: tuple[Meeting, ...]
    merged: Document | None

    @property
    def mergeable(self) -> bool:
        """Whether `Side.MERGE` settles it."""
        return not self.meetings


@dataclass(frozen=True, slots=True)
class Resolution:
    """What is to become of a conflict: a side, or a `document` that somebody has put together by hand."""

    kind: str
    name: str
    side: Side
    document: Json = None


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of an edit: the change set as it is now, or the faults that stopped it."""

    change_set: ChangeSet | None
    faults: tuple[Fault, ...] = ()


async def change_sets(context: AdminContext, state: SetState | None, first: int) -> tuple[ChangeSet, ...]:
    """Change sets, newest first."""
    context.require(READ, PUBLISH)
    most = context.runtime.limits.page_size_max
    if not 0 <= first <= most:
        raise LimitExceeded(Text(f"'first' is 0 to {most}", f"“first”须为 0 到 {most}"), {"limit": most})
    return await list_change_sets(context.runtime.engine, context.actor.namespace, state, first)


async def change_set(context: AdminContext, set_id: str) -> ChangeSet:
    """One change set. Raises `NotFound`."""
    context.require(READ, PUBLISH)
    known = canonical_id(set_id)
    found = await find_change_set(context.runtime.engine, context.actor.namespace, known) if known else None
    if found is None:
        raise NotFound(Text(f"There is no change set {set_id[:80]}", f"没有变更集 {set_id[:80]}"))
    return found


async def drafts_of(context: AdminContext, set_id: str) -> tuple[DocumentDraft, ...]:
    """The documents of a change set."""
    context.require(READ, PUBLISH)
    return await read_drafts(context.runtime.engine, context.actor.namespace, set_id)


async def create(context: AdminContext, name: str, allow_loss: Sequence[str]) -> Saved:
    """Begin a change set over the head."""
    context.require(PUBLISH)
    limits, engine, namespace = context.runtime.limits, context.runtime.engine, context.actor.namespace
    if (fault := _name_fault(name)) is not None:
        return Saved(None, (fault,))
    opened = await list_change_sets(engine, namespace, SetState.OPEN, limits.change_sets)
    if len(opened) >= limits.change_sets:
        en = f"at most {limits.change_sets} change sets are open at a time: publish or discard some"
        zh = f"同时打开的变更集最多 {limits.change_sets} 个：请先发布或放弃一些"
        return Saved(None, (Fault((), "LIMIT", Text(en, zh), {"limit": limits.change_sets}),))
    author = context.actor.member_id
    made = await create_change_set(engine, namespace, name, context.head.version, allow_loss, author)
    return Saved(await change_set(context, made))


async def put_document(context: AdminContext, set_id: str, document: Json, expected: int | None) -> Saved:
    """Put a draft into the set, in place of the one of version `expected`; none is expected of a document's first.

    The draft may be unfinished: it is checked when it is previewed and published.
    """
    context.require(PUBLISH)
    try:
        ((key, draft),) = proposal_of([document]).documents.items()
    except DocumentsInvalid as error:
        return Saved(None, tuple(replace(fault, path=("document",)) for fault in error.faults))
    if key[0] not in KINDS.names:
        known = ", ".join(KINDS.names)
        text = Text(f"{key[0][:80]!r} is no kind of document: {known}", f"“{key[0][:80]}”不是文档类型：{known}")
        return Saved(None, (Fault(("document", "kind"), "VALIDATION", text),))
    fault = measure(draft, ("document",), context.runtime.limits)
    if fault is not None:
        return Saved(None, (fault,))
    return await _edit_document(context, set_id, key, draft, expected)


async def remove_document(context: AdminContext, set_id: str, key: Key, expected: int | None) -> Saved:
    """Let the set remove a document of the head."""
    context.require(PUBLISH)
    return await _edit_document(context, set_id, key, None, expected)


async def revert_document(context: AdminContext, set_id: str, key: Key, expected: int | None) -> Saved:
    """Take a document out of the set: the head's stays as it is."""
    context.require(PUBLISH)
    found = await change_set(context, set_id)
    seen = next((item for item in await drafts_of(context, found.id) if item.key == key), None)
    if seen is None:
        text = Text(f"the change set does not hold {'/'.join(key)}", f"变更集中没有 {'/'.join(key)}")
        return Saved(None, (Fault(("name",), "NOT_FOUND", text),))
    if expected is not None and expected != seen.version:
        return Saved(None, (_document_moved(seen.version),))
    edit = _edit(context, found)
    edit.revert(seen)
    return await _saved(context, edit, found)


async def change(
    context: AdminContext, set_id: str, name: str | None, allow_loss: Sequence[str] | None, expected: int | None
) -> Saved:
    """Give a set another name, or say which losses are meant."""
    context.require(PUBLISH)
    found = await change_set(context, set_id)
    if name is not None and (fault := _name_fault(name)) is not None:
        return Saved(None, (fault,))
    if (fault := _set_fault(found, expected)) is not None:
        return Saved(None, (fault,))
    after = replace(
        found,
        name=found.name if name is None else name,
        allow_loss=found.allow_loss if allow_loss is None else tuple(allow_loss),
    )
    edit = _edit(context, found)
    edit.change(found, after)
    return await _saved(context, edit, found)


async def discard(context: AdminContext, set_id: str, expected: int | None) -> Saved:
    """End a set without publishing it. Its drafts can still be read."""
    context.require(PUBLISH)
    found = await change_set(context, set_id)
    if (fault := _set_fault(found, expected)) is not None:
        return Saved(None, (fault,))
    edit = _edit(context, found)
    edit.change(found, replace(found, state=SetState.DISCARDED), await drafts_of(context, found.id))
    return await _saved(context, edit, found)


async def conflicts(context: AdminContext, set_id: str) -> tuple[DraftConflict, ...]:
    """The documents of a set that the head has changed too, since they were first touched."""
    found = await change_set(context, set_id)
    if found.state is not SetState.OPEN:
        return ()
    return conflicts_over(context.head.catalog.documents, await drafts_of(context, found.id))


def conflicts_over(head: Documents, drafts: Sequence[DocumentDraft]) -> tuple[DraftConflict, ...]:
    """The drafts that a head has changed too: it is not their base any more, and not what they want."""
    found = []
    for item in drafts:
        theirs = _theirs(head, item)
        if same(theirs, item.base) or same(theirs, item.draft):
            continue
        merged = merge_documents(item.base, theirs, item.draft)
        paths = differing_paths(theirs, item.draft)
        found.append(DraftConflict(*item.key, item.base, theirs, item.draft, paths, merged.meetings, merged.document))
    return tuple(found)


async def rebase(context: AdminContext, set_id: str, resolutions: Sequence[Resolution], expected: int | None) -> Saved:
    """Bring a set onto the head: all or nothing.

    A conflict is settled as its resolution says, one without a resolution by the merge of both. Where they meet a
    resolution is needed: the faults name each document, and nothing is done.
    """
    context.require(PUBLISH)
    found = await change_set(context, set_id)
    if (fault := _set_fault(found, expected)) is not None:
        return Saved(None, (fault,))
    head, drafts = context.head.catalog.documents, await drafts_of(context, found.id)
    told = {(item.kind, item.name): item for item in resolutions}
    edit, faults = _edit(context, found), list[Fault]()
    disputed = {(item.kind, item.name): item for item in conflicts_over(head, drafts)}
    for key in told.keys() - disputed.keys():
        text = Text(f"{'/'.join(key)} is not in conflict", f"{'/'.join(key)} 没有冲突")
        faults.append(Fault(("resolutions", *key), "NOT_FOUND", text))
    for item in drafts:
        theirs = _theirs(head, item)
        if same(theirs, item.draft):
            edit.revert(item)
        elif item.key in disputed:
            _settle(edit, item, disputed[item.key], told.get(item.key), faults)
        elif theirs is not item.base:
            edit.put(item.key, theirs, item.draft, item)
    if faults:
        return Saved(None, tuple(faults))
    edit.change(found, replace(found, base_version=context.head.version))
    return await _saved(context, edit, found)


async def preview_set(context: AdminContext, set_id: str, allow_loss: Sequence[str]) -> Preview:
    """What publishing a set would change, and every fault that stands against it, its conflicts first."""
    context.require(PUBLISH)
    found = await change_set(context, set_id)
    drafts = await drafts_of(context, found.id)
    head = context.head
    disputed = _faults(conflicts_over(head.catalog.documents, drafts))
    if found.state is not SetState.OPEN or disputed:
        return Preview((), disputed or (_ended(found),))
    proposal = _proposal(head.catalog.documents, found, drafts, allow_loss)
    return await preview(context.runtime, context.actor, head, proposal)


async def publish_set(
    context: AdminContext, set_id: str, allow_loss: Sequence[str], expected: int | None
) -> tuple[Published | None, tuple[Fault, ...]]:
    """Publish a set over the head, whatever the head has become; documents that both changed stand against it.

    The set is marked as published in a transaction of its own. When the process ends before that, publishing the set
    again finds that everything is as it wants it, and only marks it.
    """
    context.require(PUBLISH)
    runtime, actor = context.runtime, context.actor
    found = await change_set(context, set_id)
    if (fault := _set_fault(found, expected)) is not None:
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
            return None, _faults(disputed)
        proposal = _proposal(head.catalog.documents, found, drafts, allow_loss)
        try:
            fitting = runtime.fitting(actor, head.catalog)
            published = await publish_as(runtime, actor.namespace, fitting, head, proposal, head.version)
        except DocumentsInvalid as error:
            return None, error.faults
        except Conflict:
            if attempt + 1 == _ATTEMPTS:
                raise
        else:
            await _finish(context, found, drafts, published)
            return published, ()
    raise AssertionError("the last attempt answers or raises")


async def _finish(
    context: AdminContext, found: ChangeSet, drafts: Sequence[DocumentDraft], published: Published
) -> None:
    """Mark a set as published. One that was edited meanwhile stays open, over what was published of it."""
    engine, namespace = context.runtime.engine, context.actor.namespace
    edit = _edit(context, found)
    edit.change(found, replace(found, state=SetState.PUBLISHED, published_version=published.version), drafts)
    if isinstance(await edit.apply(engine, namespace), Applied):
        context.runtime.wake(namespace)
        return
    edit = _edit(context, found)
    for item in await read_drafts(engine, namespace, found.id):
        before = next((one for one in drafts if one.key == item.key), None)
        if before is not None and before.version == item.version:
            edit.revert(item)
        elif before is not None:
            edit.put(item.key, before.draft, item.draft, item)
    await edit.apply(engine, namespace)  # a third edit in between shows as a conflict, which merges


async def _edit_document(
    context: AdminContext, set_id: str, key: Key, draft: Mapping[str, Json] | None, expected: int | None
) -> Saved:
    if key[0] == "role":
        context.require(ROLES)
    found = await change_set(context, set_id)
    if (fault := _set_fault(found, None)) is not None:
        return Saved(None, (fault,))
    drafts = await drafts_of(context, found.id)
    seen = next((item for item in drafts if item.key == key), None)
    if expected is not None and expected != (0 if seen is None else seen.version):
        return Saved(None, (_document_moved(0 if seen is None else seen.version),))
    if seen is not None and expected is None:
        text = Text(
            f"the change set holds {'/'.join(key)} already: say which version you have seen (expectedVersion)",
            f"变更集中已有 {'/'.join(key)}：请用 expectedVersion 注明您看到的版本",
        )
        return Saved(None, (Fault(("expectedVersion",), "CONFLICT", text, {"version": seen.version}),))
    most = context.runtime.limits.change_set_documents
    if seen is None and len(drafts) >= most:
        text = Text(f"a change set holds at most {most} documents", f"一个变更集最多包含 {most} 个文档")
        return Saved(None, (Fault((), "LIMIT", text, {"limit": most}),))
    base = seen.base if seen is not None else None
    if base is None:
        base = _base_of(context.head.catalog.documents, key, draft)
    if draft is None and base is None:
        text = Text(f"there is no document {'/'.join(key)} to remove", f"没有可删除的文档 {'/'.join(key)}")
        return Saved(None, (Fault(("name",), "NOT_FOUND", text),))
    edit = _edit(context, found)
    edit.put(key, base, draft, seen)
    return await _saved(context, edit, found)


def _base_of(head: Documents, key: Key, draft: Document | None) -> Document | None:
    """The head's document that a draft changes: of its name, else the one that it renames."""
    if key in head:
        return head[key]
    names = former_names(draft) if draft is not None else ()
    return next((head[key[0], was] for was in names if (key[0], was) in head), None)


def _theirs(head: Documents, item: DocumentDraft) -> Document | None:
    """What has become of a draft's base in the head; a rename that others made too is found under its new name."""
    return head.get(item.base_key) or head.get(item.key)


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
        faults.extend(_faults([conflict]))


def _proposal(
    head: Documents, found: ChangeSet, drafts: Sequence[DocumentDraft], allow_loss: Sequence[str]
) -> Proposal:
    """What a set without conflicts would publish; what the head already is needs no publishing."""
    wanted = [item for item in drafts if not same(_theirs(head, item), item.draft)]
    documents = {item.key: item.draft for item in wanted if item.draft is not None}
    removals = tuple(item.key for item in wanted if item.draft is None)
    return Proposal(documents, removals, (*found.allow_loss, *allow_loss))


def _edit(context: AdminContext, found: ChangeSet) -> Edit:
    return Edit(context.runtime.engine, context.actor.member_id, found)


async def _saved(context: AdminContext, edit: Edit, found: ChangeSet) -> Saved:
    outcome = await edit.apply(context.runtime.engine, context.actor.namespace)
    if isinstance(outcome, Applied):
        context.runtime.wake(context.actor.namespace)
        return Saved(await change_set(context, found.id))
    return Saved(None, (_refused(outcome, await change_set(context, found.id)),))


def _refused(outcome: Outcome, found: ChangeSet) -> Fault:
    match outcome:
        case GuardFailed(token) if token == SET_MOVED:
            return _set_fault(found, None) or _set_moved(found)
        case GuardFailed() | NotUnique():
            return _document_moved(None)
        case _:
            return _set_moved(found)


def _set_fault(found: ChangeSet, expected: int | None) -> Fault | None:
    if found.state is not SetState.OPEN:
        return _ended(found)
    return _set_moved(found) if expected is not None and expected != found.version else None


def _ended(found: ChangeSet) -> Fault:
    done = {SetState.PUBLISHED: Text("is published", "已发布"), SetState.DISCARDED: Text("is discarded", "已放弃")}
    word = done[found.state]
    text = Text(f"the change set {word.en}: begin another one", f"变更集{word.zh}：请新建一个")
    return Fault((), "CONFLICT", text, {"state": found.state.name})


def _set_moved(found: ChangeSet) -> Fault:
    text = Text(
        f"the change set is at version {found.version} now: read it again",
        f"变更集当前版本为 {found.version}：请重新读取",
    )
    return Fault(("expectedVersion",), "CONFLICT", text, {"version": found.version})


def _document_moved(version: int | None) -> Fault:
    text = Text("somebody else has edited this document: read it again", "其他人已修改此文档：请重新读取")
    return Fault(("expectedVersion",), "CONFLICT", text, {} if version is None else {"version": version})


def _faults(disputed: Sequence[DraftConflict]) -> tuple[Fault, ...]:
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


def _name_fault(name: str) -> Fault | None:
    if name.strip() and len(name) <= _NAME_CHARS:
        return None
    text = Text(f"a name has 1 to {_NAME_CHARS} characters", f"名称须为 1 到 {_NAME_CHARS} 个字符")
    return Fault(("name",), "VALIDATION", text)
