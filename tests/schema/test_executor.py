"""Answers of the stock executor: what an error makes of the whole response."""

from __future__ import annotations

import orjson
import pytest
from graphql import ExecutionResult, GraphQLError

from base.errors import BadInput
from schema.executor import execution_reply
from schema.request import ReplyKind
from storage.errors import StatementTooDeep, TooSlow


def failed(cause: Exception, *path: str) -> GraphQLError:
    """A field that failed."""
    return GraphQLError(str(cause), path=path, original_error=cause)


def test_a_field_that_is_too_much_for_the_database_is_no_answer_at_all() -> None:
    """Whichever of its neighbours failed before it was given up."""
    deep, deep_too = failed(StatementTooDeep(), "b"), failed(StatementTooDeep(), "c")
    results = [
        ExecutionResult({"a": 1, "b": None}, [deep]),
        ExecutionResult(None, [failed(BadInput("wrong"), "a"), deep]),
        ExecutionResult(None, [deep, deep_too]),
    ]
    replies = [execution_reply(result, "en", "r") for result in results]
    assert len({reply.body for reply in replies}) == 1
    assert (replies[0].kind, replies[0].status, replies[0].code) == (ReplyKind.REQUEST_ERROR, 400, "LIMIT_EXCEEDED")
    assert "data" not in orjson.loads(replies[0].body)


def test_other_errors_stand_beside_the_data() -> None:
    reply = execution_reply(ExecutionResult({"a": None, "b": 1}, [failed(BadInput("wrong"), "a")]), "en", "r")
    found = orjson.loads(reply.body)
    assert (reply.kind, reply.status, found["data"]) == (ReplyKind.DATA, 200, {"a": None, "b": 1})
    assert found["errors"][0]["path"] == ["a"]


def test_a_field_that_takes_the_database_too_long_is_no_answer_at_all(caplog: pytest.LogCaptureFixture) -> None:
    slow = failed(TooSlow(30.0), "b")
    for result in (ExecutionResult({"a": 1, "b": None}, [slow]), ExecutionResult(None, [slow])):
        reply = execution_reply(result, "en", "r")
        (error,) = orjson.loads(reply.body)["errors"]
        assert (reply.status, reply.code) == (400, "LIMIT_EXCEEDED")
        assert (error["extensions"]["limit"], error["extensions"]["max"]) == ("request_seconds", 30.0)
    assert not caplog.records
