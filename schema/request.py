"""A GraphQL request and its reply, without HTTP: what the doors of a server pass in and get back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from base.errors import BadInput, Text
from base.immutable import immutable
from schema.document import DocumentStore, persisted_text

_NO_QUERY: Final = Text("The request has no query and no documentId.", "请求缺少 query 和 documentId。")
_BOTH: Final = Text("Give query or documentId, not both.", "query 与 documentId 只能提供其一。")
_ONLY_PERSISTED: Final = Text("PersistedQueryNotSupported", "PersistedQueryNotSupported")
"""What clients of automatic persisted queries look for before they send the whole text."""


@immutable
class GraphQLRequest:
    """One request as a door has read it: `query` or `document_id`, and raw variables.

    `locale` is the language that the door negotiated (Accept-Language); empty means the actor's own. `read_only` is
    set where a request must not write (GET): a mutation is refused. `request_id` stands in errors and logs. `form` is
    the name of the form that it comes from, empty for none: use is counted by it.
    """

    query: str | None = None
    document_id: str | None = None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    extensions: Mapping[str, Any] | None = None
    locale: str = ""
    request_id: str = ""
    read_only: bool = False
    form: str = ""


class ReplyKind(Enum):
    """Whether execution began: what a door needs to choose a status."""

    DATA = "data"  # an execution result, perhaps with errors beside or instead of its data
    REQUEST_ERROR = "request error"  # refused before execution: the body has no `data`


@immutable
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


async def request_text(store: DocumentStore, namespace: str, request: GraphQLRequest) -> str:
    """The text of the request's document: its own, or the registered one. Raises `BadInput` and `NotFound`."""
    if request.document_id is None:
        if request.query is not None:
            return request.query
        asked = request.extensions is not None and "persistedQuery" in request.extensions
        raise BadInput(_ONLY_PERSISTED if asked else _NO_QUERY)
    if request.query is not None:
        raise BadInput(_BOTH)
    return await persisted_text(store, namespace, request.document_id)
