"""The types of the administration schema, in plain Strawberry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from access.effective import Explained
from access.grant import Operation
from access.replica import Replica
from access.role import Role
from access.token import Token
from base.clock import timestamp
from base.errors import Fault
from base.json import Json as JsonValue
from metadata.adopting.notes import Note
from metadata.layers import Layer
from metadata.persisted import Persisted
from metadata.publishing.diff import Change, ChangeKind
from metadata.store import Version
from metadata.versions import Difference
from resolvers import rollback
from resolvers.administration import AdminContext
from resolvers.payload import shown_fault
from schema.fixed import Instant, Json, UserError


def instant(at: datetime) -> Instant:
    """An instant as the schema shows it."""
    return Instant(timestamp(at))


def user_errors(faults: tuple[Fault, ...], locale: str) -> list[UserError]:
    """Faults as a payload shows them, in the language of the request."""
    shown = [shown_fault(fault, locale) for fault in faults]
    return [
        UserError(path=item["path"], code=item["code"], message=item["message"], details=item["details"])
        for item in shown
    ]


strawberry.enum(Operation, name="PliantOperation", description="What can be granted on an entity.")
strawberry.enum(ChangeKind, name="PliantChangeKind", description="What happens to a thing.")


@strawberry.type(name="PliantDocument", description="One JSON document of the company's configuration.")
class Document:
    """A document of the head, as authored."""

    kind: str
    name: str
    title: str | None
    body: Json = strawberry.field(description="The document itself.")
    application: str | None = strawberry.field(
        description="NAME@VERSION of the application that ships it; null for the company's own.", default=None
    )
    modified: bool = strawberry.field(description="Whether the company has changed what was shipped.", default=False)

    @staticmethod
    def of(document: Any, layer: Layer | None = None) -> Document:
        """The shown form of a document."""
        return Document(
            kind=str(document["kind"]),
            name=str(document["name"]),
            title=document.get("title"),
            body=Json(document),
            application=None if layer is None else str(layer.application),
            modified=layer is not None and layer.modified(document),
        )


@strawberry.input(name="PliantDocumentKey", description="Which document.")
class DocumentKey:
    """Kind and name."""

    kind: str
    name: str


@strawberry.type(name="PliantVersionDifference", description="One document that differs between two versions.")
class DifferenceInfo:
    """A document side by side."""

    kind: str
    name: str
    change: ChangeKind
    was: str | None = strawberry.field(description="The former name of what is renamed.")
    paths: list[list[str]] = strawberry.field(description="Where it differs.")
    before: Json | None
    after: Json | None

    @staticmethod
    def of(item: Difference) -> DifferenceInfo:
        """The shown form of a difference."""
        return DifferenceInfo(
            kind=item.kind,
            name=item.name,
            change=item.change,
            was=item.was,
            paths=[list(path) for path in item.paths],
            before=None if item.before is None else Json(item.before),
            after=None if item.after is None else Json(item.after),
        )


async def _changed(info: strawberry.Info[AdminContext, None], root: Any) -> list[DifferenceInfo]:
    return [DifferenceInfo.of(item) for item in await rollback.version_changes(info.context, root.version)]


@strawberry.type(name="PliantVersion", description="A published version of the company's documents.")
class PublishedVersion:
    """One version."""

    version: int
    hash: str = strawberry.field(description="Equal for equal documents.")
    created_at: Instant
    author_id: strawberry.ID | None = strawberry.field(description="The member; null for the system.")
    changed: list[DifferenceInfo] = strawberry.field(
        resolver=_changed, description="Documents that are not as they were in the version before."
    )

    @staticmethod
    def of(item: Version) -> PublishedVersion:
        """The shown form of a version."""
        author = strawberry.ID(item.author_id) if item.author_id else None
        return PublishedVersion(
            version=item.version, hash=item.hash, created_at=instant(item.created_at), author_id=author
        )


@strawberry.type(name="PliantChange", description="One difference between two versions.")
class DocumentChange:
    """One change of a document, entity, field or choice."""

    kind: ChangeKind
    subject: str = strawberry.field(description="entity, field, choice, or another kind of document.")
    path: list[str]
    was: str | None = strawberry.field(description="The former name of what is renamed.")
    loss: str | None = strawberry.field(description="What allowLoss must name where records would lose it.")

    @staticmethod
    def of(change: Change) -> DocumentChange:
        """The shown form of a change."""
        return DocumentChange(
            kind=change.kind, subject=change.subject, path=list(change.path), was=change.was, loss=change.loss
        )


@strawberry.type(name="PliantAdoptNote", description="One thing that adopting changed or left out.")
class AdoptNote:
    """Where in the source, what, why, and the new name."""

    path: list[str]
    what: str
    message: str
    name: str | None

    @staticmethod
    def of(note: Note, locale: str) -> AdoptNote:
        """The shown form of a note."""
        return AdoptNote(path=list(note.path), what=note.what, message=note.text.localized(locale), name=note.name)


@strawberry.type(name="PliantAdopted", description="An entity document made of a foreign JSON Schema.")
class AdoptPayload:
    """The document, and everything that was done to get it."""

    document: Json | None
    notes: list[AdoptNote]
    user_errors: list[UserError]


@strawberry.input(name="PliantMemberInput", description="Absent values stay as they are.")
class MemberInput:
    """What the platform keeps of a member. Other fields change through /graphql."""

    name: str | None = strawberry.UNSET
    email: str | None = strawberry.UNSET
    locale: str | None = strawberry.UNSET
    time_zone: str | None = strawberry.UNSET
    status: str | None = strawberry.UNSET
    manager_id: strawberry.ID | None = strawberry.UNSET
    hired_on: str | None = strawberry.UNSET
    left_on: str | None = strawberry.UNSET
    roles: list[str] | None = strawberry.UNSET
    team_ids: list[strawberry.ID] | None = strawberry.UNSET


@strawberry.input(name="PliantTeamInput", description="Absent values stay as they are.")
class TeamInput:
    """What the platform keeps of a team."""

    name: str | None = strawberry.UNSET
    parent_id: strawberry.ID | None = strawberry.UNSET
    lead_id: strawberry.ID | None = strawberry.UNSET


_API_NAMES = {
    "time_zone": "timeZone",
    "manager_id": "managerId",
    "hired_on": "hiredOn",
    "left_on": "leftOn",
    "team_ids": "teamIds",
    "parent_id": "parentId",
    "lead_id": "leadId",
}


def given_values(input: MemberInput | TeamInput) -> dict[str, JsonValue]:
    """The values that were sent, by API name."""
    return {_API_NAMES.get(name, name): value for name, value in vars(input).items() if value is not strawberry.UNSET}


@strawberry.type(name="PliantSavePayload", description="The id of what was written, or the faults that stopped it.")
class SavePayload:
    """What became of a write to members, teams, tokens or persisted documents."""

    id: strawberry.ID | None
    user_errors: list[UserError]

    @staticmethod
    def of(record_id: str | None, faults: tuple[Fault, ...], locale: str) -> SavePayload:
        """The payload of a write."""
        shown = None if faults or record_id is None else strawberry.ID(record_id)
        return SavePayload(id=shown, user_errors=user_errors(faults, locale))


@strawberry.type(name="PliantMemberAccess", description="Roles and teams of a member.")
class MemberAccess:
    """What a member's access comes from."""

    roles: list[str]
    team_ids: list[strawberry.ID]


