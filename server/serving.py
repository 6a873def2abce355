"""Running the application on a socket: uvicorn on uvloop, started by us, stopped gracefully by SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import socket
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp

from base.errors import PliantError, Text
from server.protocol import IDLE_SECONDS, BoundedHttp

try:
    import uvloop
except ImportError:  # pragma: no cover  # not made for Windows
    uvloop = None  # type: ignore[assignment]

MAX_CONNECTIONS = 4_096
"""Beyond this new requests get 503: each connection holds a descriptor and about 20 KiB."""

BACKLOG = 2_048
"""Connections that the system keeps for us while we are busy."""

COLLECT_AFTER = 10_000
"""Objects made between two searches for cycles: requests leave hardly any, and Python's 700 are a few requests."""

SWITCH_SECONDS = 0.001
"""So long SQLite's threads wait before the loop has to lend them the interpreter: Python's 5 ms are a commit's time."""

T = TypeVar("T")


class AddressTaken(PliantError):
    """Nobody can listen at the address: another process does, or it is not ours. Choose another port."""


class _Server(uvicorn.Server):
    """uvicorn's server with the caller's loop and its own way to stop: signals do not kill the process afterwards."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT: stop accepting, finish what is in flight, return. A second one does not wait."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at an address: connections wait until they are served. Raises `AddressTaken`."""
    text = Text(
        f"Cannot listen at {host}:{port}: choose another address with --host and --port",
        f"无法监听 {host}:{port}：请用 --host 和 --port 换一个地址",
    )
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise AddressTaken(text) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        sock.close()
        raise AddressTaken(text) from error
    return sock


def url_of(sock: socket.socket) -> str:
    """Where a browser on this machine finds the server."""
    host, port = sock.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


async def serve(app: ASGIApp, sock: socket.socket, stop_seconds: float) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT; requests in flight have `stop_seconds` to finish."""
    _allow_descriptors()
    _collect_seldom()
    sys.setswitchinterval(SWITCH_SECONDS)
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # our own log tells what happened; bad bytes are no news
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=max(1, round(stop_seconds)),
        limit_concurrency=MAX_CONNECTIONS,
        backlog=BACKLOG,
    )
    try:
        await _Server(config).serve([sock])
    finally:
        sock.close()


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new event loop of the fast kind."""
    factory = uvloop.new_event_loop if uvloop is not None else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def _collect_seldom() -> None:
    """What is there by now (modules, types, functions) stays: searching it takes tens of milliseconds each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def _allow_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS * 2 if hard == resource.RLIM_INFINITY else min(hard, MAX_CONNECTIONS * 2)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
