"""Nobody rises: not by writing roles, not by renaming what they name, not by members, tokens or teams."""

from __future__ import annotations

from typing import Any

from tests.contract.staff import ERRORS, PERSON, Staff
from tests.houses import Client, hire

PUBLISH = f"mutation($d: [JSON!]!) {{ publish(documents: $d) {{ version {ERRORS} }} }}"
SAVE = f"{{ id {ERRORS} }}"


def role(name: str, platform: tuple[str, ...] = (), **entities: Any) -> dict[str, Any]:
    """A role document."""
    return {"kind": "role", "name": name, "title": name, "platform": list(platform), "entities": entities}


EDITOR = role(
    "editor",
    ("documents.publish", "documents.read", "roles.manage", "tokens.manage"),
    person={"read": {"rows": ["all"], "fields": {"*": True, "salary": False}}},
)
"""May write documents and roles, and reads all people without their salary."""

RAISING = (
    role("new", person={"read": True}),
    role("new", person={"read": {"rows": ["own"]}}),
    {**role("new"), "entities": {"*": {"read": True}}},
    role("new", ("members.manage",)),
    {**role("new"), "includes": ["owner"]},
    {**role("new"), "includes": ["clerk"]},
    {**EDITOR, "platform": [*EDITOR["platform"], "members.manage"]},
    {**EDITOR, "entities": {"person": {"read": True}}},
    {**role("clerk", person={"read": True}), "x-was": ["editor"]},
    # what the holder of such a role sees would tell the salary
    role("new", person={"read": {"rows": ["salary > 100"], "fields": {"name": True}}}),
    role("new", person={"read": {"rows": ["boss.salary > 100"], "fields": {"name": True}}}),
    role("new", person={"read": {"rows": ["all"], "fields": {"name": {"when": "salary > 100"}}}}),
)


async def test_nobody_rises_by_writing_roles(staff: Staff) -> None:
    assert (await staff.owner.administer(PUBLISH, d=[EDITOR]))["publish"]["userErrors"] == []
    editor = await hire(staff.owner, "Ed", "editor")
    for document in RAISING:
        told = (await editor.administer(PUBLISH, d=[document]))["publish"]
        assert told["version"] is None
        assert {error["code"] for error in told["userErrors"]} == {"DOCUMENT_REFUSED"}, document
        assert told["userErrors"][0]["path"] == ["role", document["name"]]
    narrow = role("new", person={"read": {"rows": ["name == 'ann'"], "fields": {"name": True}}})
    assert (await editor.administer(PUBLISH, d=[narrow]))["publish"]["userErrors"] == []


async def test_a_publisher_without_the_right_to_roles_changes_none(staff: Staff) -> None:
    publisher = role("publisher", ("documents.publish", "documents.read"), person=EDITOR["entities"]["person"])
    assert (await staff.owner.administer(PUBLISH, d=[publisher]))["publish"]["userErrors"] == []
    client = await hire(staff.owner, "Pub", "publisher")
    refused = await client.admin(PUBLISH, d=[role("new")])
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    # a renamed field keeps what roles say of it: they must be renamed with it
    properties = {**PERSON["properties"], "pay": {**PERSON["properties"]["salary"], "x-was": ["salary"]}}
    renamed = {**PERSON, "properties": properties, "x-rules": []}
    taken = (await client.administer(PUBLISH, d=[renamed]))["publish"]
    assert taken["userErrors"] == []  # `salary` is still there, so `pay` is a new field
    assert (await client.data("{ people { nodes { pay } } }"))["people"]["nodes"] == [{"pay": None}] * 4
    del properties["salary"]
    told = (await client.administer(PUBLISH, d=[renamed]))["publish"]
    assert {error["path"][0] for error in told["userErrors"]} == {"role"}


