"""New rules as the preview counts them against what writes say once they are published, record by record."""

from __future__ import annotations

import copy
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from base.limits import DEFAULTS
from pliant.house import House
from tests.contract.test_preview import previewed
from tests.contract.test_publishing import publish
from tests.houses import Client, found_company, opened_house
from tests.waiting import eventually

APP: dict[str, Any] = {"kind": "app", "name": "app", "title": "Sales"}
KEPT = {"x-onDelete": "keep"}
FIRM: dict[str, Any] = {
    "kind": "entity", "name": "firm", "title": "Firm", "x-display": "name", "type": "object", "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "tier": {"enum": ["A", "B", "C"]},
        "tags": {"x-type": "choices", "items": {"enum": ["HOT", "COLD"]}},
        "worth": {"type": "string", "format": "decimal"},
        "region": {"type": "string"},
        "parent": {"x-type": "reference", "x-entity": "firm", "x-inverse": "daughters", **KEPT},
    },
}  # fmt: skip
CHAT: dict[str, Any] = {
    "kind": "entity", "name": "chat", "title": "Chat", "x-display": "name", "type": "object", "required": ["name"],
    "properties": {"name": {"type": "string"}, "tick": {"type": "integer"}},
}  # fmt: skip
DEAL: dict[str, Any] = {
    "kind": "entity", "name": "deal", "title": "Deal", "x-display": "name", "type": "object", "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "tick": {"type": "integer"},
        "stage": {"enum": ["OPEN", "WON"]},
        "firm": {"x-type": "reference", "x-entity": "firm", "x-inverse": "deals", **KEPT},
        "boss": {"x-type": "reference", "x-entity": "deal", "x-inverse": "followers", **KEPT},
    },
}  # fmt: skip

LEAVES = (
    "firm.tier == 'ALPHA'", "firm.tier != 'B'", "firm.level > 2", "firm.worth >= 100", "firm.place == 'north'",
    "firm.place != null", "firm.parent.tier == 'ALPHA'", "firm.parent.parentId == null", "firm.parentId != null",
    "firm.id == firmId", "firm.name == boss.firm.name", "boss.stage == 'LOST'", "boss.boss.firm.level == 3",
    "'WARM' in firm.tags", "stage == 'LOST'", "size > 4", "boss.size == size", "firm.worth > firm.parent.worth",
    "firmId == null", "firm.createdAt < boss.createdAt", "chat.tick == null",
)  # fmt: skip
"""Conditions in the words of the documents that come: `ALPHA` was A, `WARM` HOT, `LOST` WON; `level` and `size` are new
and have defaults, `place` was region, `worth` and `boss` are found again in the trash, `chat` is a new reference."""


