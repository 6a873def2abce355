"""Change sets: several admins, drafts with versions of their own, conflicts side by side, rebase, publish."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from base.limits import DEFAULTS, Limits
from events.log import read_page
from metadata.changesets import Edit, find_change_set, read_drafts
from metadata.publishing.publish import Published
from pliant.house import House
from resolvers import changeset_merge
from resolvers.publishing import publish_as
from storage.batch import Applied
from tests.contract.conftest import SELLER
from tests.contract.test_publishing import publish, with_field
from tests.houses import Client, found_company, hire, opened_house
from tests.schema.samples import ACCOUNT, OPPORTUNITY, PRODUCT, SALES

SHOWN = "{ id name state version baseVersion publishedVersion allowLoss documents { kind name base draft version } }"
SET = f"{{ changeSet {SHOWN} userErrors {{ path code message details }} }}"
CREATE = f"mutation($n: String!, $l: [String!]) {{ createChangeSet(name: $n, allowLoss: $l) {SET} }}"
PUT = f"mutation($s: ID!, $d: JSON!, $v: Int) {{ putDocument(changeSet: $s, document: $d, expectedVersion: $v) {SET} }}"
REMOVE = f"""mutation($s: ID!, $k: String!, $n: String!, $v: Int) {{
  putRemoval(changeSet: $s, kind: $k, name: $n, expectedVersion: $v) {SET} }}"""
REVERT = f"""mutation($s: ID!, $k: String!, $n: String!, $v: Int) {{
  revertDocument(changeSet: $s, kind: $k, name: $n, expectedVersion: $v) {SET} }}"""
REBASE = f"""mutation($s: ID!, $r: [PliantResolution!], $v: Int) {{
  rebase(id: $s, resolutions: $r, expectedVersion: $v) {SET} }}"""
PUBLISH_SET = """mutation($s: ID!, $v: Int, $l: [String!]) {
  publishChangeSet(id: $s, expectedVersion: $v, allowLoss: $l) {
  version changes { kind subject path } userErrors { path code message details } } }"""
CONFLICTS = """query($s: ID!) { conflicts(changeSet: $s) { kind name base theirs yours paths mergeable merged
  meetings { path base theirs yours } } }"""


async def one(client: Client, query: str, **variables: Any) -> Any:
    """The value of the only root field."""
    (value,) = (await client.administer(query, **variables)).values()
    return value


async def begun(client: Client, *documents: dict[str, Any], loss: list[str] | None = None) -> str:
    """A change set with these drafts."""
    made = await one(client, CREATE, n="Spring", l=loss)
    for document in documents:
        saved = await one(client, PUT, s=made["changeSet"]["id"], d=document)
        assert saved["userErrors"] == []
    return str(made["changeSet"]["id"])


def fault_of(payload: Any) -> tuple[str, list[str]]:
    """Code and path of the only user error."""
    (error,) = payload["userErrors"]
    return error["code"], error["path"]


async def test_work_in_progress_is_published_as_a_whole(owner: Client) -> None:
    wanted = with_field(ACCOUNT, "size", type="integer")
    made = await begun(owner, wanted)
    assert await owner.code("{ accounts { nodes { size } } }") == "BAD_USER_INPUT", "a draft serves nobody"
    shown = await one(
        owner, "query($s: ID!) { previewChangeSet(id: $s) { changes { path } userErrors { code } } }", s=made
    )
    assert {"path": ["account", "size"]} in shown["changes"]
    done = await one(owner, PUBLISH_SET, s=made)
    assert (done["version"], done["userErrors"]) == (2, [])
    found = await one(owner, f"query($s: ID!) {{ changeSet(id: $s) {SHOWN} }}", s=made)
    assert (found["state"], found["publishedVersion"]) == ("PUBLISHED", 2)
    assert found["documents"][0]["draft"] == wanted
    assert fault_of(await one(owner, PUBLISH_SET, s=made))[0] == "CONFLICT"
    assert fault_of(await one(owner, PUT, s=made, d=PRODUCT))[0] == "CONFLICT"


async def test_a_set_may_hold_what_cannot_be_published_yet(owner: Client) -> None:
    made = await begun(owner, with_field(ACCOUNT, "size", type="intege"))
    done = await one(owner, PUBLISH_SET, s=made)
    assert done["userErrors"][0]["path"][:4] == ["entity", "account", "properties", "size"]
    assert (await one(owner, "{ changeSets(state: OPEN) { id state } }")) == [{"id": made, "state": "OPEN"}]


async def test_removals_renames_and_reverts(owner: Client) -> None:
    made = await begun(owner)
    removed = await one(owner, REMOVE, s=made, k="role", n="seller")
    assert removed["changeSet"]["documents"] == [
        {"kind": "role", "name": "seller", "base": SELLER, "draft": None, "version": 1}
    ]
    assert fault_of(await one(owner, REMOVE, s=made, k="role", n="nope")) == ("NOT_FOUND", ["name"])
    assert fault_of(await one(owner, REVERT, s=made, k="role", n="nope")) == ("NOT_FOUND", ["name"])
    reverted = await one(owner, REVERT, s=made, k="role", n="seller", v=1)
    assert reverted["changeSet"]["documents"] == []
    assert fault_of(await one(owner, PUBLISH_SET, s=made))[0] == "VALIDATION"
    good = {**deepcopy(PRODUCT), "name": "good", "x-was": ["product"]}
    put = await one(owner, PUT, s=made, d=good)
    assert put["changeSet"]["documents"][0]["base"]["name"] == "product", "a rename changes what it renames"
    await publish(owner, with_field(PRODUCT, "color", type="string"))
    (conflict,) = await one(owner, CONFLICTS, s=made)
    assert (conflict["name"], conflict["mergeable"], conflict["merged"]["name"]) == ("good", True, "good")
    assert "color" in conflict["merged"]["properties"]
    renamed = await one(owner, f'mutation($s: ID!) {{ renameChangeSet(id: $s, name: "Autumn") {SET} }}', s=made)
    assert renamed["changeSet"]["name"] == "Autumn"
    ended = await one(owner, f"mutation($s: ID!) {{ discardChangeSet(id: $s) {SET} }}", s=made)
    assert ended["changeSet"]["state"] == "DISCARDED"
    assert await one(owner, "{ changeSets(state: OPEN) { id } }") == []


async def test_two_admins_edit_one_set(owner: Client) -> None:
    ann = await hire(owner, "Ann", "owner")
    made = await begun(owner, with_field(ACCOUNT, "size", type="integer"))
    other = await one(ann, PUT, s=made, d=with_field(PRODUCT, "color", type="string"))
    assert other["userErrors"] == [], "another document is nobody's business"
    blind = await one(ann, PUT, s=made, d=with_field(ACCOUNT, "height", type="integer"))
    assert fault_of(blind) == ("CONFLICT", ["expectedVersion"])
    seen = await one(ann, PUT, s=made, d=with_field(ACCOUNT, "height", type="integer"), v=1)
    assert [item["version"] for item in seen["changeSet"]["documents"]] == [2, 1]
    stale = await one(owner, PUT, s=made, d=with_field(ACCOUNT, "width", type="integer"), v=1)
    assert (fault_of(stale), stale["userErrors"][0]["details"]) == (("CONFLICT", ["expectedVersion"]), {"version": 2})
    old = await one(owner, PUBLISH_SET, s=made, v=2)
    assert fault_of(old)[0] == "CONFLICT", "what is published is what was seen"
    assert (await one(owner, PUBLISH_SET, s=made, v=seen["changeSet"]["version"]))["version"] == 2


async def test_edits_at_once_lose_nothing(owner: Client) -> None:
    made = await begun(owner)
    drafts = [with_field(ACCOUNT, f"n{number}", type="integer") for number in range(6)]
    first = await asyncio.gather(*(one(owner, PUT, s=made, d=draft, v=0) for draft in drafts))
    assert sorted(len(item["userErrors"]) for item in first) == [0, 1, 1, 1, 1, 1]
    assert {item["userErrors"][0]["code"] for item in first if item["userErrors"]} == {"CONFLICT"}
    others = [{**deepcopy(PRODUCT), "name": f"thing{number}", "x-plural": f"things{number}"} for number in range(6)]
    second = await asyncio.gather(*(one(owner, PUT, s=made, d=draft) for draft in others))
    assert all(item["userErrors"] == [] for item in second)
    done = await one(owner, PUBLISH_SET, s=made)
    assert (done["version"], done["userErrors"]) == (2, [])


async def test_only_what_both_changed_conflicts(owner: Client) -> None:
    mine, theirs = with_field(ACCOUNT, "size", type="integer"), with_field(ACCOUNT, "height", type="integer")
    made = await begun(owner, mine, with_field(PRODUCT, "color", type="string"))
    await publish(owner, theirs, with_field(OPPORTUNITY, "source", type="string"))
    refused = await one(owner, PUBLISH_SET, s=made)
    assert (fault_of(refused), refused["userErrors"][0]["details"]["mergeable"]) == (
        ("CONFLICT", ["entity", "account"]),
        True,
    )
    (conflict,) = await one(owner, CONFLICTS, s=made)
    assert (conflict["base"], conflict["theirs"], conflict["yours"]) == (ACCOUNT, theirs, mine)
    assert conflict["paths"] == [["properties", "height"], ["properties", "size"]]
    preview = await one(owner, "query($s: ID!) { previewChangeSet(id: $s) { userErrors { code path } } }", s=made)
    assert preview["userErrors"] == [{"code": "CONFLICT", "path": ["entity", "account"]}]
    rebased = await one(owner, REBASE, s=made)
    assert rebased["changeSet"]["baseVersion"] == 2
    assert await one(owner, CONFLICTS, s=made) == []
    done = await one(owner, PUBLISH_SET, s=made)
    assert (done["version"], done["userErrors"]) == (3, [])
    body = (await one(owner, '{ document(kind: "entity", name: "account") { body } }'))["body"]
    assert {"size", "height"} <= set(body["properties"])


@pytest.mark.parametrize("side, title", [("YOURS", "Mine"), ("THEIRS", "Theirs"), (None, "Both")])
async def test_where_sides_meet_somebody_decides(owner: Client, side: str | None, title: str) -> None:
    made = await begun(owner, {**ACCOUNT, "title": "Mine"}, with_field(PRODUCT, "color", type="string"))
    await publish(owner, {**ACCOUNT, "title": "Theirs"})
    (conflict,) = await one(owner, CONFLICTS, s=made)
    assert conflict["meetings"] == [{"path": ["title"], "base": "Account", "theirs": "Theirs", "yours": "Mine"}]
    assert (conflict["mergeable"], conflict["merged"]) == (False, None)
    refused = await one(owner, REBASE, s=made)
    assert (fault_of(refused), refused["userErrors"][0]["details"]["paths"]) == (
        ("CONFLICT", ["entity", "account"]),
        ["title"],
    )
    nowhere = await one(owner, REBASE, s=made, r=[{"kind": "entity", "name": "product"}])
    assert ("NOT_FOUND", ["resolutions", "entity", "product"]) in [
        (error["code"], error["path"]) for error in nowhere["userErrors"]
    ]
    told: dict[str, Any] = {"kind": "entity", "name": "account"}
    told |= {"document": {**ACCOUNT, "title": "Both"}} if side is None else {"side": side}
    assert (await one(owner, REBASE, s=made, r=[told]))["userErrors"] == []
    assert (await one(owner, PUBLISH_SET, s=made))["version"] == 3
    assert (await one(owner, '{ document(kind: "entity", name: "account") { title } }'))["title"] == title


async def test_a_document_that_others_removed_is_a_conflict(owner: Client) -> None:
    made = await begun(owner, {**SELLER, "title": "Mine"})
    await publish(owner, r=[{"kind": "role", "name": "seller"}])
    (conflict,) = await one(owner, CONFLICTS, s=made)
    assert (conflict["theirs"], conflict["mergeable"], conflict["paths"]) == (None, False, [[]])
    told = [{"kind": "role", "name": "seller", "side": "YOURS"}]
    assert (await one(owner, REBASE, s=made, r=told))["userErrors"] == []
    assert (await one(owner, PUBLISH_SET, s=made))["version"] == 3


async def test_a_publish_that_was_not_marked_is_only_marked(owner: Client, house: House) -> None:
    """A process that dies between the publish and its mark leaves an open set whose drafts are the head's."""
    wanted = with_field(ACCOUNT, "size", type="integer")
    made = await begun(owner, wanted)
    await publish(owner, wanted)
    done = await one(owner, PUBLISH_SET, s=made)
    assert (done["version"], done["changes"], done["userErrors"]) == (2, [], [])


