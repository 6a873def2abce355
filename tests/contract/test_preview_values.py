"""The preview of fields whose values change with the publish: what it tells is what rows hold afterwards."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from base.limits import DEFAULTS
from resolvers.preview import Preview
from tests.contract.test_preview import previewed
from tests.contract.test_publishing import publish
from tests.houses import Client, found_company, opened_house

APP: dict[str, Any] = {"kind": "app", "name": "app", "title": "Sales"}
FIRM: dict[str, Any] = {
    "kind": "entity", "name": "firm", "title": "Firm", "x-display": "name", "type": "object", "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "code": {"type": "string"},
        "size": {"type": "integer"},
        "tier": {"enum": ["A", "B", "C"]},
        "worth": {"type": "string", "format": "decimal"},
        "parent": {"x-type": "reference", "x-entity": "firm"},
    },
}  # fmt: skip
MANY = "mutation($i: [FirmCreateInput!]!) { createFirms(input: $i) { results { firm { id } } userErrors { message } } }"


@pytest.fixture(params=[DEFAULTS.publish_at_once_rows, 3])
async def owner(place: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """The owner of a company in which tables of more rows are prepared beside the version that is served."""
    async with opened_house(place, limits=replace(DEFAULTS, publish_at_once_rows=request.param)) as house:
        yield await found_company(house, (APP, FIRM))


async def test_a_reference_that_becomes_a_required_number_has_its_default(owner: Client) -> None:
    (first,) = await _filled(owner, {"name": "first"})
    await _filled(owner, *({"name": f"f{number}", "parentId": first} for number in range(5)))
    rule = {"name": "five", "check": "parent == 5", "message": "no", "enforce": "now"}
    wanted = _changed(parent={"type": "integer", "default": 5})
    wanted.update({"required": ["name", "parent"], "x-rules": [rule]})
    found = await previewed(owner, wanted, allow_loss=("firm.parent",))
    assert (found.faults, found.rows) == ((), ())
    await _published(owner, wanted, "firm.parent")
    assert await _values(owner, "parent") == [5] * 6


async def test_a_new_unique_over_texts_that_become_lists_is_judged(owner: Client) -> None:
    await _filled(owner, *({"name": f"f{number}", "code": code} for number, code in enumerate(["x", "y", "x", None])))
    wanted = _changed(code={"x-type": "tags"})
    wanted["x-unique"] = [["code"]]
    found = await previewed(owner, wanted)
    assert _told(found) == {("x-unique", "0"): (2, True)}
    assert [fault.path[2:] for fault in found.faults] == [("x-unique", "0")]
    assert (await publish(owner, wanted))["userErrors"]


async def test_bounds_of_a_field_that_moved_before_are_counted(owner: Client) -> None:
    await _filled(owner, *({"name": f"f{number}", "size": number * 10 or None} for number in range(6)))
    needed = _changed(size={"type": "integer", "default": 7})
    needed["required"] = ["name", "size"]
    await _published(owner, needed)
    await _published(owner, FIRM)
    await _filled(owner, {"name": "late"})
    needed["properties"]["size"]["maximum"] = 15
    assert _told(await previewed(owner, needed)) == {("properties", "size"): (4, False)}
    await _published(owner, needed)
    assert sorted(await _values(owner, "size")) == [7, 7, 10, 20, 30, 40, 50]


async def test_choices_that_go_are_counted_where_others_are_renamed(owner: Client) -> None:
    await _filled(owner, *({"name": f"f{number}", "tier": "ABC"[number % 3]} for number in range(6)))
    await _published(owner, _changed(tier=_choices("A1", "B", "C", was="A")))
    found = await previewed(owner, _changed(tier=_choices("A2", "B", was="A1")))
    assert _told(found) == {("properties", "tier", "enum"): (2, True)}
    await _published(owner, _changed(tier=_choices("A2", "B", "C", was="A1")))
    assert sorted(await _values(owner, "tier")) == ["A2", "A2", "B", "B", "C", "C"]


async def test_what_comes_back_from_the_trash_is_judged_by_its_keywords(owner: Client) -> None:
    await _filled(
        owner, *({"name": f"f{number}", "worth": str(number * 10), "code": "x" * number} for number in range(6))
    )
    without = _changed()
    del without["properties"]["worth"], without["properties"]["code"]
    await _published(owner, without, "firm.worth", "firm.code")
    wanted = _changed(
        worth={"type": "string", "format": "decimal", "maximum": 15},
        code={"type": "string", "maxLength": 3, "pattern": "^(xx)*$"},
    )
    found = await previewed(owner, wanted)
    told = sorted((item.path[-1], item.count, item.query is not None) for item in found.rows)
    assert told == [("code", 2, True), ("code", 3, True), ("worth", 4, True)]
    await _published(owner, wanted)
    assert sorted(map(float, await _values(owner, "worth"))) == [0, 10, 20, 30, 40, 50]


async def test_retired_choices_are_values_like_others(owner: Client) -> None:
    await _filled(owner, *({"name": f"f{number}", "code": "north" if number % 2 else "south"} for number in range(4)))
    listed = {"enum": ["NORTH", "SOUTH"], "x-choices": [{"value": "SOUTH", "retired": True}]}
    assert (await previewed(owner, _changed(code=listed))).rows == ()
    await _published(owner, _changed(code=listed))
    assert sorted(await _values(owner, "code")) == ["NORTH", "NORTH", "SOUTH", "SOUTH"]


async def test_a_choice_found_in_the_trash_that_is_none_any_more_is_not_said(owner: Client) -> None:
    await _published(owner, _changed(parent={"enum": ["A", "B"]}), "firm.parent")
    await _filled(owner, *({"name": f"f{number}", "parent": "AB"[number % 2]} for number in range(4)))
    await _published(owner, FIRM, "firm.parent")
    wanted = _changed(parent={"enum": ["A", "C"]})
    wanted["x-rules"] = [{"name": "r", "check": "name == name && parent == 'B'", "message": "no"}]
    found = await previewed(owner, wanted, allow_loss=("firm.parent",))
    assert _told(found) == {("x-rules", "0"): (4, False)}
    await _published(owner, wanted, "firm.parent")
    assert sorted(await _values(owner, "parent"), key=str) == ["A", "A", None, None]


@pytest.mark.parametrize(("budget", "rows", "scanned"), [(250, 250, None), (4, 4, None), (3, 4, 3), (300, 260, None)])
async def test_scanned_says_how_many_were_looked_at_when_not_all(
    place: str, budget: int, rows: int, scanned: int | None
) -> None:
    async with opened_house(place, limits=replace(DEFAULTS, preview_rows=budget)) as house:
        other = {**copy.deepcopy(FIRM), "name": "shop", "title": "Shop"}
        other["properties"]["parent"]["x-entity"] = "shop"
        owner = await found_company(house, (APP, FIRM, other))
        await _filled(owner, *({"name": f"f{number}"} for number in range(rows)))
        changes = [copy.deepcopy(FIRM), copy.deepcopy(other)]  # the second table is empty: nothing is left to look at
        for document in changes:
            document["properties"]["name"]["pattern"] = "^x"
        (item,) = (await previewed(owner, *changes)).rows
        assert (item.count, item.scanned) == (min(budget, rows), scanned)


@pytest.mark.parametrize(
    "into",
    [
        {"type": "number"},
        {"type": "integer"},
        {"type": "string", "format": "decimal"},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "email"},
        {"x-type": "percent"},
        {"x-type": "tags"},
        {"enum": ["1", "2"]},
    ],
)
async def test_what_a_type_asks_is_not_tested_of_what_was_converted_to_it(place: str, into: dict[str, Any]) -> None:
    async with opened_house(place, limits=replace(DEFAULTS, preview_rows=0)) as house:
        owner = await found_company(house, (APP, FIRM))
        await _filled(owner, {"name": "f"})
        assert (await previewed(owner, _changed(code=into))).rows == ()  # else: not counted, for want of a budget


def _changed(**properties: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(FIRM)
    document["properties"].update(properties)
    return document


def _choices(*values: str, was: str) -> dict[str, Any]:
    return {"enum": list(values), "x-choices": [{"value": values[0], "x-was": [was]}]}


def _told(found: Preview) -> dict[tuple[str, ...], tuple[int | None, bool]]:
    return {item.path[2:]: (item.count, item.blocks) for item in found.rows}


async def _filled(owner: Client, *rows: dict[str, Any]) -> list[str]:
    made = (await owner.data(MANY, i=list(rows)))["createFirms"]
    assert made["userErrors"] == []
    return [item["firm"]["id"] for item in made["results"]]


async def _values(owner: Client, name: str) -> list[Any]:
    return [
        node[name] for node in (await owner.data(f"{{ firms(first: 50) {{ nodes {{ {name} }} }} }}"))["firms"]["nodes"]
    ]


async def _published(owner: Client, document: dict[str, Any], *loss: str) -> None:
    assert (await publish(owner, document, loss=list(loss)))["userErrors"] == []
    actor = await owner.actor()
    assert (await owner.house.head(actor.company)).catalog.documents["entity", "firm"] == document
