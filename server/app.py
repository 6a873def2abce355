"""The application: the only place where doors get their paths.

`/graphql` and `/graphql/admin` are raw ASGI callables; everything else is a small Starlette application beside them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from time import perf_counter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from base.errors import NotFound, PliantError, Text, Unauthenticated
from base.limits import Limits
from schema.desk import Desk
from server.authentication import CHALLENGE
from server.cors import Cors
from server.explore import explore_file, explore_page
from server.graphql import GraphQLDoor
from server.headers import SECURITY
from server.health import healthz, readyz
from server.metrics import MEDIA_TYPE, OK, Gauges, Metrics
from server.negotiation import locale_of
from server.problems import RequestRefused, problem
from server.published import Published
from server.requests import RequestHeaders, RequestLog, request_id_of
from storage.errors import StorageError


@dataclass(frozen=True, slots=True)
class Doors:
    """What an application is made of. `origins` may call it from pages of other sites."""

    desk: Desk
    limits: Limits
    log: RequestLog
    gauges: Gauges = tuple
    origins: Collection[str] = ()
    explore: bool = True


def build_app(doors: Doors) -> ASGIApp:
    """The ASGI application of one process."""
    cors, metrics = Cors(doors.origins), Metrics(doors.gauges)
    desk = doors.desk
    shared = (desk, doors.limits, cors, metrics, doors.log)
    graphql = {
        "/graphql": GraphQLDoor("graphql", desk.execute, *shared),
        "/graphql/admin": GraphQLDoor("admin", desk.execute_admin, *shared, anonymous=True),
    }
    rest = _Rest(_pages(doors, metrics), cors, metrics, doors.log)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await graphql.get(scope["path"], rest)(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    return app


def _pages(doors: Doors, metrics: Metrics) -> Starlette:
    published = Published(doors.desk)

    async def numbers(request: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": MEDIA_TYPE})

    async def home(request: Request) -> Response:
        return RedirectResponse("/explore", 307)

    routes = [
        Route("/healthz", healthz),
        Route("/readyz", readyz(doors.desk.ready)),
        Route("/metrics", numbers),
        Route("/schema.graphql", published.sdl),
        Route("/schemas/entities/{name}.json", published.entity_schema),
        Route("/schemas/{name}.json", published.metaschema),
    ]
    if doors.explore:
        routes += [Route("/", home), Route("/explore", explore_page), Route("/explore/{name}", explore_file)]
    pages = Starlette(routes=routes)
    pages.router.redirect_slashes = False
    return pages


class _Rest:
    """Everything but GraphQL: faults become problem documents, every answer gets the common headers and a line."""

    def __init__(self, pages: Starlette, cors: Cors, metrics: Metrics, log: RequestLog) -> None:
        self._pages = pages
        self._cors = cors
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        headers = RequestHeaders(scope["headers"])
        request_id = request_id_of(headers.request_id)
        sent: list[int] = []

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent.append(message["status"])
                own = {name for name, _ in message["headers"]}
                extra = [(b"x-request-id", request_id.encode()), *SECURITY, *self._cors.headers(headers.origin)]
                message["headers"] += [(name, value) for name, value in extra if name not in own]
            await send(message)

        try:
            if scope["method"] == "OPTIONS":
                await self._preflight(headers, dressed)
            else:
                # With an application in its scope the router raises what it would else answer as plain text.
                await self._pages.router({**scope, "app": self._pages}, receive, dressed)
        except Exception as error:
            if sent:
                self._log.error(request_id, error)
                return
            await _answer(error, headers, request_id, self._log)(scope, receive, dressed)
        finally:
            seconds, status = perf_counter() - started, sent[0] if sent else 500
            self._metrics.observe("other", OK if status < 400 else str(status), seconds)
            self._log.request(request_id, scope["method"], scope["path"], status, seconds)

    async def _preflight(self, headers: RequestHeaders, send: Send) -> None:
        own = [(b"allow", b"GET, HEAD, OPTIONS"), *self._cors.preflight(headers.origin)]
        await send({"type": "http.response.start", "status": 204, "headers": own})
        await send({"type": "http.response.body", "body": b""})


_STATUS: dict[type[PliantError], int] = {Unauthenticated: 401, NotFound: 404, StorageError: 503}


def _answer(error: Exception, headers: RequestHeaders, request_id: str, log: RequestLog) -> Response:
    status, text, extra = 500, Text("Something went wrong on our side", "服务器内部出错"), dict[str, str]()
    if isinstance(error, RequestRefused):
        status, text, extra = error.status, error.text, error.headers
    elif isinstance(error, HTTPException):
        status, extra = error.status_code, dict(error.headers or {})
        text = _HTTP.get(status, Text(error.detail, error.detail))
    elif isinstance(error, PliantError):
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
        text = error.text
    if status == 401:
        extra["www-authenticate"] = CHALLENGE
    if status == 500 or isinstance(error, StorageError):
        log.error(request_id, error)
    told = problem(status, text, locale_of(headers.language) or "en", extra, request_id)
    return Response(told.body, status, {**told.headers, "content-type": told.media_type, "cache-control": "no-store"})


_HTTP = {
    404: Text("Nothing is served at this path", "此路径没有内容"),
    405: Text("This path does not take this method", "此路径不支持该请求方法"),
}