@strawberry.type(name="PliantRole", description="A role as published.")
class PublishedRole:
    """One role; its document tells the grants."""

    name: str
    title: str
    includes: list[str]
    platform: list[str]
    system: bool

    @staticmethod
    def of(role: Role, locale: str) -> PublishedRole:
        """The shown form of a role."""
        chinese = (text for tag, text in role.titles.items() if tag.lower().startswith("zh"))
        title = next(chinese, role.title) if locale.lower().startswith("zh") else role.title
        return PublishedRole(
            name=role.name,
            title=title,
            includes=list(role.includes),
            platform=sorted(role.platform),
            system=role.system,
        )


@strawberry.type(name="PliantRight", description="A right on the company as a whole.")
class Right:
    """A platform right."""

    name: str
    title: str


@strawberry.type(name="PliantGrant", description="One grant on an entity, and the roles that it comes through.")
class EffectiveGrant:
    """One way to an operation."""

    operation: Operation
    through: list[str] = strawberry.field(description="The member's role, then what it includes.")
    rows: list[str] = strawberry.field(description="Which rows, in words; a list is an or.")
    check: str | None = strawberry.field(description="What must hold after the write.")
    fields: Json = strawberry.field(description="'*' and single fields: true, false or a condition.")

    @staticmethod
    def of(item: Explained, locale: str) -> EffectiveGrant:
        """The shown form of a grant."""
        return EffectiveGrant(
            operation=item.operation,
            through=list(item.through),
            rows=[text.localized(locale) for text in item.rows],
            check=item.check,
            fields=Json(dict(item.fields)),
        )


