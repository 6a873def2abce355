"""Load with wrk: peers take turns (A B, B A, ..), medians count, CPU per request comes from /proc.

Two servers are compared round by round: what a machine gives changes within minutes, and weighs on both of a round.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.cpu import cpu_seconds
from benchmarks.questions import Asker, data_of

_SCRIPT = Path(__file__).with_name("load.lua")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}
_SAMPLE = 20
_SIZE_OFF = 0.25
"""Answers under load may differ in size from the sample by so much; more means that they are others."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under test: where it is, its process, and the bodies of its requests by question.

    `database` is the process above all of its database's, where that is one of its own on this machine.
    """

    name: str
    asker: Asker
    pid: int
    bodies: Mapping[str, Sequence[str]]
    database: int | None = None

    def cpu_seconds(self) -> tuple[float, float]:
        """The CPU that the server and its database have taken so far."""
        return cpu_seconds(self.pid), cpu_seconds(self.database) if self.database else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What one server did with one question. Times are milliseconds; CPU is per request."""

    rps: float
    p50: float
    p99: float
    app_ms: float
    database_ms: float

    @property
    def cpu_ms(self) -> float:
        """All CPU of a request."""
        return self.app_ms + self.database_ms


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure of one server in times of another one's: the median of all rounds, the least and the greatest."""

    value: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.least:.3g} to {self.greatest:.3g} in single rounds"


@dataclass(frozen=True, slots=True)
class Rounds:
    """What one server did with one question, round by round."""

    runs: Sequence[Measured]

    @property
    def usual(self) -> Measured:
        """The median of each figure."""
        names = ("rps", "p50", "p99", "app_ms", "database_ms")
        return Measured(*(median(getattr(run, name) for run in self.runs) for name in names))

    def against(self, other: Rounds, figure: Callable[[Measured], float]) -> Ratio:
        """A figure of this server in times of the other one's, which was loaded in the same rounds."""
        ratios = [figure(own) / figure(its) for own, its in zip(self.runs, other.runs, strict=True)]
        return Ratio(median(ratios), min(ratios), max(ratios))


@dataclass(frozen=True, slots=True)
class Load:
    """How hard and how long."""

    connections: int = 16
    seconds: float = 3.0
    rounds: int = 3


def compare(peers: Sequence[Peer], question: str, load: Load) -> Mapping[str, Rounds]:
    """The rounds of every server for one question."""
    found: dict[str, list[Measured]] = {peer.name: [] for peer in peers}
    with tempfile.TemporaryDirectory() as folder:
        files = {peer.name: _write(Path(folder), peer, question) for peer in peers}
        sizes = {peer.name: _check(peer, question) for peer in peers}
        for peer in peers:
            _run(peer, files[peer.name], Load(load.connections, 1.0), 99)
        for round_ in range(load.rounds):
            for peer in peers if round_ % 2 == 0 else peers[::-1]:
                measured, size = _run(peer, files[peer.name], load, round_ + 1)
                if abs(size / sizes[peer.name] - 1) > _SIZE_OFF:
                    raise RuntimeError(f"{peer.name} answers {question} with {size:.0f} bytes under load")
                found[peer.name].append(measured)
    return {name: Rounds(runs) for name, runs in found.items()}


def _write(folder: Path, peer: Peer, question: str) -> Path:
    path = folder / f"{peer.name}.{question}"
    path.write_text("\n".join(peer.bodies[question]) + "\n")
    return path


def _check(peer: Peer, question: str) -> float:
    """Every server gives real answers before it is loaded; the mean size of their answers."""
    answers = [peer.asker.sized(body) for body in peer.bodies[question][:_SAMPLE]]
    for answer, _ in answers:
        data_of(answer)
    return sum(size for _, size in answers) / len(answers)


def _run(peer: Peer, bodies: Path, load: Load, seed: int) -> tuple[Measured, float]:
    environment = {**os.environ, "BODIES": str(bodies), "SEED": str(seed)}
    environment.pop("TOKEN", None)
    if peer.asker.token:
        environment["TOKEN"] = peer.asker.token
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds:g}s", "--timeout", "60s", "--latency"]
    before = peer.cpu_seconds()
    done = subprocess.run(
        [*command, "-s", str(_SCRIPT), peer.asker.url], env=environment, capture_output=True, text=True, check=True
    )
    after = peer.cpu_seconds()
    text = done.stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"{peer.name}: {text}")
    count = int(_found(r"(\d+) requests in", text))
    if not count:  # slower than the round is long
        return _run(peer, bodies, replace(load, seconds=load.seconds * 4), seed)
    amount, unit = re.search(r"requests in [\d.]+\w+, ([\d.]+)(\wB|B) read", text).groups()  # type: ignore[union-attr]
    size = float(amount) * {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}[unit] / count
    measured = Measured(
        float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        _milliseconds(_found(r"(?m)^ +50%\s+(\S+)", text)),
        _milliseconds(_found(r"(?m)^ +99%\s+(\S+)", text)),
        1000 * (after[0] - before[0]) / count,
        1000 * (after[1] - before[1]) / count,
    )
    return measured, size


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk said: {text}")
    return match[1]


def _milliseconds(text: str) -> float:
    match = re.match(r"([\d.]+)(us|ms|s|m)", text)
    return float(match[1]) * _UNITS[match[2]] if match else float("nan")
