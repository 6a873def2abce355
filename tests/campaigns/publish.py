"""Publishing under kill -9: two admins reshape a company beside writers and readers while its servers die.

In rounds. In each, servers are killed at random moments and at chosen steps of publications; at its end all of them are
killed at once, and what is in the database must agree with itself; then they come back, and everything is checked.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from access.migrations import CONTROL_MIGRATIONS
from metadata.publishing.publication import open_publication
from pliant.house import COMPANY_MIGRATIONS, Founded, House
from pliant.settings import read_settings
from storage.choice import open_engine
from storage.engine import Engine
from tests.campaigns.admins import Admin
from tests.campaigns.budget import Budget, read_budget
from tests.campaigns.clients import Caller, Ledger, Reader, Writer
from tests.campaigns.publish_books import check_answers, check_history
from tests.campaigns.reshaping import first_documents
from tests.campaigns.servers import SECRET, Place, Server, place
from tests.campaigns.tables import check_tables

SERVERS = 3
WRITERS = 5
READERS = 2
ADMINS = 2
ROUND_SECONDS = 25.0

LIMITS = {
    "PLIANT_LIMIT_PUBLISH_AT_ONCE_ROWS": "30",
    "PLIANT_LIMIT_PUBLISH_CHUNK_ROWS": "10",
    "PLIANT_LIMIT_PUBLISH_WAIT_SECONDS": "1",
    "PLIANT_LIMIT_JOB_LEASE_SECONDS": "2",
}
"""Small enough that tables of some hundred rows take both ways, and that what a dead server held is taken up soon."""

STEPS = ("expand", "fill", "index", "check", "activate")

_WATCH_SECONDS = 4.0
_LOOK_SECONDS = 0.005
_END_SECONDS = 90.0


class Siege:
    """One company, its servers and its clients."""

    def __init__(self, budget: Budget, engine: str, folder: Path, where: Place, servers: int) -> None:
        self.budget = budget
        self.random = Random(f"{budget.seed} {engine}")
        self._tidy = self.random.random() < 0.5  # every second company drops its trash
        environment = {
            "PLIANT_DATA_DIR": str(folder),
            "PLIANT_SECRET_KEY": SECRET,
            **where.environment,
            **LIMITS,
        }
        self.settings = read_settings(environment)
        del environment["PLIANT_SECRET_KEY"]  # a server has it anyway
        self.servers = []
        for number in range(servers):
            own = folder / f"server{number}"
            own.mkdir(parents=True, exist_ok=True)
            self.servers.append(Server(own, environment))
        self._starting = asyncio.Lock()
        self._where = where
        self.ledger = Ledger()
        self.clients: list[Writer | Reader | Admin] = []
        self.allowed: dict[int, set[str]] = {}

    async def found(self) -> Founded:
        """The company, and everybody who works in it."""
        house = await House.open(self.settings)
        try:
            founded = await house.create_company("Campaign", documents=tuple(first_documents().values()))
        finally:
            await house.close()
        given = (self._urls, founded.token, self.ledger, self.budget)
        writers = [Writer(f"w{number}", *given) for number in range(WRITERS)]
        for writer in writers[::2]:
            writer.slow = True
        admins = [Admin(f"a{number}", *given) for number in range(ADMINS)]
        for admin in admins:
            admin.allowed, admin.past, admin.tidy = self.allowed, [], self._tidy
        self.clients = [*writers, *(Reader(f"r{number}", *given) for number in range(READERS)), *admins]
        return founded

    async def start(self) -> None:
        """Start the servers that are dead."""
        async with self._starting:
            await asyncio.gather(*(server.start() for server in self.servers if server.url is None))

    async def kill(self, some: list[Server]) -> None:
        """Kill -9."""
        await asyncio.gather(*(server.kill() for server in some))

    async def round(self, engine: Engine, namespace: str, most: int | None) -> None:
        """Everybody works while servers die, some seconds long or so many times. All servers are dead then."""
        until = time.monotonic() + ROUND_SECONDS

        def going(kills: int) -> bool:
            """Whether it is not over yet."""
            return kills < most if most is not None else self.budget.left and time.monotonic() < until

        stopping = asyncio.Event()
        tasks = [asyncio.create_task(client.run(lambda: not stopping.is_set())) for client in self.clients]
        kills, starting = 0, list[asyncio.Task[None]]()
        try:
            while going(kills) and not any(task.done() for task in tasks):
                await self._moment(engine, namespace)
                if self._where.cluster is not None and self.random.random() < 0.2:
                    await asyncio.gather(*starting)  # a server that finds no database does not start
                    await self._where.restart(self.random, self.budget)
                    continue
                await asyncio.gather(*starting[:-1])
                if not self._alive:
                    await asyncio.gather(*starting)
                some = self._alive if self.random.random() < 0.1 else [self.random.choice(self._alive)]
                await self.kill(some)
                starting.append(asyncio.create_task(self.start()))  # the others go on meanwhile
                kills += 1
                self.budget.note("kills", len(some))
        finally:
            await asyncio.gather(*starting)
            stopping.set()
            await asyncio.gather(*tasks)
        await self.kill(self.servers)

    async def _moment(self, engine: Engine, namespace: str) -> None:
        """When to kill: at a random moment, or when a publication is seen at a chosen step."""
        if self.random.random() < 0.4:
            await asyncio.sleep(self.random.uniform(0.2, 2.5))
            return
        step, until = self.random.choice(STEPS), time.monotonic() + _WATCH_SECONDS
        while time.monotonic() < until:
            found = await open_publication(engine, namespace)
            if found is not None and found.progress.step.startswith(step):
                self.budget.note(f"kills at {step}")
                await asyncio.sleep(self.random.uniform(0, 0.02))
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def settle(self, engine: Engine, namespace: str) -> None:
        """Wait until no publication is open: servers take up what dead ones have left."""
        until = time.monotonic() + _END_SECONDS
        while (found := await open_publication(engine, namespace)) is not None:
            if time.monotonic() > until:
                self.budget.fault("a publication that a dead server left does not end", found)
                return
            await asyncio.sleep(0.1)

    def tell_errors(self) -> None:
        """Print what the servers have told of errors, when there was a fault that they may explain."""
        for number, server in enumerate(self.servers if self.budget.faults else ()):
            if server.said:
                print(f"server {number} told:\n{server.said}", flush=True)

    def callers(self, token: str) -> list[Caller]:
        """One for each server."""
        return [
            Caller(f"c{number}", lambda server=server: [str(server.url)], token, self.ledger, self.budget)  # type: ignore[misc]
            for number, server in enumerate(self.servers)
        ]

    @property
    def _alive(self) -> list[Server]:
        return [server for server in self.servers if server.url is not None]

    def _urls(self) -> list[str]:
        return [str(server.url) for server in self._alive] or ["http://127.0.0.1:9"]


async def siege(
    budget: Budget, engine: str, folder: Path, kills: int | None = None, servers: int = SERVERS, own: bool = False
) -> None:
    """One company on one engine, round after round until the time is over, or one round of so many kills.

    On a cluster of its `own` the database is restarted as well.
    """
    async with place(engine, folder, own=own) as where:
        company = Siege(budget, engine, folder, where, servers)
        founded = await company.found()
        namespace = founded.company.namespace
        settings = company.settings
        rows = open_engine(settings.place, COMPANY_MIGRATIONS, CONTROL_MIGRATIONS, settings.limits)
        await rows.open()
        try:
            await company.start()
            while True:
                await company.round(rows, namespace, kills)
                await check_tables(budget, rows, namespace)
                await company.start()
                await _check(budget, company, rows, founded)
                budget.note(f"{engine}: rounds")
                if kills is not None or not budget.left or budget.faults:
                    break
        finally:
            await company.kill(company.servers)
            company.tell_errors()
            for client in company.clients:
                await client.close()
            await rows.close()
        published = sum(client.published for client in company.clients if isinstance(client, Admin))
        budget.note(f"{engine}: publishes seen", published)
        budget.note(f"{engine}: writes acknowledged", company.ledger.acknowledged)
        budget.note(f"{engine}: reads", company.ledger.reads)


async def _check(budget: Budget, company: Siege, rows: Engine, founded: Founded) -> None:
    """Everything, while nobody works."""
    namespace = founded.company.namespace
    await company.settle(rows, namespace)
    await check_tables(budget, rows, namespace)
    version = await check_history(budget, rows, namespace, company.ledger, company.allowed)
    callers = company.callers(founded.token)
    house = await House.open(company.settings)
    try:
        await check_answers(budget, house, founded.company.id, founded.token, callers)
    finally:
        await house.close()
        for caller in callers:
            await caller.close()
    print(f"version {version}: {budget.checked} checked, {budget.faults} faults so far", flush=True)


async def campaign(budget: Budget, folder: Path) -> None:
    """All engines, one after the other, each with its share of the time."""
    for engine in budget.engines:
        where = folder / engine
        where.mkdir(parents=True, exist_ok=True)
        budget.start(1 / len(budget.engines))
        await siege(budget, engine, where, own=True)


def main() -> int:
    """The campaign as a command."""
    budget = read_budget()
    with tempfile.TemporaryDirectory(prefix="campaign") as folder:
        asyncio.run(campaign(budget, Path(folder)))
    return budget.finish()


if __name__ == "__main__":
    sys.exit(main())
