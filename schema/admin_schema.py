"""The administration schema: one fixed Strawberry schema for all companies."""

from __future__ import annotations

from functools import cache, partial
from typing import TypeAlias

import strawberry
from graphql import GraphQLSchema

from access.right import PLATFORM_RIGHTS
from resolvers import administration, people
from resolvers.administration import AdminContext
from schema.adapter import core_of
from schema.admin_changes import ChangesMutation, ChangesQuery
from schema.admin_preview import AliasUse, PreviewPayload
from schema.admin_publications import PublicationMutation, PublicationQuery, PublishPayload
from schema.admin_types import (
    AdminViewer,
    AdoptNote,
    AdoptPayload,
    Document,
    DocumentKey,
    EffectiveGrant,
    Limit,
    MemberAccess,
    MemberInput,
    PersistedInfo,
    PublishedRole,
    PublishedVersion,
    ReplicaInfo,
    Right,
    SavePayload,
    TeamInput,
    TokenInfo,
    TokenPayload,
    given_values,
    user_errors,
)
from schema.document import id_of
from schema.fixed import CONFIG, Instant, Json
from schema.preview import preview_of

Info: TypeAlias = strawberry.Info[AdminContext, None]
"""What resolvers are told of the request."""


def _keys(removals: list[DocumentKey] | None) -> list[tuple[str, str]]:
    return [(item.kind, item.name) for item in removals or ()]


def _viewer(info: Info) -> AdminViewer:
    actor = info.context.actor
    return AdminViewer(
        member_id=strawberry.ID(actor.member_id),
        company=strawberry.ID(actor.company),
        roles=list(actor.roles),
        platform=sorted(actor.platform),
    )


async def _documents(info: Info, kind: str | None = None) -> list[Document]:
    documents = administration.documents_of(info.context, kind)
    layers = await administration.layers_of(info.context, documents)
    return [Document.of(document, layers.get(key)) for key, document in documents.items()]


async def _document(info: Info, kind: str, name: str) -> Document:
    document = administration.find_document(info.context, kind, name)
    layers = await administration.layers_of(info.context, {(kind, name): document})
    return Document.of(document, layers.get((kind, name)))


def _catalog_version(info: Info) -> int:
    return info.context.head.version


async def _versions(info: Info, first: int = 50, before: int | None = None) -> list[PublishedVersion]:
    found = await administration.find_versions(info.context, first, before)
    return [PublishedVersion.of(item) for item in found]


async def _preview(
    info: Info,
    documents: list[Json],
    removals: list[DocumentKey] | None = None,
    allow_loss: list[str] | None = None,
) -> PreviewPayload:
    context = info.context
    found = await administration.preview_documents(
        context,
        documents,  # type: ignore[arg-type]
        _keys(removals),
        allow_loss or (),
        partial(preview_of, context.runtime),
    )
    return PreviewPayload.of(found, context.locale)


async def _alias_use(info: Info) -> list[AliasUse]:
    return AliasUse.all_of(await administration.find_uses(info.context))


def _adopt(info: Info, schema: Json, name: str | None = None) -> AdoptPayload:
    adopted, faults = administration.adopt_schema(info.context, schema, name)  # type: ignore[arg-type]
    locale = info.context.locale
    return AdoptPayload(
        document=None if adopted is None else Json(adopted.document),
        notes=[] if adopted is None else [AdoptNote.of(note, locale) for note in adopted.notes],
        user_errors=user_errors(faults, locale),
    )


async def _member_access(info: Info, member_id: strawberry.ID) -> MemberAccess:
    roles, teams = await people.access_of(info.context, member_id)
    return MemberAccess(roles=list(roles), team_ids=[strawberry.ID(team) for team in teams])


def _roles(info: Info) -> list[PublishedRole]:
    return [PublishedRole.of(role, info.context.locale) for role in people.roles_list(info.context)]


def _platform_rights(info: Info) -> list[Right]:
    return [Right(name=right.name, title=right.title.localized(info.context.locale)) for right in PLATFORM_RIGHTS]


async def _effective_access(info: Info, member_id: strawberry.ID, entity: str) -> list[EffectiveGrant]:
    found = await people.effective_access(info.context, member_id, entity)
    return [EffectiveGrant.of(item, info.context.locale) for item in found]


async def _tokens(info: Info) -> list[TokenInfo]:
    return [TokenInfo.of(token) for token in await people.find_tokens(info.context)]


async def _persisted(info: Info) -> list[PersistedInfo]:
    return [PersistedInfo.of(item) for item in await administration.find_persisted(info.context)]


async def _replicas(info: Info) -> list[ReplicaInfo]:
    return [ReplicaInfo.of(item) for item in await administration.find_replicas(info.context)]


def _limits(info: Info) -> list[Limit]:
    return [
        Limit(name=name, value=value) for name, value in administration.limits_of(info.context.runtime.limits).items()
    ]


