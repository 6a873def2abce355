"""HTTP/1.1 on a socket: uvicorn's protocol with the two limits that it lacks, and answers in one piece.

A head must be whole in time and small: uvicorn waits for ever for the first one, and keeps one of any size.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.whole import offer_whole

HEAD_BYTES = 64 * 1024
"""Request line and headers together."""

HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers. A socket that is silent costs only its descriptor."""

IDLE_SECONDS = 75
"""A connection between requests is kept so long: longer than usual proxies keep theirs."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. Heads that are late or too large end it with 408 or 431."""

    _head_bytes = 0
    _in_head = False
    _head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; counted while they belong to a head."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._end(b"431 Request Header Fields Too Large")
                return
        super().data_received(data)
        if self._in_head and self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end, b"408 Request Timeout")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._head_over()
        super().on_headers_complete()
        offer_whole(self.cycle)  # before the application's task begins

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._head_over()
        super().connection_lost(exc)

    def _head_over(self) -> None:
        self._in_head, self._head_bytes = False, 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end(self, status: bytes) -> None:
        self._head_over()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def _should_upgrade(self) -> bool:
        # Subscriptions come with a door of their own; until then an upgrade is an ordinary request.
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing to warn of: whatever a client asks for is answered, not logged twice."""
