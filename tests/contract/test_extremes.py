"""Requests at the edges, found by the campaigns: each once broke an engine or one of the two paths to an answer."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from base.ids import new_id
from pliant.house import House
from tests.contract.test_paths import by_stock
from tests.houses import Client, found_company, hire
from tests.schema.samples import PRODUCT, SALES

MAKE = "mutation($i: OpportunityCreateInput!) { createOpportunity(input: $i) { opportunity { id } } }"


async def test_an_error_that_several_fields_wait_for_is_an_answer(owner: Client) -> None:
    text = '{ accounts(after: "rubbish") { nodes { id } edges { cursor } pageInfo { endCursor } totalCount } }'
    assert await by_stock(owner).code(text) == await owner.code(text) == "BAD_USER_INPUT"


async def test_nodes_of_no_known_entity_are_null(owner: Client) -> None:
    text = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for ids in ([], ["rubbish"], [new_id(4000), new_id(4001)]):
        found = await owner.data(text, ids=ids)
        assert found == await by_stock(owner).data(text, ids=ids) == {"nodes": [None] * len(ids)}


async def test_sums_of_huge_doubles_are_null(owner: Client) -> None:
    for name, score in (("a", 1.7e308), ("b", 1.7e308), ("c", 1.5)):
        await owner.data(MAKE, i={"name": name, "score": score})
    text = "query($f: OpportunityFilter) { opportunities(filter: $f) { aggregate { sum { score } avg { score } } } }"
    for chosen, expected in ((None, None), ({"score": {"lt": 2}}, 1.5)):
        for client in (owner, by_stock(owner)):
            found = (await client.data(text, f=chosen))["opportunities"]["aggregate"]
            assert found == {"sum": {"score": expected}, "avg": {"score": expected}}


async def test_a_row_has_one_cursor_whoever_reads_its_number(owner: Client) -> None:
    for number, score in enumerate((0.0, -0.0, 3, 1e22, 2.0**53, 5e-324, -1.5)):
        await owner.data(MAKE, i={"name": f"{number}", "score": score})
    text = "{ opportunities(orderBy: [{score: DESC}]) { edges { cursor node { score } } } }"
    assert await owner.data(text) == await by_stock(owner).data(text)


async def test_a_rule_may_look_into_the_list_of_another_record(house: House) -> None:
    rows = ["'vip' in account.tags && !('old' in account.parent.tags)"]
    role: dict[str, Any] = {
        "kind": "role", "name": "vips", "title": "VIPs",
        "entities": {"opportunity": {"read": {"rows": rows}}},
    }  # fmt: skip
    owner = await found_company(house, (*SALES, role))
    for tags in (["vip"], ["old"], None):
        account = {"create": {"name": f"{tags}", "tags": tags}}
        await owner.data(MAKE, i={"name": f"{tags}", "account": account})
    reader = await hire(owner, "Ann", "vips")
    for client in (reader, by_stock(reader)):
        found = await client.data("{ opportunities { nodes { name } } }")
        assert found == {"opportunities": {"nodes": [{"name": "['vip']"}]}}


async def test_pages_go_on_behind_a_long_text(owner: Client) -> None:
    long = {**PRODUCT, "properties": {**PRODUCT["properties"], "name": {"x-type": "text", "maxLength": 50_000}}}
    await owner.house.publish((await owner.actor()).company, [long])
    names = sorted([f"{letter}{'长' * 20_000}" for letter in "abc"])
    for name in names:
        await owner.data(
            "mutation($i: ProductCreateInput!) { createProduct(input: $i) { product { id } } }", i={"name": name}
        )
    page = "{ nodes { name } pageInfo { endCursor } }"
    text = f"query($a: String) {{ products(orderBy: [{{name: ASC}}], first: 1, after: $a) {page} }}"
    after, found = None, []
    for _ in names:
        answer = (await owner.data(text, a=after))["products"]
        after = answer["pageInfo"]["endCursor"]
        found += [node["name"] for node in answer["nodes"]]
    assert found == names


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ({"type": "integer"}, {"type": "string"}, 1),
        ({"type": "string"}, {"type": "integer"}, "x"),
        ({"type": "string"}, {"x-type": "long"}, "x"),
        ({"type": "string"}, {"type": "boolean"}, "false"),
        ({"type": "number"}, {"type": "string"}, 1.5),
        ({"x-type": "long"}, {"type": "integer"}, 2**40),
        ({"type": "boolean"}, {"x-type": "uuid"}, True),
    ],
)
async def test_a_cursor_of_a_retyped_field_is_no_longer_valid(house: House, old: Any, new: Any, value: Any) -> None:
    def thing(prop: Any) -> dict[str, Any]:
        return {
            "kind": "entity", "name": "thing", "title": "Thing", "type": "object",
            "properties": {"text": {"type": "string"}, "key": prop},
        }  # fmt: skip

    owner = await found_company(house, [thing(old)])
    for text in "ab":
        await owner.data(
            "mutation($i: ThingCreateInput!) { createThing(input: $i) { thing { id } } }",
            i={"text": text, "key": value},
        )
    query = "query($a: String) { things(orderBy: [{key: ASC}], first: 1, after: $a) { pageInfo { endCursor } } }"
    cursor = (await owner.data(query))["things"]["pageInfo"]["endCursor"]
    await house.publish((await owner.actor()).company, [thing(new)], allow_loss=["thing.key"])
    for client in (owner, by_stock(owner)):
        assert await client.code(query, a=cursor) == "BAD_USER_INPUT"


async def test_an_order_by_variables_names_one_key(owner: Client) -> None:
    asked = [
        ("query($d: PliantOrder) { accounts(orderBy: [{name: $d}]) { totalCount } }", "d"),
        ("query($d: AccountOrderBy) { opportunities(orderBy: [{account: $d}]) { totalCount } }", "d"),
    ]
    for text, name in asked:
        for variables in ({}, {name: None}):
            for client in (owner, by_stock(owner)):
                assert await client.code(text, **variables) == "BAD_USER_INPUT", (text, variables)


async def test_no_double_is_so_large(owner: Client) -> None:
    text = "query($s: Float) { opportunities(filter: {score: {eq: $s}}) { totalCount } }"
    for client in (owner, by_stock(owner)):
        assert await client.code(text, s=10**309) == "BAD_USER_INPUT"
    assert await owner.code(MAKE, i={"name": "a", "score": 10**309}) == "BAD_USER_INPUT"


async def test_a_text_that_no_index_holds_is_too_long(owner: Client) -> None:
    tight = {**PRODUCT, "properties": {**PRODUCT["properties"], "name": {"x-type": "longText"}}, "x-unique": [["name"]]}
    await owner.house.publish((await owner.actor()).company, [tight])
    draw = Random(1)
    name = "".join(chr(draw.randrange(0x4E00, 0x9FA5)) for _ in range(9_000))
    text = "mutation($i: ProductCreateInput!) { createProduct(input: $i) { product { id } } }"
    if owner.house.runtime.engine.dialect == "postgresql":
        assert await owner.code(text, i={"name": name}) == "LIMIT_EXCEEDED"
    else:
        await owner.data(text, i={"name": name})
