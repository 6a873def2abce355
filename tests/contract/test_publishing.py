"""What is published is there at once: in this process, in another one, and for writes that were under way."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from access.member import add_member
from access.store import Writer
from pliant.house import House
from resolvers.administration import write_access
from tests.houses import Client, found_company, hire, opened_house
from tests.schema.samples import ACCOUNT, OPPORTUNITY, PRODUCT, SALES

PUBLISH = """mutation($d: [JSON!]!, $r: [PliantDocumentKey!], $loss: [String!], $v: Int) {
  publish(documents: $d, removals: $r, allowLoss: $loss, expectedVersion: $v) {
    version changes { kind subject path was loss } userErrors { path code message details } } }"""


def with_field(document: dict[str, Any], name: str, **prop: Any) -> dict[str, Any]:
    """A document with one more field."""
    changed = deepcopy(document)
    changed["properties"][name] = prop
    return changed


async def publish(owner: Client, *documents: dict[str, Any], **more: Any) -> Any:
    """The payload of a publish."""
    return (await owner.administer(PUBLISH, d=list(documents), **more))["publish"]


async def test_a_new_field_is_there_at_once(owner: Client) -> None:
    read = "{ accounts { nodes { name size } } }"
    assert await owner.code(read) == "BAD_USER_INPUT"
    done = await publish(owner, with_field(ACCOUNT, "size", type="integer"))
    assert (done["version"], done["userErrors"]) == (2, [])
    added = {"kind": "ADDED", "subject": "field", "path": ["account", "size"], "was": None, "loss": None}
    assert added in done["changes"]
    text = 'mutation { createAccount(input: {name: "A", size: 7}) { account { name size } userErrors { code } } }'
    assert (await owner.data(text))["createAccount"]["account"] == {"name": "A", "size": 7}
    assert await owner.data(read) == {"accounts": {"nodes": [{"name": "A", "size": 7}]}}


@pytest.mark.parametrize("compiled", [True, False])
async def test_another_process_answers_the_new_field_at_the_first_request(
    place: str, owner: Client, compiled: bool
) -> None:
    if "#" not in place:
        return  # one process owns a folder of SQLite
    async with opened_house(place, compiled=compiled, last=False) as other:
        there = Client(other, owner.token)
        other.runtime.companies.moved = lambda *_: None  # type: ignore[method-assign]  # it hears of nothing
        assert await there.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 0}}
        await publish(owner, with_field(ACCOUNT, "size", type="integer"))
        assert await there.data("{ accounts { nodes { size } } }") == {"accounts": {"nodes": []}}
        both = with_field(with_field(ACCOUNT, "size", type="integer"), "height", type="integer")
        await publish(owner, both)
        write = 'mutation { createAccount(input: {name: "A"}) { account { name } userErrors { code } } }'
        assert (await there.data(write))["createAccount"]["account"] == {"name": "A"}, (
            "planned again on the new version"
        )
        await publish(owner, with_field(ACCOUNT, "size", type="integer"), loss=["account.height"])
        gone = 'mutation { createAccount(input: {name: "B", height: 1}) { account { name } userErrors { code } } }'
        found = await there.ask(gone)
        assert found["errors"][0]["extensions"]["code"] == "SCHEMA_CHANGED"
        assert await there.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 1}}


async def test_an_answer_tells_of_a_new_head(place: str, owner: Client) -> None:
    if "#" not in place:
        return
    async with opened_house(place, last=False) as other:
        there = Client(other, owner.token)
        await there.data("{ accounts { totalCount } }")
        await publish(owner, with_field(ACCOUNT, "size", type="integer"))
        namespace = (await there.actor()).namespace
        await there.data("{ accounts { totalCount } }")
        for _ in range(1_000):
            if (await other.runtime.companies.head(namespace)).version == 2:
                break
            await asyncio.sleep(0.02)
        assert (await other.runtime.companies.head(namespace)).version == 2


async def test_renamed_fields_keep_their_values(house: House) -> None:
    owner = await found_company(house, SALES)
    await owner.data('mutation { createAccount(input: {name: "A", revenue: 3}) { userErrors { code } } }')
    renamed = deepcopy(ACCOUNT)
    renamed["properties"]["turnover"] = {**renamed["properties"].pop("revenue"), "x-was": ["revenue"]}
    done = await publish(owner, renamed)
    assert [change["was"] for change in done["changes"] if change["kind"] == "RENAMED"] == ["revenue"]
    both = await owner.data("{ accounts { nodes { turnover revenue } } }")
    assert both == {"accounts": {"nodes": [{"turnover": "3.0000", "revenue": "3.0000"}]}}


async def test_faults_lead_into_the_documents(owner: Client) -> None:
    broken = with_field(ACCOUNT, "backer", **{"x-type": "referense", "x-entity": "nobody"})
    found = await publish(owner, broken, {"kind": "entity", "name": "x", "propertys": {}})
    assert (found["version"], found["changes"]) == (None, [])
    paths = {tuple(error["path"][:4]) for error in found["userErrors"]}
    assert {("entity", "account", "properties", "backer"), ("entity", "x", "propertys")} <= paths
    assert all(error["code"].startswith("DOCUMENT_") and error["message"] for error in found["userErrors"])
    assert (await owner.administer("{ catalogVersion }")) == {"catalogVersion": 1}


async def test_losses_are_asked_for(house: House) -> None:
    owner = await found_company(house, SALES)
    await owner.data('mutation { createAccount(input: {name: "A", revenue: 3}) { userErrors { code } } }')
    without = deepcopy(ACCOUNT)
    del without["properties"]["revenue"]
    preview = "query($d: [JSON!]!) { preview(documents: $d) { changes { kind loss } userErrors { code details } } }"
    seen = (await owner.administer(preview, d=[without]))["preview"]
    assert {"kind": "REMOVED", "loss": "account.revenue"} in seen["changes"]
    assert seen["userErrors"] == [{"code": "DOCUMENT_LOSS", "details": {"allowLoss": "account.revenue"}}]
    assert (await publish(owner, without))["userErrors"][0]["code"] == "DOCUMENT_LOSS"
    assert (await publish(owner, without, loss=["account.revenue"]))["version"] == 2
    assert await owner.code("{ accounts { nodes { revenue } } }") == "BAD_USER_INPUT"


async def test_versions_guard_a_publish(owner: Client) -> None:
    assert (await publish(owner, with_field(ACCOUNT, "size", type="integer"), v=1))["version"] == 2
    late = await publish(owner, with_field(ACCOUNT, "size", type="number"), v=1)
    by = (await owner.actor()).member_id
    told = {"version": 2, "authorId": by}
    assert [(error["code"], error["details"]) for error in late["userErrors"]] == [("CONFLICT", told)]
    same = await publish(owner, with_field(ACCOUNT, "size", type="integer"), v=2)
    assert (same["version"], same["changes"]) == (2, [])
    versions = await owner.administer("{ versions(first: 1) { version authorId createdAt hash } }")
    assert versions["versions"][0]["version"] == 2
    assert versions["versions"][0]["authorId"] == (await owner.actor()).member_id


async def test_removed_entities_are_gone(owner: Client) -> None:
    without = deepcopy(OPPORTUNITY)
    del without["properties"]["products"]
    done = await publish(owner, without, r=[{"kind": "entity", "name": "product"}])
    assert done["userErrors"] == []
    assert await owner.code("{ products { totalCount } }") == "BAD_USER_INPUT"
    back = await publish(owner, PRODUCT)
    assert back["userErrors"] == []
    assert await owner.data("{ products { totalCount } }") == {"products": {"totalCount": 0}}


async def test_a_changed_role_counts_at_once(owner: Client, seller: Client) -> None:
    assert await seller.code("{ accounts { nodes { revenue } } }") == "BAD_USER_INPUT"
    role = {"kind": "role", "name": "seller", "title": "Seller", "entities": {"account": {"read": True}}}
    assert (await publish(owner, role))["userErrors"] == []
    assert await seller.data("{ accounts { nodes { revenue } } }") == {"accounts": {"nodes": []}}
    assert await seller.code("{ opportunities { totalCount } }") == "BAD_USER_INPUT"


async def test_nobody_raises_himself_by_a_role(owner: Client) -> None:
    config = {
        "kind": "role",
        "name": "config",
        "title": "Config",
        "platform": ["documents.publish", "roles.manage"],
        "entities": {"account": {"read": True}},
    }
    assert (await publish(owner, config))["userErrors"] == []
    clerk = await hire(owner, "Con", "config")
    more = {**config, "platform": [*config["platform"], "members.manage"]}
    wider = {**config, "entities": {"*": {"read": True, "update": True}}}
    fresh = {**wider, "name": "fresh"}
    for role in (more, wider, fresh):
        refused = await publish(clerk, role)
        assert (refused["version"], refused["userErrors"][0]["path"]) == (None, ["role", role["name"]])
    less = {**config, "entities": {}}
    assert (await publish(clerk, less))["userErrors"] == []
    seller = await hire(owner, "Sue", "seller")
    refused_outright = await seller.admin(PUBLISH, d=[less])
    assert refused_outright["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_writes_go_on_while_publishing(house: House, owner: Client) -> None:
    text = "mutation($n: String) { createAccount(input: {name: $n}) { account { id } userErrors { code } } }"
    errors: list[Any] = []
    done = 0

    async def write(worker: int) -> None:
        nonlocal done
        for turn in range(12):
            found = await owner.ask(text, n=f"{worker}-{turn}")
            if "errors" in found or found["data"]["createAccount"]["userErrors"]:
                errors.append(found)
            else:
                done += 1

    async def change() -> None:
        for turn in range(3):
            found = await publish(
                owner, with_field(ACCOUNT, f"size{turn}", type="integer"), loss=[f"account.size{turn - 1}"]
            )
            assert found["userErrors"] == []

    await asyncio.gather(write(1), write(2), write(3), change())
    assert errors == []
    assert await owner.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": done}}


async def test_a_reader_that_is_behind_never_shows_what_was_left_behind(place: str, owner: Client) -> None:
    """A retyped field's old column is written no more: a replica that has not heard of it asks again at the head."""
    if "#" not in place:
        return
    await publish(owner, with_field(ACCOUNT, "size", type="string"))
    await owner.data('mutation { createAccount(input: {name: "A", size: "1"}) { account { id } } }')
    async with opened_house(place, last=False) as other:
        there = Client(other, owner.token)
        read = "{ accounts { nodes { size } } }"
        assert await there.data(read) == {"accounts": {"nodes": [{"size": "1"}]}}
        other.runtime.companies.moved = lambda *_: None  # type: ignore[method-assign]  # it hears of nothing
        done = await publish(owner, with_field(ACCOUNT, "size", type="integer"))
        assert (done["version"], done["userErrors"]) == (3, [])
        await owner.data("mutation { updateAccounts(filter: {}, all: true, input: {size: 2}, atMost: 5) { count } }")
        assert await there.data(read) == {"accounts": {"nodes": [{"size": 2}]}}
        await publish(owner, ACCOUNT, loss=["account.size"])
        gone = await there.ask(read)
        assert gone["errors"][0]["extensions"]["code"] == "SCHEMA_CHANGED"


