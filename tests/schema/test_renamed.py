"""Renamed fields stay readable under their old names, marked, in both executors."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import execute_sync, parse, print_type

from records.selection import Record, RootRecord, Scalar, ToOne
from resolvers.renamed import current_name
from schema.cache import CompiledSchema, SchemaCache
from tests.schema.samples import ACCOUNT, APP, catalog_of, everything

PROPERTIES: dict[str, Any] = {
    "name": {"type": "string", "x-was": ["title", "label"]},
    "label": {"type": "string"},
    "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "deals", "x-was": ["customer"]},
}
DEAL: dict[str, Any] = {
    "kind": "entity",
    "name": "deal",
    "title": "Deal",
    "x-display": "name",
    "type": "object",
    "properties": PROPERTIES,
}


@pytest.fixture(scope="module")
def renamed() -> CompiledSchema:
    """A company whose deals were reshaped."""
    catalog = catalog_of(APP, ACCOUNT, DEAL)
    deal = {"id": "1", "name": "N", "label": "L", "accountId": "2", "account": {"id": "2"}}
    return SchemaCache(lambda _operation: lambda _source, _info, **_arguments: deal).get(catalog, everything(catalog))


def test_old_names_are_deprecated_and_never_shadow(renamed: CompiledSchema) -> None:
    text = print_type(renamed.core.type_map["Deal"])
    assert 'title: String @deprecated(reason: "Renamed to name.")' in text
    assert 'customer: Account @deprecated(reason: "Renamed to account.")' in text
    assert 'customerId: ID @deprecated(reason: "Renamed to accountId.")' in text
    assert "label: String\n" in text
    assert 'customerId: PliantIDFilter @deprecated(reason: "Renamed to accountId.")' in print_type(
        renamed.core.type_map["DealFilter"]
    )
    assert 'customer: DealAccountRelationInput @deprecated(reason: "Renamed to account.")' in print_type(
        renamed.core.type_map["DealCreateInput"]
    )


TEXT = '{ deal(id: "1") { title label customerId customer { id } } }'


def test_plans_read_the_current_field(renamed: CompiledSchema) -> None:
    operation = renamed.document(TEXT).operation(None)
    selection = operation.selection(operation.coerce({}))
    assert selection is not None
    (root,) = selection.roots
    assert isinstance(root, RootRecord)
    assert root.selection.items == (
        Scalar("title", "name"),
        Scalar("label", "label"),
        Scalar("customerId", "accountId"),
        ToOne("customer", "account", Record("account", (Scalar("id", "id"),))),
    )


def test_the_stock_executor_reads_the_current_key(renamed: CompiledSchema) -> None:
    result: Any = execute_sync(
        renamed.core,
        parse(TEXT),
        field_resolver=lambda source, info, **_: source.get(
            current_name(renamed.catalog.entities["deal"], info.field_name)
        ),
    )
    assert result.errors is None
    assert result.data == {"deal": {"title": "N", "label": "L", "customerId": "2", "customer": {"id": "2"}}}
