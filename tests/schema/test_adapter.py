"""The contract of the adapter with the pinned Strawberry and graphql-core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import introspection_types

from access.actor import Actor
from metadata.catalog import Catalog
from records.surface import Surface
from schema.adapter import repair_introspection, static_schema
from schema.cache import CompiledSchema, SchemaCache
from schema.fixed import CONFIG
from tests.schema.conftest import answer
from tests.schema.samples import everything, generated


@dataclass
class Context:
    """What viewer and meta ask of a request."""

    actor: Actor
    catalog: Catalog
    surface: Surface
    version: int = 3

    async def position(self) -> int:
        """A position beyond 32 bits."""
        return 2**40


def context(compiled: CompiledSchema) -> Context:
    """The context of an owner named Ann."""
    grants = everything(compiled.catalog)
    actor = Actor("acme", "c_acme", "m1", "Ann", None, ("t1",), ("owner",), grants, "zh-Hans")
    return Context(actor, compiled.catalog, compiled.surface)


async def run(compiled: CompiledSchema, text: str, **variables: Any) -> Any:
    """Strawberry's own execute over the merged schema."""
    return await compiled.strawberry_schema.execute(text, variables, context_value=context(compiled))


async def test_fixed_and_record_fields_answer_together(compiled: CompiledSchema) -> None:
    result = await run(
        compiled,
        """query($id: ID!) {
             viewer { member { name teamIds } company { id } locale roles can(entity: "account") { entity purge } }
             meta { position catalogVersion }
             acme: account(id: $id) { __typename id called: name }
             accounts(first: 1) { nodes { id } totalCount }
           }""",
        id="7",
    )
    assert result.errors is None
    assert result.data == {
        "viewer": {
            "member": {"name": "Ann", "teamIds": ["t1"]},
            "company": {"id": "acme"},
            "locale": "zh-Hans",
            "roles": ["owner"],
            "can": [{"entity": "account", "purge": True}],
        },
        "meta": {"position": 2**40, "catalogVersion": 3},
        "acme": {"__typename": "Account", "id": "7", "called": "Acme"},
        "accounts": {"nodes": [{"id": "1"}], "totalCount": 1},
    }


async def test_payloads_are_dicts_with_errors_as_dicts_or_objects(compiled: CompiledSchema) -> None:
    text = "mutation { createAccount(input: {}) { account { id } userErrors { path code message details } details } }"
    result = await run(compiled, text)
    assert result.errors is None
    error = {"path": ["name"], "code": "REQUIRED", "message": "Name is required", "details": None}
    assert result.data == {"createAccount": {"account": None, "userErrors": [error, error], "details": None}}


async def test_node_is_resolved_by_typename(compiled: CompiledSchema) -> None:
    result = await run(compiled, '{ node(id: "1") { id ... on Account { name } ... on Product { price } } }')
    assert result.data == {"node": {"id": "1", "name": "Acme"}}


async def test_an_unknown_entity_has_no_rights_and_no_error(compiled: CompiledSchema) -> None:
    result = await run(compiled, '{ viewer { can(entity: "nothing") { entity } } }')
    assert result.data == {"viewer": {"can": []}}


async def test_an_error_in_a_record_nulls_it_alone(compiled: CompiledSchema) -> None:
    result = await run(compiled, '{ viewer { company { id } } account(id: "boom") { id } }')
    assert result.data == {"viewer": {"company": {"id": "acme"}}, "account": None}
    assert [error.path for error in result.errors] == [["account"]]


async def test_a_second_company_shares_the_static_schema(compiled: CompiledSchema) -> None:
    other = generated(2)
    second = SchemaCache(answer).get(other, everything(other))
    for schema, field in ((second, "thing1"), (compiled, "account")):
        result = await run(schema, f'{{ viewer {{ company {{ id }} }} {field}(id: "1") {{ id }} }}')
        assert result.data == {"viewer": {"company": {"id": "acme"}}, field: {"id": "1"}}


async def test_one_of_is_shown_and_enforced(compiled: CompiledSchema) -> None:
    result = await run(
        compiled,
        '{ a: __type(name: "AccountOrderBy") { isOneOf } b: __type(name: "AccountFilter") { isOneOf } '
        'c: __type(name: "Account") { isOneOf } }',
    )
    assert result.data == {"a": {"isOneOf": True}, "b": {"isOneOf": False}, "c": {"isOneOf": None}}
    result = await run(compiled, "{ accounts(orderBy: [{ name: ASC, id: ASC }]) { totalCount } }")
    assert "exactly one field" in result.errors[0].message


def test_the_repair_survives_another_strawberry_schema() -> None:
    @strawberry.type
    class Query:
        """Another schema's root."""

        one: int = 1

    strawberry.Schema(query=Query, config=CONFIG)
    repair_introspection()
    resolve = introspection_types["__Type"].fields["isOneOf"].resolve  # type: ignore[attr-defined]
    assert resolve.__module__ == "schema.adapter"


def test_merging_never_writes_to_the_static_schema(compiled: CompiledSchema) -> None:
    static = static_schema()
    assert static.strawberry._schema is not compiled.core
    assert compiled.strawberry_schema._schema is compiled.core
    assert set(static.query) == {"viewer", "meta"}


@pytest.mark.parametrize("name", ["PliantUserError", "PliantViewer", "PliantMeta", "JSON", "Long"])
def test_fixed_types_are_the_same_objects_in_every_schema(compiled: CompiledSchema, name: str) -> None:
    other = generated(1)
    assert SchemaCache(answer).get(other, everything(other)).core.type_map[name] is compiled.core.type_map[name]