@strawberry.type(description="What can be read of a company's configuration.")
class Query(PublicationQuery, ChangesQuery):
    """Reading."""

    viewer: AdminViewer = strawberry.field(resolver=_viewer, description="Who asks.")
    documents: list[Document] = strawberry.field(resolver=_documents, description="Documents of the head.")
    document: Document = strawberry.field(resolver=_document, description="One document of the head.")
    catalog_version: int = strawberry.field(resolver=_catalog_version, description="The version that is served.")
    versions: list[PublishedVersion] = strawberry.field(resolver=_versions, description="Versions, newest first.")
    validate_documents: PreviewPayload = strawberry.field(
        resolver=_preview, description="Whether documents could be published over the head; the same as preview."
    )
    preview: PreviewPayload = strawberry.field(
        resolver=_preview, description="What publishing would change, and what stands against it."
    )
    alias_use: list[AliasUse] = strawberry.field(
        resolver=_alias_use, description="Clients that still use former names, most frequent first."
    )
    adopt: AdoptPayload = strawberry.field(
        resolver=_adopt, description="An entity document made of a foreign JSON Schema. Nothing is saved."
    )
    member_access: MemberAccess = strawberry.field(resolver=_member_access, description="Roles and teams of a member.")
    roles: list[PublishedRole] = strawberry.field(resolver=_roles, description="Roles of the head.")
    platform_rights: list[Right] = strawberry.field(
        resolver=_platform_rights, description="What a role may name under platform."
    )
    effective_access: list[EffectiveGrant] = strawberry.field(
        resolver=_effective_access, description="Why a member may do what he may do."
    )
    tokens: list[TokenInfo] = strawberry.field(resolver=_tokens, description="One's own tokens, or all of them.")
    persisted_documents: list[PersistedInfo] = strawberry.field(
        resolver=_persisted, description="Documents that are asked for by their id."
    )
    replicas: list[ReplicaInfo] = strawberry.field(
        resolver=_replicas, description="The processes that serve, and which version each served last."
    )
    limits: list[Limit] = strawberry.field(resolver=_limits, description="The limits of this server.")


async def _publish(
    info: Info,
    documents: list[Json],
    removals: list[DocumentKey] | None = None,
    allow_loss: list[str] | None = None,
    expected_version: int | None = None,
) -> PublishPayload:
    published, faults = await administration.publish_documents(
        info.context,
        documents,  # type: ignore[arg-type]
        _keys(removals),
        allow_loss or (),
        expected_version,
    )
    return PublishPayload.of(published, faults, info.context.locale)


async def _add_member(info: Info, input: MemberInput) -> SavePayload:
    written = await people.save_member(info.context, None, given_values(input))
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _update_member(info: Info, id: strawberry.ID, input: MemberInput) -> SavePayload:
    written = await people.save_member(info.context, id, given_values(input))
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _set_roles(info: Info, id: strawberry.ID, roles: list[str]) -> SavePayload:
    written = await people.save_member(info.context, id, {"roles": roles})
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _deactivate_member(info: Info, id: strawberry.ID) -> SavePayload:
    written = await people.deactivate_member(info.context, id)
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _add_team(info: Info, input: TeamInput) -> SavePayload:
    written = await people.save_team(info.context, None, given_values(input))
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _update_team(info: Info, id: strawberry.ID, input: TeamInput) -> SavePayload:
    written = await people.save_team(info.context, id, given_values(input))
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _move_team(info: Info, id: strawberry.ID, parent_id: strawberry.ID | None = None) -> SavePayload:
    written = await people.save_team(info.context, id, {"parentId": parent_id})
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _remove_team(info: Info, id: strawberry.ID) -> SavePayload:
    written = await people.delete_team(info.context, id)
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _create_token(
    info: Info,
    name: str,
    roles: list[str],
    member_id: strawberry.ID | None = None,
    expires_at: Instant | None = None,
) -> TokenPayload:
    issued = await people.issue_token(info.context, member_id, name, roles, expires_at)
    shown = None if issued.faults or issued.id is None else strawberry.ID(issued.id)
    return TokenPayload(id=shown, token=issued.text, user_errors=user_errors(issued.faults, info.context.locale))


async def _revoke_token(info: Info, id: strawberry.ID) -> SavePayload:
    written = await people.end_token(info.context, id)
    return SavePayload.of(written.id, written.faults, info.context.locale)


async def _register_document(info: Info, text: str, name: str | None = None) -> SavePayload:
    document_id = id_of(text)
    faults = await administration.persist(info.context, document_id, text, name)
    return SavePayload.of(document_id, faults, info.context.locale)


async def _remove_document(info: Info, id: strawberry.ID) -> SavePayload:
    faults = await administration.forget_persisted(info.context, id)
    return SavePayload.of(id, faults, info.context.locale)


@strawberry.type(description="What can be changed of a company's configuration.")
class Mutation(PublicationMutation, ChangesMutation):
    """Writing."""

    publish: PublishPayload = strawberry.field(
        resolver=_publish, description="Put documents over the head's and serve them at once."
    )
    add_member: SavePayload = strawberry.field(resolver=_add_member, description="Let somebody in.")
    update_member: SavePayload = strawberry.field(resolver=_update_member, description="Change a member.")
    set_roles: SavePayload = strawberry.field(resolver=_set_roles, description="Give a member exactly these roles.")
    deactivate_member: SavePayload = strawberry.field(
        resolver=_deactivate_member, description="Let a member act no more."
    )
    add_team: SavePayload = strawberry.field(resolver=_add_team, description="Add a team.")
    update_team: SavePayload = strawberry.field(resolver=_update_team, description="Change a team.")
    move_team: SavePayload = strawberry.field(
        resolver=_move_team, description="Put a team, with everything below it, under another one or at the top."
    )
    remove_team: SavePayload = strawberry.field(resolver=_remove_team, description="Delete an empty team.")
    create_token: TokenPayload = strawberry.field(
        resolver=_create_token, description="A token for oneself, or for another member."
    )
    revoke_token: SavePayload = strawberry.field(resolver=_revoke_token, description="End a token.")
    register_document: SavePayload = strawberry.field(
        resolver=_register_document, description="Let a GraphQL document be asked for by its hash."
    )
    remove_document: SavePayload = strawberry.field(
        resolver=_remove_document, description="Forget a registered document."
    )


@cache
def admin_schema() -> GraphQLSchema:
    """The one administration schema of the process, as graphql-core runs it."""
    return core_of(strawberry.Schema(query=Query, mutation=Mutation, config=CONFIG))
