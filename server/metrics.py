"""Numbers for operators, in the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram, in seconds."""

OK = "OK"
"""The outcome of a request without an error; else it is the first error's code, or the status of a problem."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number that is read when it is asked for."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


Gauges = Callable[[], Iterable[Gauge]]


class Metrics:
    """Counts of one process since its start."""

    def __init__(self, gauges: Gauges = tuple) -> None:
        self._gauges = gauges
        self._requests: dict[tuple[str, str], int] = {}
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self.in_flight = 0

    def observe(self, door: str, outcome: str, seconds: float) -> None:
        """Count a finished request: `door` is graphql, admin or other."""
        key = (door, outcome)
        self._requests[key] = self._requests.get(key, 0) + 1
        buckets = self._buckets.get(door)
        if buckets is None:
            buckets = self._buckets[door] = [0] * (len(BUCKETS) + 1)
        buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds[door] = self._seconds.get(door, 0.0) + seconds

    def text(self) -> str:
        """Everything, as Prometheus reads it."""
        lines = ["# HELP pliant_requests_total Requests by door and outcome.", "# TYPE pliant_requests_total counter"]
        for (door, outcome), count in sorted(self._requests.items()):
            lines.append(_line("pliant_requests_total", {"door": door, "outcome": outcome}, count))
        name = "pliant_request_seconds"
        lines += [f"# HELP {name} Seconds from the request's headers to its answer.", f"# TYPE {name} histogram"]
        for door, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), buckets, strict=True):
                total += count
                lines.append(_line(f"{name}_bucket", {"door": door, "le": bound}, total))
            lines.append(_line(f"{name}_sum", {"door": door}, self._seconds[door]))
            lines.append(_line(f"{name}_count", {"door": door}, total))
        told: set[str] = set()
        own = Gauge("pliant_requests_in_flight", "Requests being answered now.", self.in_flight)
        for gauge in (own, *self._gauges()):
            if gauge.name not in told:
                told.add(gauge.name)
                lines += [f"# HELP {gauge.name} {gauge.help}", f"# TYPE {gauge.name} gauge"]
            lines.append(_line(gauge.name, gauge.labels, gauge.value))
        return "\n".join(lines) + "\n"


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
