"""Compiled plans and the stock executor give the same answer to the same operation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pliant.house import House
from schema.desk import Desk
from tests.contract.conftest import SELLER
from tests.engines import ENGINES, place_of
from tests.houses import Client, found_company, hire, opened_house
from tests.schema.samples import SALES

PARTS = """
  totalCount
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor __typename }
  edges { cursor __typename node { id name } }
"""

QUERIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("{ accounts { totalCount nodes { __typename id name sector tags notes version createdAt } } }", {}),
    (f"{{ accounts(first: 2) {{ {PARTS} }} }}", {}),
    (f"{{ accounts(last: 2, orderBy: [{{sector: DESC}}, {{name: ASC}}]) {{ {PARTS} }} }}", {}),
    (f"{{ accounts(first: 0) {{ {PARTS} }} }}", {}),
    (f"{{ accounts(offset: 1, first: 2, orderBy: [{{name: DESC}}]) {{ {PARTS} }} }}", {}),
    ("{ accounts(orderBy: [{parent: {name: ASC_NULLS_FIRST}}, {name: ASC}]) { nodes { name parent { name } } } }", {}),
    ('{ accounts(search: "a") { nodes { name } } }', {}),
    ('{ accounts(filter: {sector: {eq: TECH}, name: {iLike: "a%"}}) { nodes { name } } }', {}),
    ("query($f: AccountFilter) { accounts(filter: $f) { nodes { name } } }", {"f": {"sector": {"neq": "TECH"}}}),
    ("query($f: AccountFilter) { accounts(filter: $f) { nodes { name } } }", {"f": {"or": []}}),
    ("query($f: AccountFilter) { accounts(filter: $f) { nodes { name } } }", {"f": None}),
    (
        "query($f: AccountFilter) { accounts(filter: $f) { nodes { name } } }",
        {"f": {"and": [{"not": {"opportunities": {"some": {"stage": {"eq": "WON"}}}}}, {"tags": {"hasAny": ["x"]}}]}},
    ),
    (
        "{ accounts(orderBy: [{name: ASC}]) { nodes { name opportunities(first: 1, orderBy: [{amount: DESC}]) "
        """{ totalCount pageInfo { hasNextPage endCursor } nodes { name amount account { name } products { nodes {
          name } } } """
        """aggregate { count sum { amount } avg { amount } min { name } max { closeOn } distinctCount { stage } }
          } } } }""",
        {},
    ),
    ("{ opportunities { aggregate { count sum { amount probability } avg { score } distinctCount { name } } } }", {}),
    (
        """{ opportunities(filter: {name: {eq: "none"}}) { nodes { id } aggregate { count sum { amount }
          distinctCount { name } } } }""",
        {},
    ),
    (
        """query($id: ID!) { a: account(id: $id) { ...A } node(id: $id) { __typename id ...A } }
          fragment A on Account { name }""",
        {"id": "acme"},
    ),
    (
        """query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Account { name } ... on Opportunity {
          amount } } }""",
        {"ids": ["acme", "deal", "?"]},
    ),
    ("query($id: ID!) { account(id: $id) { name } node(id: $id) { id } }", {"id": "?"}),
    ("query($s: Boolean!) { accounts { totalCount @skip(if: $s) nodes @include(if: $s) { name } } }", {"s": True}),
    (
        """{ opportunities(deleted: INCLUDE, orderBy: [{name: ASC}]) { nodes { name deletedAt deletedBy { name }
          lines { nodes { text quantity } } } } }""",
        {},
    ),
    ("{ __typename meta { catalogVersion __typename } members { nodes { name status } } teams { totalCount } }", {}),
    ("{ accounts(first: 1) { nodes { name } } accounts(first: 1) { totalCount nodes { id } } }", {}),
)


@pytest.fixture(scope="module", params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where rows are kept."""
    return place_of(request.param, tmp_path_factory.mktemp("paths"))


