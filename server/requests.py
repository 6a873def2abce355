"""What is known of one request: its headers, its id, and the one line that the log keeps of it.

Lines are JSON objects without bodies, variables or credentials. They are gathered and written a few times a second:
a write for each would cost more than the request.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
import secrets
import time
import traceback
from collections.abc import Iterable
from typing import BinaryIO

from base.clock import now, timestamp
from base.errors import BadInput, Text
from base.json import Json, dump

FLUSH_SECONDS = 0.2
"""So late may a line come; the end of the process writes what is left."""

WAITING_LINES = 1_000
"""With so many lines waiting they are written at once."""

TRACE_SECONDS = 60.0
"""The trace of an error that comes again and again (the database is away) is written so often at most."""

TRACES_KNOWN = 1_000
"""Of so many different errors it is known when their trace was written last."""

CAUSES_COMPARED = 5
"""Errors are the same when they and so many of their causes are."""

PATH_CHARS = 200
"""Of a path the log keeps so much."""

OPERATION_CHARS = 200
"""And of an operation's name."""

_SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/=+-]{0,99}\Z")
_NO_FORM_NAME = Text(
    "X-Pliant-Form must name one form in 1 to 100 characters: letters, digits and . _ : / = + -",
    "X-Pliant-Form 必须是一个表单名：1 到 100 个字符，限字母、数字和 . _ : / = + -",
)
_PREFIX = secrets.token_hex(6)
_numbers = itertools.count(1)


class RequestHeaders:
    """The headers that doors look at, found in one pass. A header that must be single and is not counts as wrong."""

    __slots__ = (
        "accept",
        "authorization",
        "content_encoding",
        "content_length",
        "content_type",
        "form",
        "language",
        "origin",
        "request_id",
    )

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.authorization: bytes | None = None
        self.content_type: bytes | None = None
        self.content_length: bytes | None = None
        self.content_encoding: bytes | None = None
        self.accept: bytes | None = None
        self.language: bytes | None = None
        self.origin: bytes | None = None
        self.form: bytes | None = None
        self.request_id: bytes | None = None
        for name, value in headers:
            if name == b"authorization":
                self.authorization = value if self.authorization is None else b""
            elif name == b"content-type":
                self.content_type = value if self.content_type is None else b""
            elif name == b"content-length":
                self.content_length = value
            elif name == b"accept":
                self.accept = value if self.accept is None else self.accept + b"," + value
            elif name == b"x-request-id":
                self.request_id = value
            elif name == b"accept-language":
                self.language = value
            elif name == b"origin":
                self.origin = value
            elif name == b"content-encoding":
                self.content_encoding = value
            elif name == b"x-pliant-form":
                self.form = value if self.form is None else b""


def request_id_of(given: bytes | None) -> str:
    """The client's own id when it is short and plain, else a new one."""
    if given is not None and _SANE.match(given):
        return given.decode("ascii")
    return f"{_PREFIX}-{next(_numbers):x}"


def form_of(given: bytes | None) -> str:
    """The name of the form that a request says it comes from, empty for none. Raises `BadInput` for no such name."""
    if given is None:
        return ""
    if _SANE.match(given) is None:
        raise BadInput(_NO_FORM_NAME)
    return given.decode("ascii")


class RequestLog:
    """Lines of JSON on a stream, one for each request and one for each error that nobody raised on purpose."""

    def __init__(self, stream: BinaryIO, requests: bool = True) -> None:
        self.requests = requests
        self._stream = stream
        self._lines: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._told: dict[tuple[object, ...], float] = {}

    def request(
        self,
        request_id: str,
        method: str,
        path: str,
        status: int,
        seconds: float,
        code: str | None = None,
        company: str | None = None,
        member: str | None = None,
        operation: str | None = None,
    ) -> None:
        """Note a finished request; `code` is its GraphQL error code."""
        if not self.requests:
            return
        line: dict[str, Json] = {
            "at": timestamp(now()),
            "event": "request",
            "requestId": request_id,
            "method": method,
            "path": path[:PATH_CHARS],
            "status": status,
            "ms": round(seconds * 1_000, 3),
        }
        if operation is not None:
            operation = operation[:OPERATION_CHARS]
        for name, value in (("code", code), ("company", company), ("member", member), ("operation", operation)):
            if value is not None:
                line[name] = value
        self._add(line)

    def error(self, request_id: str, error: BaseException) -> None:
        """Note an error that is ours, with its trace: the client is told nothing but the request id."""
        self._add({"at": timestamp(now()), "event": "error", "requestId": request_id, **self._explained(error)})

    def handler(self) -> logging.Handler:
        """What to give to `logging`, so that its records become lines here too."""
        return _LogHandler(self)

    def record(self, record: logging.LogRecord) -> None:
        """Note a record of `logging`, with its trace."""
        line: dict[str, Json] = {
            "at": timestamp(now()),
            "event": "log",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info is not None and record.exc_info[1] is not None:
            line |= self._explained(record.exc_info[1])
        self._add(line)

    def flush(self) -> None:
        """Write what is waiting."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if lines:
            try:
                self._stream.write(b"\n".join(lines) + b"\n")
                self._stream.flush()
            except (OSError, ValueError):
                # Whoever read the log is gone; requests go on.
                return

    def _explained(self, error: BaseException) -> dict[str, Json]:
        """What is written of an error: what it is, and its trace unless that stands above already."""
        shown: dict[str, Json] = {"error": f"{type(error).__name__}: {error}"}
        key: list[object] = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)[-1:]]
        cause: BaseException | None = error
        while cause is not None and len(key) < CAUSES_COMPARED:
            key.append((type(cause), str(cause)))
            cause = cause.__cause__
        at = time.monotonic()
        known = self._told.get(tuple(key))
        if known is None or at - known >= TRACE_SECONDS:
            if len(self._told) >= TRACES_KNOWN:
                self._told.clear()
            self._told[tuple(key)] = at
            shown["trace"] = "".join(traceback.format_exception(error))
        return shown

    def _add(self, line: dict[str, Json]) -> None:
        self._lines.append(dump(line))
        if len(self._lines) >= WAITING_LINES:
            self.flush()
        elif self._timer is None:
            try:
                self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.flush)
            except RuntimeError:
                self.flush()  # no event loop here: before the start, after the end, or another thread


class _LogHandler(logging.Handler):
    def __init__(self, log: RequestLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.record(record)
