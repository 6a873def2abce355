"""The administration API: rights of every operation, people, tokens, persisted documents."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from base.errors import Unauthenticated
from schema.document import id_of
from schema.request import GraphQLRequest
from tests.houses import Client, hire

SAVE = "{ id userErrors { path code message details } }"


async def one(client: Client, query: str, **variables: Any) -> Any:
    """The value of the only root field."""
    (value,) = (await client.administer(query, **variables)).values()
    return value


async def test_without_credentials_nothing_is_answered(owner: Client) -> None:
    for text in ("{ viewer { memberId } }", "{ __schema { queryType { name } } }", "{ nope", ""):
        reply = await owner.house.execute_admin(None, GraphQLRequest(text, request_id="r"))
        assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
        assert set(orjson.loads(reply.body)) == {"errors"}


async def test_every_operation_asks_for_its_right(owner: Client, seller: Client) -> None:
    mine = (await seller.actor()).member_id
    other = (await owner.actor()).member_id
    for text in (
        "{ documents { name } }",
        '{ document(kind: "entity", name: "account") { body } }',
        "{ versions { version } }",
        "{ preview(documents: []) { userErrors { code } } }",
        "{ validateDocuments(documents: []) { userErrors { code } } }",
        "{ adopt(schema: {}) { document } }",
        "{ roles { name } }",
        "{ persistedDocuments { id } }",
        "{ replicas { id } }",
        f'{{ memberAccess(memberId: "{other}") {{ roles }} }}',
        f'{{ effectiveAccess(memberId: "{other}", entity: "account") {{ operation }} }}',
        "mutation { publish(documents: []) { version } }",
        f'mutation {{ addMember(input: {{name: "x"}}) {SAVE} }}',
        f'mutation {{ updateMember(id: "{other}", input: {{name: "x"}}) {SAVE} }}',
        f'mutation {{ setRoles(id: "{mine}", roles: ["owner"]) {SAVE} }}',
        f'mutation {{ deactivateMember(id: "{other}") {SAVE} }}',
        f'mutation {{ addTeam(input: {{name: "x"}}) {SAVE} }}',
        f'mutation {{ createToken(name: "x", roles: [], memberId: "{other}") {{ id }} }}',
        f'mutation {{ registerDocument(text: "{{ viewer {{ locale }} }}") {SAVE} }}',
        f'mutation {{ removeDocument(id: "x") {SAVE} }}',
    ):
        found = await seller.admin(text)
        assert found["errors"][0]["extensions"]["code"] == "FORBIDDEN", text
        assert "right" in found["errors"][0]["extensions"]
    own = await seller.administer(f'{{ memberAccess(memberId: "{mine}") {{ roles }} viewer {{ roles platform }} }}')
    assert own == {"memberAccess": {"roles": ["seller"]}, "viewer": {"roles": ["seller"], "platform": []}}


async def test_documents_as_authored(owner: Client) -> None:
    found = await one(owner, '{ document(kind: "entity", name: "account") { kind name title body } }')
    assert (found["kind"], found["name"], found["body"]["x-plural"]) == ("entity", "account", "accounts")
    names = await one(owner, '{ documents(kind: "role") { name } }')
    assert names == [{"name": "seller"}]
    missing = await owner.admin('{ document(kind: "entity", name: "nope") { body } }')
    assert missing["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_adopting_shows_what_it_does(owner: Client) -> None:
    schema = {
        "title": "Order",
        "type": "object",
        "properties": {"first_name": {"type": "string"}, "赢": {"type": "integer"}},
    }
    text = "query($s: JSON!) { adopt(schema: $s) { document notes { path what message } userErrors { code } } }"
    found = await one(owner, text, s=schema)
    assert found["document"]["name"] == "order"
    assert {"path": ["first_name"], "what": "renamed", "message": "'first_name' became 'firstName'"} in found["notes"]
    chinese = await one(Client(owner.house, owner.token, "zh"), text, s=schema)
    assert chinese["notes"] != found["notes"]
    nothing = await one(owner, text, s={"type": "array"})
    assert nothing["document"] is None
    assert nothing["userErrors"]


async def test_members_and_teams(owner: Client) -> None:
    team = (await one(owner, f'mutation {{ addTeam(input: {{name: "North"}}) {SAVE} }}'))["id"]
    south = (
        await one(owner, f'mutation($p: ID) {{ addTeam(input: {{name: "South", parentId: $p}}) {SAVE} }}', p=team)
    )["id"]
    add = f"mutation($i: PliantMemberInput!) {{ addMember(input: $i) {SAVE} }}"
    made = await one(owner, add, i={"name": "Bo", "email": "BO@x.org", "roles": ["seller"], "teamIds": [south]})
    again = await one(owner, add, i={"name": "Bob", "email": "bo@x.org"})
    assert (again["id"], again["userErrors"][0]["path"], again["userErrors"][0]["code"]) == (
        None,
        ["email"],
        "NOT_UNIQUE",
    )
    wrong = await one(owner, add, i={"name": "", "roles": ["sella"]})
    assert {tuple(error["path"]) for error in wrong["userErrors"]} >= {("name",), ("roles",)}
    access = await one(owner, "query($m: ID!) { memberAccess(memberId: $m) { roles teamIds } }", m=made["id"])
    assert access == {"roles": ["seller"], "teamIds": [south]}
    seen = await owner.data(
        "query($m: ID!) { member(id: $m) { name email team { name parent { name } } } }", m=made["id"]
    )
    assert seen["member"] == {"name": "Bo", "email": "bo@x.org", "team": {"name": "South", "parent": {"name": "North"}}}
    circle = await one(owner, f"mutation($t: ID!, $p: ID) {{ moveTeam(id: $t, parentId: $p) {SAVE} }}", t=team, p=south)
    assert circle["userErrors"][0]["code"] == "VALIDATION"
    full = await one(owner, f"mutation($t: ID!) {{ removeTeam(id: $t) {SAVE} }}", t=south)
    assert full["userErrors"][0]["code"] == "REFERENCED"


async def test_the_last_manager_stays(owner: Client) -> None:
    mine = (await owner.actor()).member_id
    for text in (
        f"mutation($m: ID!) {{ deactivateMember(id: $m) {SAVE} }}",
        f"mutation($m: ID!) {{ setRoles(id: $m, roles: []) {SAVE} }}",
    ):
        assert (await one(owner, text, m=mine))["userErrors"][0]["code"] == "RULE"


async def test_effective_access_says_why(owner: Client, seller: Client) -> None:
    member = (await seller.actor()).member_id
    text = """query($m: ID!) { effectiveAccess(memberId: $m, entity: "opportunity") {
      operation through rows fields check } }"""
    found = await one(owner, text, m=member)
    assert [item["operation"] for item in found] == ["READ", "CREATE", "UPDATE"]
    assert found[0] == {
        "operation": "READ",
        "through": ["seller"],
        "rows": ["rows that the member owns"],
        "fields": {"*": True, "score": False},
        "check": None,
    }


async def test_only_the_built_in_role_is_the_platforms(owner: Client) -> None:
    publish = "mutation($d: [JSON!]!) { publish(documents: $d) { version userErrors { path code } } }"
    own = {"kind": "role", "name": "mine", "title": "Mine", "entities": {}}
    for value in (True, False):
        told = await one(owner, publish, d=[{**own, "x-system": value}])
        assert told == {
            "version": None,
            "userErrors": [{"path": ["role", "mine", "x-system"], "code": "DOCUMENT_UNKNOWN_NAME"}],
        }
    assert (await one(owner, publish, d=[own]))["userErrors"] == []
    listed = await one(owner, "{ roles { name system } }")
    assert [item["name"] for item in listed if item["system"]] == ["owner"]


async def test_tokens(owner: Client, seller: Client) -> None:
    create = """mutation($r: [String!]!, $m: ID) { createToken(name: "t", roles: $r, memberId: $m) {
      id token userErrors { path code } } }"""
    made = await one(seller, create, r=["seller"])
    assert made["userErrors"] == []
    fresh = Client(owner.house, made["token"])
    assert await fresh.data("{ viewer { roles } }") == {"viewer": {"roles": ["seller"]}}
    assert (await one(seller, create, r=["owner"]))["token"] is None
    assert [item["id"] for item in await one(seller, "{ tokens { id } }")][-1] == made["id"]
    assert len(await one(owner, "{ tokens { id name roles memberId createdAt expiresAt makerId } }")) == 3
    assert await one(seller, f"mutation($i: ID!) {{ revokeToken(id: $i) {SAVE} }}", i=made["id"]) == {
        "id": made["id"],
        "userErrors": [],
    }
    with pytest.raises(Unauthenticated):
        await fresh.actor()


async def test_a_deactivated_member_is_out(owner: Client, seller: Client) -> None:
    member = (await seller.actor()).member_id
    await one(owner, f"mutation($m: ID!) {{ deactivateMember(id: $m) {SAVE} }}", m=member)
    with pytest.raises(Unauthenticated):
        await seller.actor()


async def test_persisted_documents(owner: Client) -> None:
    text = "query($n: Int) { accounts(first: $n) { totalCount } }"
    register = f'mutation($t: String!) {{ registerDocument(text: $t, name: "count") {SAVE} }}'
    made = await one(owner, register, t=text)
    assert (made["id"], (await one(owner, register, t=text))["id"]) == (id_of(text), id_of(text))
    reply = await owner.send(None, {"n": 1}, document_id=id_of(text))
    assert orjson.loads(reply.body) == {"data": {"accounts": {"totalCount": 0}}}
    assert [item["name"] for item in await one(owner, "{ persistedDocuments { id name createdAt createdBy } }")] == [
        "count"
    ]
    await one(owner, f"mutation($i: ID!) {{ removeDocument(id: $i) {SAVE} }}", i=made["id"])
    gone = await owner.send(None, {}, document_id=id_of(text))
    assert (gone.code, gone.status) == ("NOT_FOUND", 400)
    again = await one(owner, f"mutation($i: ID!) {{ removeDocument(id: $i) {SAVE} }}", i=made["id"])
    assert again["userErrors"][0]["code"] == "NOT_FOUND"


async def test_limits_hold_here_too(owner: Client) -> None:
    deep = "{ __schema { types " + "{ fields { type " * 6 + "{ name }" + "} }" * 6 + " } }"
    assert (await owner.admin(deep))["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    many = "{ " + " ".join(f"a{n}: catalogVersion" for n in range(101)) + " }"
    assert (await owner.admin(many))["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    misspelt = await owner.admin("{ documnts { name } }")
    assert "mean" not in misspelt["errors"][0]["message"]
    found = {item["name"]: item["value"] for item in await one(owner, "{ limits { name value } }")}
    assert found["page_size_max"] == 1000


async def test_hired_with_less(owner: Client) -> None:
    clerk = {"kind": "role", "name": "clerk", "title": "Clerk", "platform": ["members.manage"]}
    await owner.administer("mutation($d: [JSON!]!) { publish(documents: $d) { version } }", d=[clerk])
    hr = await hire(owner, "Hal", "clerk")
    add = f'mutation($r: [String!]) {{ addMember(input: {{name: "x", roles: $r}}) {SAVE} }}'
    assert (await one(hr, add, r=["owner"]))["userErrors"][0]["path"] == ["roles"]
    assert (await one(hr, add, r=["clerk"]))["userErrors"] == []
