"""One generated company on every engine: the same documents and rows, and desks that answer, compiled and not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from graphql import GraphQLSchema

from access.actor import Actor
from access.migrations import CONTROL_MIGRATIONS
from access.resolve import resolve, roles_of
from base.limits import DEFAULTS
from metadata.catalog import Catalog
from metadata.publishing.publish import publish
from metadata.store import Head
from pliant.house import COMPANY_MIGRATIONS, House
from pliant.settings import Settings
from records.surface import Surface, surface_of
from schema.cache import SchemaCache
from schema.desk import Desk
from schema.request import GraphQLRequest, Reply
from storage.engine import Engine
from tests.campaigns.catalogs import Documents
from tests.campaigns.rendering import Request
from tests.campaigns.roles import Roles
from tests.campaigns.rows import Company, Filler, write
from tests.engines import opened, place_of

LIMITS = replace(
    DEFAULTS,
    document_aliases=10_000,
    document_directives=1_000,
    records=100_000_000,
    document_tokens=100_000,
    document_chars=1 << 20,
)
"""Wide enough for generated documents: limits have tests of their own."""


EVERYWHERE = frozenset({"sqlite", "postgresql"})
"""All engines."""


@dataclass(frozen=True)
class Seat:
    """An engine with its two desks."""

    name: str
    engine: Engine
    compiled: Desk
    stock: Desk


@asynccontextmanager
async def seats(engines: tuple[str, ...], folder: Path) -> AsyncIterator[list[Seat]]:
    """Open engines with the tables of a whole house."""
    async with AsyncExitStack() as stack:
        found = []
        for name in engines:
            where = folder / name
            where.mkdir(parents=True, exist_ok=True)
            engine = await stack.enter_async_context(
                opened(place_of(name, where), COMPANY_MIGRATIONS, CONTROL_MIGRATIONS)
            )
            house = House(Settings(secret_keys=("campaign",), limits=LIMITS), engine)
            found.append(Seat(name, engine, house.desk, Desk(replace(house.runtime, compiled=False))))
        yield found


@dataclass
class World:
    """One company, on all seats."""

    namespace: str
    seats: list[Seat]
    catalog: Catalog
    version: int
    company: Company
    role_sets: list[tuple[str, ...]]
    schemas: SchemaCache = field(default_factory=lambda: SchemaCache(lambda _: None, LIMITS))

    def actor(self, roles: tuple[str, ...], index: int) -> Actor:
        """A member with these roles and two of the teams."""
        teams = self.company.teams
        own = (teams[index % len(teams)], teams[(index + 3) % len(teams)])
        grants = resolve(roles_of(self.catalog), roles)
        return Actor(
            company="campaign", namespace=self.namespace, member_id=self.company.members[index % 5], name="Reader",
            email=None, team_ids=own, roles=roles, grants=grants, default_team_id=own[0],
        )  # fmt: skip

    def surface(self, actor: Actor) -> Surface:
        """What the actor may name."""
        return surface_of(self.catalog, actor.grants)

    def schema(self, actor: Actor) -> GraphQLSchema:
        """The GraphQL schema that the actor sees."""
        return self.schemas.get(self.catalog, actor.grants).core

    async def answers(self, actor: Actor, request: Request, stock: frozenset[str] = EVERYWHERE) -> dict[str, Reply]:
        """The replies of every seat, compiled, and of the stock executors on the engines named."""
        asked = GraphQLRequest(query=request.text, variables=request.variables, request_id="campaign")
        found = {}
        for seat in self.seats:
            found[f"{seat.name} compiled"] = await seat.compiled.execute(actor, asked)
            if seat.name in stock:
                found[f"{seat.name} stock"] = await seat.stock.execute(actor, asked)
        return found


@asynccontextmanager
async def world(found: list[Seat], documents: Documents, random: Random, size: int) -> AsyncIterator[World]:
    """A company made from chance, dropped afterwards."""
    namespace = f"c_{random.getrandbits(48):012x}"
    entities = documents.entities()
    first = {(item["kind"], item["name"]): item for item in entities}
    async with AsyncExitStack() as stack:
        catalogs = []
        roles: list[dict[str, Any]] = []
        sets: list[tuple[str, ...]] = []
        for seat in found:
            await seat.engine.create(namespace)
            stack.push_async_callback(_drop, seat, namespace)
            published = await publish(seat.engine, namespace, None, first)
            if not roles:
                maker = Roles(random, published.catalog)
                roles, sets = maker.documents(), maker.sets()
            head = Head(published.version, published.catalog)
            published = await publish(seat.engine, namespace, head, {("role", item["name"]): item for item in roles})
            catalogs.append(published)
        if len({item.catalog.hash for item in catalogs}) != 1:
            raise AssertionError("engines disagree about the catalog of the same documents")
        catalog, version = catalogs[0].catalog, catalogs[0].version
        company = Filler(random, catalog, size).fill()
        for seat in found:
            await write(seat.engine, namespace, company, version)
        yield World(namespace, found, catalog, version, company, sets)


async def _drop(seat: Seat, namespace: str) -> None:
    await seat.engine.drop(namespace)
    for desk in (seat.compiled, seat.stock):
        desk.runtime.companies.forget(namespace)
