"""The protocol on a socket in this process: upgrades, what is counted, and what is waited for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvloop
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from server import protocol
from server.body import ClientGone, read_body
from server.protocol import HEAD_BYTES, BoundedHttp

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
HEAD = b"POST /told HTTP/1.1\r\nHost: x\r\n"
UPGRADE = HEAD + b"Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


class Told:
    """An application that answers with the length of the body, and remembers what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[bytes, bytes], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await read_body(receive, 10_000_000)
        except ClientGone:
            return
        self.requests.append((scope["method"], scope["path"], dict(scope["headers"]), body))
        await answer(send, b"%d" % len(body))

    @property
    def bodies(self) -> list[bytes]:
        """What came as bodies."""
        return [body for *_, body in self.requests]


async def answer(send: Send, body: bytes, status: int = 200) -> None:
    """Send an answer with a length."""
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def listening(
    app: Application, idle: float = 75, kind: type[BoundedHttp] = BoundedHttp
) -> AsyncIterator[tuple[int, ServerState]]:
    """A server of an application: its port, and what uvicorn knows of its connections."""
    config: Any = Config(app, http=kind, ws="none", lifespan="off", log_config=None)
    config.load()
    config.timeout_keep_alive = idle
    state = ServerState()
    loop = asyncio.get_running_loop()
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32_768)  # of each connection: answers wait in the process
    server = await loop.create_server(lambda: kind(config, state, {}), sock=sock)
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await until(lambda: not state.connections)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails after ten seconds."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


async def said(port: int, *parts: bytes, pause: float = 0.005, silence: float = 0.4) -> tuple[bytes, bool]:
    """What the server says to the parts, sent one by one, and whether it closes before a silence after the last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard: list[bytes] = []
    hearing = asyncio.create_task(_hear(reader, heard))
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        closed = bool((await asyncio.wait([hearing], timeout=silence))[0])
    finally:
        hearing.cancel()
        writer.transport.abort()
    return b"".join(heard), closed


async def _hear(reader: asyncio.StreamReader, heard: list[bytes]) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(65_536):
            heard.append(part)


def statuses(heard: bytes) -> list[int]:
    """Of each answer."""
    return [int(part[:3]) for part in heard.split(b"HTTP/1.1 ")[1:]]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(SMUGGLED)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
UPGRADES = {
    "in one piece": [UPGRADE + LENGTH + SMUGGLED],
    "head and body": [UPGRADE + LENGTH, SMUGGLED],
    "in three": [UPGRADE[:50], UPGRADE[50:] + LENGTH + SMUGGLED[:7], SMUGGLED[7:]],
    "in chunks": [UPGRADE + CHUNKED],
    "byte by byte": [bytes([byte]) for byte in UPGRADE + LENGTH + SMUGGLED],
}


@pytest.mark.parametrize("name", UPGRADES)
async def test_an_upgrade_with_a_body_is_an_ordinary_request(name: str) -> None:
    told = Told()
    async with listening(told) as (port, _):
        heard, closed = await said(port, *UPGRADES[name], UPGRADE + LENGTH + SMUGGLED + HEAD + LENGTH, SMUGGLED)
    assert (statuses(heard), closed) == ([200, 200, 200], False)
    assert told.bodies == [SMUGGLED] * 3
    assert {path for _, path, *_ in told.requests} == {"/told"}
    headers = told.requests[0][2]
    assert headers[b"connection"] == b"keep-alive, HTTP2-Settings"
    assert not {b"upgrade", b"http2-settings"} & headers.keys()


async def test_upgrades_without_a_body_and_in_a_row_are_answered() -> None:
    told = Told()
    asked = UPGRADE.replace(b"POST", b"GET").replace(b"keep-alive, ", b"") + b"\r\n"
    async with listening(told) as (port, _):
        heard, closed = await said(port, asked * 50)
        assert (statuses(heard), closed) == ([200] * 50, False)
        last = asked.replace(b"Connection: ", b"Connection: close, ")
        heard, _ = await said(port, last)
    assert statuses(heard) == [200]
    assert told.requests[-1][2][b"connection"] == b"close, HTTP2-Settings"


async def test_connect_is_refused_and_what_follows_is_no_request() -> None:
    told = Told()
    async with listening(told) as (port, _):
        heard, closed = await said(port, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED)
    assert (statuses(heard), closed, told.requests) == ([400], True, [])


async def test_rubbish_behind_a_request_is_not_answered_in_its_place() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.3)
        with suppress(ClientGone):
            await answer(send, await read_body(receive, 100))

    async with listening(slow) as (port, _):
        heard, closed = await said(port, HEAD + b"\r\nGARBAGE\r\n\r\n", silence=1)
        assert (b"400" in heard, closed) == (False, True)
        heard, closed = await said(port, b"GARBAGE\r\n\r\n")
        assert (statuses(heard), closed) == ([400], True)


CHUNK = HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"


async def test_trailers_are_no_headers() -> None:
    told = Told()
    async with listening(told) as (port, _):
        heard, closed = await said(port, CHUNK, b"0\r\nAuthorization: Bearer x\r\nExpect: 100-continue\r\n", b"\r\n")
        assert (statuses(heard), closed) == ([200], False)
        heard, closed = await said(port, CHUNK + b"0\r\nAuthorization: Bearer x\r\n\r\n" + HEAD + b"\r\n")
    assert (statuses(heard), closed) == ([200, 200], False)
    assert told.bodies == [b"ab", b"ab", b""]
    assert all(headers.keys() <= {b"host", b"transfer-encoding"} for _, _, headers, _ in told.requests)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers before the body is there."""
    await answer(send, b"", 413)