def by_stock(client: Client) -> Client:
    """The same client of a desk that compiles nothing."""
    return Client(_Other(client.house), client.token)  # type: ignore[arg-type]


class _Other:
    """A house whose desk has compiling switched off."""

    def __init__(self, house: House) -> None:
        self.authenticate = house.authenticate
        self.desk = Desk(replace(house.runtime, compiled=False))
        self.execute = self.desk.execute


async def fill(owner: Client) -> dict[str, str]:
    """Accounts with opportunities; names -> ids."""
    text = """mutation {
      acme: createAccount(input: {name: "Acme", sector: TECH, tags: ["x"], revenue: "10.5", notes: {a: {b:
        [1.5, "é"]}}}) { account { id } userErrors { message } }
      bolt: createAccount(input: {name: "Bolt", tags: ["x", "y"]}) { account { id } userErrors { message } }
      zeta: createAccount(input: {name: "äpfel", sector: RETAIL}) { account { id } userErrors { message } }
    }"""
    ids = {key: made["account"]["id"] for key, made in (await owner.data(text)).items()}
    text = """mutation($a: ID!, $b: ID!) {
      sub: createAccount(input: {name: "Sub", parent: {connect: $a}}) { account { id } userErrors { message } }
      deal: createOpportunity(input: {name: "Deal", account: {connect: $a}, amount: "100.5", stage: WON,
        probability: 10, closeOn: "2026-01-02",
        lines: {create: [{text: "l", quantity: 3}]}}) { opportunity { id } userErrors { message } }
      big: createOpportunity(input: {name: "Big", account: {connect: $a}, amount: "7", score: 1.25, stage:
        PROSPECTING}) { opportunity { id } userErrors { message } }
      none: createOpportunity(input: {name: "None", account: {connect: $b}, score: 2}) { opportunity { id }
        userErrors { message } }
      gone: createOpportunity(input: {name: "Gone"}) { opportunity { id } userErrors { message } }
    }"""
    made = await owner.data(text, a=ids["acme"], b=ids["bolt"])
    ids |= {key: (item.get("opportunity") or item.get("account"))["id"] for key, item in made.items()}
    await owner.data("mutation($id: ID!) { deleteOpportunity(id: $id) { userErrors { code } } }", id=ids["gone"])
    return ids


