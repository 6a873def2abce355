"""The servers of a run: a PostgreSQL, Pliant on it and on SQLite, and the peers. What is given is used, else set up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from benchmarks.cpu import free_port, listener, parent
from tests.cluster import NoPrograms, private_cluster

HERE = Path(__file__).parent
ROOT = HERE.parent
SECRET = "benchmark"
_SETTINGS = {
    "shared_buffers": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_connections": "100",
}


class Skipped(Exception):
    """A part of the benchmark cannot be run here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that answers GraphQL at `url`."""

    url: str
    pid: int
    seconds_to_ready: float = 0.0


async def postmaster(url: str) -> int | None:
    """The process above the backend that a connection gets, when it is on this machine."""
    connection = await asyncpg.connect(url)
    try:
        pid = int(await connection.fetchval("SELECT pg_backend_pid()"))
        local = await connection.fetchval("SELECT inet_server_addr() IS NULL OR inet_server_addr() << '127.0.0.0/8'")
        return parent(pid) if local else None
    finally:
        await connection.close()


@contextmanager
def private_postgres() -> Iterator[str]:
    """A cluster of our own in a temporary folder; its URL. Raises `Skipped` without PostgreSQL's programs."""
    try:
        with private_cluster("crm", _SETTINGS) as cluster:
            yield cluster.url
    except NoPrograms as error:
        raise Skipped(f"{error}, and BENCH_POSTGRES_URL is not set") from error


@contextmanager
def pliant(environment: Mapping[str, str]) -> Iterator[Server]:
    """Pliant as a user starts it, without a line in the log for each request (the peers write none either)."""
    rooms = [path.parent for path in ROOT.glob("*/__init__.py")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *rooms], check=True)  # as pip does when it installs
    port = free_port()
    command = [sys.executable, "-c", "from pliant.cli import main; main()", "serve", "--log", "errors"]
    with _served(
        [*command, "--port", str(port)],
        {**environment, "PLIANT_SECRET_KEY": SECRET, "PYTHONPATH": str(ROOT)},
        f"http://127.0.0.1:{port}",
        "/readyz",
    ) as server:
        yield server


@contextmanager
def postgraphile(url: str) -> Iterator[Server]:
    """PostGraphile: the one given by BENCH_POSTGRAPHILE_URL, else installed by npm. Raises `Skipped`."""
    with _given("BENCH_POSTGRAPHILE_URL") as given:
        if given is not None:
            yield given
            return
    folder = HERE / "peers" / "postgraphile"
    if not (folder / "node_modules" / "postgraphile").exists():
        if shutil.which("npm") is None:
            raise Skipped("PostGraphile: npm is not there, and BENCH_POSTGRAPHILE_URL is not set")
        done = subprocess.run(
            ["npm", "install", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder
        )
        if done.returncode:
            raise Skipped("PostGraphile: npm could not install it")
    node = (folder / "node_modules" / ".bin" / "node").resolve()
    port = free_port()
    settings = {"DATABASE_URL": url, "PORT": str(port), "NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    with _served([node, folder / "server.mjs"], settings, f"http://127.0.0.1:{port}", None) as server:
        yield server


@contextmanager
def strawberry(url: str) -> Iterator[Server]:
    """The hand-written application: BENCH_STRAWBERRY_URL, else in an environment of its own. Raises `Skipped`."""
    with _given("BENCH_STRAWBERRY_URL") as given:
        if given is not None:
            yield given
            return
    place = ROOT / ".venv-bench"
    python = place / "bin" / "python"
    if not python.exists():
        wanted = HERE / "peers" / "strawberry" / "requirements.txt"
        made = subprocess.run([sys.executable, "-m", "venv", place])
        if made.returncode or subprocess.run([python, "-m", "pip", "install", "-qq", "-r", wanted]).returncode:
            shutil.rmtree(place, ignore_errors=True)
            raise Skipped("Strawberry + SQLAlchemy: pip could not install it")
    port = free_port()
    app = ["-m", "uvicorn", "benchmarks.peers.strawberry.app:app", "--loop", "uvloop", "--http", "httptools"]
    settings = {"DATABASE_URL": url, "PYTHONPATH": str(ROOT)}
    with _served(
        [python, *app, "--no-access-log", "--port", str(port)], settings, f"http://127.0.0.1:{port}", None
    ) as server:
        yield server


@contextmanager
def _given(variable: str) -> Iterator[Server | None]:
    url = os.environ.get(variable)
    if not url:
        yield None
        return
    pid = listener(int(url.split(":")[2].split("/")[0]))
    if pid is None:
        raise Skipped(f"{variable}: nothing that we can see listens there")
    yield Server(url, pid)


@contextmanager
def _served(command: list[str | Path], settings: Mapping[str, str], origin: str, ready: str | None) -> Iterator[Server]:
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            try:
                _wait_for(lambda: _answers(origin, ready), process)
            except RuntimeError as error:
                output.seek(0)
                raise RuntimeError(output.read()[-2000:].decode()) from error
            yield Server(f"{origin}/graphql", process.pid, time.monotonic() - started)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def _answers(origin: str, ready: str | None) -> bool:
    request = urllib.request.Request(f"{origin}{ready or '/graphql'}")
    if ready is None:
        request = urllib.request.Request(
            f"{origin}/graphql", b'{"query":"{__typename}"}', {"Content-Type": "application/json"}
        )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait_for(ready: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if ready():
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not answer")
