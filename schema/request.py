"""A GraphQL request and its reply, without HTTP: what the doors of a server pass in and get back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One request as a door has read it: `query` or `document_id`, and raw variables.

    `locale` is the language that the door negotiated (Accept-Language); empty means the actor's own. `read_only` is
    set where a request must not write (GET): a mutation is refused. `request_id` stands in errors and logs.
    """

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None
    locale: str = ""
    request_id: str = ""
    read_only: bool = False


class ReplyKind(Enum):
    """Whether execution began: what a door needs to choose a status."""

    DATA = "data"  # an execution result, perhaps with errors beside or instead of its data
    REQUEST_ERROR = "request error"  # refused before execution: the body has no `data`


@dataclass(frozen=True, slots=True)
class Reply:
    """The JSON bytes of a GraphQL response.

    `code` is the first error's `extensions.code`, or None without errors. `status` is the HTTP status for
    `application/graphql-response+json`; with `application/json` a well-formed request is answered with 200, except for
    401, 403, 405, 429 and 500.
    """

    body: bytes
    kind: ReplyKind = ReplyKind.DATA
    code: str | None = None
    status: int = 200
