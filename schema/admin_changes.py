"""Change sets, versions and rollback in the administration schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeAlias

import strawberry

from base.json import Json as JsonValue
from metadata.changesets import ChangeSet, DocumentDraft, SetState
from metadata.conflicts import DraftConflict
from metadata.merging import Meeting
from resolvers import changeset_merge, changesets, rollback
from resolvers.administration import AdminContext
from resolvers.changeset_merge import Resolution, Side
from resolvers.changesets import Saved
from resolvers.rollback import VersionDocuments
from schema.admin_preview import PreviewPayload
from schema.admin_publications import PublishPayload
from schema.admin_types import (
    DifferenceInfo,
    Document,
    instant,
    user_errors,
)
from schema.fixed import Instant, Json, UserError
from schema.preview import preview_of

Info: TypeAlias = strawberry.Info[AdminContext, None]

strawberry.enum(SetState, name="PliantChangeSetState", description="What has become of a change set.")
strawberry.enum(Side, name="PliantResolutionSide", description="How a conflict is settled.")


def _member(id: str | None) -> strawberry.ID | None:
    return None if id is None else strawberry.ID(id)


def _json(document: Mapping[str, JsonValue] | None) -> Json | None:
    return None if document is None else Json(document)


@strawberry.type(name="PliantDocumentDraft", description="A document as a change set means it to be.")
class DraftInfo:
    """One document of a change set."""

    kind: str
    name: str
    base: Json | None = strawberry.field(description="The head's when it was first touched; null for a new one.")
    draft: Json | None = strawberry.field(description="As it is meant to be; null removes it.")
    version: int = strawberry.field(description="Counts edits of this document: expectedVersion of the next one.")
    author_id: strawberry.ID | None = strawberry.field(description="Who edited it last.")
    updated_at: Instant

    @staticmethod
    def of(item: DocumentDraft) -> DraftInfo:
        """The shown form of a draft."""
        return DraftInfo(
            kind=item.kind,
            name=item.name,
            base=_json(item.base),
            draft=_json(item.draft),
            version=item.version,
            author_id=_member(item.author_id),
            updated_at=instant(item.updated_at),
        )


async def _drafts(info: Info, root: Any) -> list[DraftInfo]:
    return [DraftInfo.of(item) for item in await changesets.drafts_of(info.context, root.id)]


@strawberry.type(name="PliantChangeSet", description="Documents that admins are working on, not yet published.")
class ChangeSetInfo:
    """One change set."""

    id: strawberry.ID
    name: str
    state: SetState
    version: int = strawberry.field(description="Counts all edits of the set.")
    base_version: int = strawberry.field(description="The head that it was begun or last rebased on.")
    published_version: int | None = strawberry.field(description="The head that it has become.")
    allow_loss: list[str] = strawberry.field(description="Losses that are meant: entity, or entity.field.")
    author_id: strawberry.ID | None
    created_at: Instant
    updated_at: Instant
    updated_by: strawberry.ID | None
    documents: list[DraftInfo] = strawberry.field(resolver=_drafts, description="Its documents, by kind and name.")

    @staticmethod
    def of(item: ChangeSet) -> ChangeSetInfo:
        """The shown form of a change set."""
        return ChangeSetInfo(
            id=strawberry.ID(item.id),
            name=item.name,
            state=item.state,
            version=item.version,
            base_version=item.base_version,
            published_version=item.published_version,
            allow_loss=list(item.allow_loss),
            author_id=_member(item.author_id),
            created_at=instant(item.created_at),
            updated_at=instant(item.updated_at),
            updated_by=_member(item.updated_by),
        )


@strawberry.type(name="PliantMeeting", description="A place that both sides have changed in different ways.")
class MeetingInfo:
    """One place; null is a null, or nothing there."""

    path: list[str]
    base: Json | None
    theirs: Json | None
    yours: Json | None

    @staticmethod
    def of(item: Meeting) -> MeetingInfo:
        """The shown form of a meeting."""
        sides = [None if side is None else Json(side) for side in (item.base, item.theirs, item.yours)]
        return MeetingInfo(path=list(item.path), base=sides[0], theirs=sides[1], yours=sides[2])


@strawberry.type(name="PliantConflict", description="A document that a change set and the head have both changed.")
class ConflictInfo:
    """The three sides of a conflict, and what a merge would make of them."""

    kind: str
    name: str
    base: Json | None
    theirs: Json | None = strawberry.field(description="As published; null when it is gone.")
    yours: Json | None = strawberry.field(description="The draft; null removes it.")
    paths: list[list[str]] = strawberry.field(description="Where theirs and yours differ.")
    meetings: list[MeetingInfo] = strawberry.field(description="Where both have changed the same place.")
    mergeable: bool = strawberry.field(description="Whether the changes do not meet.")
    merged: Json | None = strawberry.field(description="The changes of both, when mergeable.")

    @staticmethod
    def of(item: DraftConflict) -> ConflictInfo:
        """The shown form of a conflict."""
        return ConflictInfo(
            kind=item.kind,
            name=item.name,
            base=_json(item.base),
            theirs=_json(item.theirs),
            yours=_json(item.yours),
            paths=[list(path) for path in item.paths],
            meetings=[MeetingInfo.of(meeting) for meeting in item.meetings],
            mergeable=item.mergeable,
            merged=_json(item.merged),
        )


@strawberry.input(name="PliantResolution", description="What is to become of a conflict.")
class ResolutionInput:
    """A side, or a document put together by hand."""

    kind: str
    name: str
    side: Side = Side.MERGE
    document: Json | None = None


@strawberry.type(name="PliantChangeSetPayload", description="A change set as it is now, or what stopped the edit.")
class ChangeSetPayload:
    """What became of an edit."""

    change_set: ChangeSetInfo | None
    user_errors: list[UserError]

    @staticmethod
    def of(saved: Saved, locale: str) -> ChangeSetPayload:
        """The payload of an edit."""
        shown = None if saved.change_set is None else ChangeSetInfo.of(saved.change_set)
        return ChangeSetPayload(change_set=shown, user_errors=user_errors(saved.faults, locale))


@strawberry.type(name="PliantVersionDocuments", description="A published version with its documents.")
class VersionInfo:
    """One version, whole."""

    version: int
    hash: str
    created_at: Instant
    author_id: strawberry.ID | None
    documents: list[Document]

    @staticmethod
    def of(item: VersionDocuments) -> VersionInfo:
        """The shown form of a version."""
        return VersionInfo(
            version=item.version,
            hash=item.hash,
            created_at=instant(item.created_at),
            author_id=_member(item.author_id),
            documents=[Document.of(document) for _, document in sorted(item.documents.items())],
        )


async def _change_sets(info: Info, state: SetState | None = None, first: int = 50) -> list[ChangeSetInfo]:
    return [ChangeSetInfo.of(item) for item in await changesets.change_sets(info.context, state, first)]


async def _change_set(info: Info, id: strawberry.ID) -> ChangeSetInfo:
    return ChangeSetInfo.of(await changesets.change_set(info.context, id))


async def _conflicts(info: Info, change_set: strawberry.ID) -> list[ConflictInfo]:
    return [ConflictInfo.of(item) for item in await changeset_merge.conflicts(info.context, change_set)]


async def _preview_set(info: Info, id: strawberry.ID, allow_loss: list[str] | None = None) -> PreviewPayload:
    make = partial(preview_of, info.context.runtime)
    found = await changeset_merge.preview_set(info.context, id, allow_loss or (), make)
    return PreviewPayload.of(found, info.context.locale)


async def _version(info: Info, number: int) -> VersionInfo:
    return VersionInfo.of(await rollback.version_documents(info.context, number))


async def _version_diff(
    info: Info, before: Annotated[int, strawberry.argument(name="from")], to: int
) -> list[DifferenceInfo]:
    return [DifferenceInfo.of(item) for item in await rollback.version_diff(info.context, before, to)]


async def _preview_rollback(info: Info, to: int, allow_loss: list[str] | None = None) -> PreviewPayload:
    make = partial(preview_of, info.context.runtime)
    found = await rollback.preview_rollback(info.context, to, allow_loss or (), make)
    return PreviewPayload.of(found, info.context.locale)


async def _create(info: Info, name: str, allow_loss: list[str] | None = None) -> ChangeSetPayload:
    return ChangeSetPayload.of(await changesets.create(info.context, name, allow_loss or ()), info.context.locale)


async def _put(
    info: Info, change_set: strawberry.ID, document: Json, expected_version: int | None = None
) -> ChangeSetPayload:
    saved = await changesets.put_document(info.context, change_set, document, expected_version)  # type: ignore[arg-type]
    return ChangeSetPayload.of(saved, info.context.locale)


async def _remove(
    info: Info, change_set: strawberry.ID, kind: str, name: str, expected_version: int | None = None
) -> ChangeSetPayload:
    saved = await changesets.remove_document(info.context, change_set, (kind, name), expected_version)
    return ChangeSetPayload.of(saved, info.context.locale)


async def _revert(
    info: Info, change_set: strawberry.ID, kind: str, name: str, expected_version: int | None = None
) -> ChangeSetPayload:
    saved = await changesets.revert_document(info.context, change_set, (kind, name), expected_version)
    return ChangeSetPayload.of(saved, info.context.locale)


async def _rename(info: Info, id: strawberry.ID, name: str, expected_version: int | None = None) -> ChangeSetPayload:
    saved = await changesets.change(info.context, id, name, None, expected_version)
    return ChangeSetPayload.of(saved, info.context.locale)


async def _allow_loss(
    info: Info, id: strawberry.ID, allow_loss: list[str], expected_version: int | None = None
) -> ChangeSetPayload:
    saved = await changesets.change(info.context, id, None, allow_loss, expected_version)
    return ChangeSetPayload.of(saved, info.context.locale)


async def _discard(info: Info, id: strawberry.ID, expected_version: int | None = None) -> ChangeSetPayload:
    return ChangeSetPayload.of(await changesets.discard(info.context, id, expected_version), info.context.locale)


async def _rebase(
    info: Info,
    id: strawberry.ID,
    resolutions: list[ResolutionInput] | None = None,
    expected_version: int | None = None,
) -> ChangeSetPayload:
    saved = await changeset_merge.rebase(info.context, id, _resolutions(resolutions or ()), expected_version)
    return ChangeSetPayload.of(saved, info.context.locale)


def _resolutions(given: Sequence[ResolutionInput]) -> list[Resolution]:
    return [Resolution(item.kind, item.name, item.side, item.document) for item in given]  # type: ignore[arg-type]


async def _publish_set(
    info: Info, id: strawberry.ID, allow_loss: list[str] | None = None, expected_version: int | None = None
) -> PublishPayload:
    published, faults = await changeset_merge.publish_set(info.context, id, allow_loss or (), expected_version)
    return PublishPayload.of(published, faults, info.context.locale)


async def _rollback(
    info: Info, to: int, allow_loss: list[str] | None = None, expected_version: int | None = None
) -> PublishPayload:
    published, faults = await rollback.rollback(info.context, to, allow_loss or (), expected_version)
    return PublishPayload.of(published, faults, info.context.locale)


@strawberry.type
class ChangesQuery:
    """Reading change sets and old versions."""

    change_sets: list[ChangeSetInfo] = strawberry.field(resolver=_change_sets, description="Newest first.")
    change_set: ChangeSetInfo = strawberry.field(resolver=_change_set, description="One change set.")
    conflicts: list[ConflictInfo] = strawberry.field(
        resolver=_conflicts, description="Documents that a change set and the head have both changed."
    )
    preview_change_set: PreviewPayload = strawberry.field(
        resolver=_preview_set, description="What publishing a change set would do, its conflicts among the errors."
    )
    version: VersionInfo = strawberry.field(resolver=_version, description="A published version with its documents.")
    version_diff: list[DifferenceInfo] = strawberry.field(
        resolver=_version_diff, description="Documents that differ between two versions; 0 is the empty company."
    )
    preview_rollback: PreviewPayload = strawberry.field(
        resolver=_preview_rollback, description="What going back to an old version would do."
    )


@strawberry.type
class ChangesMutation:
    """Editing and publishing change sets, and going back."""

    create_change_set: ChangeSetPayload = strawberry.field(resolver=_create, description="Begin a change set.")
    put_document: ChangeSetPayload = strawberry.field(resolver=_put, description="Put a draft into a change set.")
    put_removal: ChangeSetPayload = strawberry.field(
        resolver=_remove, description="Let a change set remove a document of the head."
    )
    revert_document: ChangeSetPayload = strawberry.field(
        resolver=_revert, description="Take a document out of a change set: the head's stays as it is."
    )
    rename_change_set: ChangeSetPayload = strawberry.field(resolver=_rename, description="Give it another name.")
    set_allow_loss: ChangeSetPayload = strawberry.field(
        resolver=_allow_loss, description="Say which losses a change set means."
    )
    discard_change_set: ChangeSetPayload = strawberry.field(
        resolver=_discard, description="End a change set unpublished; its drafts can still be read."
    )
    rebase: ChangeSetPayload = strawberry.field(
        resolver=_rebase, description="Bring a change set onto the head and settle its conflicts, all or nothing."
    )
    publish_change_set: PublishPayload = strawberry.field(
        resolver=_publish_set, description="Publish a change set over whatever the head has become."
    )
    rollback: PublishPayload = strawberry.field(
        resolver=_rollback, description="Publish the documents of an old version again, as a new version."
    )
