"""Every registered field type has its place in GraphQL: its scalar reads what the type takes, and what it shows."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLError, is_input_object_type

from metadata.catalog import Catalog
from metadata.field import FieldType, GraphQLKind
from metadata.fields.registry import FIELD_TYPES
from metadata.operators.registry import OPERATORS
from schema.adapter import shared_types
from schema.scalars import SCALARS
from tests.schema.conftest import merged_of
from tests.schema.samples import APP, catalog_of

VALUED = [kind for kind in FIELD_TYPES if kind.graphql in (GraphQLKind.SCALAR, GraphQLKind.LIST)]


def catalog_with(kind: FieldType) -> Catalog:
    """A catalog whose entity `thing` has a field `value`: the type's own sample."""
    sample: Any = kind.sample
    targets = [entity(sample["x-entity"])] if "x-entity" in sample else []
    return catalog_of(APP, *targets, entity("thing", value=dict(sample)))


def entity(name: str, **properties: Any) -> dict[str, Any]:
    """A small entity."""
    named = {"name": {"type": "string"}, **properties}
    return {
        "kind": "entity",
        "name": name,
        "title": name,
        "x-display": "name",
        "type": "object",
        "properties": named,
    }


def read(kind: FieldType, value: Any) -> Any:
    """A value as GraphQL's input coercion gives it on."""
    scalar = SCALARS[kind.graphql_name]
    if kind.graphql is GraphQLKind.LIST:
        return [scalar.coerce_input_value(item) for item in value]
    return scalar.coerce_input_value(value)


@pytest.mark.parametrize("kind", VALUED, ids=lambda kind: kind.name)
def test_examples_pass_through_the_scalar(kind: FieldType) -> None:
    catalog = catalog_with(kind)
    field = catalog.entities["thing"].fields["value"]
    for example in kind.examples:
        logical = kind.logical(field.options, read(kind, example))
        assert logical == kind.logical(field.options, example)
        image = kind.image(field.options, logical)
        assert kind.logical(field.options, read(kind, image)) == logical


@pytest.mark.parametrize("kind", list(FIELD_TYPES), ids=lambda kind: kind.name)
def test_every_type_has_output_filter_and_input(kind: FieldType) -> None:
    catalog = catalog_with(kind)
    types: Any = merged_of(catalog).core.type_map
    field = catalog.entities["thing"].fields["value"]
    assert {field.api_name, "value"} & set(types["Thing"].fields)
    if kind.operators:
        tests: Any = types["ThingFilter"].fields[field.api_name].type
        assert is_input_object_type(tests)
        assert set(kind.operators) <= set(dict(tests.fields))
    if not field.read_only:
        assert {field.api_name, "value"} <= set(types["ThingCreateInput"].fields)


def test_every_operator_is_in_some_filter() -> None:
    types: Any = shared_types().types
    shown = {name for key, type_ in types.items() if key.endswith("Filter") for name in getattr(type_, "fields", ())}
    assert set(OPERATORS.names) <= shown


@pytest.mark.parametrize("kind", VALUED, ids=lambda kind: kind.name)
def test_what_a_type_refuses_is_refused_somewhere(kind: FieldType) -> None:
    catalog = catalog_with(kind)
    field = catalog.entities["thing"].fields["value"]
    for value in kind.refused:
        if isinstance(value, list) != (kind.graphql is GraphQLKind.LIST):
            continue
        try:
            coerced = read(kind, value)
        except GraphQLError:
            continue
        assert coerced == value or str(coerced) == str(value)  # left to the JSON Schema of the field, unchanged
        assert field.schema