async def test_what_is_edited_while_the_set_is_published_stays_open(
    owner: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await begun(owner, with_field(ACCOUNT, "size", type="integer"), with_field(PRODUCT, "color", type="string"))
    actor = await owner.actor()
    later = with_field(with_field(ACCOUNT, "size", type="integer"), "height", type="integer")

    async def with_an_edit_between(*given: Any, **words: Any) -> Published:
        found = await find_change_set(house.engine, actor.namespace, made)
        assert found is not None
        (seen,) = [item for item in await read_drafts(house.engine, actor.namespace, made) if item.name == "account"]
        edit = Edit(house.engine, actor.member_id, found)
        edit.put(seen.key, seen.base, later, seen)
        assert isinstance(await edit.apply(house.engine, actor.namespace), Applied)
        return await publish_as(*given, **words)

    with monkeypatch.context() as patch:
        patch.setattr(changeset_merge, "publish_as", with_an_edit_between)
        assert (await one(owner, PUBLISH_SET, s=made))["version"] == 2
    assert await one(owner, CONFLICTS, s=made) == []
    done = await one(owner, PUBLISH_SET, s=made)
    paths = [change["path"] for change in done["changes"]]
    assert (done["version"], ["account", "height"] in paths, ["account", "size"] in paths) == (3, True, False)


async def test_a_set_that_has_to_be_prepared_is_published_when_it_is_served(place: str) -> None:
    limits = replace(DEFAULTS, publish_at_once_rows=0, publish_wait_seconds=0.0)
    async with opened_house(place, limits=limits) as house:
        owner = await found_company(house, SALES)
        await owner.data('mutation { createAccount(input: {name: "A"}) { account { id } } }')
        made = await begun(owner, {**ACCOUNT, "x-index": [["name"]]})
        done = await one(owner, PUBLISH_SET, s=made)
        assert (done["version"], done["userErrors"]) == (None, [])
        for _ in range(1_000):
            shown = await one(owner, f"query($s: ID!) {{ changeSet(id: $s) {SHOWN} }}", s=made)
            if shown["state"] != "OPEN":
                break
            await asyncio.sleep(0.01)
        assert (shown["state"], shown["publishedVersion"]) == ("PUBLISHED", 2)
        assert await owner.administer("{ catalogVersion }") == {"catalogVersion": 2}


async def test_losses_that_a_set_means(owner: Client) -> None:
    await owner.data('mutation { createAccount(input: {name: "A", revenue: "1"}) { account { id } } }')
    less = deepcopy(ACCOUNT)
    del less["properties"]["revenue"]
    made = await begun(owner, less)
    role = deepcopy(SELLER)
    del role["entities"]["account"]["read"]["fields"]["revenue"]
    assert (await one(owner, PUT, s=made, d=role))["userErrors"] == []
    assert fault_of(await one(owner, PUBLISH_SET, s=made))[0] == "DOCUMENT_LOSS"
    text = f'mutation($s: ID!) {{ setAllowLoss(id: $s, allowLoss: ["account.revenue"]) {SET} }}'
    assert (await one(owner, text, s=made))["changeSet"]["allowLoss"] == ["account.revenue"]
    assert (await one(owner, PUBLISH_SET, s=made))["version"] == 2


async def test_publishing_and_discarding_are_events_and_drafts_are_not(owner: Client, house: House) -> None:
    namespace = (await owner.actor()).namespace
    await house.engine.sequence(namespace)
    before = await read_page(house.engine, namespace, 0, 1_000)
    made = await begun(owner, with_field(ACCOUNT, "size", type="integer"))
    dropped = await begun(owner, PRODUCT)
    await one(owner, f"mutation($s: ID!) {{ discardChangeSet(id: $s) {SET} }}", s=dropped)
    await one(owner, PUBLISH_SET, s=made)
    await house.engine.sequence(namespace)
    after = (await read_page(house.engine, namespace, before[-1].position, 1_000)) if before else []
    told = [(item.entity, item.record_id, (item.after or {}).get("state")) for item in after]
    assert told == [
        ("changeSet", dropped, "discarded"),
        ("document", "entity/account", None),
        ("changeSet", made, "published"),
    ]


async def test_every_verb_asks_for_its_right(owner: Client, seller: Client) -> None:
    made = await begun(owner)
    for text in (
        "{ changeSets { id } }",
        f'{{ changeSet(id: "{made}") {{ id }} }}',
        f'{{ conflicts(changeSet: "{made}") {{ name }} }}',
        f'{{ previewChangeSet(id: "{made}") {{ userErrors {{ code }} }} }}',
        "{ version(number: 1) { hash } }",
        "{ versionDiff(from: 0, to: 1) { name } }",
        "{ previewRollback(to: 1) { userErrors { code } } }",
        f'mutation {{ createChangeSet(name: "x") {SET} }}',
        f'mutation {{ putDocument(changeSet: "{made}", document: {{}}) {SET} }}',
        f'mutation {{ putRemoval(changeSet: "{made}", kind: "a", name: "b") {SET} }}',
        f'mutation {{ revertDocument(changeSet: "{made}", kind: "a", name: "b") {SET} }}',
        f'mutation {{ renameChangeSet(id: "{made}", name: "x") {SET} }}',
        f'mutation {{ setAllowLoss(id: "{made}", allowLoss: []) {SET} }}',
        f'mutation {{ discardChangeSet(id: "{made}") {SET} }}',
        f'mutation {{ rebase(id: "{made}") {SET} }}',
        f'mutation {{ publishChangeSet(id: "{made}") {{ version }} }}',
        "mutation { rollback(to: 1) { version } }",
    ):
        found = await seller.admin(text)
        assert found["errors"][0]["extensions"]["code"] == "FORBIDDEN", text
    role = {"kind": "role", "name": "publisher", "title": "P", "platform": ["documents.publish"]}
    await publish(owner, role)
    publisher = await hire(owner, "Pat", "publisher")
    no = await publisher.admin(PUT, s=made, d=SELLER)
    assert no["errors"][0]["extensions"] == {
        **no["errors"][0]["extensions"],
        "code": "FORBIDDEN",
        "right": "roles.manage",
    }


async def test_bad_input(owner: Client) -> None:
    made = await begun(owner)
    nothing: tuple[Any, ...] = ({}, [], "x", {"kind": "entity"}, {"kind": 1, "name": "x"})
    for draft in nothing:
        assert fault_of(await one(owner, PUT, s=made, d=draft)) == ("DOCUMENT_INVALID", ["document"])
    assert fault_of(await one(owner, PUT, s=made, d={"kind": "form", "name": "x"}))[1] == ["document", "kind"]
    deep: Any = {}
    for _ in range(60):
        deep = {"a": deep}
    assert fault_of(await one(owner, PUT, s=made, d={**ACCOUNT, "x-a-b": deep}))[0] == "DOCUMENT_LIMIT"
    for name in ("", "  ", "x" * 201):
        assert fault_of(await one(owner, CREATE, n=name)) == ("VALIDATION", ["name"])
    for id in ("nope", "01890000-0000-7000-8000-000000000000"):
        assert (await owner.admin(PUT, s=id, d=ACCOUNT))["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    far = await owner.admin("{ changeSets(first: 100000) { id } }")
    assert far["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_limits(place: str) -> None:
    async with opened_house(place, limits=Limits(change_sets=2, change_set_documents=2)) as house:
        owner = await found_company(house, SALES)
        made = await begun(owner, ACCOUNT, PRODUCT)
        assert fault_of(await one(owner, PUT, s=made, d=OPPORTUNITY)) == ("LIMIT", [])
        await begun(owner)
        assert fault_of(await one(owner, CREATE, n="third")) == ("LIMIT", [])


async def test_messages_in_chinese(owner: Client) -> None:
    made = await begun(owner, {**ACCOUNT, "title": "Mine"})
    await publish(owner, {**ACCOUNT, "title": "Theirs"})
    chinese = Client(owner.house, owner.token, "zh-CN")
    refused = await one(chinese, PUBLISH_SET, s=made)
    assert "变基" in refused["userErrors"][0]["message"]
