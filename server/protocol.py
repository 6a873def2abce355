"""HTTP/1.1 on a socket: uvicorn's protocol with the two limits that it lacks, and answers in one piece.

A head must be whole in time and small: uvicorn waits for ever for the first one, and keeps one of any size.
"""

from __future__ import annotations

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.whole import offer_whole

HEAD_BYTES = 64 * 1024
"""Request line and headers together."""

HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers. A socket that is silent costs only its descriptor."""

IDLE_SECONDS = 75
"""A connection between requests is kept so long: longer than usual proxies keep theirs."""


_INVALID = "Invalid HTTP request received."
_UPGRADES = frozenset({b"upgrade", b"http2-settings"})


class _Ended(Exception):
    """Tells the parser that the connection is over."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. Heads that are late or too large end it with 408 or 431."""

    _head_bytes = 0
    _in_head = False
    _head_timer: asyncio.TimerHandle | None = None
    _plain_head: bytes | None = None

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; counted while they belong to a head."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._end(b"431 Request Header Fields Too Large")
                return
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if not self.transport.is_closing():
                self.logger.warning(_INVALID)
                self.send_400_response(_INVALID)
            return
        if self._in_head and self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._end, b"408 Request Timeout")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._head_over()
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._end(b"400 Bad Request")
                raise _Ended
            self._plain_head = self._without_upgrade()
            return
        super().on_headers_complete()
        offer_whole(self.cycle)  # before the application's task begins

    def on_message_complete(self) -> None:
        """A request is whole, unless its head is to be read again."""
        if self._plain_head is None:
            super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._head_over()
        super().connection_lost(exc)

    def _feed(self, data: bytes) -> None:
        """Give bytes to the parser. It leaves a request that asks for an upgrade: a new one reads it, asking for none.

        What follows such a head is its body; taken for a request it would be one that no proxy has seen.
        """
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as left:
                rest = rest[left.args[0] :]
            head, self._plain_head = self._plain_head, None
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
            self.parser.feed_data(head or b"")

    def _without_upgrade(self) -> bytes:
        """The head again, as that of an ordinary request."""
        first = (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        lines = [b"%b %b HTTP/%b\r\n" % first]
        for name, value in self.headers:
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                value = b", ".join(token for token in tokens if token.lower() != b"upgrade")
            if name not in _UPGRADES:
                lines.append(b"%b: %b\r\n" % (name, value))
        return b"".join(lines) + b"\r\n"

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
