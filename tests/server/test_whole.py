"""Answers in one piece, on uvicorn's own cycle: what a client's socket gets, and when ASGI's messages are the way."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any, cast
from weakref import ref

from starlette.types import Scope
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from server.whole import SendWhole, offer_whole, whole_of

LINES = b"content-type: text/plain\r\ncontent-length: 2\r\n"


class Wire(asyncio.Transport):
    """A transport that remembers each call."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def resume_reading(self) -> None: ...


def cycle_on(wire: Wire, *, keep_alive: bool = True) -> tuple[RequestResponseCycle, list[str]]:
    """A request's cycle, and what it told of its end."""
    ended: list[str] = []
    scope: Any = {"type": "http", "method": "POST", "headers": []}
    log = logging.getLogger("tests.whole")
    cycle = RequestResponseCycle(
        scope=scope,
        transport=wire,
        flow=FlowControl(wire),
        logger=log,
        access_logger=log,
        access_log=False,
        default_headers=[(b"date", b"today")],
        message_event=asyncio.Event(),
        expect_100_continue=True,
        keep_alive=keep_alive,
        on_response=lambda: ended.append("over"),
    )
    return cycle, ended


def offered(cycle: RequestResponseCycle) -> SendWhole:
    """What an application gets of a cycle."""
    offer_whole(cycle)
    whole = whole_of(cast(Scope, cycle.scope))
    assert whole is not None
    return whole


async def test_a_whole_answer_is_one_write_and_ends_the_request() -> None:
    wire = Wire()
    cycle, ended = cycle_on(wire)
    whole = offered(cycle)
    assert whole(200, LINES, b"ok") is True
    assert wire.sent == [b"HTTP/1.1 200 OK\r\n" + LINES + b"date: today\r\n\r\nok"]
    assert (ended, wire.closed, cycle.response_complete) == (["over"], False, True)
    assert await cycle.receive() == {"type": "http.disconnect"}
    assert len(wire.sent) == 1  # no 100 Continue after the answer
    assert whole(200, LINES, b"ok") is False  # an answer is sent once
    assert len(wire.sent) == 1


async def test_a_connection_that_is_not_kept_is_told_and_closed() -> None:
    wire = Wire()
    cycle, _ = cycle_on(wire, keep_alive=False)
    whole = offered(cycle)
    assert whole(404, LINES, b"no") is True
    assert wire.sent == [b"HTTP/1.1 404 Not Found\r\n" + LINES + b"date: today\r\nconnection: close\r\n\r\nno"]
    assert wire.closed


async def test_a_client_that_does_not_read_or_is_gone_is_left_to_the_messages() -> None:
    for name in ("slow", "gone"):
        wire = Wire()
        cycle, ended = cycle_on(wire)
        if name == "slow":
            cycle.flow.pause_writing()
        else:
            cycle.disconnected = True
        whole = offered(cycle)
        assert whole(200, LINES, b"ok") is False
        assert (wire.sent, ended, cycle.response_started) == ([], [], False)


async def test_a_request_leaves_no_cycle_of_references() -> None:
    cycle, _ = cycle_on(Wire())
    gone, whole = ref(cycle), offered(cycle)
    gc.disable()
    try:
        del cycle
        assert gone() is None
    finally:
        gc.enable()
    assert whole(200, LINES, b"ok") is False


def test_other_servers_offer_nothing() -> None:
    scopes: list[Scope] = [{"type": "http"}, {"type": "http", "extensions": {"tls": {}}}, {"extensions": None}]
    assert [whole_of(scope) for scope in scopes] == [None, None, None]