ENDLESS = {
    "many fields": [b"X-A: aaaa\r\n" * 1_000] * 10,
    "one field": [b"X-A: "] + [b"a" * 10_000] * 10,
    "one name": [b"a" * 10_000] * 10,
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("early", [True, False])
async def test_endless_trailers_end_the_connection(name: str, early: bool) -> None:
    async with listening(refuse if early else Told()) as (port, _):
        heard, closed = await said(port, CHUNK, b"0\r\n", *ENDLESS[name])
    assert (statuses(heard), closed) in [([413, 431] if early else [431], True), ([413] if early else [], True)]


@pytest.mark.parametrize("early", [True, False])
async def test_trailers_that_come_too_slowly_end_the_connection(early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    async with listening(refuse if early else Told()) as (port, _):
        heard, closed = await said(port, CHUNK, b"0\r\n", *[b"X: y\r\n"] * 4, pause=0.1)
    assert (statuses(heard), closed) == ([413, 408] if early else [408], True)


async def test_a_slow_body_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    told = Told()
    async with listening(told) as (port, _):
        heard, closed = await said(port, CHUNK, *[b"1\r\nc\r\n"] * 4, b"5\r\nd", b"efgh\r\n0\r\n\r\n", pause=0.15)
    assert (statuses(heard), closed, told.bodies) == ([200], False, [b"abccccdefgh"])


async def test_a_body_does_not_count_as_its_head() -> None:
    told = Told()
    body = b"x" * 200_000
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with listening(told) as (port, _):
        heard, closed = await said(port, whole[:20], whole[20:] + whole[:20], whole[20:])
    assert (statuses(heard), closed, told.bodies) == ([200] * 2, False, [body] * 2)


async def test_a_large_head_in_one_piece_is_refused() -> None:
    told = Told()
    head = HEAD + b"X-A: aaaa\r\n" * (HEAD_BYTES // 11)
    async with listening(told) as (port, _):
        heard, closed = await said(port, head + b"\r\n")
        assert (statuses(heard), closed) == ([431], True)
        heard, closed = await said(port, HEAD + b"\r\n" + head[:100], *[head] * 3)
    assert (statuses(heard)[:1], closed) == ([200], True)
    assert len(told.requests) == 1


async def test_a_size_line_without_end_is_refused() -> None:
    async with listening(Told()) as (port, _):
        heard, closed = await said(port, CHUNK, b"1;x=", *[b"a" * 10_000] * 10)
    assert closed
    assert statuses(heard) in ([431], [])


async def test_a_refusal_is_never_taken_for_an_earlier_answer() -> None:
    begun = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await receive()
        await receive()

    async with listening(wait) as (port, _):
        heard, closed = await said(port, HEAD + b"\r\n" + HEAD, *[b"X-A: " + b"a" * 10_000 + b"\r\n"] * 10)
    assert begun.is_set()
    assert (heard, closed) == (b"", True)


@pytest.mark.parametrize("data", [b"", b"\r\n"])
async def test_a_socket_on_which_nothing_comes_is_closed(data: bytes) -> None:
    async with listening(Told(), idle=0.3) as (port, state):
        heard, closed = await said(port, *[data] * 4, pause=0.1, silence=1)
        assert (heard, closed, len(state.connections)) == (b"", True, 0)
        heard, closed = await said(port, HEAD + b"\r\n", *[data] * 4, pause=0.1, silence=1)
        assert (statuses(heard), closed, len(state.connections)) == ([200], True, 0)


async def test_a_connection_is_kept_while_requests_come_and_take_their_time() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive, 100)
        await asyncio.sleep(0.5)
        await answer(send, body)

    whole = HEAD + b"Content-Length: 2\r\n\r\nab"
    async with listening(slow, idle=0.3) as (port, _):
        heard, closed = await said(
            port, whole + HEAD, b"Content-Length: 2\r\n\r\na", b"b" + whole, pause=0.2, silence=2.5
        )
    assert (statuses(heard), closed) == ([200] * 3, True)


async def test_a_request_that_was_answered_early_may_end_and_another_follow() -> None:
    body = [b"X-A: y\r\n"] * 3
    async with listening(refuse, idle=0.5) as (port, _):
        heard, closed = await said(port, CHUNK, b"0\r\n", *body, b"\r\n", b"", HEAD + b"\r\n", pause=0.08, silence=0.3)
    assert (statuses(heard), closed) == ([413, 413], False)


LONG = b"x" * 3_000_000
CLOSING = HEAD + b"Connection: close\r\n\r\n"


class Roomy(BoundedHttp):
    """A connection that is never told to write more slowly."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=10 * len(LONG))


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """An application with a long answer."""
    await answer(send, LONG)


async def taken(asked: bytes, kind: type[BoundedHttp], pause: float) -> bytes | None:
    """What a client that reads so slowly gets; None of one that never reads, and is given up."""
    async with listening(tell, idle=0.4, kind=kind) as (port, state):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=16_384)
        try:
            writer.write(asked)
            await until(lambda: bool(state.total_requests))
            heard = bytearray()
            while pause and len(heard) < len(LONG):
                heard += await reader.read(65_536)
                await asyncio.sleep(pause)
            await until(lambda: not state.connections)
        finally:
            writer.transport.abort()
    return bytes(heard).partition(b"\r\n\r\n")[2] if pause else None


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("asked", [CLOSING, HEAD + b"\r\n"], ids=["closing", "kept"])
@pytest.mark.parametrize("kind", [BoundedHttp, Roomy])
@pytest.mark.parametrize("pause", [0, 0.01])
def test_a_client_that_never_reads_is_given_up_and_a_slow_one_is_not(
    loop: Callable[[], asyncio.AbstractEventLoop], asked: bytes, kind: type[BoundedHttp], pause: float
) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        heard = runner.run(taken(asked, kind, pause))
    assert heard == (LONG if pause else None)
