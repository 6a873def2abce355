"""What can be downloaded about the API: the company's GraphQL schema as text, and JSON Schemas of documents.

`/schemas/<kind>.json` (how documents of a kind are written) is the same for everybody; the other two are the
company's own and cut to what the caller may see.
"""

from __future__ import annotations

from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from base.errors import NotFound, Text
from base.json import dump
from metadata.kinds import KINDS
from schema.desk import Desk
from server.authentication import authenticate
from server.headers import etag_of
from server.requests import RequestHeaders
from sources.metaschema import MAPPING_METASCHEMA

_UNKNOWN = Text("There is no such document", "没有此文档")
METASCHEMAS = {**{kind.name: kind.metaschema for kind in KINDS}, "import": MAPPING_METASCHEMA}
"""By file name: how documents of each kind are written, and mapping files of imports."""

SCHEMA_MEDIA_TYPE = "application/schema+json"
SDL_MEDIA_TYPE = "application/graphql; charset=utf-8"


class Published:
    """The endpoints."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def sdl(self, request: Request) -> Response:
        """`GET /schema.graphql`: the schema that the caller's token sees."""
        actor = await authenticate(self._desk, _authorization(request))
        text = await self._desk.sdl(actor)
        return _answer(request, text.text, text.etag, SDL_MEDIA_TYPE, "private, no-cache")

    async def entity_schema(self, request: Request) -> Response:
        """`GET /schemas/entities/<name>.json`: what the server holds an entity's records to. Raises `NotFound`."""
        actor = await authenticate(self._desk, _authorization(request))
        found = await self._desk.entity_schema(actor, request.path_params["name"])
        if found is None:
            raise NotFound(_UNKNOWN)
        body = dump(found)
        return _answer(request, body, etag_of(body), SCHEMA_MEDIA_TYPE, "private, no-cache")

    async def metaschema(self, request: Request) -> Response:
        """`GET /schemas/<kind>.json`: for completion in an editor. Raises `NotFound`."""
        name = request.path_params["name"]
        if name not in METASCHEMAS:
            raise NotFound(_UNKNOWN)
        body, etag = _metaschema(name)
        return _answer(request, body, etag, SCHEMA_MEDIA_TYPE, "public, max-age=300")


def _authorization(request: Request) -> bytes | None:
    return RequestHeaders(request.scope["headers"]).authorization


def _answer(request: Request, body: bytes, etag: str, media_type: str, caching: str) -> Response:
    headers = {"etag": etag, "cache-control": caching, "vary": "Authorization"}
    asked = request.headers.get("if-none-match", "")
    if asked.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in asked.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "content-type": media_type})


@cache
def _metaschema(name: str) -> tuple[bytes, str]:
    body = dump(METASCHEMAS[name])
    return body, etag_of(body)