@strawberry.type(name="PliantToken", description="A token without its secret.")
class TokenInfo:
    """A token that is not revoked."""

    id: strawberry.ID
    member_id: strawberry.ID
    name: str
    roles: list[str]
    created_at: Instant
    maker_id: strawberry.ID | None
    expires_at: Instant | None

    @staticmethod
    def of(token: Token) -> TokenInfo:
        """The shown form of a token."""
        return TokenInfo(
            id=strawberry.ID(token.id),
            member_id=strawberry.ID(token.member_id),
            name=token.name,
            roles=list(token.roles),
            created_at=instant(token.created_at),
            maker_id=strawberry.ID(token.maker_id) if token.maker_id else None,
            expires_at=instant(token.expires_at) if token.expires_at else None,
        )


@strawberry.type(name="PliantTokenPayload", description="A new token: its text is shown now and never again.")
class TokenPayload:
    """What became of making a token."""

    id: strawberry.ID | None
    token: str | None
    user_errors: list[UserError]


@strawberry.type(name="PliantPersistedDocument", description="A GraphQL document that is asked for by its id.")
class PersistedInfo:
    """A registered document without its text."""

    id: strawberry.ID
    name: str | None
    created_at: Instant
    created_by: strawberry.ID | None

    @staticmethod
    def of(item: Persisted) -> PersistedInfo:
        """The shown form of a registered document."""
        return PersistedInfo(
            id=strawberry.ID(item.id),
            name=item.name,
            created_at=instant(item.created_at),
            created_by=strawberry.ID(item.created_by) if item.created_by else None,
        )


@strawberry.type(name="PliantReplica", description="A process that serves.")
class ReplicaInfo:
    """A replica, and what it serves of this company."""

    id: strawberry.ID
    release: str = strawberry.field(description="The release of Pliant.")
    host: str
    started_at: Instant
    seen_at: Instant = strawberry.field(description="When it last said that it lives.")
    version: int | None = strawberry.field(description="The version of this company that it served last.")
    served_at: Instant | None = strawberry.field(description="When it served that, to the minute.")

    @staticmethod
    def of(item: Replica) -> ReplicaInfo:
        """The shown form of a replica."""
        return ReplicaInfo(
            id=strawberry.ID(item.id),
            release=item.release,
            host=item.host,
            started_at=instant(item.started_at),
            seen_at=instant(item.seen_at),
            version=item.version,
            served_at=None if item.served_at is None else instant(item.served_at),
        )


@strawberry.type(name="PliantLimit", description="A limit of this server.")
class Limit:
    """A limit by its name; the unit stands last in it."""

    name: str
    value: float


@strawberry.type(name="PliantAdminViewer", description="Who asks.")
class AdminViewer:
    """The actor as administration sees him."""

    member_id: strawberry.ID
    company: strawberry.ID
    roles: list[str]
    platform: list[str]
