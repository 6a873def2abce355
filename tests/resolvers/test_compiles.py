"""What is planned can be compiled: every kind of argument reaches SQL on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from base.ids import new_id
from base.limits import DEFAULTS
from metadata.catalog import Catalog
from records.reading.read import compile_selection
from schema.cache import CompiledSchema
from storage.engine import Dialect
from tests.schema.samples import everything

DOCUMENTS: dict[str, dict[str, Any]] = {
    "query($id: ID!) { opportunity(id: $id) { id name stage account { name parent { name } } owner { name } } }": {
        "id": "x"
    },
    """{ opportunities(first: 5, orderBy: [{ account: { name: DESC_NULLS_FIRST } }, { amount: ASC }], search: "a b") {
      edges { cursor node { id products(first: 2) { nodes { name } totalCount } lines { nodes { quantity } } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
      aggregate { count sum { amount probability score } avg { amount } min { closeOn name } max { amount }
        distinctCount { stage accountId } } } }""": {},
    """query($f: OpportunityFilter, $n: Int, $d: PliantDeletedFilter) {
      opportunities(filter: $f, first: $n, deleted: $d) { nodes { id } } }""": {
        "f": {
            "id": {"in": ["x"]},
            "name": {"contains": "%", "startsWith": "a", "iLike": "_b", "in": ["a", "b"]},
            "stage": {"neq": "WON", "notIn": ["OLD"]},
            "amount": {"between": {"from": "1.50", "to": 3}},
            "probability": {"gte": 5},
            "closeOn": {"inLast": {"days": 3}, "thisWeek": True, "gt": "2026-01-01"},
            "createdAt": {"lt": "2026-01-01T00:00:00Z"},
            "open": {"eq": True},
            "account": {"tags": {"hasAny": ["x"]}, "notes": {"path": {"path": ["a"], "eq": {"b": 1}}}},
            "ownerId": {"isNull": False},
            "lines": {"some": {"quantity": {"gt": 1}}, "none": {}, "every": {"text": {"isNull": True}}},
            "products": {"some": {"price": {"eq": "1"}}},
            "and": [{"or": [{"score": {"lte": 0.5}}]}, {}],
            "not": {"number": {"endsWith": "1"}},
        },
        "n": 3,
        "d": "INCLUDE",
    },
    "{ __typename meta { position catalogVersion } accounts { nodes { subsidiaries(last: 1) { totalCount } } } }": {},
}


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
@pytest.mark.parametrize("text", DOCUMENTS)
def test_plans_compile(compiled: CompiledSchema, sales: Catalog, text: str, dialect: Dialect) -> None:
    operation = compiled.document(text).operation(None)
    selection = operation.selection(operation.coerce(DOCUMENTS[text]))
    assert selection is not None
    assert compile_selection(selection, sales, everything(sales), dialect, DEFAULTS).sql.text


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_nodes_compile_to_the_entities_asked_for(compiled: CompiledSchema, sales: Catalog, dialect: Dialect) -> None:
    text = "query($a: ID!, $b: [ID!]!) { node(id: $a) { id ... on Account { name } } nodes(ids: $b) { __typename } }"
    operation = compiled.document(text).operation(None)
    ids = [new_id(sales.entities[name].number) for name in ("account", "line")]
    selection = operation.selection(operation.coerce({"a": ids[0], "b": ids}))
    assert selection is not None
    sql = compile_selection(selection, sales, everything(sales), dialect, DEFAULTS).sql.text
    tables = {name for name, entity in sales.entities.items() if entity.table_name in sql}
    assert tables == {"account", "line"}
