"""Limits of documents: what passes, what does not, and that looking costs little."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import parse

from base.errors import LimitExceeded
from base.limits import DEFAULTS
from schema.cache import CompiledSchema
from schema.limits import measure


def cost(compiled: CompiledSchema, text: str, **variables: object) -> int:
    """Records by estimate of a document's only operation."""
    (program,) = measure(parse(text), compiled.core, DEFAULTS).values()
    return program(variables)


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("{ account(id: 1) { id } }", 1),
        ("{ accounts { nodes { id } } }", 50),
        ("{ accounts(first: 10) { nodes { id owner { id } } edges { node { owner { id } } } } }", 10 * 3),
        ("{ accounts(first: 10) { nodes { opportunities(first: 5) { nodes { lines { totalCount } } } } } }", 2_560),
        ("{ nodes(ids: [1, 2, 3]) { id } }", 3),
        ("query($n: Int = 7) { accounts(last: $n) { nodes { owner { id } } } }", 14),
        ("{ viewer { member { id } } meta { position } }", 0),
        (
            "{ ...F } fragment F on Query { accounts(first: 2) { nodes { ...A } } } "
            "fragment A on Account { owner { id } }",
            4,
        ),
    ],
)
def test_the_estimate_multiplies_pages(compiled: CompiledSchema, text: str, records: int) -> None:
    assert cost(compiled, text) == records


def test_the_estimate_uses_variables(compiled: CompiledSchema) -> None:
    text = "query($n: Int, $ids: [ID!]!) { accounts(first: $n) { nodes { id } } nodes(ids: $ids) { id } }"
    assert cost(compiled, text, n=3, ids=["a", "b"]) == 5
    assert cost(compiled, text, n=None, ids=[]) == 50
    with pytest.raises(LimitExceeded, match="records"):
        cost(compiled, text, n=10**6, ids=[])


def fan_out(levels: int) -> str:
    """Fragments of which each spreads the next one twice."""
    parts = [
        f"fragment F{n} on Account {{ a: parent {{ ...F{n + 1} }} b: parent {{ ...F{n + 1} }} }}" for n in range(levels)
    ]
    return "{ account(id: 1) { ...F0 } } " + " ".join(parts) + f" fragment F{levels} on Account {{ id }}"


def nested(levels: int) -> str:
    """One to-one relation behind another."""
    return "{ account(id: 1) " + "{ parent " * levels + "{ id }" + " }" * levels + " }"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (nested(30), "levels"),
        ("{ " + " ".join(f"a{n}: __typename" for n in range(251)) + " }", "aliases"),
        ("{ " + " ".join(f"n{n}" for n in range(101)) + " }", "root fields"),
        ("{ __typename " + "@skip(if: false) " * 101 + " }", "directives"),
        (" ".join(f"query Q{n} {{ __typename }}" for n in range(21)), "operations"),
        ("{ accounts(first: 1000000) { nodes { id } } }", "records"),
        ("{ accounts(first: 99999999999999999999) { nodes { id } } }", "records"),
        ("{ accounts(first: 1000) { nodes { opportunities(first: 1000) { totalCount } } } }", "records"),
        (fan_out(20), "aliases"),
        ("{ account(id: 1) { " + "parent { id } " * 200 + "} }", "relations"),
        ("{ " + "accounts(first: 0) { totalCount } " * 100 + "account(id: 1) { id } }", "relations|root fields"),
        ("{ " + "opportunities(first: 0) { nodes { ...F account { opportunities { nodes { ...F } } } } } " * 20 + "}"
         + " fragment F on Opportunity { name account { name } owner { name } lines { totalCount } }", "relations"),
        ('{ __type(name: "Q") ' + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " }", "rounds"),
    ],
)  # fmt: skip
def test_beyond_a_limit(compiled: CompiledSchema, text: str, what: str) -> None:
    with pytest.raises(LimitExceeded, match=what):
        measure(parse(text), compiled.core, DEFAULTS)


def test_fan_out_without_aliases_is_counted(compiled: CompiledSchema) -> None:
    parts = [
        f"fragment F{n} on Member {{ manager {{ ...F{n + 1} }} owner {{ ...F{n + 1} }} }}" for n in range(20)
    ]  # fmt: skip
    text = "{ member(id: 1) { ...F0 } } " + " ".join(parts) + " fragment F20 on Member { id }"
    with pytest.raises(LimitExceeded, match="selected fields"):
        measure(parse(text), compiled.core, DEFAULTS)


def test_cycles_and_unknown_names_are_left_to_validation(compiled: CompiledSchema) -> None:
    text = "{ nothing { ...A ...Gone } } fragment A on Account { parent { ...B } } fragment B on Nope { x { ...A } }"
    measure(parse(text), compiled.core, DEFAULTS)


def test_limits_are_settings(compiled: CompiledSchema) -> None:
    measure(parse(nested(30)), compiled.core, replace(DEFAULTS, document_depth=40))


def test_messages_are_in_both_languages(compiled: CompiledSchema) -> None:
    with pytest.raises(LimitExceeded) as caught:
        measure(parse(nested(30)), compiled.core, DEFAULTS)
    assert "25" in caught.value.text.localized("en")
    assert "嵌套" in caught.value.text.localized("zh-Hans")
    assert caught.value.details == {"limit": 25}


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("{ viewer { member { id } } meta { position } }", 0),
        ("{ __schema { types { name fields { name type { name } } } } }", 0),
        ("{ node(id: 1) { id } nodes(ids: [1]) { id } ...F } fragment F on Query { nodes(ids: [1]) { id } }", 5),
        ("{ account(id: 1) { parent { id } } accounts { edges { node { owner { id } } } nodes { owner { id } } } }", 6),
        ("{ ...A a: account(id: 1) { ...B } } fragment A on Query { account(id: 1) { ...B } } "
         "fragment B on Account { parent { id } opportunities(first: 0) { totalCount } }", 8),
    ],
)  # fmt: skip
def test_relations_are_counted_after_fragments_are_spread(compiled: CompiledSchema, text: str, relations: int) -> None:
    measure(parse(text), compiled.core, replace(DEFAULTS, relations=relations))
    with pytest.raises(LimitExceeded, match="relations") as caught:
        measure(parse(text), compiled.core, replace(DEFAULTS, relations=relations - 1))
    assert caught.value.details == {"limit": relations - 1}


def test_the_ids_of_a_fragment_are_records_too(compiled: CompiledSchema) -> None:
    assert cost(compiled, "{ ...F } fragment F on Query { nodes(ids: [1, 2, 3]) { id } }") == 3
