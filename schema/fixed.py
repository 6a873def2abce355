"""The fixed part of every company's schema, in plain Strawberry: viewer, meta and user errors.

There is one static schema in the process. A second one over the same Python types must be given `CONFIG` too:
Strawberry writes a schema's default resolver onto field objects that schemas share.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NewType

import strawberry
from graphql import GraphQLScalarType
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from resolvers.viewer import ViewerContext, rights_of
from schema.scalars import CURSOR, DATE_TIME, JSON, LONG

Long = NewType("Long", int)
"""A whole number within +-(2^53-1)."""

Json = NewType("Json", object)
"""Any JSON value."""

Instant = NewType("Instant", str)
"""An instant in its text form."""

LogCursor = NewType("LogCursor", str)
"""A cursor of the log."""


def read_part(source: Any, name: str) -> Any:
    """A field of a plain dict (what records are) or an attribute (what Strawberry types are)."""
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name)


def _scalar(implementation: GraphQLScalarType) -> ScalarDefinition:
    return ScalarDefinition(
        name=implementation.name,
        description=implementation.description,
        specified_by_url=implementation.specified_by_url,
        serialize=implementation.coerce_output_value,
        parse_value=implementation.coerce_input_value,
        parse_literal=None,
        implementation=implementation,
        origin=None,
    )


CONFIG = StrawberryConfig(
    auto_camel_case=True,
    default_resolver=read_part,
    disable_field_suggestions=True,
    scalar_map={
        Long: _scalar(LONG),
        Json: _scalar(JSON),
        Instant: _scalar(DATE_TIME),
        LogCursor: _scalar(CURSOR),
    },
)
"""How every Strawberry schema of Pliant is configured."""


@strawberry.type(name="PliantUserError", description="A mistake in the input that its author can mend.")
class UserError:
    """A `base.errors.Fault` as a mutation's payload shows it."""

    path: list[str] | None = strawberry.field(description="Where in the input.")
    code: str = strawberry.field(description="From the closed list in docs/errors.md.")
    message: str = strawberry.field(description="In the language of the request.")
    details: Json | None = strawberry.field(description="More, for programs.", default=None)


@strawberry.type(name="PliantViewerMember", description="The member who asks.")
class ViewerMember:
    """The actor's member; `member(id:)` gives its whole record where that may be read."""

    id: strawberry.ID
    name: str
    email: str | None
    team_ids: list[strawberry.ID]


@strawberry.type(name="PliantViewerCompany", description="The company that the viewer's credentials belong to.")
class ViewerCompany:
    """The company with the settings of its app document that a frontend shows values by."""

    id: strawberry.ID
    title: str = strawberry.field(description="In the viewer's language where the app document has it.")
    locale: str = strawberry.field(description="BCP 47 tag of the company's default language.")
    time_zone: str = strawberry.field(description="IANA name; today, weeks and months are taken in it.")
    currency: str = strawberry.field(description="ISO 4217 code of the base currency.")
    week_start: int = strawberry.field(description="ISO weekday on which weeks begin: 1 is Monday.")


@strawberry.type(
    name="PliantEntityRights", description="What the viewer may do with records of an entity, on some rows."
)
class EntityRights:
    """One entity's operations as flags."""

    entity: str
    read: bool
    create: bool
    update: bool
    delete: bool
    restore: bool
    purge: bool
    export: bool
    share: bool
    transfer: bool


# Resolvers stand beside their types: Strawberry's decorator would leave methods untyped.


def _member(root: Any) -> ViewerMember:
    actor = root.context.actor
    teams = [strawberry.ID(team) for team in actor.team_ids]
    return ViewerMember(id=strawberry.ID(actor.member_id), name=actor.name, email=actor.email, team_ids=teams)


def _company(root: Any) -> ViewerCompany:
    app, actor = root.context.catalog.app, root.context.actor
    return ViewerCompany(
        id=strawberry.ID(actor.company),
        title=app.titles.get(actor.locale, app.title),
        locale=app.locale,
        time_zone=app.time_zone,
        currency=app.currency,
        week_start=app.week_start,
    )


def _locale(root: Any) -> str:
    locale: str = root.context.actor.locale
    return locale


def _roles(root: Any) -> list[str]:
    return list(root.context.actor.roles)


def _platform(root: Any) -> list[str]:
    return sorted(root.context.actor.platform)


def _can(root: Any, entity: str | None = strawberry.UNSET) -> list[EntityRights]:
    """Rights by entity; an entity that is hidden answers as an unknown one does: not at all."""
    surface = root.context.surface
    names = [name for name in surface.entities if not entity or name == entity]
    return [EntityRights(entity=name, **rights_of(surface, name)) for name in names]


@strawberry.type(name="PliantViewer", description="Who asks, in which company, and what he may do.")
class Viewer:
    """The actor of the request."""

    context: strawberry.Private[ViewerContext]
    member: ViewerMember = strawberry.field(resolver=_member, description="The member; a token acts as its member.")
    company: ViewerCompany = strawberry.field(resolver=_company, description="The company and how it shows values.")
    locale: str = strawberry.field(resolver=_locale, description="BCP 47 tag of the viewer's language.")
    roles: list[str] = strawberry.field(resolver=_roles, description="Names of the viewer's roles.")
    platform: list[str] = strawberry.field(
        resolver=_platform, description="Rights beside entities, such as members.manage."
    )
    can: list[EntityRights] = strawberry.field(
        resolver=_can, description="Rights on one entity, or on every entity that can be read."
    )


async def _position(root: Any) -> Long:
    return Long(await root.context.position())


def _version(root: Any) -> int:
    version: int = root.context.version
    return version


@strawberry.type(name="PliantMeta", description="Where this answer stands.")
class Meta:
    """The snapshot that the answer was read from."""

    context: strawberry.Private[ViewerContext]
    position: Long = strawberry.field(
        resolver=_position, description="Position of the log that this answer is not older than."
    )
    catalog_version: int = strawberry.field(
        resolver=_version, description="Version of the company's documents that this answer was planned with."
    )


def _viewer(info: strawberry.Info[Any, None]) -> Viewer:
    return Viewer(context=info.context)


def _meta(info: strawberry.Info[Any, None]) -> Meta:
    return Meta(context=info.context)


@strawberry.type
class Query:
    """The fixed fields of Query; records are merged in beside them."""

    viewer: Viewer = strawberry.field(resolver=_viewer, description="Who asks, and what he may do.")
    meta: Meta = strawberry.field(
        resolver=_meta, description="Where this answer stands in the company's log and versions."
    )
