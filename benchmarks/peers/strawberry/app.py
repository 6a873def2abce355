"""The hand-written application that Pliant is compared with: what one would write today for these tables.

Strawberry types, SQLAlchemy's asynchronous ORM, a DataLoader for each relation, documents cached. Started as
`uvicorn benchmarks.peers.strawberry.app:app`; DATABASE_URL and POOL come from the environment.
"""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.scalars import ID
from strawberry.types import Info

_engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=int(os.environ.get("POOL", "20")),
    max_overflow=0,
)
_session = async_sessionmaker(_engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """All tables."""


class UserRow(Base):
    """A person."""

    __tablename__ = "app_user"
    __table_args__ = {"schema": "acme"}  # noqa: RUF012
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    region: Mapped[str]


class AccountRow(Base):
    """A customer."""

    __tablename__ = "account"
    __table_args__ = {"schema": "acme"}  # noqa: RUF012
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    industry: Mapped[str]
    city: Mapped[str]
    tier: Mapped[str]
    owner_id: Mapped[int]
    annual_revenue: Mapped[Decimal]


class ContactRow(Base):
    """A person at a customer."""

    __tablename__ = "contact"
    __table_args__ = {"schema": "acme"}  # noqa: RUF012
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str]
    title: Mapped[str]


class OpportunityRow(Base):
    """A chance to sell."""

    __tablename__ = "opportunity"
    __table_args__ = {"schema": "acme"}  # noqa: RUF012
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    owner_id: Mapped[int]
    name: Mapped[str]
    stage: Mapped[str]
    amount: Mapped[Decimal]
    probability: Mapped[int]
    close_date: Mapped[date]
    source: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


@strawberry.type
class User:
    """A person."""

    id: ID
    name: str
    email: str
    region: str


@strawberry.type
class Contact:
    """A person at a customer."""

    id: ID
    name: str
    email: str
    phone: str
    title: str


@strawberry.type
class Opportunity:
    """A chance to sell."""

    id: ID
    account_id: ID
    owner_id: ID
    name: str
    stage: str
    amount: Decimal
    probability: int
    close_date: date
    source: str
    created_at: datetime

    @strawberry.field
    async def owner(self, info: Info) -> User | None:
        """Who works on it."""
        found: User | None = await info.context["users"].load(int(self.owner_id))
        return found


@strawberry.type
class Account:
    """A customer."""

    id: ID
    name: str
    industry: str
    city: str
    tier: str

    @strawberry.field
    async def opportunities(self, info: Info, first: int = 10) -> list[Opportunity]:
        """The newest ones."""
        found: list[Opportunity] = await info.context["opportunities"].load((int(self.id), first))
        return found

    @strawberry.field
    async def contacts(self, info: Info) -> list[Contact]:
        """All of them."""
        found: list[Contact] = await info.context["contacts"].load(int(self.id))
        return found


@strawberry.input
class Position:
    """Where a page of opportunities begins."""

    amount: Decimal
    id: ID


@strawberry.input
class OpportunityInput:
    """A new opportunity."""

    account_id: ID
    owner_id: ID
    name: str
    stage: str
    amount: Decimal
    probability: int
    close_date: date
    source: str


def _opportunity(row: OpportunityRow) -> Opportunity:
    return Opportunity(
        id=ID(str(row.id)),
        account_id=ID(str(row.account_id)),
        owner_id=ID(str(row.owner_id)),
        name=row.name,
        stage=row.stage,
        amount=row.amount,
        probability=row.probability,
        close_date=row.close_date,
        source=row.source,
        created_at=row.created_at,
    )


async def _users(ids: list[int]) -> list[User | None]:
    async with _session() as session:
        rows = await session.scalars(select(UserRow).where(UserRow.id.in_(ids)))
        found = {row.id: User(id=ID(str(row.id)), name=row.name, email=row.email, region=row.region) for row in rows}
    return [found.get(item) for item in ids]


async def _newest(keys: list[tuple[int, int]]) -> list[list[Opportunity]]:
    order = (OpportunityRow.created_at.desc(), OpportunityRow.id.desc())
    number = func.row_number().over(partition_by=OpportunityRow.account_id, order_by=order).label("number")
    ids = [account for account, _ in keys]
    inner = select(OpportunityRow, number).where(OpportunityRow.account_id.in_(ids)).subquery()
    row = aliased(OpportunityRow, inner)
    found: dict[int, list[Opportunity]] = defaultdict(list)
    async with _session() as session:
        query = select(row).where(inner.c.number <= keys[0][1]).order_by(inner.c.account_id, inner.c.number)
        for item in await session.scalars(query):
            found[item.account_id].append(_opportunity(item))
    return [found[account] for account in ids]


async def _contacts(ids: list[int]) -> list[list[Contact]]:
    found: dict[int, list[Contact]] = defaultdict(list)
    async with _session() as session:
        for row in await session.scalars(
            select(ContactRow).where(ContactRow.account_id.in_(ids)).order_by(ContactRow.id)
        ):
            contact = Contact(id=ID(str(row.id)), name=row.name, email=row.email, phone=row.phone, title=row.title)
            found[row.account_id].append(contact)
    return [found[account] for account in ids]


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def opportunity(self, id: ID) -> Opportunity | None:
        """One of them."""
        async with _session() as session:
            row = await session.get(OpportunityRow, int(id))
        return _opportunity(row) if row else None

    @strawberry.field
    async def opportunities(
        self, first: int = 50, stage: str | None = None, after: Position | None = None
    ) -> list[Opportunity]:
        """A page, largest first."""
        query = select(OpportunityRow).order_by(OpportunityRow.amount.desc(), OpportunityRow.id.desc()).limit(first)
        if stage is not None:
            query = query.where(OpportunityRow.stage == stage)
        if after is not None:
            query = query.where(tuple_(OpportunityRow.amount, OpportunityRow.id) < (after.amount, int(after.id)))
        async with _session() as session:
            return [_opportunity(row) for row in await session.scalars(query)]

    @strawberry.field
    async def accounts(self, first: int = 20, after: ID | None = None) -> list[Account]:
        """A page in the order of ids."""
        query = select(AccountRow).order_by(AccountRow.id).limit(first)
        if after is not None:
            query = query.where(AccountRow.id > int(after))
        async with _session() as session:
            return [
                Account(id=ID(str(row.id)), name=row.name, industry=row.industry, city=row.city, tier=row.tier)
                for row in await session.scalars(query)
            ]


@strawberry.type
class Mutation:
    """What can be written."""

    @strawberry.mutation
    async def create_opportunity(self, input: OpportunityInput) -> Opportunity:
        """Create one and read it back."""
        async with _session() as session:
            row = OpportunityRow(
                account_id=int(input.account_id),
                owner_id=int(input.owner_id),
                name=input.name,
                stage=input.stage,
                amount=input.amount,
                probability=input.probability,
                close_date=input.close_date,
                source=input.source,
            )
            session.add(row)
            await session.commit()
            await session.refresh(row)
        return _opportunity(row)


class App(GraphQL[Any, Any]):
    """One set of loaders for each request."""

    async def get_context(self, request: Any, response: Any = None) -> dict[str, Any]:
        """What resolvers find their loaders in."""
        return {
            "users": DataLoader(_users),
            "opportunities": DataLoader(_newest),
            "contacts": DataLoader(_contacts),
        }


_schema = strawberry.Schema(Query, Mutation, extensions=[ParserCache(), ValidationCache()])
app = Starlette()
app.add_route("/graphql", App(_schema), methods=["POST"])
