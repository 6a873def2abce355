"""Is the process alive, and can it answer: for load balancers and `pliant demo`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from base.errors import Text
from server.problems import RequestRefused

READY_SECONDS = 2.0
"""A database that needs longer for one small statement is not ready."""

Ready = Callable[[], Awaitable[bool]]
"""Whether the database answers one small question."""


async def healthz(request: Request) -> Response:
    """The process runs."""
    return JSONResponse({"status": "ok"})


def readyz(ready: Ready) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that tells whether requests can be answered now: 200, or 503 with a problem document."""

    async def answer(request: Request) -> Response:
        try:
            async with asyncio.timeout(READY_SECONDS):
                good = await ready()
        except TimeoutError:
            good = False
        if not good:
            text = Text("The database does not answer", "数据库没有响应")
            raise RequestRefused(503, text, {"retry-after": "1"})
        return JSONResponse({"status": "ready"})

    return answer
