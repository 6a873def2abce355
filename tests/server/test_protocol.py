"""The protocol on a socket in this process: upgrades, what is counted, and what is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from server.body import read_body
from server.protocol import BoundedHttp

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
HEAD = b"POST /told HTTP/1.1\r\nHost: x\r\n"
UPGRADE = HEAD + b"Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


class Told:
    """An application that answers with the length of the body, and remembers what came."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[bytes, bytes], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await read_body(receive, 10_000_000)
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
async def listening(app: Application, idle: float = 75) -> AsyncIterator[tuple[int, ServerState]]:
    """A server of an application: its port, and what uvicorn knows of its connections."""
    config: Any = Config(app, http=BoundedHttp, lifespan="off", log_config=None)
    config.load()
    config.timeout_keep_alive = idle
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0)
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
    """What the server says to the parts, sent one by one, and whether it then closes before a silence."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard, closed = b"", False
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(pause)
        while not closed:
            async with asyncio.timeout(silence):
                heard_now = await reader.read(65_536)
            heard, closed = heard + heard_now, not heard_now
    except TimeoutError:
        pass
    except ConnectionError:
        closed = True
    finally:
        writer.transport.abort()
    return heard, closed


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
        heard, closed = await said(port, last)
    assert (statuses(heard), closed) == ([200], True)


async def test_connect_is_refused_and_what_follows_is_no_request() -> None:
    told = Told()
    async with listening(told) as (port, _):
        heard, closed = await said(port, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED)
    assert (statuses(heard), closed, told.requests) == ([400], True, [])
