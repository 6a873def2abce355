"""What every campaign shares: how long it may run, its seed, its engines, and the line that it ends with."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.engines import POSTGRES, REQUIRED, reachable

_SHOWN_FAULTS = 20
_FAULT_CHARS = 6_000


@dataclass
class Budget:
    """A campaign under way: what it has checked, what it found, and whether time is left."""

    seed: int
    seconds: float
    engines: tuple[str, ...]
    checked: int = 0
    faults: int = 0
    notes: dict[str, int] = field(default_factory=dict)
    _ends_at: float = 0.0
    _unexpected: list[str] = field(default_factory=list)

    def start(self, share: float = 1.0) -> None:
        """From now on a share of the time runs: set-up does not count."""
        self._ends_at = time.monotonic() + self.seconds * share

    @property
    def left(self) -> bool:
        """Whether time is left."""
        return time.monotonic() < self._ends_at

    @property
    def seconds_left(self) -> float:
        """How much."""
        return max(0.0, self._ends_at - time.monotonic())

    def note(self, name: str, count: int = 1) -> None:
        """Count something worth telling at the end."""
        self.notes[name] = self.notes.get(name, 0) + count

    def fault(self, title: str, *details: object) -> None:
        """A check that did not hold; the first ones are shown in full."""
        self.faults += 1
        if self.faults <= _SHOWN_FAULTS:
            lines = [f"FAULT {self.faults}: {title}", *(str(detail)[:_FAULT_CHARS] for detail in details)]
            print("\n  ".join(lines), flush=True)

    @contextmanager
    def listening(self, logger: str) -> Iterator[None]:
        """Keep what a logger is told of unexpected errors for the faults that they cause, instead of printing it."""
        log, listener = logging.getLogger(logger), _Listener(self._unexpected)
        log.propagate = False
        log.addHandler(listener)
        try:
            yield
        finally:
            log.propagate = True
            log.removeHandler(listener)

    def unexpected(self) -> str:
        """The last line of each error since this was asked last."""
        lines, self._unexpected[:] = sorted(set(self._unexpected)), []
        return "; ".join(lines)

    def finish(self) -> int:
        """Say what was checked; the exit status."""
        for name, count in sorted(self.notes.items()):
            print(f"{name}: {count}")
        print(f"{self.checked} checked, {self.faults} faults", flush=True)
        return 1 if self.faults or not self.checked else 0


class _Listener(logging.Handler):
    """Gathers what errors say, causes included."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            at = traceback.extract_tb(error.__traceback__)[-1:]
            where = f" ({at[0].filename}:{at[0].lineno})" if at else ""
            self._lines.append(f"{type(error).__name__}: {error}{where}")
            error = error.__cause__


def read_budget() -> Budget:
    """The budget that `CAMPAIGN_SECONDS` and `CAMPAIGN_SEED` give, with a fresh seed where none is given.

    `CAMPAIGN_ENGINE` names one engine, where not all are wanted.
    """
    seconds = float(os.environ.get("CAMPAIGN_SECONDS") or 600)
    seed = int(os.environ.get("CAMPAIGN_SEED") or int.from_bytes(os.urandom(4)))
    engines: tuple[str, ...] = ("sqlite",)
    if only := os.environ.get("CAMPAIGN_ENGINE"):
        engines = (only,)
    elif reachable():
        engines = ("sqlite", "postgresql")
    elif "postgresql" in REQUIRED:
        sys.exit(f"PLIANT_TEST_REQUIRE names postgresql, and no server answers at {POSTGRES}")
    print(f"CAMPAIGN_SEED={seed} CAMPAIGN_SECONDS={seconds:g} engines: {', '.join(engines)}", flush=True)
    return Budget(seed, seconds, engines)
