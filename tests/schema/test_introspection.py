"""Projected introspection equals the stock executor's, byte for byte."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from graphql import execute_sync, get_introspection_query, parse

from schema.cache import CompiledSchema
from schema.introspection import introspect

FULL = get_introspection_query(
    descriptions=True,
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        (get_introspection_query(), {}),
        (FULL, {}),
        (
            "{ __typename s: __schema { types { n: name fields { ...X name args { name defaultValue type { name ofType "
            "{ kind } } } } possibleTypes { name } inputFields { name defaultValue } } __typename } __type(name: "
            '"Node") { possibleTypes { name } } } fragment X on __Field { type { name __typename } }',
            {},
        ),
        (
            "query($n: String!, $i: Boolean!) { __type(name: $n) { name @skip(if: $i) kind @include(if: $i) "
            "enumValues(includeDeprecated: $i) { name isDeprecated deprecationReason } isOneOf specifiedByURL } }",
            {"n": "OpportunityStage", "i": True},
        ),
        ("{ __type(name: \"OpportunityStage\") { enumValues { name } } }", {}),
        ("{ __type(name: \"Nothing\") { name } }", {}),
        ("{ ... on Query { __schema { queryType { name } mutationType { name } subscriptionType { name } } } }", {}),
    ],
)  # fmt: skip
def test_projection_equals_stock_execution(compiled: CompiledSchema, text: str, variables: dict[str, Any]) -> None:
    document = compiled.document(text)
    operation = document.operation(None)
    assert operation.introspection
    stock: Any = execute_sync(compiled.core, parse(text), variable_values=variables)
    assert stock.errors is None
    projected = introspect(compiled.core, document.node, operation.node, operation.coerce(variables).values)
    assert orjson.dumps(projected) == orjson.dumps(stock.data)


@pytest.mark.parametrize("text", ["{ __schema { types { name } } viewer { company { id } } }", "{ __typename }"])
def test_mixed_operations_are_not_projected(compiled: CompiledSchema, text: str) -> None:
    assert not compiled.document(text).operation(None).introspection
