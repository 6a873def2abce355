"""Problem documents (RFC 9457): what a request gets that is no GraphQL request, and what all other paths answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from http import HTTPStatus

import orjson

from base.errors import PliantError, Text
from base.immutable import immutable

MEDIA_TYPE = "application/problem+json"


class RequestRefused(PliantError):
    """A request that is refused before anybody asks what it means. `status` and `headers` are HTTP's."""

    code = "BAD_USER_INPUT"

    def __init__(self, status: int, text: Text, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


@immutable
class Answer:
    """What goes back over HTTP. `headers` come beside those that every answer has; `code` is a GraphQL error's."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None


def problem(
    status: int, text: Text, locale: str = "en", headers: Mapping[str, str] | None = None, request_id: str | None = None
) -> Answer:
    """A problem document of a status; `type` is about:blank, so `title` is the status's own phrase."""
    body = {"type": "about:blank", "title": phrase(status), "status": status, "detail": text.localized(locale)}
    if request_id is not None:
        body["requestId"] = request_id
    return Answer(status, MEDIA_TYPE, orjson.dumps(body), headers or {})


def phrase(status: int) -> str:
    """The reason phrase of a status."""
    return HTTPStatus(status).phrase
