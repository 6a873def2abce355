"""What documents mean: fields, relations, validation schemas, scopes."""

from __future__ import annotations

import jsonschema_rs
import pytest

from access.role import Role
from expressions import Type
from metadata.build import build_catalog, next_catalog
from metadata.field import OnDelete, RelationKind
from metadata.fields.registry import FIELD_TYPES
from metadata.kinds import KINDS
from metadata.scope import EntityScope
from tests.metadata.documents import Documents, entity, sales


def test_building_again_gives_the_same_hash() -> None:
    catalog = next_catalog(sales(), None)
    again = build_catalog(sales(), catalog.physical)
    assert again.hash == catalog.hash
    assert again.entities["opportunity"] == catalog.entities["opportunity"]


def test_a_role_that_was_published_as_the_systems_is_still_read() -> None:
    """Publishing refuses it; a company that has one must open."""
    documents = {**sales(), ("role", "mine"): {"kind": "role", "name": "mine", "x-system": True}}
    catalog = next_catalog(documents, None, fresh=())
    roles = build_catalog(documents, catalog.physical).parsed["role"]
    assert {name: role.system for name, role in roles.items() if isinstance(role, Role)} == {
        "owner": True, "seller": False, "mine": False,
    }  # fmt: skip


def test_system_entities_come_first() -> None:
    catalog = next_catalog(sales(), None)
    assert {number: item.name for number, item in catalog.by_number.items()} == {
        1: "member", 2: "team", 3: "account", 4: "line", 5: "opportunity",
    }  # fmt: skip
    assert isinstance(catalog.parsed["role"]["owner"], Role)
    assert isinstance(catalog.parsed["role"]["seller"], Role)


def test_a_reference_with_inverse_is_seen_from_both_sides() -> None:
    entities = next_catalog(sales(), None).entities
    there = entities["opportunity"].relations["account"]
    back = entities["account"].relations["opportunities"]
    assert (there.kind, there.column, there.inverse) == (RelationKind.TO_ONE, "account_id", "opportunities")
    assert (back.kind, back.target, back.column, back.inverse) == (
        RelationKind.INVERSE, "opportunity", "account_id", "account",
    )  # fmt: skip


def test_children_make_a_required_reference_on_the_child() -> None:
    entities = next_catalog(sales(), None).entities
    parent = entities["line"].fields["deal"]
    assert parent.required
    assert parent.relation is not None
    assert parent.relation.on_delete is OnDelete.CASCADE
    lines = entities["opportunity"].relations["lines"]
    assert (lines.kind, lines.column, lines.inverse) == (RelationKind.CHILDREN, "deal_id", "deal")


def test_references_have_a_link_table_seen_from_both_sides() -> None:
    entities = next_catalog(sales(), None).entities
    one, two = entities["opportunity"].relations["partners"], entities["account"].relations["partnerships"]
    assert (one.link, one.here, one.there) == ("opportunity__partners", "here", "there")
    assert (two.link, two.here, two.there) == ("opportunity__partners", "there", "here")


def test_system_fields_have_their_fixed_columns() -> None:
    fields = next_catalog(sales(), None).entities["account"].fields
    columns = [fields[name].column.name for name in fields if fields[name].system]
    assert columns == [
        "id", "version", "created_at", "created_by", "updated_at", "updated_by", "owner_id", "team_id", "deleted_at",
        "deleted_by", "deletion_id",
    ]  # fmt: skip


def test_the_validation_schema_speaks_api_names() -> None:
    schema = next_catalog(sales(), None).entities["opportunity"].schema
    assert schema["required"] == ["name", "accountId", "stage"]
    assert schema["additionalProperties"] is False
    assert schema["allOf"] == [
        {"if": {"required": ["accountId"]}, "then": {"properties": {"accountId": {"type": "string"}}}}
    ]
    validator = jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)
    record = {"name": "Big", "accountId": "0190a7a1-0000-7003-8000-000000000000", "stage": "WON", "closeOn": None}
    assert validator.is_valid(record)
    assert not validator.is_valid({**record, "name": ""})
    assert not validator.is_valid({**record, "account": "x"})


def test_scopes_know_steps_and_the_actor() -> None:
    catalog = next_catalog(sales(), None)
    scope = EntityScope(catalog, catalog.entities["opportunity"], actor=True)
    assert scope.type_of("accountId") is Type.ID
    assert scope.type_of("account") is None
    account, actor = scope.step("account"), scope.step("actor")
    assert account is not None
    assert actor is not None
    assert account.type_of("name") is Type.TEXT
    assert actor.type_of("teamIds") is Type.LIST
    assert {"amount", "account", "accountId", "actor"} <= set(scope.names())
    assert "deletionId" not in set(scope.names())


def test_a_company_adds_fields_to_members() -> None:
    documents: Documents = {
        ("entity", "member"): {"kind": "entity", "name": "member", "properties": {"desk": {"type": "string"}}}
    }
    member = next_catalog(documents, None).entities["member"]
    assert member.number == 1
    assert "desk" in member.fields
    assert "email" in member.fields


@pytest.mark.parametrize("kind", FIELD_TYPES.names)
def test_every_field_type_becomes_a_field(kind: str) -> None:
    sample = FIELD_TYPES[kind].sample
    others = {**entity("account"), **entity("orderLine"), **entity("product")}
    catalog = next_catalog({**entity(properties={"it": sample}), **others}, None)
    item = catalog.entities["thing"].fields["it"]
    assert item.type.name == kind
    assert len(item.columns) == len(item.type.column_types(item.options))


@pytest.mark.parametrize("kind", KINDS.names)
def test_metaschemas_are_json_schema(kind: str) -> None:
    assert jsonschema_rs.meta.is_valid(dict(KINDS[kind].metaschema))
    assert KINDS[kind].metaschema["$id"] == f"/schemas/{kind}.json"


def test_references_of_documents() -> None:
    documents = sales()
    found = KINDS["entity"].references(documents["entity", "opportunity"])
    assert found == {("entity", "account"), ("entity", "line")}
    assert KINDS["role"].references(documents["role", "seller"]) == {("entity", "opportunity")}


def test_null_and_required_are_reconciled() -> None:
    documents = entity(properties={"a": {"type": ["string", "null"]}, "b": {"enum": ["X", None]}}, required=["a", "b"])
    fields = next_catalog(documents, None).entities["thing"].fields
    assert not fields["a"].required
    assert not fields["b"].required
