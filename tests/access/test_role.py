"""Role documents: every form that SEMANTICS gives, and mistakes answered with path and hint."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from access.grant import ALL_FIELDS, Grant, Operation, ParentRows, Rows, RowsWhere
from access.right import PLATFORM_RIGHTS
from access.role import ROLE_METASCHEMA, Known, Role, check_roles, included_roles, parse_role
from access.system import SYSTEM_DOCUMENTS
from base.errors import Fault

SELLER: dict[str, Any] = {
    "kind": "role",
    "name": "seller",
    "title": "Seller",
    "x-titles": {"zh-Hans": "销售"},
    "includes": ["employee"],
    "entities": {
        "opportunity": {
            "read": {"rows": ["team+", "shared"], "fields": {"*": True, "margin": False}},
            "create": {"check": "ownerId == actor.id", "fields": {"*": True}},
            "update": {
                "rows": ["own"],
                "check": "amount < 100000",
                "fields": {"*": True, "stage": {"when": "stage != 'WON'"}},
            },
            "delete": {"rows": ["own"]},
            "restore": False,
            "purge": False,
            "export": True,
            "share": True,
            "transfer": ["team"],
        }
    },
    "platform": ["forms.design"],
}


def parsed(document: dict[str, Any], known: Known) -> tuple[Role, list[Fault]]:
    faults: list[Fault] = []
    return parse_role(document, known, faults), faults


def role(entities: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "role", "name": "some", "entities": entities, **more}


def grant_of(found: Role, operation: Operation, entity: str = "opportunity") -> Grant:
    (grant,) = [grant for grant in found.entities[entity] if grant.operation is operation]
    return grant


def test_reads_the_example_of_the_semantics(known: Known) -> None:
    found, faults = parsed(SELLER, known)
    assert faults == []
    assert found.includes == ("employee",)
    assert found.platform == {"forms.design"}
    read = grant_of(found, Operation.READ)
    assert read.rows == (Rows.TEAM_DOWN, Rows.SHARED)
    assert read.fields.right("margin") is False
    assert read.fields.right("amount") is True
    update = grant_of(found, Operation.UPDATE)
    assert update.check is not None
    assert update.check.source == "amount < 100000"
    assert not isinstance(update.fields.right("stage"), bool)
    assert grant_of(found, Operation.TRANSFER).rows == (Rows.TEAM,)
    assert grant_of(found, Operation.EXPORT) == Grant(Operation.EXPORT, (Rows.ALL,))
    operations = {grant.operation for grant in found.entities["opportunity"]}
    assert not operations & {Operation.RESTORE, Operation.PURGE}


def test_true_is_all_rows_and_all_fields(known: Known) -> None:
    found, faults = parsed(role({"account": {"read": True}}), known)
    assert not faults
    assert grant_of(found, Operation.READ, "account") == Grant(Operation.READ, (Rows.ALL,), ALL_FIELDS)


@pytest.mark.parametrize("name", ["account", "accountId"])
def test_a_reference_is_named_either_way(known: Known, name: str) -> None:
    found, faults = parsed(role({"opportunity": {"read": {"fields": {"*": True, name: False}}}}), known)
    assert not faults
    assert grant_of(found, Operation.READ).fields.named == {"account": False}


def test_both_names_of_one_field_are_a_fault(known: Known) -> None:
    _, faults = parsed(role({"opportunity": {"read": {"fields": {"account": True, "accountId": False}}}}), known)
    assert [fault.path for fault in faults] == [("entities", "opportunity", "read", "fields", "accountId")]


def test_fields_without_a_star_are_only_those_named(known: Known) -> None:
    found, _ = parsed(role({"opportunity": {"read": {"fields": {"amount": True}}}}), known)
    fields = grant_of(found, Operation.READ).fields
    assert (fields.right("amount"), fields.right("stage")) == (True, False)


def test_rows_may_be_parents_and_expressions(known: Known) -> None:
    rows = ["parent(account)", "account.sector == 'retail'", "hot"]
    found, faults = parsed(role({"opportunity": {"read": {"rows": rows}}}), known)
    assert not faults
    first, second, third = grant_of(found, Operation.READ).rows
    assert first == ParentRows("account")
    assert isinstance(second, RowsWhere)
    assert second.expression.reads == {("account", "sector")}
    assert isinstance(third, RowsWhere)


def test_all_swallows_other_rows_and_none_gives_nothing(known: Known) -> None:
    found, _ = parsed(role({"opportunity": {"read": ["own", "all"], "delete": "none", "update": []}}), known)
    assert [grant.operation for grant in found.entities["opportunity"]] == [Operation.READ]
    assert grant_of(found, Operation.READ).rows == (Rows.ALL,)


def test_star_is_every_entity_that_is_not_named(known: Known) -> None:
    document = role({"*": {"read": True}, "account": {"read": "own"}, "team": {}})
    found, faults = parsed(document, known)
    assert not faults
    assert grant_of(found, Operation.READ, "account").rows == (Rows.OWN,)
    assert grant_of(found, Operation.READ, "member").rows == (Rows.ALL,)
    assert "team" not in found.entities


def test_star_may_name_a_field_that_some_entities_lack(known: Known) -> None:
    found, faults = parsed(role({"*": {"read": {"fields": {"*": True, "margin": False}}}}), known)
    assert not faults
    assert grant_of(found, Operation.READ).fields.right("margin") is False
    _, faults = parsed(role({"*": {"read": {"fields": {"margim": False}}}}), known)
    assert len(faults) == 1


def test_a_mistake_under_star_is_told_once(known: Known) -> None:
    _, faults = parsed(role({"*": {"reed": True, "read": {"rows": "nobody == 1"}}}), known)
    assert sorted(fault.path for fault in faults) == [("entities", "*", "read", "rows"), ("entities", "*", "reed")]


@pytest.mark.parametrize(
    ("document", "path", "hint"),
    [
        ({"kind": "role", "name": "a", "entitys": {}}, ("entitys",), "entities"),
        (role({"acount": {}}), ("entities", "acount"), "account"),
        (role({"account": {"red": True}}), ("entities", "account", "red"), "read"),
        (role({"account": {"read": {"row": "own"}}}), ("entities", "account", "read", "row"), "rows"),
        (role({"account": {"read": "teams"}}), ("entities", "account", "read"), "team"),
        (role({"account": {"read": ["own", "report+"]}}), ("entities", "account", "read", "1"), "reports+"),
        (role({"opportunity": {"read": "parent(acount)"}}), ("entities", "opportunity", "read"), "account"),
        (role({"account": {"read": {"fields": {"sektor": True}}}}),
         ("entities", "account", "read", "fields", "sektor"), "sector"),
        (role({}, platform=["member.manage"]), ("platform", "0"), "members.manage"),
    ],
)  # fmt: skip
def test_a_misspelt_name_gets_a_hint(known: Known, document: dict[str, Any], path: tuple[str, ...], hint: str) -> None:
    _, faults = parsed(document, known)
    assert [fault.path for fault in faults] == [path]
    assert faults[0].details["didYouMean"] == hint
    assert hint in faults[0].text.en
    assert hint in faults[0].text.zh


@pytest.mark.parametrize(
    ("entities", "path"),
    [
        ([], ("entities",)),
        ({"account": True}, ("entities", "account")),
        ({"account": {"read": 1}}, ("entities", "account", "read")),
        ({"account": {"read": {"rows": 1}}}, ("entities", "account", "read", "rows")),
        ({"account": {"read": [1]}}, ("entities", "account", "read", "0")),
        ({"account": {"read": {"check": "true"}}}, ("entities", "account", "read", "check")),
        ({"account": {"read": {"fields": {"*": {"when": "true"}}}}}, ("entities", "account", "read", "fields", "*")),
        ({"account": {"read": {"fields": []}}}, ("entities", "account", "read", "fields")),
        ({"account": {"create": {"check": 1}}}, ("entities", "account", "create", "check")),
        ({"account": {"create": {"check": "sector"}}}, ("entities", "account", "create", "check")),
        ({"account": {"create": {"check": "sector =="}}}, ("entities", "account", "create", "check")),
        ({"opportunity": {"read": "account.parent.parent.sector == 'a'"}}, ("entities", "opportunity", "read")),
    ],
)
def test_a_malformed_document_is_answered_with_the_place(known: Known, entities: Any, path: tuple[str, ...]) -> None:
    _, faults = parsed(role(entities), known)
    assert [fault.path for fault in faults] == [path]


def test_all_mistakes_are_gathered(known: Known) -> None:
    document = {"kind": "rol", "name": "Bad", "includes": "x", "platform": [1], "title": 3, "x-acme-note": {"kept": 1}}
    _, faults = parsed(document, known)
    assert {fault.path for fault in faults} == {("kind",), ("name",), ("includes",), ("platform", "0"), ("title",)}


def test_includes_are_followed_and_cycles_are_faults(known: Known) -> None:
    roles = {
        name: parsed({"kind": "role", "name": name, "includes": list(includes)}, known)[0]
        for name, includes in {"a": "b", "b": "c", "c": "a", "d": "a", "e": "x"}.items()
    }
    assert included_roles(roles, ["d"]) == ("a", "b", "c", "d")
    faults = check_roles(roles)
    assert {fault.path for fault in faults} == {
        ("a", "includes", "0"), ("b", "includes", "0"), ("c", "includes", "0"), ("e", "includes", "0"),
    }  # fmt: skip


def test_the_built_in_owner_may_do_everything(known: Known) -> None:
    (document,) = [item for item in SYSTEM_DOCUMENTS if item["kind"] == "role"]
    found, faults = parsed(dict(document), known)
    assert not faults
    assert set(found.entities) == set(known.entities())
    assert all(len(grants) == len(Operation) for grants in found.entities.values())
    assert found.platform == set(PLATFORM_RIGHTS.names)


def test_a_document_does_not_make_itself_the_platforms(known: Known) -> None:
    """Publishing refuses it; what was published before that is read, as an ordinary role."""
    found, faults = parsed({**SELLER, "x-system": True}, known)
    assert (found.system, faults) == (False, [])
    assert parse_role(SELLER, known, [], system=True).system


def test_the_metaschema_is_one_and_takes_what_we_read(known: Known) -> None:
    jsonschema.Draft202012Validator.check_schema(ROLE_METASCHEMA)
    validator = jsonschema.Draft202012Validator(ROLE_METASCHEMA)
    (owner,) = [item for item in SYSTEM_DOCUMENTS if item["kind"] == "role"]
    for document in [SELLER, {key: value for key, value in owner.items() if key != "x-system"}]:
        assert list(validator.iter_errors(document)) == []
    assert list(validator.iter_errors({**SELLER, "x-system": True}))
    assert list(validator.iter_errors({**SELLER, "entitys": {}}))
    assert list(validator.iter_errors(role({"account": {"create": ["own"]}})))
