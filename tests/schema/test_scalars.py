"""Scalars read strictly, from variables and from literals alike."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLField,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLSchema,
    SourceLocation,
    parse,
    parse_value,
    validate,
)

from schema.scalars import CUSTOM, SCALARS


def literal(name: str, text: str) -> Any:
    """The value of a literal in a document."""
    read = SCALARS[name].coerce_input_literal
    node: Any = parse_value(text)
    return read(node) if read is not None else SCALARS[name].parse_literal(node)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("Decimal", "12.50", "12.50"),
        ("Decimal", "-0", "-0"),
        ("Decimal", 3, "3"),
        ("Decimal", 0.1, "0.1"),
        ("Decimal", 1e22, "10000000000000000000000"),
        ("Decimal", 1e-7, "0.0000001"),
        ("Long", 2**53 - 1, 2**53 - 1),
        ("Long", 3.0, 3),
        ("Date", "2024-02-29", "2024-02-29"),
        ("DateTime", "2026-11-23T08:05:00Z", "2026-11-23T08:05:00Z"),
        ("DateTime", "2026-11-23t08:05:00.1234567+08:00", "2026-11-23T08:05:00.123456+08:00"),
        ("Time", "08:05", "08:05"),
        ("UUID", "0193A5B8-0000-7000-8000-000000000000", "0193a5b8-0000-7000-8000-000000000000"),
        ("JSON", {"a": [1, None, "é"]}, {"a": [1, None, "é"]}),
        ("Cursor", "abc", "abc"),
    ],
)
def test_values_are_read(name: str, value: Any, read: Any) -> None:
    assert SCALARS[name].coerce_input_value(value) == read


REFUSED: dict[str, list[Any]] = {
    "Decimal": [
        "NaN",
        "1e5",
        "1e999",
        "",
        " 1",
        "1\n",
        "+1",
        "١",
        "9" * 5_000,
        ".5",
        "5.",
        True,
        None,
        [],
        1e300,
        float("nan"),
        float("inf"),
        10**50,
    ],
    "Long": [2**53, -(2**53), "1", True, 1.5, float("inf")],
    "Date": ["2023-02-29", "2024-2-1", "20240101", "2024-01-01T00:00:00Z", 5, "2024-01-01\n"],
    "DateTime": ["2026-11-23", "2026-11-23T08:05:00", "2026-11-23T25:05:00Z", 0, "now"],
    "Time": ["25:00", "8:05", "08:05Z", 8],
    "UUID": ["", "x" * 36, 7, "0" * 100_000],
    "JSON": [float("nan"), {"a": "\0"}, ["\ud800"], {"\0": 1}],
    "Cursor": [5],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values])
def test_other_values_are_refused(name: str, value: Any) -> None:
    with pytest.raises(GraphQLError):
        SCALARS[name].coerce_input_value(value)


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("Decimal", "12.50", "12.50"),
        ("Decimal", "1.5e3", "1500"),
        ("Decimal", '"0.10"', "0.10"),
        ("Long", "9007199254740991", 2**53 - 1),
        ("JSON", '{a: [1, "b", null]}', {"a": [1, "b", None]}),
    ],
)
def test_literals_keep_their_digits(name: str, text: str, read: Any) -> None:
    assert literal(name, text) == read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Decimal", "1e999"),
        ("Decimal", "9" * 5_000),
        ("Decimal", "true"),
        ("Long", "9" * 5_000),
        ("Long", "1.0"),
        ("JSON", "9" * 5_000),
        ("JSON", "1e999"),
    ],
)
def test_other_literals_are_refused(name: str, text: str) -> None:
    with pytest.raises(GraphQLError):
        literal(name, text)


def test_every_scalar_says_what_it_is() -> None:
    assert all(scalar.description for scalar in CUSTOM)


@pytest.mark.parametrize(
    ("name", "text"), [("Decimal", '"x"'), ("Date", "5"), ("Time", "SIX"), ("UUID", '"x"'), ("Long", '"1"')]
)
def test_a_refused_literal_has_its_position(name: str, text: str) -> None:
    field = GraphQLField(GraphQLInt, args={"a": GraphQLArgument(SCALARS[name])})
    schema = GraphQLSchema(GraphQLObjectType("Query", {"field": field}))
    (error,) = validate(schema, parse("{ field(a: " + text + ") }"))
    assert error.locations == [SourceLocation(1, 12)]
