"""Publications and the trash in the administration schema."""

from __future__ import annotations

from typing import TypeAlias

import strawberry

from base.errors import Fault
from metadata.publishing.publication import Publication, State
from metadata.publishing.publish import Published
from metadata.trash import Trashed
from resolvers import publications
from resolvers.administration import AdminContext
from schema.admin_types import DocumentChange, SavePayload, instant, user_errors
from schema.fixed import Instant, UserError

Info: TypeAlias = strawberry.Info[AdminContext, None]

strawberry.enum(State, name="PliantPublicationState", description="Where a publication stands.")


@strawberry.type(name="PliantPublication", description="A publish that has to be prepared: how far it is.")
class PublicationInfo:
    """One publication."""

    id: strawberry.ID
    state: State
    base_version: int = strawberry.field(description="The version over which it is published.")
    version: int | None = strawberry.field(description="The version that it became.")
    author_id: strawberry.ID | None = strawberry.field(description="The member; null for the system.")
    created_at: Instant
    updated_at: Instant
    step: str = strawberry.field(description="What is being done: expand, fill …, index …, check, activate.")
    rows_done: int
    rows_total: int
    user_errors: list[UserError] = strawberry.field(description="What it failed by.")

    @staticmethod
    def of(item: Publication, locale: str) -> PublicationInfo:
        """The shown form of a publication."""
        return PublicationInfo(
            id=strawberry.ID(item.id),
            state=item.state,
            base_version=item.base_version,
            version=item.version,
            author_id=strawberry.ID(item.author_id) if item.author_id else None,
            created_at=instant(item.created_at),
            updated_at=instant(item.updated_at),
            step=item.progress.step,
            rows_done=item.progress.rows_done,
            rows_total=item.progress.rows_total,
            user_errors=user_errors(item.faults, locale),
        )


@strawberry.type(name="PliantTrash", description="What documents no longer name, kept with its values for a while.")
class TrashInfo:
    """One thing in the trash."""

    id: strawberry.ID
    kind: str = strawberry.field(description="entity, field or link.")
    path: str = strawberry.field(description="Its name when it was removed: opportunity.amount.")
    removed_version: int = strawberry.field(description="The first version without it.")
    removed_at: Instant
    drop_after: Instant = strawberry.field(description="From then on it may be gone for ever.")

    @staticmethod
    def of(item: Trashed) -> TrashInfo:
        """The shown form of a piece of trash."""
        return TrashInfo(
            id=strawberry.ID(item.id),
            kind=str(item.kind),
            path=item.path,
            removed_version=item.removed_version,
            removed_at=instant(item.removed_at),
            drop_after=instant(item.drop_after),
        )


@strawberry.type(name="PliantPublishPayload", description="A publish that was done, or the faults that stopped it.")
class PublishPayload:
    """The company's new version and what changed."""

    version: int | None = strawberry.field(description="Null while it is being prepared, and when it was refused.")
    publication: PublicationInfo | None = strawberry.field(
        description="Given when it had to be prepared: ask for it again while it is PREPARING."
    )
    changes: list[DocumentChange]
    user_errors: list[UserError]

    @staticmethod
    def of(published: Published | None, faults: tuple[Fault, ...], locale: str) -> PublishPayload:
        """The shown form of a publish."""
        under_way = None if published is None else published.publication
        done = published is not None and (under_way is None or under_way.version is not None)
        return PublishPayload(
            version=published.version if published is not None and done else None,
            publication=None if under_way is None else PublicationInfo.of(under_way, locale),
            changes=[] if published is None else [DocumentChange.of(change) for change in published.changes],
            user_errors=user_errors(faults, locale),
        )


@strawberry.type(name="PliantPublicationPayload", description="What became of changing a publication.")
class PublicationPayload:
    """The publication as it is now, or what stands against the change."""

    publication: PublicationInfo | None
    user_errors: list[UserError]


async def _publications(info: Info, first: int = 50) -> list[PublicationInfo]:
    found = await publications.publications_of(info.context, first)
    return [PublicationInfo.of(item, info.context.locale) for item in found]


async def _publication(info: Info, id: strawberry.ID) -> PublicationInfo | None:
    found = await publications.publication_of(info.context, id)
    return None if found is None else PublicationInfo.of(found, info.context.locale)


async def _trash(info: Info) -> list[TrashInfo]:
    return [TrashInfo.of(item) for item in await publications.trash_of(info.context)]


async def _cancel(info: Info, id: strawberry.ID) -> PublicationPayload:
    found, faults = await publications.cancel_publication(info.context, id)
    locale = info.context.locale
    shown = None if found is None else PublicationInfo.of(found, locale)
    return PublicationPayload(publication=shown, user_errors=user_errors(faults, locale))


async def _discard(info: Info, id: strawberry.ID) -> SavePayload:
    faults = await publications.discard_trash(info.context, id)
    return SavePayload.of(id, faults, info.context.locale)


@strawberry.type
class PublicationQuery:
    """Reading publications and the trash."""

    publications: list[PublicationInfo] = strawberry.field(
        resolver=_publications, description="Publishes that had to be prepared, newest first."
    )
    publication: PublicationInfo | None = strawberry.field(resolver=_publication, description="One of them.")
    trash: list[TrashInfo] = strawberry.field(
        resolver=_trash, description="Removed entities and fields whose values are still there."
    )


@strawberry.type
class PublicationMutation:
    """Changing them."""

    cancel_publication: PublicationPayload = strawberry.field(
        resolver=_cancel, description="Stop a publication that is being prepared and remove what it added."
    )
    discard_trash: SavePayload = strawberry.field(
        resolver=_discard, description="Drop something in the trash for ever, before its time."
    )
