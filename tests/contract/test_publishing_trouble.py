"""Publishing beside those who will not make way: long readers, and somebody who publishes at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from base.limits import DEFAULTS
from storage.names import quoted
from tests.contract.test_publishing import PUBLISH, with_field
from tests.engines import POSTGRES
from tests.houses import Client, found_company, opened_house
from tests.schema.samples import ACCOUNT, SALES

PREPARED = replace(DEFAULTS, publish_at_once_rows=0, publish_wait_seconds=0.2)
"""Whatever touches rows is prepared."""

READ = "{ accounts { totalCount nodes { name } } }"
WRITE = 'mutation { createAccount(input: {name: "A"}) { account { id } userErrors { code } } }'
STATE = "query($id: ID!) { publication(id: $id) { state version } }"
CANCEL = "mutation($id: ID!) { cancelPublication(id: $id) { publication { state } userErrors { code } } }"
SHOWN = PUBLISH.replace("version changes", "version publication { id state } changes")


@asynccontextmanager
async def long_reader(place: str, owner: Client) -> AsyncIterator[None]:
    """Somebody has read the accounts in a transaction, and does not end it."""
    namespace = (await owner.actor()).namespace
    schema = quoted(place.partition("#")[2] + namespace)
    connection = await asyncpg.connect(POSTGRES)
    try:
        await connection.execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM {schema}.account")
        yield
    finally:
        await connection.close()


async def answered(owner: Client, task: asyncio.Task[Any]) -> None:
    """Until the task is done others read: they are answered while it waits, not after it."""
    reads = 0
    while not task.done():
        await owner.data(READ)
        reads += 1
        await asyncio.sleep(0.01)
    assert reads > 1


async def test_a_publish_waits_for_a_long_reader_and_then_says_so(
    place: str, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "#" not in place:
        return  # readers of SQLite keep nobody waiting
    monkeypatch.setattr("storage.postgres.engine._MIGRATE_SECONDS", 1.0)
    changed = with_field({**ACCOUNT, "x-index": [["size"]]}, "size", type="integer")
    await owner.data(WRITE)
    async with long_reader(place, owner):
        task = asyncio.create_task(owner.admin(PUBLISH, d=[changed]))
        await answered(owner, task)
        (fault,) = (await task)["data"]["publish"]["userErrors"]
        assert fault["code"] == "CONFLICT"
        assert "publish again when it has ended" in fault["message"]
        assert await owner.administer("{ catalogVersion }") == {"catalogVersion": 1}
        assert await owner.code("{ accounts { nodes { size } } }") == "BAD_USER_INPUT"
        task = asyncio.create_task(owner.administer(PUBLISH, d=[changed]))
        await asyncio.sleep(0.2)
    assert (await task)["publish"]["version"] == 2, "it came through when the reader had gone"
    assert await owner.data("{ accounts { nodes { size } } }") == {"accounts": {"nodes": [{"size": None}]}}


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_publication_waits_for_a_long_reader(place: str, cancelled: bool) -> None:
    if "#" not in place:
        return  # readers of SQLite keep nobody waiting
    async with opened_house(place, limits=PREPARED) as house:
        owner = await found_company(house, SALES)
        await owner.data(WRITE)
        async with long_reader(place, owner):
            done = (await owner.administer(SHOWN, d=[{**ACCOUNT, "x-index": [["name"]]}]))["publish"]
            assert (done["version"], done["publication"]["state"]) == (None, "PREPARING")
            await answered(owner, asyncio.create_task(asyncio.sleep(0.5)))
            assert (await owner.data(WRITE.replace('"A"', '"B"')))["createAccount"]["userErrors"] == [], (
                "writers go on too"
            )
            if cancelled:
                await owner.administer(CANCEL, id=done["publication"]["id"])
        ended = await ended_publication(owner, done["publication"]["id"])
        assert ended == ({"state": "CANCELLED", "version": None} if cancelled else {"state": "ACTIVE", "version": 2})
        assert (await owner.data(READ))["accounts"]["totalCount"] == 2


async def ended_publication(owner: Client, publication: str) -> Any:
    """A publication when nothing is left to be done."""
    for _ in range(1_000):
        shown = (await owner.administer(STATE, id=publication))["publication"]
        if shown["state"] not in ("PREPARING", "FAILING", "CANCELLING"):
            return shown
        await asyncio.sleep(0.02)
    pytest.fail("it never ended")


@pytest.mark.parametrize("limits", [DEFAULTS, PREPARED], ids=["at once", "prepared"])
async def test_two_publishes_at_once(place: str, limits: Any) -> None:
    """One of the two is told of the other, whichever way they go; nothing of his is there."""
    async with opened_house(place, limits=limits) as one, opened_house(place, limits=limits, last=False) as two:
        here = await found_company(one, SALES)
        there = Client(two, here.token)
        await here.data(WRITE)
        for number in range(4):
            version = (await here.administer("{ catalogVersion }"))["catalogVersion"]
            names = [f"left{number}x", f"right{number}x"]
            drafts = [
                with_field({**ACCOUNT, "required": ["name", name]}, name, type="string", default="-") for name in names
            ]
            found = await asyncio.gather(
                here.admin(SHOWN, d=[drafts[0]], v=version), there.admin(SHOWN, d=[drafts[1]], v=version)
            )
            won = [index for index, answer in enumerate(found) if _took(answer)]
            assert len(won) == 1, found
            publication = found[won[0]]["data"]["publish"]["publication"]
            if publication is not None:
                await ended_publication(here, publication["id"])
            for client in (here, there):
                assert (await client.administer("{ catalogVersion }"))["catalogVersion"] == version + 1
                read = "{ accounts { nodes { %s } } }"
                assert await client.data(read % names[won[0]]) == {"accounts": {"nodes": [{names[won[0]]: "-"}]}}
                assert await client.code(read % names[1 - won[0]]) == "BAD_USER_INPUT"
            back = await here.administer(SHOWN, d=[ACCOUNT], loss=[f"account.{names[won[0]]}"])
            assert back["publish"]["userErrors"] == []


def _took(answer: Any) -> bool:
    """Whether a publish was done or begun; else it must be a conflict."""
    if "errors" in answer:
        assert answer["errors"][0]["extensions"]["code"] == "CONFLICT", answer
        return False
    payload = answer["data"]["publish"]
    if payload["userErrors"]:
        assert {error["code"] for error in payload["userErrors"]} == {"CONFLICT"}
        return False
    return True
