"""Hooks of schemathesis: values of our scalars, inputs of one key, and what an answer must not be.

Runs in an environment of its own (requirements.txt), so it imports nothing of Pliant.
"""

from __future__ import annotations

import os
import urllib.request

import graphql
import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

CODES = {"UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "CURSOR_EXPIRED", "BAD_USER_INPUT"}
CODES |= {"LIMIT_EXCEEDED", "RATE_LIMITED", "SCHEMA_CHANGED"}
"""What a request may be refused with; INTERNAL would be our own fault."""

INSIDES = ("Traceback", "sqlite3", "asyncpg", "SELECT ", "/site-packages/", ".py", "_head", "__ns__")

_any_text = st.text(max_size=12)


def _quoted(values: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """Texts of a scalar, and now and then one that is none."""
    drawn = st.tuples(st.integers(0, 24), values, _any_text)
    return drawn.map(lambda draw: draw[2] if draw[0] == 13 else draw[1]).map(nodes.String)


_date = st.dates().map(str)
_time = st.times().map(lambda time: time.isoformat())
_instant = st.datetimes().map(lambda instant: instant.isoformat() + "Z")
_decimal = st.decimals(-(10**9), 10**9, places=3).map(lambda number: format(number, "f"))
_json = st.one_of(st.integers().map(nodes.Int), st.booleans().map(nodes.Boolean), _any_text.map(nodes.String))

for _name, _values in {
    "Cursor": _quoted(_any_text),
    "Date": _quoted(_date),
    "DateTime": _quoted(_instant),
    "Decimal": st.one_of(_quoted(_decimal), st.integers(-(10**6), 10**6).map(nodes.Int)),
    "JSON": _json,
    "Long": st.integers(-(2**55), 2**55).map(nodes.Int),
    "Time": _quoted(_time),
    "UUID": _quoted(st.uuids().map(str)),
}.items():
    schemathesis.graphql.scalar(_name, _values)


def _fetch_schema() -> graphql.GraphQLSchema:
    """The records' schema with its @oneOf inputs, of which introspection as schemathesis asks for it says nothing."""
    headers = {"authorization": f"Bearer {os.environ['PLIANT_TOKEN']}"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{os.environ['PLIANT_URL']}/schema.graphql", None, headers)
    ) as sdl:
        return graphql.build_schema(sdl.read().decode())


_schema = _fetch_schema()


class _Mending(graphql.Visitor):
    """Keeps one key that is not null of every @oneOf input, and no empty idempotency key."""

    def __init__(self, types: graphql.TypeInfo) -> None:
        super().__init__()
        self._types = types

    def enter_object_value(self, node: graphql.ObjectValueNode, *_: object) -> graphql.ObjectValueNode | None:
        """The value with one key, when its type wants that."""
        type_ = graphql.get_named_type(self._types.get_input_type())
        given = [field for field in node.fields if not isinstance(field.value, graphql.NullValueNode)]
        if not getattr(type_, "is_one_of", False) or len(node.fields) < 2 or not given:
            return None
        return graphql.ObjectValueNode(fields=(given[0],), loc=node.loc)

    def enter_argument(self, node: graphql.ArgumentNode, *_: object) -> object:
        """Nothing, when the argument is an idempotency key without a character."""
        empty = isinstance(node.value, graphql.StringValueNode) and not node.value.value
        return graphql.REMOVE if node.name.value == "idempotencyKey" and empty else None


@schemathesis.hook
def map_body(context: schemathesis.HookContext, body: graphql.DocumentNode) -> graphql.DocumentNode:
    """Make operations of what schemathesis draws that reach further than the validation."""
    types = graphql.TypeInfo(_schema)
    changed: graphql.DocumentNode = graphql.visit(body, graphql.TypeInfoVisitor(types, _Mending(types)))
    return changed


@schemathesis.check
def refusals_are_told(
    context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """No 5xx; every error has a code that blames nobody but the request; nothing of our inside is shown."""
    assert response.status_code < 500, f"status {response.status_code}"
    for error in response.json().get("errors", ()):
        code = error.get("extensions", {}).get("code")
        assert code in CODES, f"code {code}: {error['message']}"
        assert not any(word in error["message"] for word in INSIDES), error["message"]
