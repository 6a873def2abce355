"""The limit: pgbench running the very statements that Pliant sends, prepared, on as many connections.

The statements are recorded where the engine sends them. Each recorded request becomes a pgbench script with its own
parameters; pgbench draws among the scripts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from access.migrations import CONTROL_MIGRATIONS
from benchmarks.servers import Skipped
from pliant.house import COMPANY_MIGRATIONS, House
from pliant.settings import Settings
from schema.request import GraphQLRequest
from storage.batch import Batch, Insert, Outcome, Sql, Value
from storage.names import placed
from storage.postgres.engine import PostgresEngine
from storage.postgres.fused import fuse

SCRIPTS = 12
"""So many different requests of each question: each is prepared on each connection."""

_LEAST_SECONDS = 5  # so that preparing does not count
_SESSION = "-c plan_cache_mode=force_generic_plan -c jit=off"  # as Pliant's own sessions

Statement = tuple[str, Sequence[Value]]


class RecordingEngine(PostgresEngine):
    """PostgreSQL, remembering what reading and writing statements it was asked to run."""

    def __init__(self, url: str) -> None:
        super().__init__(url, COMPANY_MIGRATIONS, CONTROL_MIGRATIONS)
        self.recorded: list[Statement] = []

    async def fetch_row(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Any]:
        """Note the statement and run it."""
        self.recorded.append((placed(sql.text, self._schema(namespace)), list(params)))
        return await super().fetch_row(namespace, sql, params)

    async def apply(self, namespace: str, batch: Batch) -> Outcome:
        """Note the statement that writes, with ids that the database makes, and run the Batch."""
        fused = fuse(batch)
        if fused is not None and batch.changes:
            new = {row[insert.columns.index("id")] for insert in _inserts(batch) for row in insert.rows}
            text = placed(fused.text, self._schema(namespace))
            for number, value in enumerate(fused.arguments, 1):
                if isinstance(value, str) and value in new:
                    text = text.replace(f"${number}::uuid", "gen_random_uuid()")
            self.recorded.append((text, fused.arguments))
        return await super().apply(namespace, batch)


def _inserts(batch: Batch) -> list[Insert]:
    return [statement for statement in batch.statements if isinstance(statement, Insert) and "id" in statement.columns]


async def record(url: str, token: str, bodies: Mapping[str, Sequence[str]]) -> dict[str, list[list[Statement]]]:
    """The statements behind requests: question -> request -> statements."""
    engine = RecordingEngine(url)
    house = await House.open(Settings(database=url, secret_keys=("benchmark",)), engine)
    found: dict[str, list[list[Statement]]] = {}
    try:
        actor = await house.authenticate(token)
        for question, texts in bodies.items():
            requests = found[question] = []
            for body in texts[:SCRIPTS]:
                given = json.loads(body)
                engine.recorded = []
                reply = await house.execute(actor, GraphQLRequest(given["query"], variables=given["variables"]))
                if reply.code is not None:
                    raise RuntimeError(reply.body.decode())
                requests.append(engine.recorded)
    finally:
        await house.close()
    return found


def run_pgbench(url: str, requests: Sequence[Sequence[Statement]], seconds: float, clients: int) -> float:
    """Transactions a second. Raises `Skipped` without pgbench."""
    program = _pgbench()
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "-n", "-M", "prepared", f"-c{clients}", "-j1", f"-T{max(_LEAST_SECONDS, round(seconds))}"]
        for place, statements in enumerate(requests):
            path = Path(folder) / f"{place}.sql"
            text, values = _script(place, statements)
            path.write_text(text)
            command += ["-f", str(path)]
            for name, value in values.items():
                command += ["-D", f"{name}={value}"]
        environment = {**os.environ, "PGOPTIONS": _SESSION}
        done = subprocess.run([*command, url], env=environment, capture_output=True, text=True)
    match = re.search(r"tps = ([\d.]+)", done.stdout)
    if match is None or done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr[-1000:]}")
    return float(match[1])


_LITERAL = re.compile(r"'[^']*'")


def _without_colons(literal: re.Match[str]) -> str:
    """A text in which pgbench finds no variable: it looks for `:name` inside of texts, too."""
    return f"E{literal[0]}".replace(":", r"\x3a") if re.search(r":\w", literal[0]) else literal[0]


def _script(place: int, statements: Sequence[Statement]) -> tuple[str, dict[str, str]]:
    values: dict[str, str] = {}
    lines = []
    for order, (text, params) in enumerate(statements):
        text = _LITERAL.sub(_without_colons, text)
        for number in range(len(params), 0, -1):
            value = params[number - 1]
            name = f"v{place}_{order}_{number}"
            if value is None:
                text = re.sub(rf"\${number}\b", "NULL", text)
            elif re.search(rf"\${number}\b", text):
                values[name] = _text(value)
                text = re.sub(rf"\${number}\b", f":{name}", text)
        lines.append(" ".join(text.split()) + ";")
    return "\n".join(lines) + "\n", values


def _text(value: Any) -> str:
    match value:
        case bytes():
            return value.decode()
        case bool():
            return "true" if value else "false"
        case datetime() | date():
            return value.isoformat()
        case list() | tuple():
            return "{" + ",".join(f'"{_text(item)}"' for item in value) + "}"
        case _:
            return str(value)


def _pgbench() -> str:
    found = shutil.which("pgbench")
    places = [found] if found else [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))]
    if not places:
        raise Skipped("the limit: pgbench is not there")
    return places[-1]
