"""`make bench`: everything in one run, printed as it comes and written to RESULTS.md and RESULTS.json.

BENCH_SCALE (1 is a million opportunities), BENCH_SECONDS and BENCH_ROUNDS make it smaller. BENCH_POSTGRES_URL,
BENCH_POSTGRAPHILE_URL and BENCH_STRAWBERRY_URL name servers that are there; the peers must then look at that database.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg

from benchmarks import servers
from benchmarks.conditions import conditions
from benchmarks.drive import Load, Measured, Peer, Rounds, compare
from benchmarks.floor import record, run_pgbench
from benchmarks.found import COMPANY, Founding, found_company
from benchmarks.load_postgres import count_peers, load_company, load_peers
from benchmarks.load_sqlite import load_company as load_sqlite
from benchmarks.questions import QUESTIONS, Asker, pliant_bodies, postgraphile_bodies, strawberry_bodies
from benchmarks.report import Figure, Report
from benchmarks.rows import Counts
from benchmarks.servers import Skipped
from pliant.house import House
from pliant.settings import Settings

HERE = Path(__file__).resolve().parent
READS = ("Q1", "Q2", "Q3")
CONNECTIONS = 16

TIMES_POSTGRAPHILE = {"Q1": 2.4, "Q2": 3.5, "Q3": 2.5, "Q5": 1.2, "Q6": 2.6}
TIMES_STRAWBERRY = {"Q1": 10.0, "Q2": 20.0, "Q3": 40.0, "Q5": 8.0, "Q6": 15.0}
SHARE_OF_PGBENCH = {"Q1": 0.20, "Q2": 0.50, "Q3": 0.70, "Q5": 0.38}
GATE = 1.15
SQLITE_CPU = 1.3
SQLITE_MUTATIONS = 3_000.0
PAGE = 1.1

_READY = "from the start of the process until /readyz says 200"

_WORDS = {
    "Q1": "one record, 10 fields",
    "Q2": "50 records filtered by stage, largest first",
    "Q3": "20 accounts > 10 newest opportunities > owner, and contacts",
    "Q5": "create a record and read it back",
    "Q6": "a page of 50 deep in the order, by cursor",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What all parts of a run share."""

    scale: float
    load: Load
    report: Report


def main() -> None:
    """Run everything that can be run here."""
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    seconds = float(os.environ.get("BENCH_SECONDS", "3" if scale >= 1 else "1"))
    rounds = int(os.environ.get("BENCH_ROUNDS", "5" if scale >= 1 else "2"))
    scene = Scene(scale, Load(CONNECTIONS, seconds, rounds), Report())
    load = f"wrk, {CONNECTIONS} connections, {rounds} rounds of {seconds:g} s, servers taking turns, medians"
    scene.report.conditions.update(conditions(f"{scale:g} ({Counts.of(scale).opportunities:,} opportunities)", load))
    _alone(scene)
    if shutil.which("wrk") is None:
        scene.report.skip("everything under load: wrk is not there")
    else:
        _under_load(scene)
    scene.report.write(HERE, "RESULTS" if scale >= 1 else "RESULTS.small")


def _alone(scene: Scene) -> None:
    section, report = "Schemas", scene.report
    wide = _figures("schema", 200, 20)
    size = max(10, round(1_000 * min(1.0, scene.scale)))
    shared = _figures("share", size)
    chain = _figures("chain", 2_000)
    report.add(
        section,
        Figure(
            "schema of 200 entities x 20 fields, CPU", wide["cpu_seconds"], "s", 0.15, True,
            "compiled schema and a first document, from a catalog that is there",
        ),
        Figure("the same, memory", wide["megabytes"], "MB", 10, True, "allocations that stay (tracemalloc)"),
        Figure("2,000 entities in a chain, CPU", chain["schema_seconds"], "s", meaning="it builds; schema only"),
        Figure("2,000 entities in a chain, catalog, CPU", chain["catalog_seconds"], "s", meaning="from documents"),
        Figure(
            f"compiled schemas of {size:,} companies on one template", shared["schemas"], "", 1, True,
            "all answered a query in one process",
        ),
    )  # fmt: skip


def _under_load(scene: Scene) -> None:
    """First PostgreSQL, then SQLite in turns with it: its server stays until the end."""
    with ExitStack() as stack:
        ours: Peer | None = None
        try:
            ours = _postgres(scene, stack)
        except Skipped as error:
            scene.report.skip(str(error))
        _sqlite(scene, stack, ours)


