"""Houses for tests: a running Pliant without HTTP on one engine, and clients that ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson

from access.actor import Actor
from access.migrations import CONTROL_MIGRATIONS
from base.limits import DEFAULTS, Limits
from pliant.house import COMPANY_MIGRATIONS, House
from pliant.settings import Settings
from schema.request import GraphQLRequest, Reply
from tests.engines import clear, unopened

KEYS = ("a key for tests",)


@asynccontextmanager
async def opened_house(
    place: str, *, compiled: bool = True, limits: Limits = DEFAULTS, last: bool = True
) -> AsyncIterator[House]:
    """A house at a place of `tests.engines`; the `last` one clears it."""
    settings = Settings(secret_keys=KEYS, compiled=compiled, limits=limits)
    house = await House.open(settings, unopened(place, COMPANY_MIGRATIONS, CONTROL_MIGRATIONS))
    try:
        yield house
    finally:
        await house.close()
        if last and "#" in place:
            await clear(place)


class Client:
    """Asks one house with one token."""

    def __init__(self, house: House, token: str, locale: str = "") -> None:
        self.house = house
        self.token = token
        self.locale = locale

    async def actor(self) -> Actor:
        """The actor behind the token."""
        return await self.house.authenticate(self.token)

    async def send(self, query: str | None = None, variables: Mapping[str, Any] | None = None, **more: Any) -> Reply:
        """The raw reply to a request."""
        request = GraphQLRequest(query, variables=variables, locale=self.locale, request_id="r", **more)
        return await self.house.execute(await self.actor(), request)

    async def ask(self, query: str, **variables: Any) -> Any:
        """The whole response as JSON."""
        return orjson.loads((await self.send(query, variables)).body)

    async def data(self, query: str, **variables: Any) -> Any:
        """The data of a response without errors."""
        found = await self.ask(query, **variables)
        assert "errors" not in found, found
        return found["data"]

    async def code(self, query: str, **variables: Any) -> str:
        """The code of the first error."""
        found = await self.ask(query, **variables)
        code: str = found["errors"][0]["extensions"]["code"]
        return code

    async def admin(self, query: str, **variables: Any) -> Any:
        """The whole response of the administration."""
        request = GraphQLRequest(query, variables=variables, locale=self.locale, request_id="r")
        return orjson.loads((await self.house.execute_admin(await self.actor(), request)).body)

    async def administer(self, query: str, **variables: Any) -> Any:
        """The data of an administration's response without errors."""
        found = await self.admin(query, **variables)
        assert "errors" not in found, found
        return found["data"]


async def found_company(house: House, documents: Sequence[Mapping[str, Any]], name: str = "Acme") -> Client:
    """A new company's owner."""
    return Client(house, (await house.create_company(name, documents=documents)).token)


async def hire(owner: Client, name: str, *roles: str, team: str | None = None) -> Client:
    """A new member with these roles, as a client of the same house."""
    company = (await owner.actor()).company
    teams = [] if team is None else [team]
    member = await owner.house.add_member(company, {"name": name, "roles": list(roles), "teamIds": teams})
    return Client(owner.house, await owner.house.create_token(company, member, name, roles))
