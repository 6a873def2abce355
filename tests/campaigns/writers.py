"""Clients that write over HTTP while servers die: each operation is sent under one key until it is answered.

A writer owns its deals, so it knows exactly what each answer must be; accounts are shared by all writers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx2

from tests.campaigns.budget import Budget

DOCUMENTS: tuple[Mapping[str, Any], ...] = (
    {
        "kind": "entity", "name": "account", "title": "Account", "type": "object", "x-display": "name",
        "properties": {"name": {"type": "string", "maxLength": 50}, "sector": {"type": "string", "maxLength": 50}},
        "required": ["name"], "x-unique": [["name"]],
    },
    {
        "kind": "entity", "name": "product", "title": "Product", "type": "object", "x-display": "code",
        "properties": {"code": {"type": "string", "maxLength": 20}}, "x-unique": [["code"]],
    },
    {
        "kind": "entity", "name": "deal", "title": "Deal", "type": "object", "x-display": "name",
        "properties": {
            "name": {"type": "string", "maxLength": 100},
            "number": {"x-type": "sequence", "x-pattern": "D-{0000}"},
            "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "deals"},
            "stage": {"enum": ["OPEN", "WON", "LOST"], "default": "OPEN"},
            "amount": {"type": "string", "format": "decimal"},
            "tags": {"x-type": "tags"},
            "lines": {"x-type": "children", "x-entity": "line", "x-inverse": "deal"},
            "products": {"x-type": "references", "x-entity": "product", "x-inverse": "deals"},
        },
        "required": ["name"], "x-unique": [["name"]],
    },
    {
        "kind": "entity", "name": "line", "title": "Line", "type": "object", "x-display": "label",
        "properties": {"label": {"type": "string", "maxLength": 50}, "price": {"type": "string", "format": "decimal"}},
    },
)  # fmt: skip

MANY = 100  # deals that one change by filter looks at
ACCOUNTS = 6
PRODUCTS = 4
LINES = 2
"""Lines of each deal."""

_RESULT = "userErrors { code path message }"
_TEXTS: Mapping[str, str] = {
    "create": "mutation($input: DealCreateInput!, $key: String) { r: createDeal(input: $input, idempotencyKey: $key) "
    "{ deal { id version number } " + _RESULT + " } }",
    "create many": "mutation($input: [DealCreateInput!]!, $key: String) { r: createDeals(input: $input, "
    "idempotencyKey: $key) { count results { deal { id version number } " + _RESULT + " } " + _RESULT + " } }",
    "update": "mutation($id: ID!, $input: DealUpdateInput!, $version: Int, $key: String) { r: updateDeal(id: $id, "
    "input: $input, expectedVersion: $version, idempotencyKey: $key) { deal { version amount } " + _RESULT + " } }",
    "update many": "mutation($filter: DealFilter!, $input: DealUpdateInput!, $key: String) { r: updateDeals("
    "filter: $filter, input: $input, atMost: 1000, idempotencyKey: $key) { count " + _RESULT + " } }",
    "delete": "mutation($id: ID!, $key: String) { r: deleteDeal(id: $id, idempotencyKey: $key) { " + _RESULT + " } }",
    "restore": "mutation($id: ID!, $key: String) { r: restoreDeal(id: $id, idempotencyKey: $key) { deal { version } "
    + _RESULT + " } }",
    "upsert": "mutation($input: AccountCreateInput!, $key: String) { r: upsertAccount(input: $input, by: [name], "
    "idempotencyKey: $key) { account { id name } " + _RESULT + " } }",
    "product": "mutation($input: ProductCreateInput!, $key: String) { r: createProduct(input: $input, "
    "idempotencyKey: $key) { product { id } " + _RESULT + " } }",
}  # fmt: skip

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.05


@dataclass
class Deal:
    """What a deal must be by now."""

    id: str
    name: str
    number: str
    version: int = 1
    amount: str | None = None
    stage: str = "OPEN"
    deleted: bool = False


@dataclass
class Ledger:
    """What all writers have been told was written."""

    deals: dict[str, Deal] = field(default_factory=dict)
    upserts: dict[str, int] = field(default_factory=dict)  # account name -> writes that were acknowledged
    acknowledged: int = 0
    resent: int = 0
    products: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)


class Writer:
    """One client. `urls` are the servers, any of which may be dead at the moment."""

    def __init__(self, name: str, urls: Callable[[], list[str]], token: str, ledger: Ledger, budget: Budget) -> None:
        self._name = name
        self._urls = urls
        self._ledger = ledger
        self._budget = budget
        self._random = Random(f"{budget.seed} {name}")
        self._client = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self._own: list[Deal] = []
        self._count = 0

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    async def prepare(self) -> None:
        """The shared records, made by one writer before the others begin."""
        for index in range(ACCOUNTS):
            self._ledger.upserts[f"acc{index}"] = 0
            answer = await self._upsert(f"acc{index}")
            self._ledger.accounts.append(answer["account"]["id"])
        for index in range(PRODUCTS):
            answer = await self._send("product", {"input": {"code": f"p{index}"}})
            self._ledger.products.append(answer["product"]["id"])

    async def run(self, going: Callable[[], bool]) -> None:
        """Write until told to stop; the operation under way is finished."""
        while going():
            await self._step()

    async def _step(self) -> None:
        random = self._random
        live = [deal for deal in self._own if not deal.deleted]
        gone = [deal for deal in self._own if deal.deleted]
        match random.randint(0, 11):
            case 0 | 1 | 2:
                await self._create()
            case 3:
                await self._create_many()
            case 4 | 5 | 6 if live:
                await self._update(random.choice(live))
            case 7 if live:
                await self._delete(random.choice(live))
            case 8 if gone:
                await self._restore(random.choice(gone))
            case 9 if live:
                await self._update_many(live)
            case 10 if live:
                await self._refused(random.choice(live))
            case _:
                await self._upsert(f"acc{random.randrange(ACCOUNTS)}")

    # -- operations --------------------------------------------------------------------------------------------------

    def _new(self) -> dict[str, Any]:
        self._count += 1
        random, ledger = self._random, self._ledger
        return {
            "name": f"{self._name}-{self._count}",
            "accountId": random.choice([None, *ledger.accounts]),
            "tags": random.sample(["a", "北", 'q"'], random.randint(0, 2)),
            "lines": {"create": [{"label": f"{index}", "price": f"{index}.50"} for index in range(LINES)]},
            "products": {"connect": random.sample(ledger.products, random.randint(0, 2))},
        }

    def _learn(self, made: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        if made["version"] != 1:
            self._budget.fault("a new deal has not version 1", made)
        deal = Deal(made["id"], given["name"], made["number"])
        self._own.append(deal)
        if self._ledger.deals.setdefault(deal.id, deal) is not deal:
            self._budget.fault("two creates gave one record", made, given)

    async def _create(self) -> None:
        given = self._new()
        answer = await self._send("create", {"input": given})
        self._learn(answer["deal"], given)

    async def _create_many(self) -> None:
        given = [self._new() for _ in range(3)]
        answer = await self._send("create many", {"input": given})
        if answer["count"] != 3:
            self._budget.fault("three deals were asked for", answer)
        for made, one in zip(answer["results"], given, strict=True):
            self._learn(made["deal"], one)

    async def _update(self, deal: Deal) -> None:
        amount = f"{self._random.randrange(10**9)}.2500"
        version = deal.version if self._random.random() < 0.5 else None
        variables = {"id": deal.id, "input": {"amount": amount}, "version": version}
        answer = await self._send("update", variables)
        deal.version, deal.amount = deal.version + 1, amount
        if answer["deal"] != {"version": deal.version, "amount": amount}:
            self._budget.fault("an update answers otherwise", answer, deal)

    async def _update_many(self, live: list[Deal]) -> None:
        stage = self._random.choice(["OPEN", "WON", "LOST"])
        # One call changes at most `mutation_rows`, and a quiet machine makes more deals than that.
        some = self._random.sample(live, min(len(live), MANY))
        changed = [deal for deal in some if deal.stage != stage]
        given = {"name": {"in": [deal.name for deal in some]}, "stage": {"neq": stage}}
        answer = await self._send("update many", {"filter": given, "input": {"stage": stage}})
        if answer["count"] != len(changed):
            self._budget.fault("an update of many counts otherwise", answer, changed)
        for deal in changed:
            deal.version, deal.stage = deal.version + 1, stage

    async def _delete(self, deal: Deal) -> None:
        await self._send("delete", {"id": deal.id})
        deal.version, deal.deleted = deal.version + 1, True

    async def _restore(self, deal: Deal) -> None:
        answer = await self._send("restore", {"id": deal.id})
        deal.version, deal.deleted = deal.version + 1, False
        if answer["deal"]["version"] != deal.version:
            self._budget.fault("a restored deal has another version", answer, deal)

    async def _refused(self, deal: Deal) -> None:
        """A name that is taken: nothing is written, and no number is drawn."""
        answer = await self._send("create", {"input": {**self._new(), "name": deal.name}}, expected="NOT_UNIQUE")
        if answer["deal"] is not None:
            self._budget.fault("a second deal of one name", answer, deal)

    async def _upsert(self, name: str) -> Any:
        self._count += 1
        given = {"name": name, "sector": f"{self._name}-{self._count}"}
        answer = await self._send("upsert", {"input": given}, expected="CONFLICT")
        if not answer["userErrors"]:
            self._ledger.upserts[name] += 1
        return answer

    # -- sending -----------------------------------------------------------------------------------------------------

    async def _send(self, kind: str, variables: dict[str, Any], expected: str | None = None) -> Any:
        """The payload of an operation, asked for under one key until it comes; now and then asked for once more."""
        body = {"query": _TEXTS[kind], "variables": {**variables, "key": f"{self._random.getrandbits(64):x}"}}
        answer = await self._answered(body)
        codes = {error["code"] for error in answer["userErrors"]}
        if codes - {expected}:
            self._budget.fault(f"{kind} has user errors", answer, variables)
        self._budget.checked += 1
        self._ledger.acknowledged += 1
        if not codes and self._random.random() < 0.1:
            self._ledger.resent += 1
            again = await self._answered(body)
            if _ids(again) != _ids(answer):
                self._budget.fault(f"{kind} under the same key answers otherwise", answer, again)
        return answer

    async def _answered(self, body: Mapping[str, Any]) -> Any:
        """The answer of whatever server lives; no answer at all, and a key in flight, mean to ask again."""
        last: object = None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    try:
                        url = self._random.choice(self._urls())
                        response = await self._client.post(f"{url}/graphql", json=body)
                        last = found = response.json()
                        if "errors" not in found:
                            return found["data"]["r"]
                        code = found["errors"][0]["extensions"]["code"]
                        if code != "CONFLICT" and response.status_code != 503:
                            self._budget.fault("an error that no client causes", body, found)
                    except httpx2.HTTPError as error:
                        last = repr(error)
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError:
            self._budget.fault("a write is never answered", body, last)
            raise


def _ids(answer: Mapping[str, Any]) -> list[Any]:
    """The ids of the records that a payload shows."""
    records = [answer, *answer.get("results", ())]
    return [
        item[name]["id"] for item in records for name in ("deal", "account", "product") if item.get(name, {}).get("id")
    ]