def _figures(*arguments: object) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.alone", *map(str, arguments)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _postgres(scene: Scene, stack: ExitStack) -> Peer:
    url = os.environ.get("BENCH_POSTGRES_URL") or stack.enter_context(servers.private_postgres())
    database = asyncio.run(servers.postmaster(url))
    founding, counts = asyncio.run(_load_postgres(url, scene.scale))
    server = stack.enter_context(servers.pliant({"PLIANT_DATABASE_URL": url}))
    stack.callback(lambda: asyncio.run(_clear(url)))
    scene.report.add("Start", Figure("start to ready, PostgreSQL", server.seconds_to_ready, "s", 2, True, _READY))
    asker = Asker(server.url, founding.seller_token)
    ours = Peer("pliant", asker, server.pid, pliant_bodies(asker, counts, founding.numbers), database)
    with ExitStack() as while_compared:
        peers = [ours, *_peers(scene, while_compared, url, counts, database)]
        found = {question: compare(peers, question, scene.load) for question in QUESTIONS}
    _against_peers(scene, found)
    _gate(scene, ours, founding, counts)
    _pages(scene, ours, counts)
    _floor(scene, url, founding, ours, {name: by["pliant"].usual for name, by in found.items()})
    return ours


async def _load_postgres(url: str, scale: float) -> tuple[Founding, Counts]:
    house = await House.open(Settings(database=url, secret_keys=(servers.SECRET,)))
    connection = await asyncpg.connect(url)
    try:
        await load_peers(connection, Counts.of(scale))
        counts = await count_peers(connection)
        founding = await found_company(house)
        await load_company(connection, founding.namespace, founding.catalog, founding.head_office)
        return founding, counts
    finally:
        await connection.close()
        await house.close()


async def _clear(url: str) -> None:
    """Take away what the run has made, but the peers' rows."""
    house = await House.open(Settings(database=url, secret_keys=(servers.SECRET,)))
    await house.delete_company(COMPANY)
    await house.close()
    connection = await asyncpg.connect(url)
    await connection.execute("DELETE FROM acme.opportunity WHERE source = 'bench'")
    await connection.close()


def _peers(scene: Scene, stack: ExitStack, url: str, counts: Counts, database: int | None) -> list[Peer]:
    peers: list[Peer] = []
    for name, start in (("PostGraphile", servers.postgraphile), ("Strawberry+SQLAlchemy", servers.strawberry)):
        try:
            server = stack.enter_context(start(url))
        except Skipped as error:
            scene.report.skip(str(error))
            continue
        asker = Asker(server.url)
        bodies = postgraphile_bodies(asker, counts) if name == "PostGraphile" else strawberry_bodies(counts)
        peers.append(Peer(name, asker, server.pid, bodies, database))
    return peers


def _against_peers(scene: Scene, found: Mapping[str, Mapping[str, Rounds]]) -> None:
    for question, by in found.items():
        section = f"{question}: {_WORDS[question]} (PostgreSQL, {scene.load.connections} connections)"
        ours = by["pliant"]
        for name, targets in (("PostGraphile", TIMES_POSTGRAPHILE), ("Strawberry+SQLAlchemy", TIMES_STRAWBERRY)):
            peer = by.get(name)
            if peer is not None:
                times, less = ours.against(peer, _rps), peer.against(ours, _cpu)
                scene.report.add(
                    section,
                    Figure(
                        f"{question} times {name}'s throughput", times.value, "x", targets[question], False, str(times)
                    ),
                    Figure(f"{question} times less CPU than {name}", less.value, "x", meaning=str(less)),
                )
        if "PostGraphile" in by:
            late = ours.against(by["PostGraphile"], _p99)
            scene.report.add(
                section,
                Figure(f"{question} p99 against PostGraphile's", late.value, "x", 1, True, f"no worse; {late}"),
            )
        for name, rounds in by.items():
            item = rounds.usual
            scene.report.add(
                section,
                Figure(f"{question} {name}, requests", item.rps, "/s", meaning=_times(item)),
                Figure(
                    f"{question} {name}, CPU of a request", item.cpu_ms, "ms",
                    meaning=f"process {item.app_ms:.3f}, database {item.database_ms:.3f}",
                ),
            )  # fmt: skip


def _times(item: Measured) -> str:
    return f"p50 {item.p50:.1f}, p99 {item.p99:.1f} ms"


def _gate(scene: Scene, ours: Peer, founding: Founding, counts: Counts) -> None:
    owner = replace(ours.asker, token=founding.owner_token)
    open_ = replace(ours, name="no gate", asker=owner, bodies=pliant_bodies(owner, counts, founding.numbers))
    load = replace(scene.load, rounds=2 * scene.load.rounds)  # two figures that differ by little
    for question in READS:
        by = compare([ours, open_], question, load)
        ratio = by["pliant"].against(by["no gate"], _cpu)
        meaning = f"CPU with a row rule and hidden fields, against a role that may do everything; {ratio}"
        scene.report.add("The gate", Figure(f"{question} gate", ratio.value, "x", GATE, True, meaning))


