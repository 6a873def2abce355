"""What a client's socket is given, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from server.transport import JoiningTransport


class Wire(asyncio.Transport):
    """A transport that remembers each call."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.sent.append(b"".join(list_of_data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return name


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


async def test_head_and_body_go_together() -> None:
    wire = Wire()
    transport = JoiningTransport(wire, asyncio.get_running_loop())
    for _ in range(2):
        transport.write(HEAD)
        assert len(wire.sent) == _
        transport.write(b"{}")
    await asyncio.sleep(0)
    assert wire.sent == [HEAD + b"{}"] * 2


async def test_a_head_whose_body_comes_later_is_sent_in_the_same_turn() -> None:
    wire = Wire()
    transport = JoiningTransport(wire, asyncio.get_running_loop())
    transport.write(HEAD)
    await asyncio.sleep(0)
    transport.write(b"{")
    transport.write(b"}")
    assert wire.sent == [HEAD, b"{", b"}"]


async def test_closing_sends_what_is_kept_and_a_lost_client_is_sent_nothing() -> None:
    loop = asyncio.get_running_loop()
    wire = Wire()
    transport = JoiningTransport(wire, loop)
    transport.write(HEAD)
    transport.close()
    assert (wire.sent, wire.closed, transport.is_closing()) == ([HEAD], True, True)
    lost = Wire()
    transport = JoiningTransport(lost, loop)
    transport.write(HEAD)
    lost.closed = True
    await asyncio.sleep(0)
    assert lost.sent == []
    assert transport.get_extra_info("peername") == "peername"