def given(variables: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Variables with names put into ids."""
    return {
        name: ids.get(value, value)
        if isinstance(value, str)
        else [ids.get(item, item) for item in value]
        if name == "ids"
        else value
        for name, value in variables.items()
    }


async def test_equal_answers(place: str) -> None:
    async with opened_house(place) as house:
        owner = await found_company(house, (*SALES, SELLER))
        ids = await fill(owner)
        seller = await hire(owner, "Sue", "seller")
        for client in (owner, seller):
            other = by_stock(client)
            for text, variables in QUERIES:
                sent = given(variables, ids)
                compiled, stock = await client.send(text, sent), await other.send(text, sent)
                shown = orjson.loads(compiled.body)
                if "errors" in shown:
                    assert compiled.body == stock.body, text  # refused before anything runs
                    assert client is seller
                else:
                    assert shown == orjson.loads(stock.body), text


async def test_cursors_go_from_one_path_to_the_other(place: str) -> None:
    async with opened_house(place) as house:
        owner = await found_company(house, SALES)
        await fill(owner)
        paths = [owner, by_stock(owner)]
        text = """query($after: String, $before: String, $first: Int, $last: Int) {
          accounts(first: $first, after: $after, last: $last, before: $before, orderBy: [{sector: ASC}]) {
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { name } } }"""
        seen: list[str] = []
        after = None
        for turn in range(4):
            pages = [await path.data(text, first=1, after=after) for path in paths]
            assert pages[0] == pages[1]
            page = pages[turn % 2]["accounts"]
            seen += [node["name"] for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            assert page["pageInfo"]["hasNextPage"] is (turn < 3)
            assert page["pageInfo"]["hasPreviousPage"] is (turn > 0)
        assert sorted(seen) == ["Acme", "Bolt", "Sub", "äpfel"]
        back = [await path.data(text, last=2, before=after) for path in paths]
        assert back[0] == back[1]
        assert [node["name"] for node in back[0]["accounts"]["nodes"]] == seen[1:3]


async def test_mixed_operations(place: str) -> None:
    async with opened_house(place) as house:
        owner = await found_company(house, SALES)
        await fill(owner)
        text = """{ viewer { member { name } can(entity: "account") { read purge } }
          accounts(orderBy: [{name: ASC}]) { nodes { __typename name opportunities { nodes { amount } } } }
          __schema { queryType { name } } meta { catalogVersion } }"""
        mixed = await owner.data(text)
        assert list(mixed) == ["viewer", "accounts", "__schema", "meta"]
        records = await owner.data(
            "{ accounts(orderBy: [{name: ASC}]) { nodes { __typename name opportunities { nodes { amount } } } } }"
        )
        assert mixed["accounts"] == records["accounts"]
        assert mixed["viewer"] == {"member": {"name": "Owner"}, "can": [{"read": True, "purge": True}]}


@pytest.fixture(params=ENGINES)
def own_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of one test."""
    return place_of(request.param, tmp_path)


@pytest.fixture
async def two(own_place: str) -> AsyncIterator[tuple[Client, Client]]:
    """Two equal companies, one written through each path."""
    async with opened_house(own_place) as house:
        first, second = await found_company(house, SALES, "One"), await found_company(house, SALES, "Two")
        yield first, by_stock(second)


IDS = re.compile(r'"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"')
INSTANTS = re.compile(r'"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[^"]*"')


async def test_equal_payloads(two: tuple[Client, Client]) -> None:
    steps = (
        """mutation { a: createAccount(input: {name: "A", revenue: 1}) { account { name revenue version }
          userErrors { code } details __typename } }""",
        'mutation { createAccount(input: {name: "A"}) { account { id } userErrors { path code message details } } }',
        "mutation { createAccount(input: {}) { account { id } userErrors { path code message details } } }",
        """mutation { createAccounts(input: [{name: "B"}, {name: "C"}], atomic: false) { count results { account {
          name opportunities { totalCount } } userErrors { code } } userErrors { code } } }""",
        """mutation { updateAccounts(filter: {name: {in: ["B", "C"]}}, input: {sector: TECH}, atMost: 2) {
          count results { account { name sector version } } userErrors { code } } }""",
        """mutation { updateAccounts(filter: {name: {in: ["B", "C"]}}, input: {sector: TECH}) { count results {
          account { name } } userErrors { code path } } }""",
        """mutation { upsertAccount(input: {name: "A", sector: RETAIL}, by: [name]) { account { name sector }
          userErrors { code } } }""",
        """mutation { deleteAccounts(filter: {name: {eq: "C"}}) { count results { account { name deletedAt } }
          userErrors { code } } }""",
        """mutation { createOpportunity(input: {name: "O", account: {create: {name: "N"}}, lines: {create: [{text:
          "l"}]}}) { opportunity { number account { name } lines { nodes { text } } } userErrors { code } } }""",
        "mutation { updateAccounts(filter: {}, input: {}) { count userErrors { code } } }",
        'mutation { updateAccount(id: "?", input: {}) { account { id } userErrors { code path } } }',
    )
    compiled, stock = two
    for text in steps:
        one, other = await compiled.ask(text), await stock.ask(text)
        for found in (one, other):
            for error in found.get("errors", ()):
                error.pop("locations", None)
        assert _plain(one) == _plain(other), text


def _plain(found: Any) -> str:
    for payload in (found["data"] or {}).values():
        if "results" in payload:  # rows found by a filter stand in the order of their ids
            payload["results"].sort(key=orjson.dumps)
    text = orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()
    return INSTANTS.sub('"T"', IDS.sub('"I"', text))