def _pages(scene: Scene, ours: Peer, counts: Counts) -> None:
    """The page that begins after half of all rows against the first one, by CPU."""
    wanted = min(10_000, counts.opportunities // 100)
    page = (
        "query P($first: Int!, $after: String) { page: opportunities(orderBy: [{amount: DESC}], first: $first, "
        "after: $after) { pageInfo { endCursor } nodes { id name stage amount } } }"
    )
    after: str | None = None
    left = 50 * (wanted - 1)
    while left:
        step = min(left, 1_000)
        answer = ours.asker.ask(page, {"first": step, "after": after})
        after, left = answer["page"]["pageInfo"]["endCursor"], left - step
    text = page.replace("$first", "50").replace("query P(50: Int!, ", "query P(")
    bodies = {
        "first": json.dumps({"query": text, "variables": {}}),
        "deep": json.dumps({"query": text, "variables": {"after": after}}),
    }
    peers = [replace(ours, name=name, bodies={"page": [body] * 50}) for name, body in bodies.items()]
    by = compare(peers, "page", replace(scene.load, rounds=2 * scene.load.rounds))
    ratio = by["deep"].against(by["first"], _cpu)
    meaning = f"50 rows by cursor; {ratio}"
    scene.report.add("Pages", Figure(f"page {wanted:,} against the first, CPU", ratio.value, "x", PAGE, True, meaning))


def _floor(scene: Scene, url: str, founding: Founding, ours: Peer, found: Mapping[str, Measured]) -> None:
    try:
        bodies = {name: ours.bodies[name] for name in SHARE_OF_PGBENCH}
        recorded = asyncio.run(record(url, founding.seller_token, bodies))
        for question, requests in recorded.items():
            runs = [
                run_pgbench(url, requests, scene.load.seconds, scene.load.connections) for _ in range(scene.load.rounds)
            ]
            limit = sorted(runs)[len(runs) // 2]
            scene.report.add(
                "The limit: pgbench -M prepared with the same SQL",
                Figure(
                    f"{question} share of pgbench", found[question].rps / limit, "", SHARE_OF_PGBENCH[question], False,
                    f"pgbench {limit:,.0f} transactions/s on {scene.load.connections} connections",
                ),
            )  # fmt: skip
    except Skipped as error:
        scene.report.skip(str(error))


def _sqlite(scene: Scene, stack: ExitStack, postgres: Peer | None) -> None:
    counts = Counts.of(scene.scale)
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pliant-bench-"))
    founding = asyncio.run(_load_sqlite(Path(folder), counts))
    server = stack.enter_context(servers.pliant({"PLIANT_DATA_DIR": folder, "PLIANT_DATABASE_URL": ""}))
    scene.report.add("Start", Figure("start to ready, SQLite", server.seconds_to_ready, "s", 2, True, _READY))
    asker = Asker(server.url, founding.seller_token)
    ours = Peer("SQLite", asker, server.pid, pliant_bodies(asker, counts, founding.numbers))
    peers = [ours] if postgres is None else [ours, replace(postgres, name="PostgreSQL")]
    for question in READS:
        by = compare(peers, question, scene.load)
        item = by["SQLite"].usual
        if postgres is not None:
            ratio = by["SQLite"].against(by["PostgreSQL"], _cpu)
            meaning = f"all CPU: {item.cpu_ms:.3f} against {by['PostgreSQL'].usual.cpu_ms:.3f} ms; {ratio}"
            name = f"{question} CPU against the PostgreSQL path"
            scene.report.add("SQLite", Figure(name, ratio.value, "x", SQLITE_CPU, True, meaning))
        scene.report.add("SQLite", Figure(f"{question} on SQLite, requests", item.rps, "/s", meaning=_times(item)))
    writes = compare([ours], "Q5", replace(scene.load, connections=32))["SQLite"].usual
    meaning = f"over HTTP, committed to disk, read back; CPU {writes.cpu_ms:.3f} ms each, {_times(writes)}"
    scene.report.add(
        "SQLite", Figure("durable mutations at 32 clients", writes.rps, "/s", SQLITE_MUTATIONS, False, meaning)
    )


async def _load_sqlite(folder: Path, counts: Counts) -> Founding:
    house = await House.open(Settings(data_dir=folder, secret_keys=(servers.SECRET,)))
    try:
        founding = await found_company(house)
    finally:
        await house.close()
    path = folder / "companies" / f"{founding.namespace}.db"
    load_sqlite(path, founding.catalog, counts, founding.head_office)
    return founding


def _rps(item: Measured) -> float:
    return item.rps


def _cpu(item: Measured) -> float:
    return item.cpu_ms


def _p99(item: Measured) -> float:
    return item.p99


if __name__ == "__main__":
    main()
