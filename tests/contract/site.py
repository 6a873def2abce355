"""A company with a field of every type, asked through HTTP: what attackers send, and what must never come back."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from base.limits import DEFAULTS
from server.app import Doors, build_app
from server.negotiation import GRAPHQL, JSON
from server.requests import RequestLog
from tests.houses import Client, found_company, opened_house

WIDE: Mapping[str, Any] = {
    "kind": "entity",
    "name": "wide",
    "title": "Wide",
    "x-plural": "wides",
    "x-display": "text",
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 500},
        "longText": {"x-type": "longText"},
        "integer": {"type": "integer"},
        "long": {"x-type": "long"},
        "decimal": {"type": "string", "format": "decimal"},
        "float": {"type": "number"},
        "percent": {"x-type": "percent"},
        "boolean": {"type": "boolean"},
        "date": {"type": "string", "format": "date"},
        "dateTime": {"type": "string", "format": "date-time"},
        "time": {"type": "string", "format": "time"},
        "choice": {"enum": ["A", "B"]},
        "choices": {"x-type": "choices", "items": {"enum": ["A", "B"]}},
        "tags": {"x-type": "tags"},
        "email": {"type": "string", "format": "email"},
        "url": {"x-type": "url"},
        "phone": {"x-type": "phone"},
        "uuid": {"type": "string", "format": "uuid"},
        "json": {"type": "object"},
        "reference": {"x-type": "reference", "x-entity": "wide", "x-inverse": "referrers"},
        "references": {"x-type": "references", "x-entity": "wide", "x-inverse": "linked"},
        "children": {"x-type": "children", "x-entity": "part"},
        "sequence": {"x-type": "sequence", "x-pattern": "W-{0000}"},
        "person": {"x-type": "member"},
        "crew": {"x-type": "team"},
    },
    "x-unique": [["email"]],
}
PART: Mapping[str, Any] = {
    "kind": "entity",
    "name": "part",
    "title": "Part",
    "x-display": "name",
    "type": "object",
    "properties": {"name": {"type": "string"}},
}
DOCUMENTS = ({"kind": "app", "name": "app", "title": "Wide"}, WIDE, PART)

CODES = {"BAD_USER_INPUT", "LIMIT_EXCEEDED", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "CONFLICT"}
"""What may be answered to bad input; INTERNAL is not among it."""

TALK = re.compile(r"Traceback|sqlite|asyncpg|sqlalchemy|\bSELECT\b|\bWHERE\b|\.py\b|site-packages|/tmp/|/home/")
"""What no answer says: traces, SQL, paths, what we are made of."""


@dataclass
class Site:
    """The application over one engine, and its owner."""

    owner: Client
    client: httpx2.AsyncClient

    async def post(self, body: bytes, path: str = "/graphql", **headers: str) -> httpx2.Response:
        """Send bytes; what no answer may ever be or say is checked here."""
        given = {"Authorization": f"Bearer {self.owner.token}", "Content-Type": JSON, "Accept": GRAPHQL, **headers}
        response = await self.client.post(path, content=body, headers=given)
        assert response.status_code < 500, response.text
        assert "INTERNAL" not in response.text, response.text
        assert response.headers["content-type"].split(";")[0] in (GRAPHQL, JSON, "application/problem+json")
        if "errors" in response.text or response.status_code >= 400:
            assert not TALK.search(response.text), response.text
        return response

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, path: str = "/graphql") -> Any:
        """The response to a query, as JSON."""
        body = {"query": query, "variables": variables}
        return (await self.post(json.dumps(body).encode(), path)).json()


def codes(answer: Any) -> set[str]:
    """The codes of errors and user errors of a response."""
    found = {error["extensions"]["code"] for error in answer.get("errors", ())}
    for payload in (answer.get("data") or {}).values():
        if isinstance(payload, dict):
            found |= {error["code"] for error in payload.get("userErrors", ())}
    return found


def answer_of(response: httpx2.Response) -> str:
    """A response in two words: its status, and its code or what else it is."""
    found = response.json()
    if "errors" in found or "data" in found:
        told = sorted(codes(found))
        return f"{response.status_code} {', '.join(told) if told else 'data'}"
    return f"{response.status_code} problem"


@asynccontextmanager
async def opened_site(place: str) -> AsyncIterator[Site]:
    """The application at a place of `tests.engines`, with three records."""
    async with opened_house(place) as house:
        owner = await found_company(house, DOCUMENTS)
        app = build_app(Doors(house.desk, DEFAULTS, RequestLog(io.BytesIO())))
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url="http://pliant") as client:
            site = Site(owner, client)
            create = "mutation($i: WideCreateInput!) { createWide(input: $i) { wide { id } userErrors { code path } } }"
            for number, text in enumerate(("50%", "5_0", "plain")):
                given = {"text": text, "email": f"a{number}@example.com", "tags": ["x"], "json": {"a": number}}
                made = await site.ask(create, {"i": given})
                assert codes(made) == set(), made
            yield site
