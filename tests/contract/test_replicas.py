"""Who serves, as administrators see it."""

from __future__ import annotations

from access.replica import list_replicas
from pliant.house import House
from tests.houses import Client
from tests.waiting import eventually

TEXT = "{ replicas { id release host startedAt seenAt version servedAt } }"


async def test_replicas_are_listed_with_what_they_serve(house: House, owner: Client, seller: Client) -> None:
    assert await owner.administer(TEXT) == {"replicas": []}
    await house.appear()
    (found,) = (await owner.administer(TEXT))["replicas"]
    assert found["id"] == house.presence.process.id
    assert found["release"]
    assert found["host"]
    namespace = (await owner.actor()).namespace
    house.presence.served(namespace, 1)

    async def told() -> bool:
        return (await list_replicas(house.engine, namespace))[0].version == 1

    await eventually(told)
    (found,) = (await owner.administer(TEXT))["replicas"]
    assert found["version"] == 1
    assert found["servedAt"] >= found["startedAt"][:10]
    assert (await seller.admin(TEXT))["errors"][0]["extensions"]["code"] == "FORBIDDEN"
