"""`make bench-publish`: how fast a change of the model is served, and what others notice; written to PUBLISHING.md.

Two Pliant processes on one PostgreSQL: publishes go to one, answers are asked of the other. Latencies include HTTP.
BENCH_SCALE 1 is two million opportunities and a thousand companies of thirty entities.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg

from benchmarks import servers
from benchmarks.company import ACCOUNT, CONTACT, OPPORTUNITY
from benchmarks.conditions import conditions
from benchmarks.drive import Load, Peer, compare
from benchmarks.found import Founding, found_company
from benchmarks.load_postgres import load_company, load_peers
from benchmarks.questions import Asker, data_of, pliant_bodies
from benchmarks.report import Figure, Report
from benchmarks.rows import Counts
from pliant.house import House
from pliant.settings import Settings

HERE = Path(__file__).resolve().parent
ENTITIES = 30
PUBLISHES = 20
LIVE_MS = 20.0
LIVE_AMONG_MANY_MS = 50.0
READER_MS = 300.0
NEIGHBOUR_MS = 100.0
PREVIEW_S = 1.0

_PUBLISH = (
    "mutation P($d: [JSON!]!, $loss: [String!]) { publish(documents: $d, allowLoss: $loss) "
    "{ version publication { id state } userErrors { path code message } } }"
)
_PREVIEW = "query P($d: [JSON!]!) { preview(documents: $d) { changes { kind } userErrors { code message } } }"
_STATE = "query S($id: ID!) { publication(id: $id) { state step rowsDone userErrors { message } } }"


@dataclass
class Line:
    """One connection that is kept open, to one path of a server."""

    origin: str
    path: str
    token: str
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """The whole answer."""
        body = json.dumps({"query": query, "variables": variables})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        self.connection.request("POST", self.path, body, headers)
        found: Mapping[str, Any] = json.loads(self.connection.getresponse().read())
        return found


@dataclass(frozen=True)
class Scene:
    """Two replicas, the company's owner, the documents that are grown, and where to write."""

    one: str
    other: str
    token: str
    report: Report
    documents: dict[str, Mapping[str, Any]]

    def grown(self, entity: str, **properties: Any) -> Mapping[str, Any]:
        """The document of an entity with more properties, from now on."""
        changed = deepcopy(dict(self.documents[entity]))
        changed["properties"].update(properties)
        self.documents[entity] = changed
        return changed

    def publish(self, *documents: Mapping[str, Any]) -> Mapping[str, Any]:
        """Publish through the first replica. Raises `ValueError` when it is refused."""
        answer = Line(self.one, "/graphql/admin", self.token).ask(_PUBLISH, d=documents)
        return data_of(json.dumps(answer).encode())["publish"]  # type: ignore[no-any-return]


def main() -> None:
    """All figures, in one run."""
    scale = float(os.environ.get("BENCH_SCALE", "1"))
    report = Report()
    report.conditions.update(conditions(f"{scale:g}: {Counts.of(2 * scale).opportunities:,} opportunities"))
    with ExitStack() as stack:
        url = os.environ.get("BENCH_POSTGRES_URL") or stack.enter_context(servers.private_postgres())
        founding = asyncio.run(_found(url, 2 * scale))
        one = stack.enter_context(servers.pliant({"PLIANT_DATABASE_URL": url}))
        other = stack.enter_context(servers.pliant({"PLIANT_DATABASE_URL": url}))
        origins = [server.url.removesuffix("/graphql") for server in (one, other)]
        scene = Scene(
            origins[0],
            origins[1],
            founding.owner_token,
            report,
            {"account": ACCOUNT, "contact": CONTACT, "opportunity": OPPORTUNITY},
        )
        _live(scene, "One company", LIVE_MS)
        _preview(scene)
        _neighbours(scene, other.url, other.pid, founding, Counts.of(2 * scale), url)
        _indexed(scene)
        _filled(scene)
        _retyped(scene)
        many = max(20, round(1_000 * min(1.0, scale)))
        token = asyncio.run(_crowd(url, many))
        crowd = replace(scene, token=token, documents={"account": _thing(0)})
        _live(crowd, f"One of {many:,} companies with {ENTITIES} entities each, in one database", LIVE_AMONG_MANY_MS)
    report.write(HERE, "PUBLISHING" if scale >= 1 else "PUBLISHING.small", "make bench-publish")


