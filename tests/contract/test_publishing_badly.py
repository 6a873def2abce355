"""What cannot be published is refused with both sides named, and nothing is half done."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any

import pytest

from pliant.house import House
from tests.contract.test_publishing import publish, with_field
from tests.houses import Client, found_company, opened_house
from tests.schema.samples import ACCOUNT, OPPORTUNITY, SALES

TEXT: dict[str, Any] = {"type": "string"}


def entity(name: str, **properties: Any) -> dict[str, Any]:
    """A small entity document."""
    return {
        "kind": "entity", "name": name, "title": name, "type": "object", "x-plural": f"{name}List",
        "x-display": "label", "properties": {"label": TEXT, **properties},
    }  # fmt: skip


def role(name: str, *includes: str) -> dict[str, Any]:
    """A role that includes others."""
    return {"kind": "role", "name": name, "title": name, "includes": list(includes), "entities": {}}


def children(of: str) -> dict[str, Any]:
    return {"x-type": "children", "x-entity": of}


def reference(to: str, **words: Any) -> dict[str, Any]:
    return {"x-type": "reference", "x-entity": to, **words}


async def refused(owner: Client, *documents: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The faults of a publish, after which the company is as it was."""
    before = await owner.administer("{ catalogVersion documents { kind name body } }")
    done = await publish(owner, *documents, **more)
    assert done["version"] is None, done
    assert await owner.administer("{ catalogVersion documents { kind name body } }") == before
    await owner.data("{ accounts { nodes { name revenue } } opportunities { totalCount } }")
    faults: list[dict[str, Any]] = done["userErrors"]
    assert faults
    return faults


@pytest.mark.parametrize(("name", "told"), [
    ("n\u0430me", "U+0430 CYRILLIC SMALL LETTER A, no letter of a-z"),
    ("\u03bfwner", "U+03BF GREEK SMALL LETTER OMICRON, no letter of a-z"),
    ("l\u0131ne", "U+0131 LATIN SMALL LETTER DOTLESS I, no letter of a-z"),
    ("a" * 64, "has 64 bytes"),
    ("Name2", "a lower-case letter a-z"),
])  # fmt: skip
async def test_names_that_are_none(owner: Client, name: str, told: str) -> None:
    for fault in (
        (await refused(owner, with_field(ACCOUNT, name, type="string")))[0],
        (await refused(owner, entity(name)))[0],
    ):
        assert told in fault["message"]
        assert name in "/".join(fault["path"])
    assert (await publish(owner, with_field(ACCOUNT, "a" * 63, type="string")))["userErrors"] == []


async def test_names_that_people_confuse(owner: Client) -> None:
    (fault,) = await refused(owner, with_field(ACCOUNT, "naMe", type="string"))
    assert {"name", "naMe"} <= set(fault["message"].replace("'", " ").replace("/", " ").split())
    (fault,) = await refused(owner, with_field(with_field(ACCOUNT, "bill1", type="string"), "billl", type="string"))
    assert "bill1" in fault["message"]
    faults = await refused(owner, entity("lineitem"), entity("lineItem"))
    assert faults[0]["details"]["owners"] == ["entity lineItem", "entity lineitem"]


async def test_roles_that_include_each_other(owner: Client) -> None:
    faults = await refused(owner, role("one", "two"), role("two", "three"), role("three", "one"))
    assert [fault["path"] for fault in faults] == [["role", name, "includes", "0"] for name in ("one", "three", "two")]
    assert all("would include itself through" in fault["message"] for fault in faults)


async def test_entities_that_would_own_themselves(owner: Client) -> None:
    """A part needs its owner, so none of a circle could be made first."""
    (fault,) = await refused(owner, entity("folder", folders=children("folder")))
    assert fault["path"] == ["entity", "folder", "properties", "folders"]
    assert "own itself through folder.folders" in fault["message"]
    one, two, three = entity("one", twos=children("two")), entity("two", threes=children("three")), entity("three")
    assert (await publish(owner, one, two, three))["userErrors"] == []
    faults = await refused(owner, entity("three", ones=children("one")))
    told = {"/".join(fault["path"]): fault["message"] for fault in faults}
    assert set(told) == {
        "entity/one/properties/twos", "entity/two/properties/threes", "entity/three/properties/ones",
    }  # fmt: skip
    assert "through three.ones, one.twos, two.threes" in told["entity/three/properties/ones"]


async def test_a_circle_of_cascades_ends(owner: Client) -> None:
    """It is legal; what matters is that deleting ends."""
    cascade = {"x-onDelete": "cascade"}
    hen, egg = entity("hen", egg=reference("egg", **cascade)), entity("egg", hen=reference("hen", **cascade))
    assert (await publish(owner, hen, egg))["userErrors"] == []
    lay = 'mutation { createHen(input: {label: "h", egg: {create: {label: "e"}}}) { hen { id eggId } } }'
    hen_id, egg_id = (await owner.data(lay))["createHen"]["hen"].values()
    close = "mutation($i: ID!, $h: ID) { updateEgg(id: $i, input: {henId: $h}) { userErrors { code } } }"
    assert (await owner.data(close, i=egg_id, h=hen_id))["updateEgg"]["userErrors"] == []
    await owner.data("mutation($i: ID!) { deleteHen(id: $i) { userErrors { code } } }", i=hen_id)
    both = await owner.data("{ henList { totalCount } eggList { totalCount } }")
    assert both == {"henList": {"totalCount": 0}, "eggList": {"totalCount": 0}}


