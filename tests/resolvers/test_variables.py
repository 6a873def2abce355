"""Compiled coercion has a twin: graphql-core's. Whatever is accepted must be equal, whatever is refused refused."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import OperationDefinitionNode, get_variable_values, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import BadInput, LimitExceeded
from resolvers.variables import Coercers, Variables, VariablesInvalid
from schema.cache import CompiledSchema, SchemaCache
from schema.shared import STRUCTURAL_ENUMS
from tests.examples import examples
from tests.schema.samples import SALES, catalog_of, everything

TEXT = """query($f: OpportunityFilter, $o: [OpportunityOrderBy!], $n: Int = 10, $a: String, $id: ID!,
  $i: OpportunityCreateInput, $b: Boolean = true, $d: PliantDeletedFilter, $ids: [ID!], $l: Long, $m: Decimal) {
  opportunities(filter: $f, orderBy: $o, first: $n, after: $a, deleted: $d) { totalCount }
  opportunity(id: $id) { id } }"""

SCHEMA: CompiledSchema = SchemaCache(lambda operation: None).get(
    CATALOG := catalog_of(*SALES), everything(CATALOG)
)  # fmt: skip
(NODE,) = (node for node in parse(TEXT).definitions if isinstance(node, OperationDefinitionNode))
VARIABLES = Variables(SCHEMA.core, NODE, Coercers(STRUCTURAL_ENUMS, 5_000))

leaf: st.SearchStrategy[Any] = st.sampled_from(
    [None, 1, "x", "1", 2.5, 3.0, True, [], ["a"], {}, 2**40, 2**60, "WON", "ASC", "ONLY", [None], -0.0, "1e5", "12.50"]
)
operators = st.sampled_from(["eq", "neq", "in", "isNull", "gt", "contains", "nope", "between"])
tests = st.dictionaries(operators, leaf, max_size=2)
fields = st.sampled_from(["id", "name", "accountId", "stage", "amount", "probability", "closeOn", "open", "nope"])
filters: st.SearchStrategy[Any] = st.recursive(
    leaf | st.dictionaries(fields, tests, max_size=3),
    lambda inner: (
        st.dictionaries(st.sampled_from(["and", "or"]), st.lists(inner, max_size=2), max_size=1)
        | st.dictionaries(st.sampled_from(["not", "account"]), inner, max_size=1)
        | st.fixed_dictionaries({"lines": st.dictionaries(st.sampled_from(["some", "none", "x"]), inner, max_size=1)})
    ),
    max_leaves=6,
)
orders = st.sampled_from(
    [
        [{"name": "ASC"}],
        {"name": "DESC"},
        [{"name": "ASC", "id": "ASC"}],
        [{"account": {"name": "ASC_NULLS_FIRST"}}],
        [{"name": None}],
        [None],
        [],
        None,
    ]
)
inputs = st.dictionaries(
    st.sampled_from(["name", "probability", "amount", "account", "lines", "open", "ownerId", "nope"]), leaf, max_size=4
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "f": filters,
        "o": orders,
        "n": leaf,
        "a": leaf,
        "id": leaf,
        "i": inputs,
        "b": leaf,
        "d": leaf,
        "ids": leaf,
        "l": leaf,
        "m": leaf,
        "unknown": leaf,
    },
)


@settings(max_examples=examples(800), deadline=None)
@given(requests | requests.map(lambda raw: {**raw, "id": "1"}))
def test_compiled_coercion_equals_graphql_core(raw: dict[str, Any]) -> None:
    stock = get_variable_values(SCHEMA.core, NODE.variable_definitions or (), raw)
    if isinstance(stock, list):
        with pytest.raises(VariablesInvalid):
            VARIABLES.coerce(raw)
    else:
        assert VARIABLES.coerce(raw).values == stock.coerced


def shape(**raw: Any) -> tuple[Any, ...]:
    """The shape of variables beside an id."""
    return VARIABLES.coerce({"id": "1", **raw}).shape


def test_values_are_no_part_of_the_shape() -> None:
    assert shape(f={"name": {"eq": "a"}}, n=1) == shape(f={"name": {"eq": "b"}}, n=2)
    assert shape(f={"stage": {"eq": "WON"}}) == shape(f={"stage": {"eq": "OLD"}})
    assert shape(f={"name": {"in": ["a"]}}) == shape(f={"name": {"in": ["a", "b", "c"]}})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"f": {"name": {"eq": "a"}}}, {"f": {"name": {"neq": "a"}}}),
        ({"f": {"name": {"eq": "a"}}}, {"f": {"name": {"eq": None}}}),
        ({"f": {"name": {"isNull": True}}}, {"f": {"name": {"isNull": False}}}),
        ({"f": {"and": [{}]}}, {"f": {"and": [{}, {}]}}),
        ({"f": {}}, {"f": None}),
        ({"f": None}, {}),
        ({"o": [{"name": "ASC"}]}, {"o": [{"name": "DESC"}]}),
        ({"d": "ONLY"}, {"d": "INCLUDE"}),
        ({"n": 5}, {}),
        ({"a": "x"}, {"a": None}),
    ],
)
def test_structure_is_the_shape(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert shape(**one) != shape(**other)


def test_too_many_input_objects() -> None:
    for wrong in ({}, {"nope": 1}):
        with pytest.raises(LimitExceeded):
            VARIABLES.coerce({"id": "1", "f": {"and": [{}] * 100_000}, "i": wrong})


def test_nul_is_refused() -> None:
    for raw in ({"a": "a\0"}, {"f": {"name": {"in": ["\0"]}}}):
        with pytest.raises(BadInput, match="NUL"):
            VARIABLES.coerce({"id": "1", **raw})


def test_deep_variables_are_refused() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"not": deep}
    with pytest.raises((VariablesInvalid, LimitExceeded)):
        VARIABLES.coerce({"id": "1", "f": deep})
