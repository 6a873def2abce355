"""Edges of writing: company fields of members, retired choices, hostile text, unknown names, deep values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from base.errors import BadInput
from metadata.publishing.publish import publish
from metadata.store import Head
from records.command import Create, Delete, Purge, Unshare, Update, UpdateWhere
from tests.engines import ENGINES, place_of
from tests.records.write_world import WriteWorld, faults_of, write_world

MEMBER: dict[str, Any] = {
    "kind": "entity", "name": "member", "title": "Member", "type": "object",
    "properties": {"nick": {"type": "string", "maxLength": 20}},
}  # fmt: skip
TICKET: dict[str, Any] = {
    "kind": "entity", "name": "ticket", "title": "Ticket", "type": "object", "x-display": "title",
    "properties": {
        "title": {"type": "string"},
        "state": {"enum": ["NEW", "OLD"], "x-choices": [{"value": "OLD", "title": "Old", "retired": True}]},
        "origin": {"type": "string", "readOnly": True, "default": "web"},
    },
}  # fmt: skip


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WriteWorld]:
    async with write_world(place_of(request.param, tmp_path)) as made:
        documents = {("entity", "member"): MEMBER, ("entity", "ticket"): TICKET}
        published = await publish(made.engine, made.namespace, Head(made.version, made.catalog), documents)
        made.catalog, made.version = published.catalog, published.version
        yield made


async def test_members_take_values_for_company_fields_only(world: WriteWorld) -> None:
    member = world.members[1]
    assert faults_of(await world.save(Update("member", member, {"nick": "Bo"}))) == []
    row = await world.row("member", member)
    assert (row["nick"], row["name"], row["version"]) == ("Bo", "M", 2)
    for key in ("name", "status", "managerId", "ownerId"):
        assert faults_of(await world.save(Update("member", member, {key: None}))) == [("VALIDATION", (key,))]
    for command in (Delete("member", member), Purge("member", member)):
        with pytest.raises(Exception, match="may not"):
            await world.save(command)


async def test_retired_choices_and_read_only_fields(world: WriteWorld) -> None:
    assert faults_of(await world.save(Create("ticket", {"state": "OLD"}))) == [("VALIDATION", ("state",))]
    assert faults_of(await world.save(Create("ticket", {"origin": "mail"}))) == [("VALIDATION", ("origin",))]
    ticket = await world.create("ticket", title="t", state="NEW")
    assert (await world.row("ticket", ticket))["origin"] == "web"


async def test_hostile_text_is_the_callers_mistake(world: WriteWorld) -> None:
    ticket = await world.create("ticket", title="t")
    for text in ("\x00", "\ud800"):
        with pytest.raises(BadInput):
            await world.save(Create("ticket", {"title": "x"}), key=f"k{text}" if text != "\x00" else "k" * 300)
        saved = await world.save(Unshare("ticket", ticket, "role", text))
        assert faults_of(saved) == []
    assert faults_of(await world.save(Create("ticket", {"title\x00": 1}))) == [("VALIDATION", ("title\x00",))]
    for name in ("nothing", "_log", "ticket; DROP TABLE ticket"):
        with pytest.raises(BadInput):
            await world.save(Create(name, {}))
    saved = await world.save(UpdateWhere("ticket", {"title": {"eq": "' OR 1=1 --"}}, {"title": "y"}, at_most=9))
    assert (saved.results, saved.faults) == ((), ())


async def test_deep_values_are_refused(world: WriteWorld) -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    saved = await world.save(Create("deal", {"name": "d", "extra": deep}))
    assert faults_of(saved) == [("VALIDATION", ("extra",))]
    with pytest.raises(BadInput):
        await world.save(Create("deal", {"name": "d", "extra": deep}), key="deep")
    wide: dict[str, Any] = {"name": "d", "extra": {str(number): [number] for number in range(30_000)}}
    assert faults_of(await world.save(Create("deal", wide))) == [("VALIDATION", ("extra",))]