async def test_references_that_need_each_other_say_what_is_missing(owner: Client) -> None:
    """Legal, because rows that were there before satisfy it; without any the first record tells what it lacks."""
    done = await publish(owner, {**entity("hen", egg=reference("egg")), "required": ["egg"]},
                         {**entity("egg", hen=reference("hen")), "required": ["hen"]})  # fmt: skip
    assert done["userErrors"] == []
    text = 'mutation { createHen(input: {egg: {create: {label: "e"}}}) { userErrors { code path } } }'
    (fault,) = (await owner.data(text))["createHen"]["userErrors"]
    assert fault["code"] == "REQUIRED"
    assert fault["path"][-1] in ("hen", "henId")


async def test_what_is_used_elsewhere_is_not_removed(owner: Client) -> None:
    faults = await refused(owner, r=[{"kind": "entity", "name": "product"}])
    (fault,) = [fault for fault in faults if fault["details"].get("removed") == ["entity", "product"]]
    assert fault["details"]["usedBy"] == fault["path"]
    assert fault["path"][:3] == ["entity", "opportunity", "properties"]
    assert "removes entity/product" in fault["message"]
    assert "/".join(fault["path"]) in fault["message"]
    keeper = {**role("keeper"), "entities": {"gadget": {"read": True}}}
    assert (await publish(owner, entity("gadget"), keeper))["userErrors"] == []
    (fault,) = await refused(owner, r=[{"kind": "entity", "name": "gadget"}])
    assert (fault["path"], fault["details"]["removed"]) == (
        ["role", "keeper", "entities", "gadget"], ["entity", "gadget"],
    )  # fmt: skip
    assert (await publish(owner, role("deputy", "keeper")))["userErrors"] == []
    (fault,) = await refused(owner, r=[{"kind": "role", "name": "keeper"}])
    assert (fault["path"], fault["details"]["removed"]) == (["role", "deputy", "includes", "0"], ["role", "keeper"])


async def test_a_field_that_a_rule_or_another_keyword_reads_is_not_removed(owner: Client) -> None:
    ruled = deepcopy(OPPORTUNITY)
    ruled["x-rules"] = [{"name": "worth", "check": "account.revenue != null", "message": "No revenue"}]
    assert (await publish(owner, ruled))["userErrors"] == []
    without = deepcopy(ACCOUNT)
    del without["properties"]["revenue"]
    faults = await refused(owner, without, loss=["account.revenue"])
    used = {"/".join(fault["path"]): fault for fault in faults}
    assert {"entity/opportunity/x-rules/0/check"} <= set(used), used
    for fault in faults:
        assert fault["details"]["removed"] == ["entity", "account", "properties", "revenue"]
        assert "removes entity/account/properties/revenue" in fault["message"]
    renamed = deepcopy(without)
    renamed["properties"]["turnover"] = {**ACCOUNT["properties"]["revenue"], "x-was": ["revenue"]}
    faults = await refused(owner, renamed)
    assert all("is called 'turnover' now" in fault["message"] for fault in faults)


async def test_rows_stand_against_narrower_types_and_new_requirements(house: House) -> None:
    owner = await found_company(house, SALES)
    await owner.data('mutation { createAccount(input: {name: "A", revenue: "3.5"}) { userErrors { code } } }')
    narrower = with_field(ACCOUNT, "revenue", type="integer")
    (fault,) = await refused(owner, narrower)
    assert (fault["code"], fault["details"]["allowLoss"]) == ("DOCUMENT_LOSS", "account.revenue")
    required = {**ACCOUNT, "required": ["name", "sector"]}
    (fault,) = await refused(owner, required)
    assert (fault["code"], fault["details"]["count"]) == ("DOCUMENT_ROWS", 1)
    assert fault["path"] == ["entity", "account", "properties", "sector"]


async def test_of_two_publishes_at_once_one_is_told_of_the_other(place: str, owner: Client) -> None:
    async with opened_house(place, last=False) as other:
        there = Client(other, owner.token)
        await there.data("{ accounts { totalCount } }")
        author = (await owner.actor()).member_id
        for turn in range(3):
            version = (await owner.administer("{ catalogVersion }"))["catalogVersion"]
            one, two = await asyncio.gather(*(
                publish(client, with_field(ACCOUNT, f"f{turn}{name}", type="integer"), v=version,
                        loss=[f"account.f{turn - 1}{last}" for last in "ab"])
                for client, name in ((owner, "a"), (there, "b"))
            ))  # fmt: skip
            lost, won = (one, two) if one["version"] is None else (two, one)
            assert won["version"] == version + 1
            (fault,) = lost["userErrors"]
            assert (fault["code"], fault["details"]) == ("CONFLICT", {"version": version + 1, "authorId": author})
            assert f"published by member {author}" in fault["message"]