async def test_members_rise_by_no_operation_of_the_administration(staff: Staff) -> None:
    manager = role("manager", ("members.manage",))
    assert (await staff.owner.administer(PUBLISH, d=[manager, EDITOR]))["publish"]["userErrors"] == []
    man, editor = await hire(staff.owner, "Man", "manager"), await hire(staff.owner, "Ed", "editor")
    mine, owner = (await man.actor()).member_id, (await staff.owner.actor()).member_id
    for text in (
        f'mutation($m: ID!) {{ setRoles(id: $m, roles: ["owner"]) {SAVE} }}',
        f'mutation($m: ID!) {{ setRoles(id: $m, roles: ["manager", "clerk"]) {SAVE} }}',
        f'mutation($m: ID!) {{ setRoles(id: $m, roles: ["manager", "nothing"]) {SAVE} }}',
        f'mutation($m: ID!) {{ updateMember(id: $m, input: {{roles: ["owner"]}}) {SAVE} }}',
    ):
        told = next(iter((await man.administer(text, m=mine)).values()))
        assert told["id"] is None
        assert {error["code"] for error in told["userErrors"]} == {"VALIDATION"}
    told = (await man.administer(f'mutation {{ addMember(input: {{name: "x", roles: ["owner"]}}) {SAVE} }}'))[
        "addMember"
    ]
    assert told["id"] is None
    for roles in (["owner"], ["clerk"], ["manager"]):
        text = (
            'mutation($r: [String!]!, $m: ID!) { createToken(name: "x", roles: $r, memberId: $m) { token '
            "userErrors { code } } }"
        )
        made = (await editor.administer(text, r=roles, m=owner))["createToken"]
        assert made == {"token": None, "userErrors": [{"code": "VALIDATION"}]}


async def test_a_token_is_no_more_than_its_roles(staff: Staff) -> None:
    manager = role("manager", ("members.manage",))
    assert (await staff.owner.administer(PUBLISH, d=[manager]))["publish"]["userErrors"] == []
    both = await hire(staff.owner, "Both", "manager", "clerk")
    create = 'mutation($r: [String!]!) { createToken(name: "x", roles: $r) { token userErrors { code } } }'
    text = (await both.administer(create, r=["clerk"]))["createToken"]["token"]
    low = Client(staff.owner.house, text)
    assert (await low.administer("{ viewer { roles platform } }"))["viewer"] == {"roles": ["clerk"], "platform": []}
    assert (await low.administer(create, r=["manager"]))["createToken"]["userErrors"] == [{"code": "VALIDATION"}]
    refused = await low.admin(f'mutation {{ addMember(input: {{name: "x"}}) {SAVE} }}')
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_token_ends_with_the_work_of_its_maker(staff: Staff) -> None:
    """At once in the process that deactivates him: what is known of his tokens is forgotten."""
    boss = await hire(staff.owner, "Boss", "owner")
    sue, maker = (await staff.sue.actor()).member_id, (await boss.actor()).member_id
    create = 'mutation($m: ID!) { createToken(name: "x", roles: ["clerk"], memberId: $m) { token } }'
    made = Client(staff.owner.house, (await boss.administer(create, m=sue))["createToken"]["token"])
    assert (await made.data("{ people { totalCount } }"))["people"]["totalCount"] == 4
    end = f"mutation($m: ID!) {{ deactivateMember(id: $m) {SAVE} }}"
    assert (await staff.owner.administer(end, m=maker))["deactivateMember"]["userErrors"] == []
    assert (await made.actor()).roles == ()
    assert await made.code("{ people { totalCount } }") == "BAD_USER_INPUT"


async def test_a_token_that_expires_does_not_outlive_itself(staff: Staff) -> None:
    """Neither for oneself nor for another member; not through a token made on the way."""
    create = (
        'mutation($m: ID, $t: DateTime) { createToken(name: "x", roles: ["owner"], memberId: $m, expiresAt: $t) '
        f"{{ token {ERRORS} }} }}"
    )
    soon, later = "2200-01-01T00:00:00+00:00", "2200-01-01T00:00:00.001+00:00"
    other = (await (await hire(staff.owner, "Boss", "owner")).actor()).member_id
    client = staff.owner
    for _ in range(2):
        made = (await client.administer(create, t=soon))["createToken"]
        client = Client(staff.owner.house, made["token"])
        for member in (None, other):
            told = (await client.administer(create, m=member, t=later))["createToken"]
            assert told["token"] is None
            assert [(error["path"], error["code"]) for error in told["userErrors"]] == [(["expiresAt"], "VALIDATION")]
            assert (await client.administer(create, m=member))["createToken"]["userErrors"] == []
    listed = (await staff.owner.administer("{ tokens { name expiresAt } }"))["tokens"]
    assert [item["expiresAt"] for item in listed if item["name"] == "x"] == [soon] * 6


async def test_nobody_explains_his_own_access_without_the_right(staff: Staff) -> None:
    """The explanation names hidden fields and rules; an unknown entity and a hidden one are told apart in it."""
    mine = (await staff.sue.actor()).member_id
    for entity in ("person", "vault", "nothing"):
        text = "query($m: ID!, $e: String!) { effectiveAccess(memberId: $m, entity: $e) { fields } }"
        refused = await staff.sue.admin(text, m=mine, e=entity)
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
