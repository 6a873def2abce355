"""Answers in one piece: an ASGI extension of our HTTP protocol, for doors that have head and body at once.

By ASGI's two messages uvicorn checks each header, and writes head and body apart: a system call, a packet and a wake-up
of the client more. Both together were an eighth of what a small read took.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias, cast
from weakref import ReferenceType, ref

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

SendWhole: TypeAlias = Callable[[int, bytes, bytes], bool]
"""Of a status, whole header lines (each with its CRLF, Content-Length among them) and a body.

False when nothing was sent because the client reads too slowly, or is gone: ASGI's messages are the way then.
"""

_EXTENSION = "pliant.whole"


def offer_whole(cycle: RequestResponseCycle) -> None:
    """Tell the application that answers to this request may be sent in one piece."""
    # weakly: the cycle holds the scope, and requests leave no garbage that only a search for cycles would find
    cast(Scope, cycle.scope)["extensions"] = {_EXTENSION: partial(_send, ref(cycle))}


def whole_of(scope: Scope) -> SendWhole | None:
    """How to send an answer in one piece, where the server below can do so."""
    extensions: Mapping[str, Any] = scope.get("extensions") or {}
    return extensions.get(_EXTENSION)


def _send(held: ReferenceType[RequestResponseCycle], status: int, lines: bytes, body: bytes) -> bool:
    cycle = held()
    if cycle is None or cycle.disconnected or cycle.response_started or cycle.flow.write_paused:
        return False
    cycle.waiting_for_100_continue = False
    cycle.response_started = cycle.response_complete = True
    parts = [STATUS_LINE[status], lines]
    for name, value in cycle.default_headers:
        parts += (name, b": ", value, b"\r\n")
    if not cycle.keep_alive:
        parts.append(b"connection: close\r\n")
    parts += (b"\r\n", body)
    cycle.transport.write(b"".join(parts))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
