"""A house at work, in this process or as one of its own: `python -m tests.contract.busy PLACE TOKEN...`.

As a process it is a release of its own: it knows the migrations of this code and no later ones. It prints a line for
each round, until its standard input ends; whatever is answered with an error ends it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Any

from base.ids import new_id
from tests.contract.test_publishing import publish, with_field
from tests.houses import Client, opened_house
from tests.schema.samples import ACCOUNT

CREATE = """mutation($n: String, $k: String) { createAccount(input: {name: $n}, idempotencyKey: $k) {
  account { id } userErrors { code message } } }"""
UPDATE = """mutation($i: ID!, $n: String) { updateAccount(id: $i, input: {name: $n}) {
  account { name version } userErrors { code message } } }"""
READ = "{ accounts(first: 5, orderBy: [{name: ASC}]) { totalCount nodes { id owner { name } } } meta { position } }"
ADMIN = "{ versions(first: 3) { version } tokens { id } replicas { release } persistedDocuments { id } }"


@dataclass
class Work:
    """What one client has had answered."""

    client: Client
    name: str
    created: int = 0

    async def round(self, turn: int) -> None:
        """Reads, writes, access, configuration. Raises `AssertionError` for anything but a good answer."""
        client, name = self.client, f"{self.name} {turn}"
        key = new_id()
        made = await self._written("createAccount", CREATE, n=name, k=key)
        again = await self._written("createAccount", CREATE, n=name, k=key)
        assert made == again
        self.created += 1
        await self._written("updateAccount", UPDATE, i=made["account"]["id"], n=f"{name} again")
        read = await client.data(READ)
        assert read["accounts"]["totalCount"] >= self.created
        if turn % 3 == 0:
            actor = await client.actor()
            member = await client.house.add_member(actor.company, {"name": name, "roles": ["owner"]})
            await client.house.create_token(actor.company, member, "t", ["owner"])
            text = f"{{ accounts(first: {turn + 1}) {{ nodes {{ id }} }} }}"
            register = "mutation($t: String!) { registerDocument(text: $t) { userErrors { code } } }"
            await client.administer(register, t=text)
            assert (await client.administer(ADMIN))["versions"]
        client.house.presence.served((await client.actor()).namespace, 1 + turn % 2)

    async def _written(self, field: str, text: str, **variables: Any) -> Any:
        payload = (await self.client.data(text, **variables))[field]
        assert payload["userErrors"] == [], payload
        return payload


async def main(place: str, tokens: list[str]) -> None:
    """Work for all companies until standard input ends."""
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    async with opened_house(place, last=False) as house:
        await house.appear()
        works = [Work(Client(house, token), "older") for token in tokens]
        turn, wider = 0, ACCOUNT
        while not ended.done():
            for number, work in enumerate(works):
                await work.round(turn)
                if turn % 5 == 2 and number == 0:
                    wider = with_field(wider, f"size{turn}", type="integer")
                    done = await publish(work.client, wider)
                    assert done["userErrors"] == [], done
            os.write(1, f"{turn} {works[0].created}\n".encode())
            turn += 1


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2:]))
