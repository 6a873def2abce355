"""Record types: valid GraphQL, equal however they are made, and no more than the actor may see."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLNonNull, GraphQLSchema, is_input_object_type, print_schema, print_type, validate_schema

from access.grant import Grant, Operation, Rows
from metadata.catalog import Catalog
from metadata.names import generated_names
from records.surface import surface_of
from resolvers.roots import roots
from schema.adapter import full_schema, merge
from schema.cache import CompiledSchema, SchemaCache
from schema.sdl import sdl_of
from tests.schema.conftest import answer, merged_of
from tests.schema.samples import SALES, catalog_of, everything, generated, granted, read


def sdl(schema: GraphQLSchema, name: str) -> str:
    """One type in the schema definition language."""
    return print_type(schema.type_map[name])


def test_the_schema_is_valid_graphql(sales: Catalog) -> None:
    assert validate_schema(full_schema(merged_of(sales))) == []


def test_a_flat_schema_equals_the_walked_one(sales: Catalog) -> None:
    merged = merged_of(sales)
    walked = full_schema(merged)
    assert set(walked.type_map) == set(merged.core.type_map)
    assert sorted(print_type(item) for item in walked.type_map.values()) == sorted(
        print_type(item) for item in merged.core.type_map.values()
    )


def test_lazy_and_eager_schemas_print_the_same(sales: Catalog) -> None:
    assert print_schema(merged_of(sales).core) == print_schema(merged_of(sales, lazy=False).core)


def test_types_of_entities_have_the_names_that_publishing_checks(sales: Catalog) -> None:
    merged = merged_of(sales)
    known = {
        made.name for entity in sales.entities.values() for made in generated_names(entity) if made.space == "type"
    }
    assert set(merged.pool.makers) <= known


def test_root_fields_have_the_names_that_publishing_checks(sales: Catalog) -> None:
    made = roots(sales, surface_of(sales, everything(sales)))
    known = {(item.space, item.name) for entity in sales.entities.values() for item in generated_names(entity)}
    assert {("mutation", name) for name in made.mutation} <= known
    assert {("query", name) for name, item in made.query.items() if item.entity} <= known


def test_the_record_type(compiled: CompiledSchema) -> None:
    text = sdl(compiled.core, "Opportunity")
    for line in (
        "type Opportunity implements Node {",
        "id: ID!",
        "version: Int!",
        "createdAt: DateTime!",
        "deletedAt: DateTime",
        "name: String",
        "account: Account",
        "accountId: ID",
        "stage: OpportunityStage",
        "amount: Decimal",
        "closeOn: Date",
        "owner: Member",
        "ownerId: ID",
        "number: String",
    ):
        assert f"{line}\n" in text
    assert "deletionId" not in text
    assert "tags: [String!]\n" in sdl(compiled.core, "Account")
    assert "notes: JSON\n" in sdl(compiled.core, "Account")


def test_descriptions_are_titles_in_the_default_locale(sales: Catalog) -> None:
    merged = merged_of(catalog_of({**SALES[0], "locale": "zh-Hans"}, *SALES[1:]))
    assert merged.core.type_map["Opportunity"].description == "商机"


def test_only_a_few_outputs_are_non_null(compiled: CompiledSchema) -> None:
    fields: Any = compiled.core.type_map["Opportunity"]
    never_null = {name for name, field in fields.fields.items() if isinstance(field.type, GraphQLNonNull)}
    assert never_null == {"id", "version", "createdAt", "updatedAt", "products", "lines"}


def test_generated_inputs_are_nullable(compiled: CompiledSchema) -> None:
    for name, type_ in compiled.core.type_map.items():
        if is_input_object_type(type_) and not name.startswith("Pliant"):
            assert not any(isinstance(field.type, GraphQLNonNull) for field in type_.fields.values()), name


def test_filters(compiled: CompiledSchema) -> None:
    text = sdl(compiled.core, "OpportunityFilter")
    for line in (
        "id: PliantIDFilter",
        "accountId: PliantIDFilter",
        "account: AccountFilter",
        "stage: OpportunityStageFilter",
        "amount: PliantDecimalFilter",
        "lines: LineListFilter",
        "and: [OpportunityFilter!]",
        "or: [OpportunityFilter!]",
        "not: OpportunityFilter",
    ):
        assert f"{line}\n" in text
    assert "some: LineFilter\n" in sdl(compiled.core, "LineListFilter")
    assert "in: [OpportunityStage!]\n" in sdl(compiled.core, "OpportunityStageFilter")
    assert "between: PliantDecimalRange\n" in sdl(compiled.core, "PliantDecimalFilter")


def test_orders_are_one_key_objects(compiled: CompiledSchema) -> None:
    text = sdl(compiled.core, "OpportunityOrderBy")
    assert text.startswith("input OpportunityOrderBy @oneOf {")
    assert "  account: AccountOrderBy\n" in text
    assert "  amount: PliantOrder\n" in text
    assert "  products" not in text
    assert "notes" not in sdl(compiled.core, "AccountOrderBy")


def test_aggregates_exist_only_where_there_is_something_to_aggregate(compiled: CompiledSchema) -> None:
    assert "sum: OpportunitySumAggregate!" in sdl(compiled.core, "OpportunityAggregate")
    text = sdl(compiled.core, "OpportunitySumAggregate")
    assert "amount: Decimal\n" in text
    assert "probability: Long\n" in text
    assert "score: Float\n" in text
    assert "probability: Decimal\n" in sdl(compiled.core, "OpportunityAvgAggregate")
    assert "probability: Int\n" in sdl(compiled.core, "OpportunityMinAggregate")
    assert "stage: Int!\n" in sdl(compiled.core, "OpportunityDistinctCountAggregate")


def test_inputs_of_nested_writes(compiled: CompiledSchema) -> None:
    text = sdl(compiled.core, "OpportunityCreateInput")
    for line in (
        "account: OpportunityAccountRelationInput",
        "accountId: ID",
        "products: OpportunityProductsRelationInput",
        "lines: OpportunityLinesRelationInput",
        "ownerId: ID",
    ):
        assert f"{line}\n" in text
    assert "number" not in text  # the platform numbers
    assert "createdAt" not in text
    one = sdl(compiled.core, "OpportunityAccountRelationInput")
    assert one.startswith("input OpportunityAccountRelationInput @oneOf {")
    assert "create: AccountCreateInput" in one
    assert "set: [ID!]" in sdl(compiled.core, "OpportunityProductsRelationInput")
    assert "update: [LineChildInput!]" in sdl(compiled.core, "OpportunityLinesRelationInput")
    assert "vault: String" in sdl(compiled.core, "AccountCreateInput")  # write-only
    assert "vault" not in sdl(compiled.core, "Account")
    assert "vault" not in sdl(compiled.core, "AccountFilter")


def test_a_retired_choice_is_read_and_marked(compiled: CompiledSchema) -> None:
    assert "OLD @deprecated" in sdl(compiled.core, "OpportunityStage")


def test_system_entities_have_no_generated_mutations_for_their_fixed_fields(compiled: CompiledSchema) -> None:
    assert not [name for name in compiled.roots.mutation if name.endswith(("Member", "Members", "Team", "Teams"))]


def test_what_may_not_be_read_is_absent(sales: Catalog) -> None:
    grants = granted(opportunity=(read(hide=("amount", "account")),), account=(read(),))
    text = sdl_of(SchemaCache(answer).get(sales, grants).core).text.decode()
    assert "amount" not in text
    assert "accountId" not in text
    assert "opportunities: OpportunityConnection" not in text.split("type Account ")[1].split("}")[0]
    for absent in ("Product", "Line", "Member", "Mutation", "owner:"):
        assert absent not in text.replace("PliantViewerMember", "")
    assert "ownerId: ID" in text  # the id stays visible with the field's right


def test_what_may_not_be_written_is_absent(sales: Catalog) -> None:
    update = Grant(Operation.UPDATE, (Rows.OWN,), read(hide=("name",)).fields)
    compiled = SchemaCache(answer).get(sales, granted(opportunity=(read(), update)))
    assert set(compiled.roots.mutation) == {"updateOpportunity", "updateOpportunities"}
    text = sdl(compiled.core, "OpportunityUpdateInput")
    assert "name:" not in text
    assert "ownerId" not in text  # a transfer is a right of its own
    assert "account" not in text  # the target cannot be read
    assert "amount: Decimal" in text


def test_an_actor_without_any_right_still_has_a_schema(sales: Catalog) -> None:
    surface = surface_of(sales, granted())
    merged = merge(sales, surface, roots(sales, surface), answer)
    assert validate_schema(full_schema(merged)) == []
    assert list(merged.core.type_map["Query"].fields) == ["viewer", "meta"]  # type: ignore[attr-defined]


def test_two_hundred_entities_make_few_types_for_a_request() -> None:
    catalog = generated(200)
    compiled = SchemaCache(answer).get(catalog, everything(catalog))
    compiled.document("{ things7(first: 2) { nodes { id field0 next { field1 } } } }").operation(None)
    made = compiled.core.type_map.made  # type: ignore[attr-defined]
    assert made < 80
    assert len(compiled.core.type_map) > 4_000
