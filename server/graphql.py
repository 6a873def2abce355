"""The two GraphQL doors: a POST (or a GET of a persisted document) becomes a request, its reply becomes an answer.

A raw ASGI callable: this is the hot path, and a framework's request and response objects would double its cost.
Specification: GraphQL over HTTP. Refusals from authentication on are GraphQL responses; a problem document answers
only what is no GraphQL request at all: its method, its media types, bytes that are not JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from access.actor import Actor
from base.errors import Forbidden, LimitExceeded, PliantError, Text, Unauthenticated
from base.limits import Limits
from schema.errors import response_errors
from schema.request import GraphQLRequest, Reply
from server.authentication import CHALLENGE, Authenticator, authenticate
from server.body import ClientGone, check_length, parse_body, parse_query_string, read_body, read_request
from server.cors import Cors
from server.deadlines import Deadlines
from server.headers import SECURITY
from server.metrics import OK, Metrics
from server.negotiation import EVENT_STREAM, GRAPHQL, JSON, is_json, locale_of, response_type
from server.problems import Answer, RequestRefused, problem
from server.requests import RequestHeaders, RequestLog, form_of, request_id_of
from server.whole import whole_of
from storage.errors import StorageError

Execute = Callable[[Any, GraphQLRequest], Awaitable[Reply]]
"""Of an actor, or None where the door is open to requests without credentials."""

CLIENT_GONE = 499
"""Noted when the client hung up before it could be answered."""

_ALWAYS = frozenset({401, 403, 405, 413, 429, 500, 503})
"""Statuses that `application/json` shows too: clients and proxies act on them; everything else there is 200."""

_STATUS: dict[type[PliantError], int] = {Unauthenticated: 401, Forbidden: 403, LimitExceeded: 413, StorageError: 503}

_HEADERS = {
    media: [(b"content-type", f"{media}; charset=utf-8".encode()), (b"cache-control", b"no-store"), *SECURITY]
    for media in (JSON, GRAPHQL)
}
_LINES = {media: b"".join(b"%b: %b\r\n" % header for header in headers) for media, headers in _HEADERS.items()}


class _Visit:
    """One request on its way, for the log."""

    __slots__ = ("actor", "executing", "headers", "locale", "operation", "request_id")

    def __init__(self, scope: Scope) -> None:
        self.headers = RequestHeaders(scope["headers"])
        self.request_id = request_id_of(self.headers.request_id)
        self.locale = locale_of(self.headers.language)
        self.actor: Actor | None = None
        self.operation: str | None = None
        self.executing = False


class GraphQLDoor:
    """One GraphQL endpoint. `anonymous` lets requests without credentials through: the executor decides."""

    def __init__(
        self,
        name: str,
        execute: Execute,
        authenticator: Authenticator,
        limits: Limits,
        cors: Cors,
        metrics: Metrics,
        log: RequestLog,
        anonymous: bool = False,
    ) -> None:
        self._name = name
        self._execute = execute
        self._authenticator = authenticator
        self._limits = limits
        self._cors = cors
        self._metrics = metrics
        self._log = log
        self._anonymous = anonymous
        self._deadlines = Deadlines(limits.request_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        started = perf_counter()
        visit = _Visit(scope)
        self._metrics.in_flight += 1
        status, outcome = CLIENT_GONE, str(CLIENT_GONE)
        try:
            answer = await self._guarded(scope, receive, visit)
            status, outcome = answer.status, answer.code or (OK if answer.status < 400 else str(answer.status))
            if not self._sent_whole(scope, answer, visit):
                await self._send(answer, visit, send)
        except ClientGone:
            return
        finally:
            seconds = perf_counter() - started
            self._metrics.in_flight -= 1
            self._metrics.observe(self._name, outcome, seconds)
            if self._log.requests:
                self._note(scope, visit, status, outcome, seconds)

    async def _guarded(self, scope: Scope, receive: Receive, visit: _Visit) -> Answer:
        task = self._deadlines.enter()
        try:
            return await self._answer(scope, receive, visit)
        except RequestRefused as error:
            return problem(error.status, error.text, visit.locale or "en", error.headers, visit.request_id)
        except ClientGone:
            raise
        except asyncio.CancelledError:
            if not self._deadlines.has_passed(task):
                raise
            return self._too_slow(visit)
        except Exception as error:
            return self._refusal(error, visit)
        finally:
            self._deadlines.leave(task)

    async def _answer(self, scope: Scope, receive: Receive, visit: _Visit) -> Answer:
        headers, method = visit.headers, scope["method"]
        if method == "OPTIONS":
            allowed = {"allow": "POST, GET, OPTIONS"}
            return Answer(204, JSON, b"", allowed | _texts(self._cors.preflight(headers.origin)))
        given = parse_query_string(scope["query_string"]) if method == "GET" else None
        if method != "POST" and (given is None or "documentId" not in given or "query" in given):
            raise RequestRefused(405, _NOT_ALLOWED, {"allow": "POST"})
        media = response_type(headers.accept)
        if media is None:
            streamed = EVENT_STREAM.encode() in (headers.accept or b"")
            raise RequestRefused(406, _NO_STREAM if streamed else _NOT_ACCEPTABLE)
        if given is None:
            if not is_json(headers.content_type) or headers.content_encoding not in (None, b"identity"):
                raise RequestRefused(415, _NOT_JSON, {"accept-post": JSON})
            check_length(headers.content_length, self._limits.body_bytes)
        if headers.authorization is not None or not self._anonymous:
            visit.actor = await authenticate(self._authenticator, headers.authorization)
        if given is None:
            given = parse_body(await read_body(receive, self._limits.body_bytes))
        request = read_request(given, visit.locale, visit.request_id, method == "GET", form_of(headers.form))
        visit.operation, visit.executing = request.operation_name, True
        reply = await self._execute(visit.actor, request)
        status = reply.status if media == GRAPHQL or reply.status in _ALWAYS else 200
        return Answer(status, media, reply.body, _EXTRA.get(status, _NONE), reply.code)

    def _refusal(self, error: Exception, visit: _Visit) -> Answer:
        if not isinstance(error, PliantError) or isinstance(error, StorageError):
            self._log.error(visit.request_id, error)
        known = isinstance(error, PliantError)
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400 if known else 500)
        errors = response_errors(error, visit.locale or "en", visit.request_id)
        media = response_type(visit.headers.accept) or JSON
        code = errors[0]["extensions"]["code"]
        return Answer(status, media, orjson.dumps({"errors": errors}), _EXTRA.get(status, _NONE), code)

    def _too_slow(self, visit: _Visit) -> Answer:
        seconds = self._limits.request_seconds
        if not visit.executing:
            text = Text(f"The request did not arrive within {seconds:g} s", f"请求未能在 {seconds:g} 秒内送达")
            return problem(408, text, visit.locale or "en", {"connection": "close"}, visit.request_id)
        text = Text(
            f"This takes more than {seconds:g} s: ask for less; a write may still have been done (use idempotencyKey)",
            f"执行超过 {seconds:g} 秒：请减少请求内容；写入可能已经完成（请使用 idempotencyKey）",
        )
        answer = self._refusal(LimitExceeded(text, {"limit": "request_seconds", "max": seconds}), visit)
        status = 400 if answer.media_type == GRAPHQL else 200
        return Answer(status, answer.media_type, answer.body, answer.headers, answer.code)

    def _sent_whole(self, scope: Scope, answer: Answer, visit: _Visit) -> bool:
        """Send the usual answer in one piece, where that can be done."""
        whole, lines = whole_of(scope), _LINES.get(answer.media_type)
        if whole is None or lines is None or answer.headers or answer.status == 204:
            return False
        lines += b"x-request-id: %b\r\ncontent-length: %d\r\n" % (visit.request_id.encode(), len(answer.body))
        for header in self._cors.headers(visit.headers.origin):
            lines += b"%b: %b\r\n" % header
        return whole(answer.status, lines, answer.body)

    async def _send(self, answer: Answer, visit: _Visit, send: Send) -> None:
        headers = list(_HEADERS.get(answer.media_type) or _HEADERS[JSON])
        if answer.media_type not in _HEADERS:
            headers[0] = (b"content-type", answer.media_type.encode())
        headers.append((b"x-request-id", visit.request_id.encode()))
        if answer.status != 204:
            headers.append((b"content-length", b"%d" % len(answer.body)))
        if answer.headers:
            headers += [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        headers += self._cors.headers(visit.headers.origin)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _note(self, scope: Scope, visit: _Visit, status: int, outcome: str, seconds: float) -> None:
        actor = visit.actor
        self._log.request(
            visit.request_id,
            scope["method"],
            scope["path"],
            status,
            seconds,
            None if outcome == OK or outcome.isdigit() else outcome,
            actor.company if actor is not None else None,
            actor.member_id if actor is not None else None,
            visit.operation,
        )


_NONE: dict[str, str] = {}
_EXTRA = {401: {"www-authenticate": CHALLENGE}, 405: {"allow": "POST"}, 503: {"retry-after": "1"}}

_NOT_ALLOWED = Text(
    "Send GraphQL by POST; GET takes only a documentId of a persisted query",
    "请使用 POST 发送 GraphQL；GET 只接受持久化查询的 documentId",
)
_NOT_ACCEPTABLE = Text(f"Answers come as {GRAPHQL} or {JSON}", f"响应类型只有 {GRAPHQL} 或 {JSON}")
_NO_STREAM = Text(
    f"There is no event stream here; answers come as {GRAPHQL} or {JSON}",
    f"此处没有事件流；响应类型只有 {GRAPHQL} 或 {JSON}",
)
_NOT_JSON = Text(
    f"Send the request as {JSON} in UTF-8, without an encoding", f"请以 UTF-8 编码的 {JSON} 发送请求，不要压缩"
)


def _texts(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}
