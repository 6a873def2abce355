"""Replies: the bytes of GraphQL responses, their errors and the statuses that go with them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from base.errors import BadInput, PliantError, Text
from base.json import dump
from resolvers.variables import VariablesInvalid
from schema.errors import DocumentInvalid, response_errors
from schema.request import Reply, ReplyKind
from storage.errors import Busy, TooSlow, Unreachable

_log = logging.getLogger(__name__)

_STATUSES: Final[Mapping[str, int]] = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "RATE_LIMITED": 429,
    "INTERNAL": 500,
}
"""HTTP statuses of refusals by code; every other code is 400."""

_TOO_SLOW: Final = 400
"""The database gave it up: the same request would take as long again."""

_AWAY: Final = 503
"""The database is away or busy: the same request may well succeed in a moment."""


class ReadOnly(BadInput):
    """A mutation came through a door that only reads (GET)."""

    def __init__(self) -> None:
        super().__init__(Text("A mutation must be sent with POST.", "变更操作必须使用 POST 发送。"))


def data_reply(data: bytes) -> Reply:
    """A response without errors around the bytes of its data."""
    return Reply(b'{"data":' + data + b"}")


def result_reply(data: Any, errors: Sequence[Mapping[str, Any]], cause: BaseException | None = None) -> Reply:
    """The result of an execution: plain data, and errors as they are shown. `cause` is why there are no data at all."""
    if not errors:
        return data_reply(orjson.dumps(data, default=_default))
    body = orjson.dumps({"errors": errors, "data": data}, default=_default)
    status = 200 if data is not None else _trouble(cause) or 200
    return Reply(body, ReplyKind.DATA, errors[0]["extensions"]["code"], status)


def refusal(error: Exception, locale: str, request_id: str) -> Reply:
    """The response for an error before execution. What nobody raised on purpose is logged, and tells nothing."""
    log_unexpected(error, request_id)
    errors = response_errors(error, locale, request_id)
    code = str(errors[0]["extensions"]["code"])
    status = 405 if isinstance(error, ReadOnly) else _trouble(error) or _STATUSES.get(code, 400)
    return Reply(orjson.dumps({"errors": errors}, default=_default), ReplyKind.REQUEST_ERROR, code, status)


def log_unexpected(error: BaseException, request_id: str) -> None:
    """Write to the log what is our mistake; a client's mistakes are his."""
    if isinstance(error, DocumentInvalid | VariablesInvalid):
        return
    if not isinstance(error, PliantError) or error.code == PliantError.code:
        _log.error("request %s failed", request_id, exc_info=error)


def _trouble(cause: BaseException | None) -> int | None:
    """The status of an answer that the database owes; None when something else is the cause."""
    if isinstance(cause, TooSlow):
        return _TOO_SLOW
    return _AWAY if isinstance(cause, Busy | Unreachable) else None


def _default(value: Any) -> Any:
    return orjson.Fragment(dump(value))
