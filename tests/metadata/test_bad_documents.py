"""What is wrong with a document is told at once, all of it, with its place and a hint, and in bounded time."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from base.errors import DocumentsInvalid, Fault
from metadata.build import next_catalog
from metadata.faults import CLASH, CODES, EXPRESSION, INVALID, LIMIT, REFUSED, RESERVED, UNKNOWN
from tests.metadata.documents import Documents, entity, sales

TEXT: dict[str, Any] = {"type": "string"}


def faults_of(documents: Documents) -> tuple[Fault, ...]:
    """The faults with which documents are refused, within a second of this process's time."""
    with pytest.raises(DocumentsInvalid) as error:
        next_catalog(documents, None)
    for fault in error.value.faults:
        assert fault.text.zh
        assert fault.text.en
    return error.value.faults


def nested(depth: int) -> dict[str, Any]:
    """An object inside an object, and so on."""
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"in": schema}}
    return schema


DOUBLING = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)} | {"a40": TEXT}

BAD: list[tuple[str, Documents, str, str]] = [
    ("metaschema", entity(title=7), INVALID, "entity/thing/title"),
    ("required is no list", entity(required="name"), INVALID, "entity/thing/required"),
    ("property is no object", entity(properties={"a": 3}), INVALID, "entity/thing/properties/a"),
    ("keyword", entity(properties={"a": {"type": "string", "maxLenght": 3}}), UNKNOWN,
     "entity/thing/properties/a/maxLenght"),
    ("top keyword", entity(**{"x-uniqe": []}), UNKNOWN, "entity/thing/x-uniqe"),
    ("field type", entity(properties={"a": {"x-type": "boolaen"}}), INVALID, "entity/thing/properties/a/x-type"),
    ("foreign word", entity(properties={"a": {"type": "string", "x-onDelete": "keep"}}), UNKNOWN,
     "entity/thing/properties/a/x-onDelete"),
    ("entity", entity(properties={"a": {"x-type": "reference", "x-entity": "acount"}}) | entity("account"), UNKNOWN,
     "entity/thing/properties/a/x-entity"),
    ("required", entity(properties={"name": TEXT}, required=["nmae"]), UNKNOWN, "entity/thing/required/0"),
    ("unique", entity(properties={"name": TEXT}, **{"x-unique": [["nmae"]]}), UNKNOWN, "entity/thing/x-unique/0/0"),
    ("display", entity(properties={"name": TEXT}, **{"x-display": "nmae"}), UNKNOWN, "entity/thing/x-display"),
    ("search", entity(properties={"n": {"type": "integer"}}, **{"x-search": ["n"]}), UNKNOWN,
     "entity/thing/x-search/0"),
    ("reserved field", entity(properties={"createdAt": TEXT}), RESERVED, "entity/thing/properties/createdAt"),
    ("reserved in another case", entity(properties={"ownerid": TEXT}), RESERVED, "entity/thing/properties/ownerid"),
    ("reserved entity", entity("node"), RESERVED, "entity/node/name"),
    ("prefix", entity("pliantThing"), RESERVED, "entity/pliantThing/name"),
    ("type name", entity("query"), RESERVED, "entity/query/name"),
    ("plural", entity("equipment"), INVALID, "entity/equipment/x-plural"),
    ("former name", entity(**{"x-was": ["my thing"]}), INVALID, "entity/thing/x-was/0"),
    ("former plural", entity(**{"x-pluralWas": ["__things"]}), INVALID, "entity/thing/x-pluralWas/0"),
    ("former field", entity(properties={"name": {**TEXT, "x-was": ["a b"]}}), INVALID,
     "entity/thing/properties/name/x-was/0"),
    ("former choice", entity(properties={"n": {"enum": ["A"], "x-choices": [{"value": "A", "x-was": ["a b"]}]}}),
     INVALID, "entity/thing/properties/n/x-choices/0/x-was/0"),
    ("reserved former choice", entity(properties={"n": {"enum": ["A"], "x-choices": [
        {"value": "A", "x-was": ["true"]}]}}), INVALID, "entity/thing/properties/n/x-choices/0/x-was/0"),
    ("former name with a line's end", entity(**{"x-was": ["things\n"]}), INVALID, "entity/thing/x-was/0"),
    ("64 bytes", entity(properties={"a" * 64: TEXT}), INVALID, f"entity/thing/properties/{'a' * 64}"),
    ("not ASCII", entity(properties={"名称": TEXT}), INVALID, "entity/thing/properties/名称"),
    ("newline", entity(properties={"name\n": TEXT}), INVALID, "entity/thing/properties/name\n"),
    ("look-alikes", entity(properties={"lineItem": TEXT, "lineltem": TEXT}), CLASH, "entity/thing/properties/lineltem"),
    ("cases", entity(properties={"userName": TEXT, "username": TEXT}), CLASH, "entity/thing/properties/username"),
    ("enum type and entity", entity(properties={"kind": {"enum": ["A"]}}) | entity("thingKind"), CLASH,
     "entity/thingKind"),
    ("plural of one, name of other", entity("item") | entity("items", **{"x-plural": "itemses"}), CLASH,
     "entity/items"),
    ("reference id", entity(properties={"up": {"x-type": "reference", "x-entity": "thing"}, "upId": TEXT}), CLASH,
     "entity/thing/properties/upId"),
    ("inverse", entity(properties={"name": TEXT, "up": {"x-type": "reference", "x-entity": "thing",
                                                        "x-inverse": "name"}}), CLASH,
     "entity/thing/properties/up/x-inverse"),
    ("rule", entity(properties={"name": TEXT}, **{"x-rules": [{"name": "r", "check": "nmae != null",
                                                               "message": "m"}]}), EXPRESSION,
     "entity/thing/x-rules/0/check"),
    ("rule type", entity(properties={"name": TEXT}, **{"x-rules": [{"name": "r", "check": "name", "message": "m"}]}),
     EXPRESSION, "entity/thing/x-rules/0/check"),
    ("default", entity(properties={"n": {"type": "integer", "default": "x"}}), INVALID,
     "entity/thing/properties/n/default"),
    ("choice value", entity(properties={"c": {"enum": ["赢单"]}}), INVALID, "entity/thing/properties/c/enum/0"),
    ("described choice", entity(properties={"c": {"enum": ["A"], "x-choices": [{"value": "B"}]}}), UNKNOWN,
     "entity/thing/properties/c/x-choices/0/value"),
    ("remote $ref", entity(properties={"a": {"$ref": "http://127.0.0.1:1/x"}}), REFUSED,
     "entity/thing/properties/a/$ref"),
    ("file $ref", entity(properties={"a": {"type": "object", "properties": {"b": {"$ref": "file:///etc/passwd"}}}}),
     REFUSED, "entity/thing/properties/a/properties/b/$ref"),
    ("missing $ref", entity(properties={"a": {"$ref": "#/$defs/nope"}}), UNKNOWN, "entity/thing/properties/a/$ref"),
    ("pattern", entity(properties={"a": {"type": "string", "pattern": "^(a+)+$"}}), REFUSED,
     "entity/thing/properties/a/pattern"),
    ("look-around", entity(properties={"a": {"type": "string", "pattern": "(?=a)b"}}), REFUSED,
     "entity/thing/properties/a/pattern"),
    ("patternProperties", entity(patternProperties={"^a": TEXT}), REFUSED, "entity/thing/patternProperties"),
    ("open", entity(additionalProperties=True), INVALID, "entity/thing/additionalProperties"),
    ("union", entity(properties={"a": {"type": ["string", "integer"]}}), REFUSED, "entity/thing/properties/a/type"),
    ("doubling allOf", entity(properties={"a": {"$ref": "#/$defs/a0"}}, **{"$defs": DOUBLING}), LIMIT, "entity/thing"),
    ("endless $ref", entity(**{"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}), REFUSED,
     "entity/thing/$defs/a"),
    ("20,000 properties", entity(properties={f"p{n}": TEXT for n in range(20_000)}), LIMIT, "entity/thing"),
    ("501 fields", entity(properties={f"p{n}": TEXT for n in range(501)}), LIMIT, "entity/thing/properties"),
    ("deep", entity(properties={"a": nested(60)}), LIMIT, "entity/thing"),
    ("large", entity(description="x" * (1 << 20)), LIMIT, "entity/thing"),
    ("NUL", entity(title="a\x00b"), INVALID, "entity/thing"),
    ("lone surrogate", entity(title="a\ud800b"), INVALID, "entity/thing"),
    ("system", entity(**{"x-system": True}), UNKNOWN, "entity/thing/x-system"),
    ("system role", {("role", "some"): {"kind": "role", "name": "some", "x-system": True}}, UNKNOWN,
     "role/some/x-system"),
    ("kind", {("enity", "x"): {"kind": "enity", "name": "x"}}, UNKNOWN, "enity/x/kind"),
    ("other name", {("entity", "a"): {"kind": "entity", "name": "b"}}, INVALID, "entity/a"),
    ("zone", {("app", "app"): {"kind": "app", "name": "app", "timeZone": "Mars/Base"}}, INVALID, "app/app/timeZone"),
    ("built-in role", {("role", "owner"): {"kind": "role", "name": "owner"}}, CLASH, "role/owner"),
    ("system field", {("entity", "member"): {"kind": "entity", "name": "member", "properties": {"email": TEXT}}},
     CLASH, "entity/member/properties/email"),
]  # fmt: skip


@pytest.mark.parametrize("documents, code, path", [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_refused(documents: Documents, code: str, path: str) -> None:
    found = [(fault.code, "/".join(fault.path)) for fault in faults_of(documents)]
    assert (code, path) in found, found


def test_every_fault_is_told() -> None:
    documents = sales()
    documents["entity", "account"]["properties"]["id"] = {"type": "string"}
    documents["entity", "opportunity"]["properties"]["amount"] = {"x-typ": "money"}
    documents["entity", "line"]["x-rules"] = [{"name": "r", "check": "quantity >", "message": "m"}]
    owners = {fault.path[1] for fault in faults_of(documents)}
    assert owners == {"account", "opportunity", "line"}


def test_hints_name_what_was_meant() -> None:
    (fault,) = faults_of(entity(properties={"a": {"type": "string", "maxLenght": 3}}))
    assert fault.details == {"didYouMean": "maxLength"}


@pytest.mark.parametrize("documents, told", [
    (entity(properties={"a": {"type": "strng"}}), "did you mean 'string'?"),
    (entity(properties={"a": {"x-type": "refernce"}}), "did you mean 'reference'?"),
    (entity("客户"), "'客户' is no API name"),
    (entity(properties={"a": TEXT}, **{"x-foo": 1}), "such as 'x-acme-foo'"),
    (entity(properties={"a": {"enum": ["A"], "x-choices": [{"value": "A", "retird": True}]}}), "mean 'retired'"),
    (entity(properties={"a": TEXT}, **{"x-rules": [{"name": "r", "check": "a == 'x'", "message": "m", "wen": "true"}]}),
     "did you mean 'when'?"),
])  # fmt: skip
def test_slips_of_authors_are_told_with_what_was_meant(documents: Documents, told: str) -> None:
    (fault,) = faults_of(documents)
    assert told in fault.text.en


def test_what_a_part_lacks_is_told_once() -> None:
    (fault,) = faults_of(entity(properties={"a": TEXT}, **{"x-rules": [{"name": "r"}]}))
    assert fault.text.en == "must have check, message"


def test_an_own_prefix_is_kept() -> None:
    documents = entity(
        properties={"a": {"type": "string", "x-acme-note": {"any": "thing"}}}, **{"x-acme-colour": "red"}
    )
    catalog = next_catalog(documents, None)
    assert catalog.documents["entity", "thing"]["x-acme-colour"] == "red"


def test_a_platform_right_that_is_misspelt_is_told_with_the_nearest() -> None:
    documents = sales()
    documents["role", "seller"]["platform"] = ["members.manag"]
    (fault,) = faults_of(documents)
    assert fault.path == ("role", "seller", "platform", "0")
    assert fault.details == {"didYouMean": "members.manage"}


def test_roles_are_placed_in_their_document() -> None:
    documents = sales()
    documents["role", "seller"]["entities"]["oportunity"] = {"read": True}
    assert faults_of(documents)[0].path == ("role", "seller", "entities", "oportunity")


@pytest.mark.parametrize("place", ["$defs", "property", "root"])
def test_nothing_is_ever_fetched(place: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        remote = {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/x.json"}
        properties: dict[str, Any] = {"name": {"type": "string", "default": "a"}}
        if place == "property":
            properties["other"] = {**remote, "default": 1}
        extra = {"$defs": {"a": remote}} if place == "$defs" else {"allOf": [remote]} if place == "root" else {}
        faults_of(entity(properties=properties, **extra))
        with pytest.raises(TimeoutError):
            server.accept()


def test_codes_are_the_documented_ones() -> None:
    assert {row[2] for row in BAD} <= set(CODES)


def test_a_published_pattern_never_hangs() -> None:
    documents = entity(properties={"a": {"type": "string", "pattern": "^([a-z]+-?)*$"}})
    catalog = next_catalog(documents, None)
    assert catalog.entities["thing"].fields["a"].schema["pattern"] == "^([a-z]+-?)*$"
