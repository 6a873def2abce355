"""A small catalog to write roles against, and a company on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from access.actor import Actor
from access.company import Company, create_company, delete_company, find_company
from access.member import add_member
from access.migrations import CONTROL_MIGRATIONS, MIGRATIONS
from access.resolve import Resolver
from access.role import parse_role
from access.store import Writer
from access.system import SYSTEM_DOCUMENTS
from access.table import MEMBER, TEAM
from access.team import add_team
from base.clock import now, timestamp
from base.errors import Fault
from base.ids import new_id
from base.json import digest
from events import Event, read_page
from expressions import Scope, Type
from storage.batch import Applied, Batch, Cause
from storage.ddl import create_index, create_table
from storage.engine import Engine
from tests.engines import ENGINES, opened, place_of

SYSTEM = {"id": Type.ID, "ownerId": Type.ID, "teamId": Type.ID, "version": Type.INTEGER}
ACTOR = {"id": Type.ID, "teamId": Type.ID, "roles": Type.LIST, "teamIds": Type.LIST}


class Names:
    """A scope of names and steps."""

    def __init__(self, types: Mapping[str, Type], steps: Mapping[str, Scope]) -> None:
        self._types, self._steps = types, steps

    def type_of(self, name: str) -> Type | None:
        return self._types.get(name)

    def step(self, name: str) -> Scope | None:
        return self._steps.get(name)

    def names(self) -> Iterable[str]:
        return (*self._types, *self._steps)


class Known:
    """Opportunity -> account -> parent account; member and team stand for the system entities."""

    _types: Mapping[str, Mapping[str, Type]] = {
        "opportunity": {
            **SYSTEM,
            "amount": Type.DECIMAL,
            "stage": Type.TEXT,
            "margin": Type.DECIMAL,
            "accountId": Type.ID,
            "hot": Type.BOOLEAN,
        },
        "account": {**SYSTEM, "sector": Type.TEXT, "parentId": Type.ID, "name": Type.TEXT},
        "member": {**SYSTEM, "name": Type.TEXT},
        "team": {**SYSTEM, "name": Type.TEXT},
    }
    _parents: Mapping[str, Mapping[str, str]] = {
        "opportunity": {"account": "account", "owner": "member", "team": "team"},
        "account": {"parent": "account", "owner": "member", "team": "team"},
        "member": {"owner": "member", "team": "team"},
        "team": {"owner": "member", "team": "team"},
    }

    def entities(self) -> Iterable[str]:
        return self._types

    def fields(self, entity: str) -> Mapping[str, str]:
        accepted = {name: name.removesuffix("Id") if name != "id" else name for name in self._types[entity]}
        return {**accepted, **{relation: relation for relation in self._parents[entity]}}

    def parents(self, entity: str) -> Mapping[str, str]:
        return self._parents[entity]

    def scope(self, entity: str, depth: int = 4) -> Scope:
        steps = {name: self.scope(target, depth - 1) for name, target in self._parents[entity].items()} if depth else {}
        return Names(self._types[entity], {**steps, "actor": Names(ACTOR, {})})


@pytest.fixture
def known() -> Known:
    return Known()


@dataclass(frozen=True)
class Book:
    """A catalog as far as access looks at it."""

    hash: str
    parsed: Mapping[str, Mapping[str, object]]


def make_book(*documents: Mapping[str, Any]) -> Book:
    """The built-in owner and further roles, parsed against the small catalog."""
    faults: list[Fault] = []
    owner = next(item for item in SYSTEM_DOCUMENTS if item["kind"] == "role")
    roles = [parse_role(document, Known(), faults) for document in (owner, *documents)]
    assert faults == []
    return Book(digest([dict(document) for document in documents]), {"role": {role.name: role for role in roles}})


SELLER = {"kind": "role", "name": "seller", "entities": {"opportunity": {"read": "team+", "update": "own"}}}
CLERK = {"kind": "role", "name": "clerk", "entities": {}, "platform": ["members.manage", "teams.manage"]}
BOOK = make_book(SELLER, CLERK)


@dataclass
class House:
    """A company with its owner on one engine, and a note of every commit."""

    engine: Engine
    company: Company
    owner_id: str
    committed: list[str]

    def writer(self, actor: Actor | None = None, book: Book = BOOK) -> Writer:
        """A writer for the system or for an actor."""
        return Writer(self.engine, self.company.namespace, book, 1, actor, committed=self.committed.append)

    def actor(self, member_id: str, *roles: str, book: Book = BOOK) -> Actor:
        """A member acting with some roles."""
        grants = Resolver().grants(book, roles)
        return Actor(self.company.id, self.company.namespace, member_id, "?", None, (), roles, grants)

    async def member(self, name: str, **input: Any) -> str:
        """A new member, by the system."""
        written = await add_member(self.writer(), {"name": name, **input})
        assert written.faults == ()
        assert written.id is not None
        return written.id

    async def team(self, name: str, parent: str | None = None) -> str:
        """A new team, by the system."""
        written = await add_team(self.writer(), {"name": name, "parentId": parent})
        assert written.faults == ()
        assert written.id is not None
        return written.id

    async def events(self) -> list[Event]:
        """Every event so far."""
        await self.engine.sequence(self.company.namespace)
        return await read_page(self.engine, self.company.namespace, 0, 1000)


async def create_tables(engine: Engine, namespace: str) -> None:
    """The tables of the system entities, as publishing makes them."""
    texts: list[str] = []
    for table in (MEMBER, TEAM):
        columns = [(name, type_, name in ("id", "version")) for name, type_ in table.columns.items()]
        texts += create_table(table.name, columns, ["id"], engine.dialect)
    texts += create_index("member_email", "member", ["email"], engine.dialect, unique=True, where_live=True)
    batch = Batch(timestamp(now()), new_id(), Cause(None, "publish"), 0, new_catalog_version=1)
    assert isinstance(await engine.migrate(namespace, texts, batch), Applied)


@asynccontextmanager
async def open_house(engine: Engine, book: Book = BOOK) -> AsyncIterator[House]:
    """A fresh company, dropped at the end."""
    made: list[str] = []

    async def fill(company: Company) -> None:
        await create_tables(engine, company.namespace)
        writer = Writer(engine, company.namespace, book, 1)
        written = await add_member(writer, {"name": "Owner", "email": "owner@example.com", "roles": ["owner"]})
        assert written.id is not None
        made.append(written.id)

    company = await create_company(engine, "Test", fill)
    try:
        yield House(engine, company, made[0], [])
    finally:
        if await find_company(engine, company.id):
            await delete_company(engine, company.id)


@pytest.fixture
async def house(engine: Engine) -> AsyncIterator[House]:
    async with open_house(engine) as opened:
        yield opened


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return place_of(request.param, tmp_path)


@asynccontextmanager
async def opened_access(place: str) -> AsyncIterator[Engine]:
    """An engine with the tables of this room."""
    async with opened(place, MIGRATIONS, CONTROL_MIGRATIONS) as engine:
        yield engine


@pytest.fixture
async def engine(place: str) -> AsyncIterator[Engine]:
    async with opened_access(place) as found:
        yield found