@pytest.fixture(params=[DEFAULTS.publish_at_once_rows, 3])
async def owner(place: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """The owner of a company in which tables of more rows are prepared beside the version that is served."""
    limits = replace(DEFAULTS, publish_at_once_rows=request.param)
    async with opened_house(place, limits=limits) as house:
        yield await found_company(house, (APP, FIRM, CHAT, DEAL))


async def test_rules_over_other_records_are_counted_as_writes_will_judge_them(owner: Client) -> None:
    rng = random.Random(7)
    await _fill(owner, rng)
    await _put_into_the_trash(owner)
    rules = [_rule(rng, number) for number in range(40)]
    documents = _reshaped(rules)
    told = {item.path[-1]: item for item in (await previewed(owner, *documents)).rows if "x-rules" in item.path}
    await _publish(owner, *documents)
    broken = await _touch_all(owner)
    assert 10 < len(broken) <= 40
    for number, rule in enumerate(rules):
        found, failing = told.get(str(number)), broken.get(str(rule["name"]), set())
        assert (found.count if found else 0) == len(failing), rule
        if found is None:
            continue
        samples = {sample.id for sample in found.samples}
        assert samples <= failing, rule
        assert len(samples) == min(5, len(failing)), rule
        assert found.query is not None
        listed = {node["id"] for node in (await owner.data(found.query))["nodes"]}
        assert listed <= failing, rule
        assert len(listed) == min(20, len(failing)), rule


async def test_an_enforced_rule_sees_the_defaults_and_names_that_come_with_it(owner: Client) -> None:
    await _fill(owner, random.Random(8))
    enforced = {"name": "sized", "check": "size == 5 && stage != 'WON'", "message": "no", "enforce": "now"}
    documents = _reshaped([enforced])
    found = await previewed(owner, *documents)
    assert (found.faults, found.rows) == ((), ())
    await _publish(owner, *documents)
    refused = _reshaped([{**enforced, "check": "size == 6"}])
    found = await previewed(owner, *refused)
    assert [(item.count, item.blocks) for item in found.rows] == [(40, True)]
    assert [fault.details["count"] for fault in found.faults] == [40]


NEW: dict[str, dict[str, Any]] = {
    "number": {"type": "integer"},
    "share": {"x-type": "percent"},
    "price": {"type": "string", "format": "decimal"},
    "size": {"type": "number"},
    "done": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "at": {"type": "string", "format": "date-time"},
    "hour": {"type": "string", "format": "time"},
    "words": {"x-type": "tags"},
    "kind": {"enum": ["X", "Y"]},
    "other": {"x-type": "reference", "x-entity": "firm"},
    "who": {"x-type": "member"},
}
CHECKS = (
    "firm.number > 2", "firm.share > 0.5", "firm.price >= 10.5", "1.5 < firm.size", "firm.done", "!firm.done",
    "firm.done == true", "firm.day < closed", "firm.at > createdAt", "createdAt < firm.at", "'a' in firm.words",
    "firm.kind == 'X'", "firm.otherId == firmId", "firm.other.name == name", "firm.whoId == ownerId",
    "opened == null || closed >= opened", "closed < opened", "firm.number + 1 > 2", "(firm.done ? 1 : 2) == 2",
    "name in firm.words", "firm.hour == null", "news.number > 2", "news.done",
)  # fmt: skip


async def test_fields_that_are_still_to_come_have_no_value_whatever_their_type(owner: Client) -> None:
    await _fill(owner, random.Random(11))
    firm, deal, news = copy.deepcopy(FIRM), copy.deepcopy(DEAL), copy.deepcopy(CHAT)
    firm["properties"].update(copy.deepcopy(NEW))
    news.update({"name": "news", "title": "News", "x-plural": "newsList"})
    news["properties"].update({"number": NEW["number"], "done": NEW["done"]})
    deal["properties"].update({"opened": NEW["day"], "closed": NEW["day"]})
    deal["properties"]["news"] = {"x-type": "reference", "x-entity": "news"}
    deal["x-rules"] = [
        {"name": f"r{number}", "check": f"tick == tick && ({check})", "message": "no"}
        for number, check in enumerate(CHECKS)
    ]
    told = {item.path[-1]: item.count for item in (await previewed(owner, firm, news, deal)).rows}
    await _publish(owner, firm, news, deal)
    broken = await _touch_all(owner)
    for number, check in enumerate(CHECKS):
        assert told.get(str(number), 0) == len(broken.get(f"r{number}", ())), check


CONVERTED = (
    "firm.worth > 10.5", "firm.worth == 250.5", "firm.region == 'NORTH'", "firm.region != null", "score > 3",
    "score == 9", "boss.score > score", "boss.score == 9", "firm.rank == '2.5'", "firm.rank == '8'", "rank == null",
    "firm.parent.worth > firm.worth", "rank == firm.rank", "boss.firm.region == firm.region", "stage == 'LOST'",
    "firm.tier == 'A'", "'HOT' in firm.tags", "firm.name in firm.tags", "opened > createdAt",
)  # fmt: skip
"""Conditions after `worth` became a float, `region` a choice, `score` an integer with a default, `opened` a
moment, `tags` tags; `rank` was a text, became an integer, and is a text again, out of the trash where nobody wrote."""


async def test_rules_over_values_that_are_converted_are_counted_record_by_record(owner: Client) -> None:
    rng = random.Random(13)
    firm, deal = await _with_ranks(owner, rng)
    rules: list[dict[str, Any]] = []
    for number in range(30):
        check = CONVERTED[number] if number < len(CONVERTED) else _mixed(rng, 2, CONVERTED)
        rules.append({"name": f"r{number}", "check": f"tick == tick && ({check})", "message": "no"})
    for rule in rules[::4]:
        rule["when"] = _mixed(rng, 1, CONVERTED)
    deal["x-rules"] = rules
    loss = ("firm.region", "deal.score")
    found = await previewed(owner, firm, deal, allow_loss=loss)
    assert found.faults == ()
    told = {item.path[-1]: item for item in found.rows if "x-rules" in item.path}
    await _publish(owner, firm, deal, allow_loss=list(loss))
    broken = await _touch_all(owner)
    assert len(broken) > 20
    for number, rule in enumerate(rules):
        item, failing = told.get(str(number)), broken.get(str(rule["name"]), set())
        assert (item.count if item else 0) == len(failing), rule
        if item is not None:
            assert item.scanned is None
            assert {sample.id for sample in item.samples} <= failing, rule
            assert len(item.samples) == min(5, len(failing)), rule


async def test_what_is_new_of_converted_values_is_told_before_and_refused_after(owner: Client) -> None:
    await _fill(owner, random.Random(14))
    firm, deal = copy.deepcopy(FIRM), copy.deepcopy(DEAL)
    firm["properties"]["worth"] = {"type": "number", "maximum": 100}
    firm["required"] = ["name", "worth"]
    firm["x-rules"] = [{"name": "round", "check": "worth != 5.0", "message": "no", "enforce": "now"}]
    firm["x-unique"] = [["name", "worth"]]
    found = await previewed(owner, firm, deal)
    firms = (await owner.data("{ firms(first: 100) { nodes { id name worth } } }"))["firms"]["nodes"]
    worths = [float(item["worth"]) for item in firms if item["worth"] is not None]
    pairs = [(item["name"], item["worth"]) for item in firms if item["worth"] is not None]
    wanted = {
        ("properties", "worth"): len(firms) - len(worths),
        ("x-rules", "0"): worths.count(5),
        ("x-unique", "0"): sum(pairs.count(pair) > 1 for pair in pairs),
    }
    assert all(wanted.values())
    assert {item.path[2:]: item.count for item in found.rows if item.blocks} == wanted
    (bound,) = (item for item in found.rows if not item.blocks)
    assert (bound.path[2:], bound.count) == (("properties", "worth"), sum(worth > 100 for worth in worths))
    assert {fault.path[2:]: fault.details["count"] for fault in found.faults} == wanted
    refused = await publish(owner, firm, deal)
    assert {tuple(error["path"][2:]) for error in refused["userErrors"]} <= wanted.keys()
    assert {error["code"] for error in refused["userErrors"]} == {"DOCUMENT_ROWS"}


async def _with_ranks(owner: Client, rng: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Records of which values were converted once; the documents that convert them again."""
    firm, deal = copy.deepcopy(FIRM), copy.deepcopy(DEAL)
    for document in (firm, deal):
        document["properties"]["rank"] = {"type": "string"}
    deal["properties"].update({"score": {"type": "string"}, "opened": {"type": "string", "format": "date"}})
    await _publish(owner, firm, deal)
    await _fill(owner, rng)
    for name, document in (("firm", firm), ("deal", deal)):
        for row in await _ids(owner, name):
            await _update(owner, name, row, {"rank": rng.choice([None, "2.5", "8", "8.0", "x"])})
            if name == "deal":
                days = [None, "2020-02-29", "2100-01-01"]
                await _update(
                    owner, name, row, {"score": rng.choice([None, "1", "7", "x"]), "opened": rng.choice(days)}
                )
        document["properties"]["rank"] = {"type": "integer"}
    await _publish(owner, firm, deal, allow_loss=["firm.rank", "deal.rank"])
    for name in ("firm", "deal"):
        for row in rng.sample(await _ids(owner, name), 3):
            await _update(owner, name, row, {"rank": 8})
    for document in (firm, deal):
        document["properties"]["rank"] = {"type": "string"}
    firm["properties"].update(
        worth={"type": "number"}, region={"enum": ["NORTH", "WEST"]}, tags={"x-type": "tags"}, tier={"type": "string"}
    )
    deal["properties"]["score"] = {"type": "integer", "default": 9}
    deal["properties"]["opened"] = {"type": "string", "format": "date-time"}
    deal["properties"]["stage"] = {"enum": ["OPEN", "LOST"], "x-choices": [{"value": "LOST", "x-was": ["WON"]}]}
    deal["required"] = ["name", "score"]
    return firm, deal


async def _ids(owner: Client, name: str) -> list[str]:
    found = (await owner.data(f"{{ {name}s(first: 200) {{ nodes {{ id }} }} }}"))[f"{name}s"]["nodes"]
    return [node["id"] for node in found]


async def _update(owner: Client, name: str, record: str, given: dict[str, Any]) -> None:
    made, kind = f"update{name.title()}", f"{name.title()}UpdateInput"
    query = f"mutation($id: ID!, $i: {kind}!) {{ {made}(id: $id, input: $i) {{ userErrors {{ code }} }} }}"
    assert (await owner.data(query, id=record, i=given))[made]["userErrors"] == []


async def _fill(owner: Client, rng: random.Random) -> None:
    """Firms with parents and deals with bosses; some of each are deleted, and what pointed at them keeps pointing."""
    firms: list[str] = []
    for number in range(16):
        given = {
            "name": f"f{number % 5}",
            "tier": rng.choice(["A", "B", "C", None]),
            "tags": rng.choice([None, [], ["HOT"], ["COLD", "HOT"]]),
            "worth": rng.choice([None, "5", "100", "250.5"]),
            "region": rng.choice([None, "north", "south"]),
            "parentId": rng.choice([None, *firms[-5:]]),
        }
        firms.append(await _create(owner, "firm", given))
    deals: list[str] = []
    for number in range(48):
        deal = {
            "name": f"d{number}",
            "tick": 0,
            "stage": rng.choice(["OPEN", "WON", None]),
            "firmId": rng.choice([None, *firms]),
            "bossId": rng.choice([None, *deals[-7:]]),
        }
        deals.append(await _create(owner, "deal", deal))
    gone = [*(("firm", item) for item in rng.sample(firms, 5)), *(("deal", item) for item in rng.sample(deals, 8))]
    for name, item in gone:
        done = await owner.data(
            f"mutation($id: ID!) {{ delete{name.title()}(id: $id) {{ userErrors {{ code message }} }} }}", id=item
        )
        assert done[f"delete{name.title()}"]["userErrors"] == []


async def _create(owner: Client, name: str, given: dict[str, Any]) -> str:
    made = f"create{name.title()}"
    query = f"mutation($i: {name.title()}CreateInput!) {{ {made}(input: $i) {{ {name} {{ id }} }} }}"
    return str((await owner.data(query, i=given))[made][name]["id"])


async def _put_into_the_trash(owner: Client) -> None:
    firm, deal = copy.deepcopy(FIRM), copy.deepcopy(DEAL)
    del firm["properties"]["worth"]
    del deal["properties"]["boss"]
    await _publish(owner, firm, deal, allow_loss=["firm.worth", "deal.boss"])


def _reshaped(rules: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    firm, deal = copy.deepcopy(FIRM), copy.deepcopy(DEAL)
    fields = firm["properties"]
    fields["tier"] = {"enum": ["ALPHA", "B", "C"], "x-choices": [{"value": "ALPHA", "x-was": ["A"]}]}
    warm = {"enum": ["WARM", "COLD"]}
    fields["tags"] = {"x-type": "choices", "items": warm, "x-choices": [{"value": "WARM", "x-was": ["HOT"]}]}
    fields["place"] = {**fields.pop("region"), "x-was": ["region"]}
    fields["level"] = {"type": "integer", "default": 3}
    firm["required"] = ["name", "level"]
    deal["properties"]["stage"] = {"enum": ["OPEN", "LOST"], "x-choices": [{"value": "LOST", "x-was": ["WON"]}]}
    deal["properties"]["size"] = {"type": "integer", "default": 5}
    deal["properties"]["chat"] = {"x-type": "reference", "x-entity": "chat", "x-inverse": "deals"}
    deal["required"] = ["name", "size"]
    deal["x-rules"] = rules
    return firm, deal


def _rule(rng: random.Random, number: int) -> dict[str, Any]:
    """A rule that every write of `tick` asks for."""
    check = LEAVES[number] if number < len(LEAVES) else _mixed(rng, 3, LEAVES)
    rule = {"name": f"r{number}", "check": f"tick == tick && ({check})", "message": "no"}
    return rule if rng.random() < 0.6 else {**rule, "when": _mixed(rng, 1, LEAVES)}


def _mixed(rng: random.Random, depth: int, leaves: tuple[str, ...]) -> str:
    """A condition of conditions."""
    if not depth or rng.random() < 0.3:
        return rng.choice(leaves)
    left, right = _mixed(rng, depth - 1, leaves), _mixed(rng, depth - 1, leaves)
    return rng.choice([f"({left} && {right})", f"({left} || {right})", f"!({left})"])


async def _publish(owner: Client, *documents: dict[str, Any], allow_loss: list[str] | None = None) -> None:
    """Publish through the administration, and wait until it is served."""
    done = await publish(owner, *documents, loss=allow_loss or [])
    assert done["userErrors"] == [], done
    await eventually(lambda: _serves(owner.house, owner, documents))


async def _serves(house: House, owner: Client, documents: tuple[dict[str, Any], ...]) -> bool:
    head = await house.head((await owner.actor()).company)
    return all(head.catalog.documents[item["kind"], item["name"]] == item for item in documents)


async def _touch_all(owner: Client) -> dict[str, set[str]]:
    """Write each live deal once; rule -> the deals that are refused for it."""
    found = (await owner.data("{ deals(first: 200) { totalCount nodes { id } } }"))["deals"]
    assert found["totalCount"] == 40
    broken: dict[str, set[str]] = defaultdict(set)
    for node in found["nodes"]:
        query = "mutation($id: ID!) { updateDeal(id: $id, input: {tick: 1}) { userErrors { code details } } }"
        for fault in (await owner.data(query, id=node["id"]))["updateDeal"]["userErrors"]:
            assert fault["code"] == "RULE", fault
            broken[fault["details"]["rule"]].add(node["id"])
    return dict(broken)
