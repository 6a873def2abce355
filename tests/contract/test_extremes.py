"""Requests at the edges, found by the campaigns: each once broke an engine or one of the two paths to an answer."""

from __future__ import annotations

from typing import Any

from base.ids import new_id
from pliant.house import House
from tests.contract.test_paths import by_stock
from tests.houses import Client, found_company, hire
from tests.schema.samples import SALES

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
