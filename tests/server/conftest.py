"""A house on SQLite with one company, its application over ASGI, and a real server on a socket."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from base.limits import DEFAULTS
from pliant.house import House
from pliant.settings import Settings
from server.app import Doors, build_app
from server.requests import RequestLog
from tests.programs import Served, served

TASK: Mapping[str, Any] = {
    "kind": "entity",
    "name": "task",
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 50}, "secretNote": {"type": "string"}},
    "required": ["name"],
}
READER: Mapping[str, Any] = {
    "kind": "role",
    "name": "reader",
    "entities": {"task": {"read": {"rows": ["all"], "fields": {"*": True, "secretNote": False}}}},
}


@dataclass
class Site:
    """The application, a client of it, and what it logged."""

    house: House
    client: httpx2.AsyncClient
    token: str
    company: str
    logged: io.BytesIO
    log: RequestLog

    @property
    def bearer(self) -> dict[str, str]:
        """The owner's header."""
        return {"Authorization": f"Bearer {self.token}"}

    async def ask(self, query: str, **headers: str) -> httpx2.Response:
        """A query of the owner."""
        given = {**self.bearer, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return await self.client.post("/graphql", json={"query": query}, headers=given)

    def lines(self) -> list[dict[str, Any]]:
        """The log."""
        self.log.flush()
        return [json.loads(line) for line in self.logged.getvalue().splitlines()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The application on a database of the module's own."""
    house = await House.open(Settings(data_dir=tmp_path_factory.mktemp("site"), secret_keys=("k" * 40,)))
    try:
        founded = await house.create_company("Acme", documents=[TASK, READER])
        logged = io.BytesIO()
        log = RequestLog(logged)
        app = build_app(Doors(house.desk, DEFAULTS, log, origins=["https://crm.example.com"]))
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url="http://pliant") as client:
            yield Site(house, client, founded.token, founded.company.id, logged, log)
    finally:
        await house.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real server process with one company."""
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running