async def _found(url: str, scale: float) -> Founding:
    house = await House.open(Settings(database=url, secret_keys=(servers.SECRET,)))
    connection = await asyncpg.connect(url)
    try:
        await load_peers(connection, Counts.of(scale))
        founding = await found_company(house)
        await load_company(connection, founding.namespace, founding.catalog, founding.head_office)
        return founding
    finally:
        await connection.close()
        await house.close()


async def _crowd(url: str, companies: int) -> str:
    """So many companies; the token of the owner of the last one."""
    documents = tuple(_thing(number) for number in range(ENTITIES))
    house = await House.open(Settings(database=url, secret_keys=(servers.SECRET,)))
    try:
        for number in range(companies):
            token = (await house.create_company(f"Company {number}", documents=documents)).token
        return token
    finally:
        await house.close()


def _thing(number: int) -> Mapping[str, Any]:
    properties = {f"field{index}": {"type": "string", "maxLength": 100} for index in range(10)}
    name = "account" if number == 0 else f"thing{number}"
    return {
        "kind": "entity", "name": name, "title": name.capitalize(), "x-plural": f"{name}s", "type": "object",
        "x-display": "field0", "properties": {"name": {"type": "string"}, **properties},
    }  # fmt: skip


def _live(scene: Scene, section: str, target: float) -> None:
    """From the answer to a publish until the other replica has answered a query for the new field."""
    reader = Line(scene.other, "/graphql", scene.token)
    reader.ask("{ accounts(first: 1) { nodes { id name } } }")
    published, live = [], []
    for number in range(PUBLISHES):
        name = f"extra{number}"
        document = scene.grown("account", **{name: {"type": "integer"}})
        began = time.perf_counter()
        scene.publish(document)
        done = time.perf_counter()
        while "errors" in reader.ask(f"{{ accounts(first: 1) {{ nodes {{ id {name} }} }} }}"):
            pass
        published.append(1000 * (done - began))
        live.append(1000 * (time.perf_counter() - done))
        time.sleep(0.2)
    scene.report.add(
        section,
        Figure(
            "new field live on another replica", median(live), "ms", target, True,
            f"from the answer to the publish to the first right answer there; median of {PUBLISHES}, "
            f"worst {max(live):.0f} ms",
        ),
        Figure("the publish itself", median(published), "ms", meaning=f"worst {max(published):.0f} ms"),
    )  # fmt: skip


def _preview(scene: Scene) -> None:
    """Fifty documents at once: what would they do?"""
    documents = [_thing(number + 1) for number in range(48)]
    documents += [scene.grown(name, score={"type": "integer"}) for name in ("account", "opportunity")]
    line = Line(scene.one, "/graphql/admin", scene.token)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        data_of(json.dumps(line.ask(_PREVIEW, d=documents)).encode())
        times.append(time.perf_counter() - began)
    scene.report.add(
        "Preview", Figure("preview of a change of 50 documents", median(times), "s", PREVIEW_S, True, "median of 3")
    )


def _neighbours(scene: Scene, url: str, pid: int, founding: Founding, counts: Counts, database: str) -> None:
    """Answers of a replica while its company is published once a second, against the same without."""
    asker = Asker(url, founding.seller_token)
    peer = Peer("pliant", asker, pid, pliant_bodies(asker, counts, founding.numbers))
    load = Load(8, 5.0, 3)
    idle = compare([peer], "Q1", load)["pliant"].usual

    def again(number: int) -> None:
        """One more field each time."""
        scene.publish(scene.grown("account", **{f"more{number}": {"type": "integer"}}))

    with _repeated(again, 1.0) as count:
        busy = compare([peer], "Q1", load)["pliant"].usual
    scene.report.add(
        "Neighbours",
        Figure(
            "p99 beside one publish a second, less p99 without", busy.p99 - idle.p99, "ms", NEIGHBOUR_MS, True,
            f"p99 {busy.p99:.1f} against {idle.p99:.1f} ms, 8 connections, {count[0]} publishes",
        ),
        Figure("throughput beside them", busy.rps / idle.rps, "x", meaning="of that without"),
    )  # fmt: skip


