"""The questions of the benchmark, in the words of each server, and the bodies of many requests for each.

* Q1 one record with ten fields · Q2 fifty records filtered by stage, largest first · Q3 twenty accounts, each with its
  ten newest opportunities and their owners, and its contacts · Q5 create a record and read it back · Q6 a page of fifty
  deep in the order, by cursor.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.company import STAGES
from benchmarks.rows import Counts, record_id

QUESTIONS = ("Q1", "Q2", "Q3", "Q5", "Q6")
BODIES = 5_000
"""Different requests that the load generator draws from."""

_CURSORS = 200

_FIELDS = "id name stage amount probability closeDate source createdAt accountId ownerId"
_ROW_FIELDS = _FIELDS.replace("id ", "rowId ", 1)

PLIANT = {
    "Q1": f"query One($id: ID!) {{ opportunity(id: $id) {{ {_FIELDS} }} }}",
    "Q2": "query List($stage: OpportunityStage!) { opportunities(filter: {stage: {eq: $stage}}, "
    f"orderBy: [{{amount: DESC}}], first: 50) {{ nodes {{ {_FIELDS} }} }} }}",
    "Q3": "query Tree($after: String!) { accounts(first: 20, after: $after) { nodes { id name industry city "
    "opportunities(orderBy: [{createdAt: DESC}], first: 10) { nodes { id name stage amount owner { id name } } } "
    "contacts { nodes { id name email } } } } }",
    "Q5": "mutation Make($input: OpportunityCreateInput!) { createOpportunity(input: $input) { opportunity "
    f"{{ {_FIELDS} }} userErrors {{ code path message }} }} }}",
    "Q6": "query Deep($after: String!) { opportunities(orderBy: [{amount: DESC}], first: 50, after: $after) "
    f"{{ nodes {{ {_FIELDS} }} }} }}",
}
POSTGRAPHILE = {
    "Q1": f"query One($id: BigInt!) {{ opportunityByRowId(rowId: $id) {{ {_ROW_FIELDS} }} }}",
    "Q2": "query List($stage: String!) { allOpportunities(condition: {stage: $stage}, orderBy: [AMOUNT_DESC, "
    f"ROW_ID_DESC], first: 50) {{ nodes {{ {_ROW_FIELDS} }} }} }}",
    "Q3": "query Tree($after: BigInt!) { allAccounts(first: 20, filter: {rowId: {greaterThan: $after}}) { nodes "
    "{ rowId name industry city opportunitiesByAccountId(first: 10, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) "
    "{ nodes { rowId name stage amount appUserByOwnerId { rowId name } } } contactsByAccountId(orderBy: [ROW_ID_ASC]) "
    "{ nodes { rowId name email } } } } }",
    "Q5": "mutation Make($input: OpportunityInput!) { createOpportunity(input: {opportunity: $input}) { opportunity "
    f"{{ {_ROW_FIELDS} }} }} }}",
    "Q6": "query Deep($after: Cursor!) { allOpportunities(orderBy: [AMOUNT_DESC, ROW_ID_DESC], first: 50, "
    f"after: $after) {{ nodes {{ {_ROW_FIELDS} }} }} }}",
}
STRAWBERRY = {
    "Q1": f"query One($id: ID!) {{ opportunity(id: $id) {{ {_FIELDS} }} }}",
    "Q2": f"query List($stage: String!) {{ opportunities(stage: $stage, first: 50) {{ {_FIELDS} }} }}",
    "Q3": "query Tree($after: ID!) { accounts(first: 20, after: $after) { id name industry city "
    "opportunities(first: 10) { id name stage amount owner { id name } } contacts { id name email } } }",
    "Q5": f"mutation Make($input: OpportunityInput!) {{ createOpportunity(input: $input) {{ {_FIELDS} }} }}",
    "Q6": "query Deep($amount: Decimal!, $id: ID!) { opportunities(first: 50, after: {amount: $amount, id: $id}) "
    f"{{ {_FIELDS} }} }}",
}

_PLIANT_PAGES = {
    "Q3": "query P($first: Int!, $after: String) { page: accounts(first: $first, after: $after) "
    "{ pageInfo { endCursor } } }",
    "Q6": "query P($first: Int!, $after: String) { page: opportunities(orderBy: [{amount: DESC}], first: $first, "
    "after: $after) { pageInfo { endCursor } } }",
}
_POSTGRAPHILE_PAGES = {
    "Q6": "query P($first: Int!, $after: Cursor) { page: allOpportunities(orderBy: [AMOUNT_DESC, ROW_ID_DESC], "
    "first: $first, after: $after) { pageInfo { endCursor } } }",
}


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends single requests to a server."""

    url: str
    token: str | None = None

    def ask(self, query: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """The `data` of an answer. Raises `ValueError` for one with errors."""
        return data_of(self.send(body_of(query, variables)))

    def send(self, body: str) -> bytes:
        """The bytes of an answer."""
        return self.sized(body)[0]

    def sized(self, body: str) -> tuple[bytes, int]:
        """The bytes of an answer, and how many it is with its head."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        with urllib.request.urlopen(urllib.request.Request(self.url, body.encode(), headers), timeout=60) as answer:
            found: bytes = answer.read()
            return found, len(found) + len("HTTP/1.1 200 OK\r\n") + len(str(answer.headers)) + len(answer.headers)


def data_of(answer: bytes) -> Mapping[str, Any]:
    """The `data` of a GraphQL answer. Raises `ValueError` when it has errors, or a mutation's user errors."""
    found = json.loads(answer)
    refused = [item for item in (found.get("data") or {}).values() if isinstance(item, dict) and item.get("userErrors")]
    if "errors" in found or refused:
        raise ValueError(answer[:500].decode())
    return dict(found["data"])


def body_of(query: str, variables: Mapping[str, Any]) -> str:
    """A request's JSON."""
    return json.dumps({"query": query, "variables": variables}, separators=(",", ":"))


def step(rows: int) -> int:
    """How many rows lie between two places where pages begin: at most so many places in the first half of a list."""
    return max(1, min(1_000, rows // 2 // 20))


def cursors(asker: Asker, query: str, rows: int) -> list[str]:
    """Cursors spread over the first half of a list of so many rows."""
    found: list[str] = []
    after: str | None = None
    for _ in range(min(_CURSORS, rows // 2 // step(rows))):
        after = asker.ask(query, {"first": step(rows), "after": after})["page"]["pageInfo"]["endCursor"]
        assert after is not None
        found.append(after)
    return found


def pliant_bodies(asker: Asker, counts: Counts, numbers: Mapping[str, int], seed: int = 1) -> Mapping[str, list[str]]:
    """Requests to Pliant by question; `numbers` are the entities' numbers in its ids."""
    random = Random(seed)
    pages = {
        "Q3": cursors(asker, _PLIANT_PAGES["Q3"], counts.accounts),
        "Q6": cursors(asker, _PLIANT_PAGES["Q6"], counts.opportunities),
    }

    def given() -> dict[str, Any]:
        return {
            **_new(random),
            "accountId": record_id(random.randint(1, counts.accounts), numbers["account"]),
            "ownerId": record_id(random.randint(1, counts.users), numbers["member"]),
        }

    return _bodies(
        PLIANT,
        {
            "Q1": lambda: {"id": record_id(random.randint(1, counts.opportunities), numbers["opportunity"])},
            "Q2": lambda: {"stage": random.choice(STAGES)},
            "Q3": lambda: {"after": random.choice(pages["Q3"])},
            "Q5": lambda: {"input": given()},
            "Q6": lambda: {"after": random.choice(pages["Q6"])},
        },
    )


def postgraphile_bodies(asker: Asker, counts: Counts, seed: int = 1) -> Mapping[str, list[str]]:
    """Requests to PostGraphile by question."""
    random = Random(seed)
    pages = cursors(asker, _POSTGRAPHILE_PAGES["Q6"], counts.opportunities)
    return _bodies(
        POSTGRAPHILE,
        {
            "Q1": lambda: {"id": str(random.randint(1, counts.opportunities))},
            "Q2": lambda: {"stage": random.choice(STAGES)},
            "Q3": lambda: {"after": str(_account(random, counts))},
            "Q5": lambda: {"input": {**_new(random), **_peer_references(random, counts)}},
            "Q6": lambda: {"after": random.choice(pages)},
        },
    )


def strawberry_bodies(counts: Counts, seed: int = 1) -> Mapping[str, list[str]]:
    """Requests to the hand-written application by question."""
    random = Random(seed)
    return _bodies(
        STRAWBERRY,
        {
            "Q1": lambda: {"id": str(random.randint(1, counts.opportunities))},
            "Q2": lambda: {"stage": random.choice(STAGES)},
            "Q3": lambda: {"after": str(_account(random, counts))},
            "Q5": lambda: {"input": {**_new(random), **_peer_references(random, counts)}},
            "Q6": lambda: {
                "amount": f"{random.randint(250_000, 490_000)}.50",
                "id": str(random.randint(1, counts.opportunities)),
            },
        },
    )


def _bodies(texts: Mapping[str, str], make: Mapping[str, Callable[[], Mapping[str, Any]]]) -> Mapping[str, list[str]]:
    return {name: [body_of(texts[name], make[name]()) for _ in range(BODIES)] for name in QUESTIONS}


def _new(random: Random) -> dict[str, Any]:
    return {
        "name": "Bench opportunity",
        "stage": random.choice(STAGES),
        "amount": "1234.50",
        "probability": 10,
        "closeDate": "2025-03-04",
        "source": "bench",
    }


def _peer_references(random: Random, counts: Counts) -> Mapping[str, str]:
    return {
        "accountId": str(random.randint(1, counts.accounts)),
        "ownerId": str(random.randint(1, counts.users)),
    }


def _account(random: Random, counts: Counts) -> int:
    """Where a page of accounts begins: the places of the cursors, so that all servers read the same rows."""
    between = step(counts.accounts)
    return random.randint(1, min(_CURSORS, counts.accounts // 2 // between)) * between
