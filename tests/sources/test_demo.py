"""Generated data and the template that it fills: queries answer, roles see their part, the same seed gives the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from base.errors import BadInput
from sources import CRM, read_template, template_queries
from sources.demo import OPPORTUNITIES, generate
from tests.sources.world import World

DOCUMENTS: tuple[Mapping[str, Any], ...] = read_template(CRM)


def test_titles_are_there_in_both_languages() -> None:
    for document in DOCUMENTS:
        assert document["title"]
        assert document["x-titles"]["zh-Hans"]
        for item in document.get("properties", {}).values():
            assert item["title"]
            assert item["x-titles"]["zh-Hans"]
            assert [choice["value"] for choice in item.get("x-choices", ())] == item.get("enum", [])
            assert all(choice["x-titles"]["zh-Hans"] and choice["color"] for choice in item.get("x-choices", ()))


def test_every_reference_has_a_way_back() -> None:
    ways = {
        (document["name"], name): item.get("x-inverse")
        for document in DOCUMENTS
        for name, item in document.get("properties", {}).items()
        if "x-entity" in item
    }
    assert ways == {
        ("account", "subsidiaryOf"): "subsidiaries",
        ("opportunity", "account"): "opportunities",
        ("opportunity", "product"): "opportunities",
        ("opportunity", "agent"): "opportunities",
    }


async def test_a_year_of_data_and_three_queries(world: World) -> None:
    made = await generate(world.seat, seed=7)
    assert made.counts == {"account": 85, "product": 7, "agent": 35, "opportunity": OPPORTUNITIES}
    actors = {role: await world.house.actor(world.seat.company.id, member) for role, member in made.members.items()}
    queries = dict(template_queries(CRM))
    assert list(queries) == ["1-pipeline", "2-my-open-deals", "3-search-in-chinese"]
    whole = await world.ask(queries["1-pipeline"])
    assert sum(part["totalCount"] for part in whole.values()) == OPPORTUNITIES
    assert all(part["totalCount"] > 20 for part in whole.values())
    seen = {role: await world.ask(queries["1-pipeline"], actor) for role, actor in actors.items()}
    assert 0 < seen["seller"]["won"]["totalCount"] < seen["manager"]["won"]["totalCount"] < whole["won"]["totalCount"]
    deals = (await world.ask(queries["2-my-open-deals"], actors["seller"]))["opportunities"]
    assert len(deals["nodes"]) == 5
    assert all(deal["account"]["name"] for deal in deals["nodes"])
    found = (await world.ask(queries["3-search-in-chinese"], actors["seller"]))["accounts"]
    assert found["totalCount"] == 3
    assert all("上海" in account["name"] for account in found["nodes"])


async def test_a_seller_sees_no_revenue_and_changes_only_what_is_his(world: World) -> None:
    made = await generate(world.seat, rows=300)
    seller = await world.house.actor(world.seat.company.id, made.members["seller"])
    surface = await world.ask('{ __type(name: "Account") { fields { name } } }', seller)
    assert "revenue" not in {field["name"] for field in surface["__type"]["fields"]}
    mine = f'opportunities(filter: {{ownerId: {{eq: "{seller.member_id}"}}}}, first: 1)'
    others = f'opportunities(filter: {{ownerId: {{neq: "{seller.member_id}"}}}}, first: 1)'
    data = await world.ask(f"{{ mine: {mine} {{ nodes {{ id }} }} others: {others} {{ nodes {{ id }} }} }}", seller)
    (own,), (other,) = data["mine"]["nodes"], data["others"]["nodes"]
    answer = await world.ask(reopen(own["id"]), seller)
    assert answer["updateOpportunity"]["opportunity"] == {"stage": "ENGAGING"}
    with pytest.raises(AssertionError, match="FORBIDDEN"):
        await world.ask(reopen(other["id"]), seller)


def reopen(record_id: str) -> str:
    """The mutation that opens a deal again."""
    given = "{closeOn: null, stage: ENGAGING}"
    return f'mutation {{ updateOpportunity(id: "{record_id}", input: {given}) {{ opportunity {{ stage }} }} }}'


async def test_the_same_seed_gives_the_same(world: World) -> None:
    wanted = "number stage engagedOn amount account { name } owner { name }"
    query = f"{{ opportunities(orderBy: [{{number: ASC}}], first: 50) {{ nodes {{ {wanted} }} }} }}"
    await generate(world.seat, seed=3, rows=50)
    first = await world.ask(query)
    with pytest.raises(BadInput, match="does not fit"):
        await generate(world.seat, seed=3, rows=50)
    company = (await world.house.create_company("Second", documents=read_template(CRM))).company
    owner = await world.house.owner(company.id)
    await generate(type(world.seat)(**{**_parts(world), "company": company, "member_id": owner.member_id}), 3, 50)
    assert await world.ask(query, owner) == first


def _parts(world: World) -> dict[str, Any]:
    return {name: getattr(world.seat, name) for name in type(world.seat).__slots__}
