"""Server processes of a campaign, which are killed and come back, and the database that they share."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from storage.names import quoted
from tests.campaigns.budget import Budget
from tests.cluster import Cluster, NoPrograms, private_cluster
from tests.engines import POSTGRES
from tests.programs import PROGRAM, environment

SECRET = "a key for the campaign"

_START_SECONDS = 60.0
_SAID_CHARS = 5_000


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
            raise AssertionError(f"the server does not start: {self.said}")
        self.url, self._port = url, urlsplit(url).port or 0

    @property
    def said(self) -> str:
        """The end of what it has told of errors, over all its lives."""
        path = self._folder / "stderr"
        return path.read_text()[-_SAID_CHARS:] if path.exists() else ""

    async def kill(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self.url = None
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a campaign's rows live: what the environment says of it, and the cluster when it may be stopped."""

    environment: dict[str, str]
    cluster: Cluster | None = None

    async def restart(self, random: Random, budget: Budget) -> None:
        """The database goes, with or without a last word, and comes back; servers and clients stay."""
        assert self.cluster is not None
        crash = random.random() < 0.5
        await asyncio.to_thread(self.cluster.stop, crash=crash)
        await asyncio.sleep(random.uniform(0, 1.0))
        await asyncio.to_thread(self.cluster.start)
        budget.note("restarts of the database")


@asynccontextmanager
async def place(engine: str, folder: Path, *, own: bool = False) -> AsyncIterator[Place]:
    """The folder, or a database made on the server and dropped afterwards; who may make none gets the server's own.

    `own`: a cluster that may be stopped, where PostgreSQL's programs are there.
    """
    if engine == "sqlite":
        yield Place({})
        return
    with ExitStack() as stack:
        cluster = None
        if own:
            with suppress(NoPrograms):
                cluster = stack.enter_context(private_cluster())
        if cluster is not None:
            yield Place({"PLIANT_DATABASE_URL": cluster.url}, cluster)
            return
    name = f"campaign_{os.getpid()}_{Random(str(folder)).getrandbits(32):x}"
    connection = await asyncpg.connect(POSTGRES)
    try:
        await connection.execute(f"CREATE DATABASE {quoted(name)}")
    except asyncpg.InsufficientPrivilegeError:
        await connection.close()
        yield Place({"PLIANT_DATABASE_URL": POSTGRES})
        return
    try:
        yield Place({"PLIANT_DATABASE_URL": urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))})
    finally:
        await connection.execute(f"DROP DATABASE {quoted(name)} WITH (FORCE)")
        await connection.close()
