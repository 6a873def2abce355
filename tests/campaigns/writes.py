"""kill -9 under load: eight clients write, servers die at random and come back, and the books must be right.

SQLite has one server; PostgreSQL has two beside each other, which die in turn.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from pliant.house import House
from pliant.settings import Settings
from storage.names import quoted
from tests.campaigns.books import check_books
from tests.campaigns.budget import Budget, read_budget
from tests.campaigns.writers import DOCUMENTS, Ledger, Writer
from tests.engines import POSTGRES
from tests.programs import PROGRAM, environment

WRITERS = 8
SECRET = "a key for the campaign"

_START_SECONDS = 60.0
_QUIET_SECONDS = 10.0
_LOOK_SECONDS = 0.01


class Server:
    """One server process that is killed and started again on the same port."""

    def __init__(self, folder: Path, more: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment(folder, PLIANT_SECRET_KEY=SECRET, **more)
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        self.url: str | None = None

    async def start(self) -> None:
        """Start it and wait until it tells its address."""
        arguments = ("serve", "--port", str(self._port), "--log", "errors")
        with (self._folder / "stderr").open("ab") as err:
            self._process = await asyncio.create_subprocess_exec(
                *PROGRAM,
                *arguments,
                env=self._environment,
                cwd=self._folder,
                stdout=asyncio.subprocess.PIPE,
                stderr=err,
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _START_SECONDS)
        url = line.decode().removeprefix("url: ").strip()
        if not url:
            raise AssertionError(f"the server does not start: {(self._folder / 'stderr').read_text()[-2000:]}")
        self.url, self._port = url, urlsplit(url).port or 0

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self.url = None
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@asynccontextmanager
async def place(engine: str, folder: Path) -> AsyncIterator[dict[str, str]]:
    """The environment that names the database: the folder's, or one made on the server and dropped afterwards.

    Who may make no database gets the server's own.
    """
    if engine == "sqlite":
        yield {}
        return
    name = f"campaign_{os.getpid()}_{Random(str(folder)).getrandbits(32):x}"
    connection = await asyncpg.connect(POSTGRES)
    try:
        await connection.execute(f"CREATE DATABASE {quoted(name)}")
    except asyncpg.InsufficientPrivilegeError:
        await connection.close()
        yield {"PLIANT_DATABASE_URL": POSTGRES}
        return
    try:
        yield {"PLIANT_DATABASE_URL": urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))}
    finally:
        await connection.execute(f"DROP DATABASE {quoted(name)} WITH (FORCE)")
        await connection.close()


async def siege(budget: Budget, engine: str, folder: Path, kills: int | None = None) -> None:
    """One company on one engine under load, with kills until the time is over (or exactly so many)."""
    async with place(engine, folder) as more:
        settings = Settings(data_dir=folder, database=more.get("PLIANT_DATABASE_URL"), secret_keys=(SECRET,))
        house = await House.open(settings)
        founded = await house.create_company("Campaign", documents=DOCUMENTS)
        await house.close()
        servers = [Server(folder, more) for _ in range(1 if engine == "sqlite" else 2)]
        ledger = Ledger()
        try:
            await asyncio.gather(*(server.start() for server in servers))
            await _load(budget, servers, founded.token, ledger, kills)
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


async def _load(budget: Budget, servers: list[Server], token: str, ledger: Ledger, kills: int | None) -> None:
    """Let all writers write while servers die; returns when every operation has its answer."""

    def urls() -> list[str]:
        return [server.url for server in servers if server.url is not None] or ["http://127.0.0.1:9"]

    stopping = asyncio.Event()
    writers = [Writer(f"w{index}", urls, token, ledger, budget) for index in range(WRITERS)]
    try:
        await writers[0].prepare()
        tasks = [asyncio.create_task(writer.run(lambda: not stopping.is_set())) for writer in writers]
        try:
            await _kill(budget, servers, kills, tasks, ledger)
        finally:
            stopping.set()
            await asyncio.gather(*tasks)
    finally:
        for writer in writers:
            await writer.close()


async def _kill(
    budget: Budget, servers: list[Server], kills: int | None, tasks: list[asyncio.Task[None]], ledger: Ledger
) -> None:
    """Kill one server after the other, each after some more writes and a moment."""
    random = Random(budget.seed)
    done = 0
    while (budget.left if kills is None else done < kills) and not any(task.done() for task in tasks):
        await _written(ledger, random.choice([1, 5, 20, 80]))
        await asyncio.sleep(random.uniform(0, 0.2))
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
        await siege(budget, engine, where, kills)
        print(f"{engine}: {budget.checked} writes, {budget.faults} faults so far", flush=True)


def main() -> int:
    """The campaign as a command."""
    budget = read_budget()
    with tempfile.TemporaryDirectory(prefix="campaign") as folder:
        asyncio.run(campaign(budget, Path(folder)))
    return budget.finish()


if __name__ == "__main__":
    sys.exit(main())
