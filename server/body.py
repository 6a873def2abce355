"""Reading the bytes of a request, within limits, and what a GraphQL request is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive

from base.errors import BadInput, LimitExceeded, Text
from base.json import JsonInvalid, parse
from schema.request import GraphQLRequest
from server.problems import RequestRefused

_TYPES: Mapping[str, tuple[type, Text]] = {
    "query": (str, Text("a text", "文本")),
    "documentId": (str, Text("a text", "文本")),
    "operationName": (str, Text("a text", "文本")),
    "variables": (dict, Text("an object", "对象")),
    "extensions": (dict, Text("an object", "对象")),
}

MAX_QUERY_PARAMETERS = 20
"""Parameters in the address of a GET request: five have a meaning."""


class ClientGone(Exception):
    """The client has hung up before its request was whole."""


def check_length(content_length: bytes | None, limit: int) -> None:
    """Refuse a body by its announced size. Raises `LimitExceeded`."""
    if content_length is not None and content_length.isdigit() and int(content_length[:20]) > limit:
        raise _too_large(limit)


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body, nearly always one message. Raises `LimitExceeded` and `ClientGone`."""
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
    return b"".join(parts)


def parse_body(body: bytes) -> Mapping[str, Any]:
    """The parameters of a POST request. Raises `RequestRefused` (not JSON) and `BadInput` (no object)."""
    try:
        value = parse(body)
    except JsonInvalid as error:
        raise RequestRefused(400, Text(f"The body is not JSON: {error}", f"请求体不是合法的 JSON：{error}")) from None
    if not isinstance(value, dict):
        raise BadInput(
            Text(
                "The body must be one JSON object; lists of requests are not taken",
                "请求体必须是单个 JSON 对象，不支持批量",
            )
        )
    return value


def parse_query_string(query_string: bytes) -> Mapping[str, Any]:
    """The parameters of a GET request; `variables` and `extensions` hold JSON. Raises `BadInput`."""
    wrong = BadInput(Text("The address's parameters cannot be read", "无法解析地址中的参数"))
    try:
        text = query_string.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_PARAMETERS)
    except ValueError:
        raise wrong from None
    found: dict[str, Any] = dict(pairs)
    if len(found) != len(pairs):
        raise wrong
    for name in ("variables", "extensions"):
        if found.get(name):
            try:
                found[name] = parse(found[name])
            except JsonInvalid:
                raise BadInput(Text(f"'{name}' is not JSON", f"“{name}”不是合法的 JSON")) from None
        else:
            found.pop(name, None)
    return found


def read_request(
    given: Mapping[str, Any], locale: str, request_id: str, read_only: bool, form: str = ""
) -> GraphQLRequest:
    """A GraphQL request of its parameters. Raises `BadInput` for wrong types, and for none or two of the documents."""
    query, document_id = given.get("query"), given.get("documentId")
    for name, value in given.items():
        rule = _TYPES.get(name)
        if rule is not None and value is not None and not isinstance(value, rule[0]):
            raise BadInput(Text(f"'{name}' must be {rule[1].en}", f"“{name}”必须是{rule[1].zh}"))
    if (query is None) == (document_id is None) and not _is_hash_only(given):
        raise BadInput(Text("Send either 'query' or 'documentId'", "请提供 query 或 documentId 之一"))
    return GraphQLRequest(
        query,
        document_id,
        given.get("operationName") or None,
        given.get("variables"),
        given.get("extensions"),
        locale,
        request_id,
        read_only,
        form,
    )


def _is_hash_only(given: Mapping[str, Any]) -> bool:
    """Clients that try `persistedQuery` first are told by the desk, in words that they know, that it is not kept."""
    return "query" not in given and "persistedQuery" in (given.get("extensions") or {})


def _too_large(limit: int) -> LimitExceeded:
    text = Text(f"The body has more than {limit:,} bytes", f"请求体超过 {limit:,} 字节")
    return LimitExceeded(text, {"limit": "body_bytes", "max": limit})
