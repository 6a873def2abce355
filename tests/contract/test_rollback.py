"""Old versions: read, compared, and published again without loss of what was renamed since."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.contract.test_changesets import one
from tests.contract.test_publishing import publish, with_field
from tests.houses import Client, found_company
from tests.schema.samples import ACCOUNT, PRODUCT, SALES

ROLLBACK = """mutation($to: Int!, $l: [String!], $v: Int) { rollback(to: $to, allowLoss: $l, expectedVersion: $v) {
  version changes { kind subject path was } userErrors { path code message details } } }"""
PREVIEW = "query($to: Int!) { previewRollback(to: $to) { changes { kind subject path } userErrors { code } } }"
DIFF = "query($a: Int!, $b: Int!) { versionDiff(from: $a, to: $b) { kind name change was paths before after } }"
VERSION = "query($n: Int!) { version(number: $n) { version authorId documents { kind name body } } }"


@pytest.fixture
async def owner(house: Any) -> Client:
    """The owner of the sales company, whose documents nothing else depends on."""
    return await found_company(house, SALES)


async def documents(owner: Client) -> dict[str, Any]:
    """The head's documents by name."""
    return {item["name"]: item["body"] for item in await one(owner, "{ documents { name body } }")}


async def test_back_to_an_old_version(owner: Client) -> None:
    before = await documents(owner)
    task = {"kind": "entity", "name": "task", "type": "object", "properties": {"name": {"type": "string"}}}
    await publish(owner, with_field(ACCOUNT, "size", type="integer"), task)
    shown = await one(owner, PREVIEW, to=1)
    assert {"kind": "REMOVED", "subject": "entity", "path": ["task"]} in shown["changes"]
    stale = await one(owner, ROLLBACK, to=1, v=1)
    assert (stale["version"], stale["userErrors"][0]["code"]) == (None, "CONFLICT")
    done = await one(owner, ROLLBACK, to=1, v=2)
    assert (done["version"], done["userErrors"]) == (3, [])
    assert await documents(owner) == before
    again = await one(owner, ROLLBACK, to=2)
    assert (again["version"], set(await documents(owner)) - set(before)) == (4, {"task"})


async def test_what_was_renamed_since_keeps_its_values(owner: Client) -> None:
    await owner.data('mutation { createAccount(input: {name: "A", revenue: "7", sector: TECH}) { account { id } } }')
    other = deepcopy(ACCOUNT)
    other["properties"]["turnover"] = {**other["properties"].pop("revenue"), "x-was": ["revenue"]}
    other["properties"]["sector"] |= {"enum": ["SOFTWARE", "RETAIL"]}
    other["properties"]["sector"]["x-choices"] = [{"value": "SOFTWARE", "x-was": ["TECH"]}]
    assert (await publish(owner, other))["userErrors"] == []
    assert await owner.data("{ accounts { nodes { turnover sector } } }") == {
        "accounts": {"nodes": [{"turnover": "7.0000", "sector": "SOFTWARE"}]}
    }
    done = await one(owner, ROLLBACK, to=1)
    assert done["userErrors"] == []
    assert await owner.data("{ accounts { nodes { revenue sector turnover } } }") == {
        "accounts": {"nodes": [{"revenue": "7.0000", "sector": "TECH", "turnover": "7.0000"}]}
    }, "and clients of the newer name go on"
    body = (await documents(owner))["account"]
    assert body["properties"].pop("revenue")["x-was"] == ["turnover"]
    assert body["properties"].pop("sector")["x-choices"] == [{"value": "TECH", "x-was": ["SOFTWARE"]}]
    assert {**body["properties"]}.items() <= ACCOUNT["properties"].items()


async def test_a_renamed_entity_comes_back_with_its_rows(owner: Client) -> None:
    await owner.data('mutation { createProduct(input: {name: "P"}) { product { id } } }')
    good = {**deepcopy(PRODUCT), "name": "good", "x-was": ["product"]}
    changed: list[dict[str, Any]] = [good]
    for document in SALES:
        text = deepcopy(document)
        properties = text.get("properties", {})
        hit = [item for item in properties.values() if item.get("x-entity") == "product"]
        for item in hit:
            item["x-entity"] = "good"
        changed += [text] if hit else []
    assert (await publish(owner, *changed))["userErrors"] == []
    done = await one(owner, ROLLBACK, to=1)
    assert done["userErrors"] == []
    assert await owner.data("{ products { nodes { name } } }") == {"products": {"nodes": [{"name": "P"}]}}


async def test_a_newer_plural_goes_on_answering(owner: Client) -> None:
    await owner.data('mutation { createProduct(input: {name: "P"}) { product { id } } }')
    assert (await publish(owner, {**deepcopy(PRODUCT), "x-plural": "goods"}))["userErrors"] == []
    assert (await one(owner, ROLLBACK, to=1))["userErrors"] == []
    found = await owner.data("{ products { nodes { name } } goods { nodes { name } } }")
    assert found == {"products": {"nodes": [{"name": "P"}]}, "goods": {"nodes": [{"name": "P"}]}}
    assert (await documents(owner))["product"] == {**PRODUCT, "x-pluralWas": ["goods"]}


async def test_a_newer_plural_that_another_one_had_before_is_left_out(owner: Client) -> None:
    product = {**deepcopy(PRODUCT), "x-was": ["ware"]}
    assert (await publish(owner, product))["userErrors"] == []
    account = {**deepcopy(ACCOUNT), "x-plural": "wares"}
    assert (await publish(owner, account))["userErrors"] == []
    assert (await one(owner, ROLLBACK, to=2))["userErrors"] == []
    assert "x-pluralWas" not in (await documents(owner))["account"]


async def test_versions_are_read_and_compared(owner: Client) -> None:
    await publish(owner, with_field(ACCOUNT, "size", type="integer"))
    good = {**deepcopy(PRODUCT), "name": "good", "x-was": ["product"]}
    first = await one(owner, VERSION, n=1)
    assert {item["name"]: item["body"] for item in first["documents"]} == {item["name"]: item for item in SALES}
    (difference,) = await one(owner, DIFF, a=1, b=2)
    assert (difference["kind"], difference["name"], difference["change"]) == ("entity", "account", "ALTERED")
    assert (difference["paths"], difference["before"]) == ([["properties", "size"]], ACCOUNT)
    begun = await one(owner, DIFF, a=0, b=1)
    assert {item["change"] for item in begun} == {"ADDED"}
    back = await one(owner, DIFF, a=1, b=0)
    assert {item["change"] for item in back} == {"REMOVED"}
    assert good["name"] not in {item["name"] for item in begun}
    changed = await one(owner, "{ versions { version changed { name change paths } } }")
    assert [item["version"] for item in changed] == [2, 1]
    assert changed[0]["changed"] == [{"name": "account", "change": "ALTERED", "paths": [["properties", "size"]]}]


@pytest.mark.parametrize("number, code", [(0, "BAD_USER_INPUT"), (-1, "BAD_USER_INPUT"), (7, "NOT_FOUND")])
async def test_there_is_no_such_version(owner: Client, number: int, code: str) -> None:
    for query, name in ((ROLLBACK, "to"), (PREVIEW, "to"), (VERSION, "n")):
        found = await owner.admin(query, **{name: number})
        assert found["errors"][0]["extensions"]["code"] == code
