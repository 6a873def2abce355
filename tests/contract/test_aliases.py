"""An old client after a rename: what it reads, filters, orders and writes by the former names, on both executors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import pytest

from base.errors import DocumentsInvalid
from pliant.house import House
from tests.contract.conftest import SELLER
from tests.houses import Client, found_company, hire, opened_house
from tests.schema.samples import ACCOUNT, OPPORTUNITY, SALES

DEAL_WAS = ["opportunity"]


def reshaped() -> list[dict[str, Any]]:
    """The sales company with its opportunities renamed, and with them fields and a choice value."""
    account, deal = deepcopy(ACCOUNT), deepcopy(OPPORTUNITY)
    deal.update({"name": "deal", "x-plural": "deals", "x-was": DEAL_WAS})
    renames = {"amount": "value", "account": "customer", "stage": "phase", "name": "label"}
    deal["properties"] = {
        renames.get(name, name): {**prop, **({"x-was": [name]} if name in renames else {})}
        for name, prop in deal["properties"].items()
    }
    phase = deal["properties"]["phase"]
    phase["enum"] = ["PROSPECTING", "CLOSED_WON", "OLD"]
    phase["x-choices"].append({"value": "CLOSED_WON", "x-was": ["WON"]})
    deal["x-display"], deal["required"] = "label", ["label"]
    account["properties"]["company"] = {**account["properties"].pop("name"), "x-was": ["name"]}
    account.update({"x-display": "company", "required": ["company"], "x-unique": [["company"]]})
    return [account, deal]


@pytest.fixture(params=[True, False], ids=["compiled", "stock"])
async def old_client(place: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client that knows the names from before the rename; two records are there from then."""
    async with opened_house(place, compiled=request.param) as house:
        client = await found_company(house, SALES)
        made = await client.data(CREATE_OLD, i=OLD_INPUT)
        assert made["createOpportunity"]["userErrors"] == []
        company = (await client.actor()).company
        await house.publish(company, reshaped())
        yield client


CREATE_OLD = """mutation($i: OpportunityCreateInput!) {
  createOpportunity(input: $i) { opportunity { id } userErrors { path code message } } }"""
OLD_INPUT = {
    "name": "First",
    "amount": "5",
    "stage": "WON",
    "account": {"create": {"name": "Acme"}},
    "lines": {"create": [{"text": "a line"}]},
}


async def test_it_reads_what_was_there(old_client: Client) -> None:
    found = await old_client.data(
        """{ opportunities(filter: {stage: {eq: WON}, amount: {gte: 1}, account: {name: {eq: "Acme"}}},
                           orderBy: [{account: {name: ASC}}, {amount: DESC}]) {
             nodes { id name amount stage accountId account { name } lines { nodes { text opportunity { name } } } }
             aggregate { sum { amount } max { amount } distinctCount { stage } } } }"""
    )
    (node,) = found["opportunities"]["nodes"]
    assert (node["name"], node["amount"], node["account"]) == ("First", "5.0000", {"name": "Acme"})
    assert node["stage"] == "CLOSED_WON", "answers have the new value"
    assert node["lines"]["nodes"] == [{"text": "a line", "opportunity": {"name": "First"}}]
    aggregate = found["opportunities"]["aggregate"]
    assert (aggregate["sum"], aggregate["distinctCount"]) == ({"amount": "5"}, {"stage": 1})
    one = await old_client.data("query($id: ID!) { opportunity(id: $id) { name } }", id=node["id"])
    assert one == {"opportunity": {"name": "First"}}


async def test_it_writes_under_the_old_names(old_client: Client) -> None:
    text = """mutation {
      createOpportunity(input: {name: "Second", stage: WON, amount: 7, account: {create: {name: "Bolt"}}}) {
        opportunity { id name deal: account { name } } userErrors { path code } }
      updateOpportunities(filter: {stage: {in: [WON]}, name: {eq: "Second"}}, input: {amount: 8}) { count }
      upsertAccount(input: {name: "Bolt", sector: TECH}, by: [name]) { account { name sector } userErrors { path } }
    }"""
    done = await old_client.data(text)
    made = done["createOpportunity"]
    assert (made["userErrors"], made["opportunity"]["deal"]) == ([], {"name": "Bolt"})
    assert done["updateOpportunities"] == {"count": 1}
    assert done["upsertAccount"] == {"account": {"name": "Bolt", "sector": "TECH"}, "userErrors": []}
    assert (await old_client.data("{ accounts { totalCount } }"))["accounts"] == {"totalCount": 2}
    now = await old_client.data('{ deals(filter: {label: {eq: "Second"}}) { nodes { value phase } } }')
    assert now["deals"]["nodes"] == [{"value": "8.0000", "phase": "CLOSED_WON"}]


