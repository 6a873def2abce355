"""Arguments of mutation fields, and the JSON of payloads around the records."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import FieldNode, OperationDefinitionNode, parse

from base.errors import BadInput, Fault, Text
from records.command import Create, Result, Saved, Share, UpdateWhere, Upsert
from records.selection import TypeName
from resolvers.arguments import compile_arguments
from resolvers.commands import commands_of
from resolvers.payload import (
    DetailsPart,
    ErrorsPart,
    RecordPart,
    empty,
    frame,
    join,
    settled,
    written,
)
from resolvers.roots import RootKind, RootOperation
from schema.cache import CompiledSchema


def arguments(compiled: CompiledSchema, text: str, **variables: Any) -> dict[str, Any]:
    """The arguments of a mutation's first field; variables are taken as coerced."""
    (operation,) = parse(f"mutation {{ {text} }}", no_location=True).definitions
    assert isinstance(operation, OperationDefinitionNode)
    node = operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    assert compiled.core.mutation_type is not None
    return compile_arguments(compiled.core.mutation_type.fields[node.name.value], node)(variables)


def test_literals_variables_and_defaults(compiled: CompiledSchema) -> None:
    text = 'createAccount(input: {name: $n, revenue: 1.50, notes: {a: [$n, null]}, sector: null}, idempotencyKey: "k")'
    found = arguments(compiled, text, n="A")
    assert found == {
        "input": {"name": "A", "revenue": "1.5", "notes": {"a": ["A", None]}, "sector": None},
        "idempotencyKey": "k",
    }
    whole = {"name": "B"}
    assert arguments(compiled, "createAccount(input: $i)", i=whole)["input"] is whole
    assert arguments(compiled, "createAccount(input: {name: $absent})") == {"input": {}}
    assert arguments(compiled, "createAccounts(input: [])") == {"input": [], "atomic": True}
    assert arguments(compiled, "createAccounts(input: [], atomic: $a)") == {"input": [], "atomic": True}


@pytest.mark.parametrize("text", ["createAccount(input: $i)", "updateAccount(id: $i, input: {})"])
@pytest.mark.parametrize("variables", [{}, {"i": None}])
def test_a_required_argument_needs_its_variable(compiled: CompiledSchema, text: str, variables: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        arguments(compiled, text, **variables)


def test_no_nul_gets_through_a_literal(compiled: CompiledSchema) -> None:
    with pytest.raises(BadInput):
        arguments(compiled, r'createAccount(input: {name: "a\u0000"})')


def test_commands(compiled: CompiledSchema) -> None:
    def made(kind: RootKind, **given: Any) -> Any:
        return commands_of(RootOperation("x", kind, "account"), given)

    many = made(RootKind.CREATE_MANY, input=[{"name": "a"}, {}], atomic=False, idempotencyKey="k")
    assert many.items == (Create("account", {"name": "a"}), Create("account", {}))
    assert (many.atomic, many.operation, many.idempotency_key) == (False, "x", "k")
    assert made(RootKind.CREATE_MANY, input=[], atomic=None).atomic is True
    assert made(RootKind.UPSERT, input={}, by=["name"], onConflict="IGNORE").items == (
        Upsert("account", {}, ("name",), True),
    )
    assert made(RootKind.UPDATE_MANY, filter={}, input={}, atMost=3, all=None).items == (
        UpdateWhere("account", {}, {}, 3, False),
    )
    assert made(RootKind.SHARE, id="1", level=None, fields=["name"], **{"with": {"team": "2"}}).items == (
        Share("account", "1", "team", "2", "READ", ("name",), None),
    )


PARTS = (
    TypeName("t", "AccountPayload"),
    RecordPart("a", 0),
    ErrorsPart("e", (("c", "code"), ("m", "message"), ("p", "path"), ("d", "details"))),
    RecordPart('b"', 1),
    DetailsPart("details"),
)


def test_a_payload_is_joined_around_its_records() -> None:
    pieces = frame(PARTS, "en")
    assert orjson.loads(join(pieces, [b'{"id":"1"}', b"null"])) == {
        "t": "AccountPayload",
        "a": {"id": "1"},
        "e": [],
        'b"': None,
        "details": None,
    }


def test_faults_speak_the_readers_language() -> None:
    fault = Fault(("a", "0"), "RULE", Text("no", "不"), {"rule": "x"})
    shown = orjson.loads(empty(frame(PARTS, "zh-Hans", [fault], {"moved": 1})))
    assert shown["e"] == [{"c": "RULE", "m": "不", "p": ["a", "0"], "d": {"rule": "x"}}]
    assert (shown["a"], shown["details"]) == (None, {"moved": 1})


def test_what_was_written() -> None:
    fault = Fault((), "RULE", Text("no", "不"))
    some = Saved((Result("1"), Result(None, (fault,)), Result("2"), Result("1")))
    assert written(some, atomic=False) == ["1", "2"]
    assert written(some, atomic=True) == []
    assert written(Saved((Result("1"),), (fault,)), atomic=False) == []
    whole = settled(Saved((Result(None, (fault,)),)), RootKind.UPDATE_MANY, atomic=True)
    assert (whole.results, whole.faults) == ((), (fault,))
    assert settled(some, RootKind.CREATE_MANY, atomic=False) is some
    all_or_none = settled(some, RootKind.CREATE_MANY, atomic=True)
    assert (all_or_none.results, [item.path for item in all_or_none.faults]) == (some.results, [("1",)])
