"""From roles to grants: a bag, in normal form, with a hash of its meaning; who lacks what; explanations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from access.comparison import lacking
from access.effective import explain
from access.grant import GrantSet, Operation, Rows
from access.resolve import Resolver, resolve
from access.role import Known, Role, parse_role


@dataclass(frozen=True)
class Book:
    hash: str
    parsed: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def make(known: Known, entities: dict[str, Any], name: str = "some", **more: Any) -> Role:
    faults: list[Any] = []
    found = parse_role({"kind": "role", "name": name, "entities": entities, **more}, known, faults)
    assert faults == []
    return found


def grants(known: Known, *entities: dict[str, Any], **more: Any) -> GrantSet:
    roles = {f"r{index}": make(known, item, f"r{index}", **more) for index, item in enumerate(entities)}
    return resolve(roles, roles)


def test_the_bag_holds_the_grants_of_all_roles_and_their_includes(known: Known) -> None:
    roles = {
        "a": make(known, {"account": {"read": "own"}}, "a", includes=["b"], platform=["export"]),
        "b": make(known, {"account": {"read": "team"}, "team": {"read": True}}, "b", platform=["import"]),
        "c": make(known, {"member": {"read": True}}, "c"),
    }
    found = resolve(roles, ["a", "gone"])
    assert {grant.rows for grant in found.of("account", Operation.READ)} == {(Rows.OWN,), (Rows.TEAM,)}
    assert set(found.entities) == {"account", "team"}
    assert found.platform == {"export", "import"}
    assert found.of("member", Operation.READ) == ()


def test_a_renamed_role_answers_to_its_old_name(known: Known) -> None:
    roles = {"rep": make(known, {"account": {"read": "own"}}, "rep", **{"x-was": ["seller"]})}
    assert resolve(roles, ["seller"]) == resolve(roles, ["rep"])
    roles["seller"] = make(known, {"team": {"read": "own"}}, "seller")
    assert set(resolve(roles, ["seller"]).entities) == {"team"}


def test_equal_rights_have_an_equal_hash_whatever_the_order(known: Known) -> None:
    own, team = {"account": {"read": "own"}}, {"account": {"read": {"rows": ["team"], "fields": {"name": True}}}}
    assert grants(known, own, team) == grants(known, team, own)
    assert grants(known, own, team).hash == grants(known, team, own, own).hash
    assert grants(known, own).hash != grants(known, team).hash
    assert grants(known, {"account": {"read": ["own", "team"]}}).hash == (
        grants(known, {"account": {"read": ["team", "own"]}}).hash
    )


def test_an_unlimited_grant_replaces_the_others_of_its_operation(known: Known) -> None:
    found = grants(known, {"account": {"read": "own", "update": "own"}}, {"account": {"read": True}})
    assert [grant.rows for grant in found.of("account", Operation.READ)] == [(Rows.ALL,)]
    assert [grant.rows for grant in found.of("account", Operation.UPDATE)] == [(Rows.OWN,)]
    assert found.hash != grants(known, {"account": {"read": True}}).hash


def test_rows_and_fields_of_two_roles_are_not_joined(known: Known) -> None:
    hidden = {"opportunity": {"read": {"rows": "all", "fields": {"*": True, "margin": False}}}}
    found = grants(known, hidden, {"opportunity": {"read": "own"}})
    assert len(found.of("opportunity", Operation.READ)) == 2


def test_grant_sets_are_kept_by_catalog_and_roles(known: Known) -> None:
    resolver = Resolver(size=2)
    first = Book("1", {"role": {"a": make(known, {"account": {"read": True}}, "a")}})
    found = resolver.grants(first, ["a"])
    assert resolver.grants(first, ["a", "a"]) is found
    assert resolver.grants(Book("2", first.parsed), ["a"]) is not found
    resolver.grants(Book("3", first.parsed), ["a"])
    assert resolver.grants(first, ["a"]) is not found


@pytest.mark.parametrize(
    ("have", "wanted", "missing"),
    [
        ({"account": {"read": True}}, {"account": {"read": "own"}}, ()),
        ({"account": {"read": "own"}}, {"account": {"read": True}}, ("account.read",)),
        ({"account": {"read": "own"}}, {"account": {"read": "reports+"}}, ("account.read",)),
        ({"account": {"read": "reports+"}}, {"account": {"read": "own"}}, ()),
        ({"account": {"read": "team+"}}, {"account": {"read": ["team", "team+"]}}, ()),
        ({"account": {"read": ["own", "shared"]}}, {"account": {"read": ["shared", "team"]}}, ("account.read",)),
        ({"account": {"read": True}}, {"account": {"update": True}}, ("account.update",)),
        ({"opportunity": {"read": {"fields": {"*": True, "margin": False}}}}, {"opportunity": {"read": True}},
         ("opportunity.read",)),
        ({"opportunity": {"read": {"fields": {"*": True, "margin": False}}}},
         {"opportunity": {"read": {"fields": {"amount": True}}}}, ()),
        ({"opportunity": {"create": {"check": "amount < 5"}}}, {"opportunity": {"create": True}},
         ("opportunity.create",)),
        ({"opportunity": {"create": {"check": "hot"}}}, {"opportunity": {"create": {"check": "hot"}}}, ()),
        ({"opportunity": {"read": "stage == 'WON'"}}, {"opportunity": {"read": "stage == 'WON'"}}, ()),
        ({"opportunity": {"update": {"fields": {"stage": {"when": "hot"}}}}},
         {"opportunity": {"update": {"fields": {"stage": True}}}}, ("opportunity.update",)),
    ],
)  # fmt: skip
def test_nobody_grants_what_he_lacks(
    known: Known, have: dict[str, Any], wanted: dict[str, Any], missing: tuple[str, ...]
) -> None:
    assert lacking(grants(known, have), grants(known, wanted)) == missing


def test_platform_rights_count_too(known: Known) -> None:
    assert lacking(grants(known, {}), grants(known, {}, platform=["export"])) == ("export",)
    assert lacking(grants(known, {}, platform=True), grants(known, {}, platform=["export"])) == ()


def test_explains_which_role_gives_what(known: Known) -> None:
    roles = {
        "seller": make(known, {"account": {"read": {"rows": ["own", "sector == 'x'"], "fields": {"name": True}}}},
                       "seller", includes=["employee"]),
        "employee": make(known, {"account": {"read": "parent(parent)", "update": "none"}}, "employee"),
    }  # fmt: skip
    first, second = explain(roles, ["seller"], "account")
    assert first.through == ("seller",)
    assert [text.en for text in first.rows] == ["rows that the member owns", "rows where sector == 'x'"]
    assert first.fields == {"*": False, "name": True}
    assert second.through == ("seller", "employee")
    assert second.rows[0].zh