@contextmanager
def _repeated(work: Callable[[int], None], seconds: float) -> Iterator[list[int]]:
    """Do something every so many seconds in a thread, for the length of a block; how often it was done."""
    stop, count = threading.Event(), [0]

    def live() -> None:
        """Until told to stop."""
        while not stop.wait(seconds):
            work(count[0])
            count[0] += 1

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield count
    finally:
        stop.set()
        thread.join()


def _indexed(scene: Scene) -> None:
    document = dict(scene.grown("opportunity", grade={"type": "integer"}))
    document["x-index"] = [*document["x-index"], ["grade"]]
    scene.documents["opportunity"] = document
    _watched(scene, "A new indexed field of the large table", document)


def _filled(scene: Scene) -> None:
    document = dict(scene.grown("opportunity", phase={"type": "integer", "default": 1}))
    document["required"] = [*document["required"], "phase"]
    scene.documents["opportunity"] = document
    _watched(scene, "A new required field with a default in the large table", document)


def _retyped(scene: Scene) -> None:
    document = scene.grown("contact", title={"x-type": "longText"}, phone={"x-type": "json"})
    _watched(scene, "A text that becomes JSON in a table half as large: every row is converted", document)


def _watched(scene: Scene, section: str, document: Mapping[str, Any]) -> None:
    """Publish a change of the large table while a reader and a writer note how long they wait."""
    found = Line(scene.other, "/graphql", scene.token).ask("{ opportunities(first: 1) { nodes { id } } }")
    record = found["data"]["opportunities"]["nodes"][0]["id"]
    read = f'{{ opportunity(id: "{record}") {{ id name stage amount }} }}'
    write = (
        f'mutation {{ updateOpportunity(id: "{record}", input: {{probability: 50}}) '
        "{ opportunity { id } userErrors { message } } }"
    )
    with _probed(scene, read, 0.002) as reads, _probed(scene, write, 0.01) as writes:
        time.sleep(2)
        quiet = max(reads), max(writes)
        reads.clear()
        writes.clear()
        began = time.perf_counter()
        done = scene.publish(document)
        _finished(scene, done)
        seconds = time.perf_counter() - began
        time.sleep(0.2)
        worst = max(reads), max(writes)
    scene.report.add(
        section,
        Figure(
            "longest that a reader waited", worst[0], "ms", READER_MS, True,
            f"without a publish {quiet[0]:.0f} ms; {len(reads):,} reads",
        ),
        Figure(
            "longest that a writer waited", worst[1], "ms", READER_MS, True,
            f"without a publish {quiet[1]:.0f} ms: the exclusive lock is part of it; {len(writes):,} writes",
        ),
        Figure("from the publish until it is served", seconds, "s"),
    )  # fmt: skip


def _finished(scene: Scene, done: Mapping[str, Any]) -> None:
    line = Line(scene.one, "/graphql/admin", scene.token)
    while done["publication"] is not None:
        found = line.ask(_STATE, id=done["publication"]["id"])["data"]["publication"]
        if found["state"] == "ACTIVE":
            return
        if found["state"] != "PREPARING":
            raise RuntimeError(f"the publication is {found}")
        time.sleep(0.05)


@contextmanager
def _probed(scene: Scene, query: str, pause: float) -> Iterator[list[float]]:
    """Milliseconds of a request that is sent again and again to the other replica."""
    times: list[float] = []
    line, stop = Line(scene.other, "/graphql", scene.token), threading.Event()

    def live() -> None:
        """One request after the other."""
        while not stop.wait(pause):
            began = time.perf_counter()
            answer = line.ask(query)
            times.append(1000 * (time.perf_counter() - began))
            _sound(answer)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()


def _sound(answer: Mapping[str, Any]) -> None:
    payloads: Sequence[Any] = list((answer.get("data") or {}).values())
    if "errors" in answer or any(isinstance(item, dict) and item.get("userErrors") for item in payloads):
        print(f"a request failed: {json.dumps(answer)[:300]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