async def test_variables_hold_old_names_and_values(old_client: Client) -> None:
    found = await old_client.data(
        """query($f: DealFilter, $o: [DealOrderBy!], $s: DealPhase) {
             opportunities(filter: $f, orderBy: $o) { totalCount }
             deals(filter: {phase: {eq: $s}}) { totalCount } }""",
        f={"stage": {"eq": "WON"}, "account": {"name": {"contains": "cm"}}},
        o=[{"amount": "ASC"}, {"account": {"name": "DESC"}}],
        s="WON",
    )
    assert found == {"opportunities": {"totalCount": 1}, "deals": {"totalCount": 1}}


async def test_both_names_in_one_input_are_refused(old_client: Client) -> None:
    for text, field in (
        ('mutation { createDeal(input: {label: "x", name: "y"}) { userErrors { path code } } }', "createDeal"),
        ('mutation { upsertAccount(input: {company: "x", name: "y"}, by: [company]) { userErrors { path code } } }',
         "upsertAccount"),
    ):  # fmt: skip
        (error,) = (await old_client.data(text))[field]["userErrors"]
        assert error == {"path": ["name"], "code": "VALIDATION"}


async def test_both_names_in_one_filter_must_both_hold(old_client: Client) -> None:
    found = await old_client.data('{ deals(filter: {label: {eq: "First"}, name: {eq: "other"}}) { totalCount } }')
    assert found["deals"]["totalCount"] == 0


async def test_the_owner_of_lines_is_renamed_with_its_column(old_client: Client) -> None:
    found = await old_client.data("{ lines { nodes { deal { label } opportunityId dealId } } }")
    (line,) = found["lines"]["nodes"]
    assert line["deal"] == {"label": "First"}
    assert line["opportunityId"] == line["dealId"]


async def test_lists_answer_under_former_plurals(old_client: Client) -> None:
    company = (await old_client.actor()).company
    _, deal = reshaped()
    deal.update({"x-plural": "pipeline", "x-pluralWas": ["deals"]})
    await old_client.house.publish(company, [deal])
    made = await old_client.data(
        """mutation { createDeals(input: [{label: "Second"}]) { count userErrors { code } }
                      updateOpportunities(filter: {label: {eq: "Second"}}, input: {value: 3}) { count } }"""
    )
    assert made == {"createDeals": {"count": 1, "userErrors": []}, "updateOpportunities": {"count": 1}}
    text = "{ deals { totalCount } opportunities { totalCount } pipeline { totalCount } }"
    assert (await old_client.data(text)) == {key: {"totalCount": 2} for key in ("deals", "opportunities", "pipeline")}
    asked = '{ __type(name: "Query") { fields(includeDeprecated: true) { name deprecationReason } } }'
    shown = await old_client.data(asked)
    told = {item["name"]: item["deprecationReason"] for item in shown["__type"]["fields"]}
    assert (told["deals"], told["pipeline"]) == ("Renamed to pipeline.", None)


async def test_a_former_plural_that_somebody_has_now_is_no_alias(old_client: Client) -> None:
    company = (await old_client.actor()).company
    account, deal = reshaped()
    deal["x-pluralWas"] = ["accounts", "account"]
    await old_client.house.publish(company, [deal])
    found = await old_client.data("{ accounts { nodes { company } } }")
    assert found == {"accounts": {"nodes": [{"company": "Acme"}]}}
    account["x-pluralWas"] = ["clients"]
    deal["x-pluralWas"] = ["clients"]
    with pytest.raises(DocumentsInvalid) as caught:
        await old_client.house.publish(company, [account, deal])
    assert [fault.code for fault in caught.value.faults] == ["DOCUMENT_NAME_CLASH"]


async def test_a_name_that_somebody_may_not_see_is_no_alias_for_him(house: House) -> None:
    owner = await found_company(house, (*SALES, SELLER))
    hidden = deepcopy(SELLER)
    del hidden["entities"]["account"]
    opportunity = {**deepcopy(OPPORTUNITY), "x-pluralWas": ["accounts", "deals"]}
    await house.publish((await owner.actor()).company, [hidden, opportunity])
    seller = await hire(owner, "Sue", "seller")
    assert await seller.code("{ accounts { __typename } }") == "BAD_USER_INPUT"
    assert await seller.code('mutation { createAccounts(input: [{name: "x"}]) { count } }') == "BAD_USER_INPUT"
    assert (await seller.data("{ deals { __typename } }"))["deals"] == {"__typename": "OpportunityConnection"}


async def test_one_former_name_of_two_things_is_refused(house: House) -> None:
    client = await found_company(house, SALES)
    account, deal = reshaped()
    deal["properties"]["note"] = {"type": "string", "x-was": ["amount"]}
    with pytest.raises(DocumentsInvalid) as caught:
        await house.publish((await client.actor()).company, [account, deal])
    (fault,) = caught.value.faults
    assert fault.code == "DOCUMENT_NAME_CLASH"
    assert "deal.value" in fault.text.en
    assert "deal.note" in fault.text.en
