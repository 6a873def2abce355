"""kill -9 under load: eight clients write, servers die at random and come back, and the books must be right.

SQLite has one server; PostgreSQL has two beside each other, which die in turn.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from random import Random

from pliant.house import House
from pliant.settings import Settings
from tests.campaigns.books import check_books
from tests.campaigns.budget import Budget, read_budget
from tests.campaigns.servers import SECRET, Place, Server, place
from tests.campaigns.writers import DOCUMENTS, Ledger, Writer

WRITERS = 8

_QUIET_SECONDS = 10.0
_LOOK_SECONDS = 0.01


async def siege(budget: Budget, engine: str, folder: Path, kills: int | None = None, own: bool = False) -> None:
    """One company on one engine under load, with kills until the time is over (or exactly so many).

    On a cluster of its `own` the database is restarted as well.
    """
    async with place(engine, folder, own=own) as where:
        more = where.environment
        settings = Settings(data_dir=folder, database=more.get("PLIANT_DATABASE_URL"), secret_keys=(SECRET,))
        house = await House.open(settings)
        founded = await house.create_company("Campaign", documents=DOCUMENTS)
        await house.close()
        servers = [Server(folder, more) for _ in range(1 if engine == "sqlite" else 2)]
        ledger = Ledger()
        try:
            await asyncio.gather(*(server.start() for server in servers))
            await _load(budget, where, servers, founded.token, ledger, kills)
        finally:
            for server in servers:
                await server.kill()
        house = await House.open(settings)
        try:
            company = founded.company
            head = await house.head(company.id)
            await check_books(budget, house.engine, company.namespace, head.catalog, ledger)
            await house.delete_company(company.id)
        finally:
            await house.close()
        budget.note(f"{engine}: writes acknowledged", ledger.acknowledged)
        budget.note(f"{engine}: keys sent again after their answer", ledger.resent)


async def _load(
    budget: Budget, where: Place, servers: list[Server], token: str, ledger: Ledger, kills: int | None
) -> None:
    """Let all writers write while servers die; returns when every operation has its answer."""

    def urls() -> list[str]:
        return [server.url for server in servers if server.url is not None] or ["http://127.0.0.1:9"]

    stopping = asyncio.Event()
    writers = [Writer(f"w{index}", urls, token, ledger, budget) for index in range(WRITERS)]
    try:
        await writers[0].prepare()
        tasks = [asyncio.create_task(writer.run(lambda: not stopping.is_set())) for writer in writers]
        try:
            await _kill(budget, where, servers, kills, tasks, ledger)
        finally:
            stopping.set()
            await asyncio.gather(*tasks)
    finally:
        for writer in writers:
            await writer.close()


async def _kill(
    budget: Budget,
    where: Place,
    servers: list[Server],
    kills: int | None,
    tasks: list[asyncio.Task[None]],
    ledger: Ledger,
) -> None:
    """Kill one server after the other, each after some more writes and a moment."""
    random = Random(budget.seed)
    done = 0
    while (budget.left if kills is None else done < kills) and not any(task.done() for task in tasks):
        await _written(ledger, random.choice([1, 5, 20, 80]))
        await asyncio.sleep(random.uniform(0, 0.2))
        if where.cluster is not None and random.random() < 0.2:
            await where.restart(random, budget)
            continue
        server = random.choice(servers)
        await server.kill()
        await server.start()
        done += 1
        budget.note("kills")
    await _written(ledger, 20)  # the last server works again for a while


async def _written(ledger: Ledger, more: int) -> None:
    """Wait until so many more writes are acknowledged, but not for ever."""
    wanted = ledger.acknowledged + more
    for _ in range(round(_QUIET_SECONDS / _LOOK_SECONDS)):
        if ledger.acknowledged >= wanted:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def campaign(budget: Budget, folder: Path, kills: int | None = None) -> None:
    """All engines, one after the other, each with its share of the time."""
    for engine in budget.engines:
        where = folder / engine
        where.mkdir(parents=True, exist_ok=True)
        budget.start(1 / len(budget.engines))
        await siege(budget, engine, where, kills, own=True)
        print(f"{engine}: {budget.checked} writes, {budget.faults} faults so far", flush=True)


def main() -> int:
    """The campaign as a command."""
    budget = read_budget()
    with tempfile.TemporaryDirectory(prefix="campaign") as folder:
        asyncio.run(campaign(budget, Path(folder)))
    return budget.finish()


if __name__ == "__main__":
    sys.exit(main())
