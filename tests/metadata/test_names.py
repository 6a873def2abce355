"""Names: the plural rule, reserved words, what a catalog generates, and SQL names that are never used again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.build import next_catalog
from metadata.names import RESERVED_FIELDS, ROOT_FIELDS, generated_fields, generated_names, is_reserved_field
from metadata.physical import cut, snake
from metadata.plural import pluralize
from metadata.publishing.diff import ChangeKind, diff_catalogs
from tests.metadata.documents import entity, sales

TEXT = {"type": "string"}


@pytest.mark.parametrize("one, many", [
    ("opportunity", "opportunities"), ("account", "accounts"), ("salesPerson", "salesPeople"), ("day", "days"),
    ("taxBox", "taxBoxes"), ("address", "addresses"), ("status", "statuses"), ("branch", "branches"),
    ("quiz", "quizzes"), ("equipment", "equipment"), ("news", "news"), ("v2", "v2s"), ("index", "indexes"),
])  # fmt: skip
def test_plurals(one: str, many: str) -> None:
    assert pluralize(one) == many


@pytest.mark.parametrize("name", ["id", "and", "ownerId", "OWNERID", "createdat", "metaId"])
def test_reserved(name: str) -> None:
    assert is_reserved_field(name)


def test_generated_names_have_one_owner_each() -> None:
    entities = next_catalog(sales(), None).entities.values()
    for space in ("type", "query", "mutation", "subscription"):
        names = [made.name for item in entities for made in generated_names(item) if made.space == space]
        assert len(names) == len(set(names))
    assert not ROOT_FIELDS & {made.name for item in entities for made in generated_names(item)}
    for item in entities:
        fields = [name for name, _, _ in generated_fields(item)]
        assert len(fields) == len(set(fields))
        assert {"accountId", "ownerId"} & set(fields)


def test_reserved_fields_hold_every_system_field() -> None:
    item = next_catalog({}, None).entities["team"]
    assert {name for name, field in item.fields.items() if field.system} <= RESERVED_FIELDS


@pytest.mark.parametrize("name, sql", [
    ("closeOn", "close_on"), ("someURLValue", "some_url_value"), ("a", "a"), ("line2Text", "line2_text"),
])  # fmt: skip
def test_snake_case(name: str, sql: str) -> None:
    assert snake(name) == sql


@given(st.from_regex(r"[a-z][A-Za-z0-9]{0,62}", fullmatch=True))
def test_sql_names_fit(name: str) -> None:
    assert len(cut(snake(name)).encode()) <= 63


def test_names_that_meet_in_sql_are_kept_apart() -> None:
    documents = entity(properties={"aBC": TEXT, "owner2": TEXT, "updatedBy2": TEXT})
    first = next_catalog(documents, None)
    second = next_catalog(entity(properties={"note": TEXT}), first.physical)
    third = next_catalog(documents, second.physical)
    old = {item.column.name for item in first.entities["thing"].fields.values() if not item.system}
    new = {item.column.name for item in third.entities["thing"].fields.values() if not item.system}
    assert not old & new


def test_equal_histories_give_equal_maps() -> None:
    documents = sales()
    reordered = dict(reversed(list(documents.items())))
    assert next_catalog(documents, None).hash == next_catalog(reordered, None).hash


def test_a_diff_tells_what_changed() -> None:
    first = next_catalog(sales(), None)
    documents = sales()
    properties = documents["entity", "account"]["properties"]
    properties["kind"] = {**properties.pop("sector"), "x-was": ["sector"]}
    properties["name"]["maxLength"] = 100
    del properties["tags"]
    del documents["role", "seller"]
    second = next_catalog(documents, first.physical)
    found = {(change.kind, change.subject, change.path, change.loss) for change in diff_catalogs(first, second)}
    assert (ChangeKind.RENAMED, "field", ("account", "kind"), None) in found
    assert (ChangeKind.ALTERED, "field", ("account", "name"), None) in found
    assert (ChangeKind.REMOVED, "field", ("account", "tags"), "account.tags") in found
    assert (ChangeKind.REMOVED, "role", ("seller",), None) in found
    assert not diff_catalogs(first, first)
