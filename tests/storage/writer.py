"""A process that writes until it is killed: `python -m tests.storage.writer PLACE NAME CLIENTS`.

Before each write it says nothing, after each acknowledged one it prints the record's id; so whatever was printed must
be in the database for ever.
"""

from __future__ import annotations

import asyncio
import os
import sys

from storage.batch import Applied
from tests.engines import unopened
from tests.storage.shop import MIGRATIONS, batch, change, customer, renamed


async def main(place: str, name: str, clients: int) -> None:
    """Create and rename customers, forever."""
    engine = unopened(place, MIGRATIONS)
    await engine.open()

    async def write(client: int) -> None:
        number = 0
        while True:
            number += 1
            record_id, insert = customer(engine, name=f"{name} {client} {number}")
            assert await engine.apply("shop", batch(insert, changes=(change(record_id),))) == Applied()
            os.write(1, f"{record_id} 1\n".encode())
            update = renamed(record_id, 1, f"{name} {client} {number} again")
            assert await engine.apply("shop", batch(update, changes=(change(record_id, 2),))) == Applied()
            os.write(1, f"{record_id} 2\n".encode())

    async def number_log() -> None:
        while True:
            await engine.sequence("shop")
            await asyncio.sleep(0.005)

    await asyncio.gather(number_log(), *(write(client) for client in range(clients)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