PUBLICATIONS = """{ publications { id state baseVersion version step rowsDone rowsTotal userErrors { code } }
  trash { id kind path removedVersion } }"""


async def test_administration_shows_publications_and_the_trash(owner: Client) -> None:
    await publish(owner, with_field(ACCOUNT, "size", type="string"))
    await owner.data('mutation { createAccount(input: {name: "A", size: "1"}) { account { id } } }')
    await publish(owner, with_field(ACCOUNT, "size", type="integer"))
    found = await owner.administer(PUBLICATIONS)
    (publication,) = found["publications"]
    assert (publication["state"], publication["version"], publication["rowsTotal"]) == ("ACTIVE", 3, 1)
    (trash,) = found["trash"]
    assert (trash["kind"], trash["path"], trash["removedVersion"]) == ("field", "account.size", 3)
    discard = "mutation($id: ID!) { discardTrash(id: $id) { id userErrors { code } } }"
    assert (await owner.administer(discard, id=trash["id"]))["discardTrash"]["userErrors"] == []
    again = (await owner.administer(discard, id=trash["id"]))["discardTrash"]["userErrors"]
    assert [fault["code"] for fault in again] == ["NOT_FOUND"]
    cancel = "mutation($id: ID!) { cancelPublication(id: $id) { publication { state } userErrors { code } } }"
    ended = (await owner.administer(cancel, id=publication["id"]))["cancelPublication"]
    assert [fault["code"] for fault in ended["userErrors"]] == ["CONFLICT"]


async def test_another_version_than_expected_is_told_before_what_follows_from_it(owner: Client) -> None:
    """What is to be removed went with the version that the caller has not read: that is the reason, not his mistake."""
    await publish(owner, with_field(ACCOUNT, "size", type="integer"))
    late = await publish(owner, r=[{"kind": "entity", "name": "nowhere"}], v=1)
    assert [fault["code"] for fault in late["userErrors"]] == ["CONFLICT"]


async def test_an_access_write_goes_on_when_a_publish_came_between(owner: Client) -> None:
    actor = await owner.actor()
    runtime = owner.house.runtime
    known = await owner.house.head(actor.company)
    assert (await publish(owner, with_field(ACCOUNT, "size", type="integer")))["userErrors"] == []

    async def work(writer: Writer) -> str | None:
        """Add a member."""
        return (await add_member(writer, {"name": "Late", "roles": ["owner"]})).id

    assert await write_access(runtime, actor.namespace, known, None, work)
    assert await write_access(runtime, actor.namespace, known, actor, work)
