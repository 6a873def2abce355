"""A running Pliant: `pliant serve` as a process of its own, on a database made for it and removed afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from tests.engines import POSTGRES

PLIANT = Path(sys.executable).with_name("pliant")
COMPANY = Path(__file__).parent / "company"
READY_SECONDS = 30
STOP_SECONDS = 20
ACCOUNTS, OFFERS = 12, 60
LINE_CHARS = 800
"""Of a longer line of the log only its ends are told."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server with a company. `token` is its owner's, `reader_token` that of a role that sees little."""

    url: str
    token: str
    reader_token: str
    log: Path

    def environment(self, scratch: Path) -> dict[str, str]:
        """What a client in a process of its own gets to know."""
        return {
            **os.environ,
            "PLIANT_URL": self.url,
            "PLIANT_TOKEN": self.token,
            "PLIANT_READER_TOKEN": self.reader_token,
            "PLIANT_SCRATCH": str(scratch),
        }

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of a request without errors. Raises `AssertionError` with the errors."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/graphql", body, headers)) as answer:
            found = json.load(answer)
        assert "errors" not in found, found["errors"]
        return found["data"]

    def faults(self) -> list[str]:
        """Lines of the server's log, with the ends of their traces: it logs faults of its own, and nothing else."""
        lines = [line for line in self.log.read_text("utf-8").splitlines() if line.strip()]
        return [line if len(line) < LINE_CHARS else f"{line[:200]} ... {line[-LINE_CHARS:]}" for line in lines]


@contextmanager
def running(engine: str, folder: Path) -> Iterator[Running]:
    """A server on `sqlite` or `postgresql`, with the company of company/ and some records, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PLIANT_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    environment.pop("PLIANT_DATABASE_URL", None)
    with _database(engine) as url:
        if url is not None:
            environment["PLIANT_DATABASE_URL"] = url
        made = _pliant(environment, "company", "create", "Conformance", "--documents", str(COMPANY))
        reader = _pliant(environment, "member", "add", "Reader", "--role", "reader")
        read = _pliant(environment, "token", "create", reader["member"], "--role", "reader")
        log = folder / "server.log"
        with log.open("wb") as errors, _serving(environment, errors.fileno()) as served:
            server = Running(served, made["token"], read["token"], log)
            _fill(server)
            yield server


def _pliant(environment: Mapping[str, str], *arguments: str) -> dict[str, str]:
    command = [str(PLIANT), *arguments, "--json"]
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


@contextmanager
def _serving(environment: Mapping[str, str], errors: int) -> Iterator[str]:
    command = [str(PLIANT), "serve", "--port", "0", "--log", "errors"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("url: ").strip()
            _await_ready(url)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (OSError, ValueError) as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server at '{url}' is not ready after {READY_SECONDS} s") from error
            time.sleep(0.05)


@contextmanager
def _database(engine: str) -> Iterator[str | None]:
    """The address of a database of our own, dropped afterwards; None on SQLite."""
    if engine == "sqlite":
        yield None
        return
    name = f"pliant_conformance_{secrets.token_hex(4)}"
    asyncio.run(_execute(f'CREATE DATABASE "{name}"'))
    try:
        yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    finally:
        asyncio.run(_execute(f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _execute(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _fill(server: Running) -> None:
    """Records to page through: accounts, and offers with lines."""
    sectors = ("RETAIL", "MEDICAL", "FINANCE")
    accounts = [{"name": f"Account {n:02}", "sector": sectors[n % 3]} for n in range(ACCOUNTS)]
    made = server.ask(
        "mutation ($input: [AccountCreateInput!]!) { createAccounts(input: $input) { results { account { id } } } }",
        {"input": accounts},
    )
    ids = [result["account"]["id"] for result in made["createAccounts"]["results"]]
    offers = [
        {
            "name": f"Offer {n:03}",
            "stage": ("OPEN", "WON", "LOST")[n % 4 % 3],
            "amount": f"{n * 101}.25",
            "closeOn": f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
            "account": {"connect": ids[n % ACCOUNTS]},
            "lines": {"create": [{"title": f"Line {n}.{k}", "quantity": k + 1} for k in range(n % 4)]},
        }
        for n in range(OFFERS)
    ]
    filled = server.ask(
        "mutation ($input: [OfferCreateInput!]!) { createOffers(input: $input) { count userErrors { path message } } }",
        {"input": offers},
    )
    assert filled["createOffers"] == {"count": OFFERS, "userErrors": []}, filled
