"""Change sets for an actor: drafts of several admins, edited document by document.

Every function asks for the right it needs; what its caller can mend comes back as faults. How a set meets the head is
told in `resolvers.changeset_merge`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from access.right import DOCUMENTS_PUBLISH, DOCUMENTS_READ, ROLES_MANAGE
from base.errors import DocumentsInvalid, Fault, LimitExceeded, NotFound, Text
from base.ids import canonical_id
from base.json import Json
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
from metadata.conflicts import base_of
from metadata.document import measure
from metadata.kinds import KINDS
from resolvers.administration import AdminContext
from resolvers.publishing import Key, proposal_of
from storage.batch import Applied, GuardFailed, NotUnique, Outcome

_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of an edit: the change set as it is now, or the faults that stopped it."""

    change_set: ChangeSet | None
    faults: tuple[Fault, ...] = ()


async def change_sets(context: AdminContext, state: SetState | None, first: int) -> tuple[ChangeSet, ...]:
    """Change sets, newest first."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    most = context.runtime.limits.page_size_max
    if not 0 <= first <= most:
        raise LimitExceeded(Text(f"'first' is 0 to {most}", f"“first”须为 0 到 {most}"), {"limit": most})
    return await list_change_sets(context.runtime.engine, context.actor.namespace, state, first)


async def change_set(context: AdminContext, set_id: str) -> ChangeSet:
    """One change set. Raises `NotFound`."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    known = canonical_id(set_id)
    found = await find_change_set(context.runtime.engine, context.actor.namespace, known) if known else None
    if found is None:
        raise NotFound(Text(f"There is no change set {set_id[:80]}", f"没有变更集 {set_id[:80]}"))
    return found


async def drafts_of(context: AdminContext, set_id: str) -> tuple[DocumentDraft, ...]:
    """The documents of a change set."""
    context.require(DOCUMENTS_READ, DOCUMENTS_PUBLISH)
    return await read_drafts(context.runtime.engine, context.actor.namespace, set_id)


async def create(context: AdminContext, name: str, allow_loss: Sequence[str]) -> Saved:
    """Begin a change set over the head."""
    context.require(DOCUMENTS_PUBLISH)
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
    context.require(DOCUMENTS_PUBLISH)
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
    context.require(DOCUMENTS_PUBLISH)
    return await _edit_document(context, set_id, key, None, expected)


async def revert_document(context: AdminContext, set_id: str, key: Key, expected: int | None) -> Saved:
    """Take a document out of the set: the head's stays as it is."""
    context.require(DOCUMENTS_PUBLISH)
    found = await change_set(context, set_id)
    seen = next((item for item in await drafts_of(context, found.id) if item.key == key), None)
    if seen is None:
        text = Text(f"the change set does not hold {'/'.join(key)}", f"变更集中没有 {'/'.join(key)}")
        return Saved(None, (Fault(("name",), "NOT_FOUND", text),))
    if expected is not None and expected != seen.version:
        return Saved(None, (_document_moved(seen.version),))
    edit = edit_of(context, found)
    edit.revert(seen)
    return await saved(context, edit, found)


async def change(
    context: AdminContext, set_id: str, name: str | None, allow_loss: Sequence[str] | None, expected: int | None
) -> Saved:
    """Give a set another name, or say which losses are meant."""
    context.require(DOCUMENTS_PUBLISH)
    found = await change_set(context, set_id)
    if name is not None and (fault := _name_fault(name)) is not None:
        return Saved(None, (fault,))
    if (fault := set_fault(found, expected)) is not None:
        return Saved(None, (fault,))
    after = replace(
        found,
        name=found.name if name is None else name,
        allow_loss=found.allow_loss if allow_loss is None else tuple(allow_loss),
    )
    edit = edit_of(context, found)
    edit.change(found, after)
    return await saved(context, edit, found)


async def discard(context: AdminContext, set_id: str, expected: int | None) -> Saved:
    """End a set without publishing it. Its drafts can still be read."""
    context.require(DOCUMENTS_PUBLISH)
    found = await change_set(context, set_id)
    if (fault := set_fault(found, expected)) is not None:
        return Saved(None, (fault,))
    edit = edit_of(context, found)
    edit.change(found, replace(found, state=SetState.DISCARDED), await drafts_of(context, found.id))
    return await saved(context, edit, found)


async def _edit_document(
    context: AdminContext, set_id: str, key: Key, draft: Mapping[str, Json] | None, expected: int | None
) -> Saved:
    if key[0] == "role":
        context.require(ROLES_MANAGE)
    found = await change_set(context, set_id)
    if (fault := set_fault(found, None)) is not None:
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
        base = base_of(context.head.catalog.documents, key, draft)
    if draft is None and base is None:
        text = Text(f"there is no document {'/'.join(key)} to remove", f"没有可删除的文档 {'/'.join(key)}")
        return Saved(None, (Fault(("name",), "NOT_FOUND", text),))
    edit = edit_of(context, found)
    edit.put(key, base, draft, seen)
    return await saved(context, edit, found)


def edit_of(context: AdminContext, found: ChangeSet) -> Edit:
    """Edits of a set by the actor, none yet."""
    return Edit(context.runtime.engine, context.actor.member_id, found)


async def saved(context: AdminContext, edit: Edit, found: ChangeSet) -> Saved:
    """Apply edits and tell what became of them; who was faster is a fault."""
    outcome = await edit.apply(context.runtime.engine, context.actor.namespace)
    if isinstance(outcome, Applied):
        context.runtime.wake(context.actor.namespace)
        return Saved(await change_set(context, found.id))
    return Saved(None, (_refused(outcome, await change_set(context, found.id)),))


def _refused(outcome: Outcome, found: ChangeSet) -> Fault:
    match outcome:
        case GuardFailed(token) if token == SET_MOVED:
            return set_fault(found, None) or _set_moved(found)
        case GuardFailed() | NotUnique():
            return _document_moved(None)
        case _:
            return _set_moved(found)


def set_fault(found: ChangeSet, expected: int | None) -> Fault | None:
    """Why a set cannot be edited: it is not open, or not of the version that was seen."""
    if found.state is not SetState.OPEN:
        return ended(found)
    return _set_moved(found) if expected is not None and expected != found.version else None


def ended(found: ChangeSet) -> Fault:
    """The fault of a set that is published or discarded."""
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


def _name_fault(name: str) -> Fault | None:
    if name.strip() and len(name) <= _NAME_CHARS:
        return None
    text = Text(f"a name has 1 to {_NAME_CHARS} characters", f"名称须为 1 到 {_NAME_CHARS} 个字符")
    return Fault(("name",), "VALIDATION", text)
