"""The house: where the rooms are joined into one running process, without HTTP.

The only place that may name every room: migrations, engine, caches, the desk that answers GraphQL, the sequencer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from access.actor import Actor
from access.company import Company
from base.json import Json
from metadata.publish import Published
from pliant.settings import Settings
from schema.desk import Desk
from schema.request import GraphQLRequest, Reply
from storage.engine import Engine


@dataclass(frozen=True, slots=True)
class Founded:
    """A new company: its owner's member id, and his token, which is shown now and never again."""

    company: Company
    owner_id: str
    token: str


class House:
    """A running Pliant: one engine, one desk. `open` it, use it on one event loop, `close` it."""

    settings: Settings
    engine: Engine
    desk: Desk
    """What a server takes: `authenticate`, `execute`, `execute_admin`, `sdl`, `refuse`, `ready`."""

    @classmethod
    async def open(cls, settings: Settings) -> House:
        """Connect, migrate the control tables, remove half-made companies, start the sequencer."""

    async def close(self) -> None:
        """Finish what is under way and disconnect."""

    async def authenticate(self, token: str) -> Actor:
        """The actor behind a token. Raises `Unauthenticated`."""

    async def execute(self, actor: Actor, request: GraphQLRequest) -> Reply:
        """Answer a request to `/graphql`. Never raises for what a client can cause."""

    async def execute_admin(self, actor: Actor | None, request: GraphQLRequest) -> Reply:
        """Answer a request to `/graphql/admin`."""

    async def create_company(
        self,
        name: str,
        owner: str = "Owner",
        email: str | None = None,
        documents: Sequence[Mapping[str, Json]] = (),
        company_id: str | None = None,
    ) -> Founded:
        """Create a company with its first documents, its owner and a token for him."""

    async def companies(self) -> tuple[Company, ...]:
        """All companies, oldest first."""

    async def company(self, company_id: str) -> Company:
        """The company of a public id. Raises `NotFound`."""

    async def delete_company(self, company_id: str) -> None:
        """Delete a company with everything in it, for ever."""

    async def actor(self, company_id: str, member_id: str) -> Actor:
        """A member as an actor with all his roles, for work that the command line does in his name."""

    async def owner(self, company_id: str) -> Actor:
        """The actor of the company's first active owner: whom the command line acts as when nobody is named."""

    async def publish(
        self,
        company_id: str,
        documents: Sequence[Mapping[str, Json]],
        removals: Sequence[tuple[str, str]] = (),
        *,
        expected_version: int | None = None,
        allow_loss: Sequence[str] = (),
    ) -> Published:
        """Publish documents as the system. Raises `DocumentsInvalid` and `Conflict`."""

    async def add_member(self, company_id: str, input: Mapping[str, Json]) -> str:
        """Add a member as the system and give his id. Raises `BadInput` with the first fault."""

    async def create_token(self, company_id: str, member_id: str, name: str, roles: Sequence[str]) -> str:
        """Make a token as the system; the text is shown now and never again. Raises `BadInput`."""
