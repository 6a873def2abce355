"""Errors as GraphQL responses show them: a message in the reader's language, a code of the closed list, nothing else.

What a request got wrong (syntax, validation, variables) is BAD_USER_INPUT, what was too much LIMIT_EXCEEDED; an error
that nobody raised on purpose is INTERNAL and tells nothing of itself but the request id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError

from base.errors import BadInput, PliantError, Text
from resolvers.variables import VariablesInvalid

INTERNAL = Text("Something went wrong on our side.", "服务器内部出错。")
"""All that is told of an error that nobody raised on purpose."""

_NONE = "None."


class DocumentInvalid(BadInput):
    """A document that is no GraphQL, or not of this schema. `errors` are graphql-core's, with positions."""

    def __init__(self, errors: Iterable[GraphQLError]) -> None:
        self.errors = tuple(errors)
        super().__init__(_invalid(self.errors[0].message))


def _invalid(message: str) -> Text:
    if message.endswith(_NONE):
        message = message.removesuffix(_NONE) + "null."  # graphql-core says null as Python does
    return Text(message, f"请求无效：{message}")


def response_errors(error: Exception, locale: str, request_id: str) -> list[dict[str, Any]]:
    """The `errors` of a response that one exception ends."""
    if isinstance(error, DocumentInvalid | VariablesInvalid) and error.errors:
        return [formatted(item, locale, request_id) for item in error.errors]
    return [formatted(error, locale, request_id)]


def formatted(error: Exception, locale: str, request_id: str) -> dict[str, Any]:
    """One entry of `errors`, with `extensions.code` and `extensions.requestId`."""
    cause = error.original_error if isinstance(error, GraphQLError) else error
    if cause is None or isinstance(cause, GraphQLError):
        cause = error  # graphql-core's own: the outer message tells the place as well
    code, text, details = _cause(cause)
    shown: dict[str, Any] = {"message": text.localized(locale)}
    if isinstance(error, GraphQLError):
        if error.locations:
            shown["locations"] = [place.formatted for place in error.locations]
        if error.path:
            shown["path"] = error.path
    shown["extensions"] = {**details, "code": code, "requestId": request_id}
    return shown


def _cause(error: Exception) -> tuple[str, Text, dict[str, Any]]:
    if isinstance(error, PliantError):
        return error.code, error.text if error.code != PliantError.code else INTERNAL, dict(error.details)
    if isinstance(error, GraphQLError):
        return BadInput.code, _invalid(error.message), {}
    return PliantError.code, INTERNAL, {}
