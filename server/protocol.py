"""HTTP/1.1 on a socket: uvicorn's protocol with the limits that it lacks, and answers in one piece.

Heads and trailers must be whole in time and small, and who takes no answer is given up: uvicorn waits for ever, and
keeps whatever comes. A request that asks for an upgrade is an ordinary one, with its body.
"""

from __future__ import annotations

import asyncio

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.whole import offer_whole

HEAD_BYTES = 64 * 1024
"""Request line and headers together; the same for a chunk's size line, and for trailers."""

HEAD_SECONDS = 10.0
"""From the first byte of a request to the end of its headers, from a chunk's size line to what follows: its first
bytes or, after the last one, the end of the trailers."""

IDLE_SECONDS = 75
"""A connection before and between requests is kept so long: longer than usual proxies keep theirs.

One whose client takes nothing of its answer for so long is given up.
"""

LOOKS = 4
"""So often is it looked, in that time, whether a client reads."""


_INVALID = "Invalid HTTP request received."
_TOO_LARGE = b"431 Request Header Fields Too Large"
_UPGRADES = frozenset({b"upgrade", b"http2-settings"})


class _Ended(Exception):
    """Tells the parser that the connection is over."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. Heads and trailers that are late or too large end it with 408 or 431."""

    _unfinished = 0  # bytes since the parser last told of something
    _in_head = False
    _awaited = False  # a head, or what follows a chunk's size line
    _timer: asyncio.TimerHandle | None = None
    _plain_head: bytes | None = None
    _unread = 0  # bytes that the client had not taken when it was looked last
    _looks = 0
    _look_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there; its first request is waited for as any other."""
        super().connection_made(transport)
        self._keep()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client; counted while the parser makes nothing of them."""
        self._unfinished += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            if self._is_answering():
                self._end(b"400 Bad Request")
            elif not self.transport.is_closing():
                self.logger.warning(_INVALID)
                self.send_400_response(_INVALID)
                self._watch()
            return
        if self._unfinished > HEAD_BYTES:
            self._end(_TOO_LARGE)
        elif self._awaited and self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(HEAD_SECONDS, self._late)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._part_over()
        self._in_head = self._awaited = True
        self._unset_keepalive_if_required()  # here, not with each byte: line ends between requests keep nothing
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head. Trailers are dropped: none may stand for a header (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._part_over()
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES:
            self._end(_TOO_LARGE)
            raise _Ended
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                self._end(b"400 Bad Request")
                raise _Ended
            self._plain_head = self._without_upgrade()
            return
        self._unset_keepalive_if_required()  # an earlier answer may have set it since the head began
        super().on_headers_complete()
        offer_whole(self.cycle)  # before the application's task begins

    def on_chunk_header(self) -> None:
        """A chunk begins, or the trailers."""
        self._part_over()
        self._awaited = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._part_over()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole, unless its head is to be read again."""
        self._part_over()
        if self._plain_head is not None:
            return
        super().on_message_complete()
        if self.cycle.response_complete:
            self._keep()

    def on_response_complete(self) -> None:
        """An answer is written."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch()

    def timeout_keep_alive_handler(self) -> None:
        """No request came in time."""
        super().timeout_keep_alive_handler()
        self._watch()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """It has read."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._unwatch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._part_over()
        self._unwatch()
        self._unset_keepalive_if_required()
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

    def _keep(self) -> None:
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _part_over(self) -> None:
        self._unfinished, self._awaited = 0, False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self.flow.read_paused:  # it is we who do not read
            self._timer = self.loop.call_later(HEAD_SECONDS, self._late)
        else:
            self._end(b"408 Request Timeout")

    def _end(self, status: bytes) -> None:
        """Close, with a status unless it would be taken for the answer to an earlier request, or for a part of one."""
        self._part_over()
        if self.transport.is_closing():
            return
        if not self._is_answering():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
        self._watch()

    def _watch(self) -> None:
        """Look from now on whether the client reads: more is not written, and a socket closes only after all is."""
        self._unread = self.transport.get_write_buffer_size()
        if self._unread and self._look_timer is None:
            self._looks = 0
            self._look_timer = self.loop.call_later(self.timeout_keep_alive / LOOKS, self._look)

    def _look(self) -> None:
        self._look_timer = None
        size = self.transport.get_write_buffer_size()
        if not size:
            return
        self._looks = self._looks + 1 if size >= self._unread else 0
        self._unread = size
        if self._looks < LOOKS:
            self._look_timer = self.loop.call_later(self.timeout_keep_alive / LOOKS, self._look)
        else:
            self.transport.abort()

    def _unwatch(self) -> None:
        if self._look_timer is not None:
            self._look_timer.cancel()
            self._look_timer = None

    def _is_answering(self) -> bool:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        return cycle.response_started or cycle.scope is not self.scope or bool(self.pipeline)

    def _should_upgrade(self) -> bool:
        # Subscriptions come with a door of their own; until then an upgrade is an ordinary request.
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing to warn of: whatever a client asks for is answered, not logged twice."""
