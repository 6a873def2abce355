"""/explore: GraphiQL from our own files, for trying queries in a browser without any other site.

The files are built once from npm packages (`make assets`); without them the page says so and all else works.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from base.errors import Text
from server.headers import PAGE_POLICY, etag_of
from server.problems import RequestRefused

BUILT = Path(__file__).parent / "assets" / "built"
"""Where `make assets` puts what it builds."""

_FILES = {
    "explore.js": "text/javascript; charset=utf-8",
    "explore.css": "text/css; charset=utf-8",
    "explore.js.LEGAL.txt": "text/plain; charset=utf-8",
}
_HEADERS = {"content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pliant · explore</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/explore/explore.css"></head>
<body><div id="explore"></div><script src="/explore/explore.js"></script></body>
</html>
"""
_UNBUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Pliant · explore</title></head>
<body><h1>The explorer is not built</h1>
<p>Run <code>make assets</code> once (it needs Node.js) and reload this page. The API itself works without it:
POST to <code>/graphql</code>.</p>
<p lang="zh-Hans">尚未构建查询界面：请运行一次 <code>make assets</code>（需要 Node.js）后刷新。
API 不受影响。</p></body>
</html>
"""


async def explore_page(request: Request) -> Response:
    """The page, or what to do when its files are not built."""
    built = (BUILT / "explore.js").is_file()
    return Response(_PAGE if built else _UNBUILT, media_type="text/html", headers=_HEADERS)


async def explore_file(request: Request) -> Response:
    """A file of the page, with its ETag. Raises `RequestRefused` for any other name."""
    name = request.path_params["name"]
    path = BUILT / name
    if name not in _FILES or not path.is_file():
        raise RequestRefused(404, Text("No such file", "没有此文件"))
    body, etag = _read(path, path.stat().st_mtime_ns)
    headers = {**_HEADERS, "etag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "content-type": _FILES[name]})


@cache
def _read(path: Path, changed_ns: int) -> tuple[bytes, str]:
    body = path.read_bytes()
    return body, etag_of(body)
