"""The database goes away and comes back: what is asked meanwhile is told to come again, what was begun is finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from base.limits import DEFAULTS
from pliant.house import House
from schema.request import GraphQLRequest
from tests.cluster import Cluster, NoPrograms, private_cluster
from tests.contract.test_publishing import PUBLISH, with_field
from tests.contract.test_publishing_trouble import SHOWN, ended_publication
from tests.houses import Client, found_company, opened_house
from tests.schema.samples import ACCOUNT, SALES

READ = "{ accounts { totalCount } }"
WRITE = 'mutation { createAccount(input: {name: "A"}) { account { id } userErrors { code } } }'
MANY = "mutation($i: [AccountCreateInput!]!) { createAccounts(input: $i) { userErrors { code } } }"

ROWS = 400
LIMITS = replace(DEFAULTS, publish_at_once_rows=0, publish_chunk_rows=10, job_lease_seconds=1.0, request_seconds=5.0)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A PostgreSQL that may be stopped."""
    try:
        with private_cluster() as made:
            yield made
    except NoPrograms as error:
        pytest.skip(str(error))


@pytest.fixture
async def house(cluster: Cluster) -> AsyncIterator[House]:
    """A house on it, in which everything that touches rows is prepared. What is committed outlives a crash."""
    async with opened_house(f"{cluster.url}?synchronous_commit=on#t_", limits=LIMITS, last=False) as made:
        yield made


async def statuses(client: Client, publish: Any) -> list[int]:
    """How a read, a write and a publish are answered."""
    actor = await client.actor()
    replies = [
        await client.house.execute(actor, GraphQLRequest(READ)),
        await client.house.execute(actor, GraphQLRequest(WRITE)),
        await client.house.execute_admin(actor, GraphQLRequest(PUBLISH, variables={"d": [publish]})),
    ]
    return [reply.status for reply in replies]


async def test_a_database_that_is_away_is_told_as_503(house: House, cluster: Cluster) -> None:
    owner = await found_company(house, SALES)
    changed = with_field(ACCOUNT, "size", type="integer")
    await owner.data(WRITE)
    for crash in (False, True):
        await asyncio.to_thread(cluster.stop, crash=crash)
        assert await statuses(owner, changed) == [503, 503, 503]
        await asyncio.to_thread(cluster.start)
        assert await owner.data(READ) == {"accounts": {"totalCount": 1}}, "nothing of the write was kept"
        assert await owner.administer("{ catalogVersion }") == {"catalogVersion": 1}
    assert await statuses(owner, changed) == [200, 200, 200]
    assert await owner.administer("{ catalogVersion }") == {"catalogVersion": 2}


@pytest.mark.parametrize("crash", [False, True])
async def test_a_publication_goes_on_when_the_database_comes_back(house: House, cluster: Cluster, crash: bool) -> None:
    owner = await found_company(house, SALES)
    await owner.administer(PUBLISH, d=[with_field(ACCOUNT, "code", type="string")])
    inputs = [{"name": f"n{number}", "code": str(number)} for number in range(ROWS)]
    assert (await owner.data(MANY, i=inputs))["createAccounts"]["userErrors"] == []
    task = asyncio.create_task(owner.administer(SHOWN, d=[with_field(ACCOUNT, "code", type="integer")]))
    listed: list[Any] = []
    while not listed:
        listed = (await owner.administer("{ publications(first: 1) { id state } }"))["publications"]
    assert listed[0]["state"] == "PREPARING"
    await asyncio.to_thread(cluster.stop, crash=crash)
    await asyncio.to_thread(cluster.start)
    await asyncio.gather(task, return_exceptions=True)  # told of it, or that it is prepared
    assert await ended_publication(owner, listed[0]["id"]) == {"state": "ACTIVE", "version": 3}
    found = await owner.data("{ accounts(first: 500) { nodes { name code } } }")
    assert sorted((node["code"], node["name"]) for node in found["accounts"]["nodes"]) == [
        (number, f"n{number}") for number in range(ROWS)
    ]
