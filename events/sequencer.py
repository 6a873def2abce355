"""The sequencer: gives committed change rows their dense positions, soon after each commit.

On PostgreSQL events are written without a position; `Engine.sequence` numbers what is committed, fenced by the head
row, so any number of processes may do it at the same time. On SQLite the writer numbers at once, and there is nothing
to do here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from storage.engine import Engine

DELAY_SECONDS = 0.01
"""Commits of this long are numbered together: one run numbers 130 events in the time of two runs for one each."""

BUSY_SECONDS = 0.025
"""The same while commits go on: a run costs as much as a few writes, whatever it numbers."""

SWEEP_SECONDS = 1.0
"""So often are recently active companies visited without being woken: what a failed run left behind is numbered."""

RECENT_SECONDS = 10.0
"""A company counts as recently active for this long after its last wake-up."""

FULL_SWEEP_SECONDS = 60.0
"""So often are all companies visited: events that a killed process left behind are numbered."""

RUNS_AT_ONCE = 2
"""Companies numbered at the same time: a run takes a connection, and there are few."""

_log = logging.getLogger(__name__)


def _ignore(namespace: str, position: int) -> None:
    """Nobody wants to know of new positions."""


async def _none() -> Iterable[str]:
    return ()


class Sequencer:
    """One per process. `start` it with the engine open, `wake` it after commits, `stop` it before the engine closes.

    `everybody` lists all namespaces for the full sweep; `moved` is told (namespace, head position) when the head has
    moved.
    """

    def __init__(
        self,
        engine: Engine,
        everybody: Callable[[], Awaitable[Iterable[str]]] = _none,
        moved: Callable[[str, int], None] = _ignore,
        delay_seconds: float = DELAY_SECONDS,
        sweep_seconds: float = SWEEP_SECONDS,
        full_sweep_seconds: float = FULL_SWEEP_SECONDS,
    ) -> None:
        self._engine = engine
        self._everybody = everybody
        self._moved = moved
        self._delay = delay_seconds
        self._sweep_every = sweep_seconds
        self._full_every = full_sweep_seconds
        self._waiting: set[str] = set()
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._recent: dict[str, float] = {}
        self._heads: dict[str, int] = {}
        self._room = asyncio.Semaphore(RUNS_AT_ONCE)
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin sweeping. Needs a running event loop."""
        if self._sweeper is None and self._engine.dialect == "postgresql":
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    def wake(self, namespace: str) -> None:
        """A commit has happened in a company. Cheap; many calls before the next run become one run."""
        if self._engine.dialect != "postgresql" or self._stopping:
            return
        loop = asyncio.get_running_loop()
        self._recent[namespace] = loop.time()
        self._ask(namespace, loop)

    async def stop(self) -> None:
        """Number what is waiting and end; later wake-ups are ignored (the next start sees to them)."""
        self._stopping = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        while self._runs:
            await asyncio.gather(*self._runs.values(), return_exceptions=True)

    def _ask(self, namespace: str, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting.add(namespace)
        if namespace not in self._runs:
            self._runs[namespace] = loop.create_task(self._run(namespace))

    async def _run(self, namespace: str) -> None:
        try:
            delay = self._delay
            while namespace in self._waiting:
                if not self._stopping:
                    await asyncio.sleep(delay)
                delay = max(self._delay, BUSY_SECONDS)
                self._waiting.discard(namespace)
                async with self._room:
                    position = await self._engine.sequence(namespace)
                if position != self._heads.get(namespace):
                    self._heads[namespace] = position
                    self._moved(namespace, position)
        except Exception:
            # The company stays recent, so the sweep comes back to it.
            _log.exception("numbering the events of %s failed", namespace)
            self._waiting.discard(namespace)
        finally:
            del self._runs[namespace]

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        full_at = loop.time()
        while True:
            at = loop.time()
            self._recent = {name: last for name, last in self._recent.items() if at - last < RECENT_SECONDS}
            self._heads = {name: head for name, head in self._heads.items() if name in self._recent}
            for namespace in self._recent:
                self._ask(namespace, loop)
            if at >= full_at:
                full_at = at + self._full_every
                await self._visit_all(loop)
            await asyncio.sleep(self._sweep_every)

    async def _visit_all(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for namespace in await self._everybody():
                self._ask(namespace, loop)
        except Exception:
            _log.exception("listing companies for the sweep failed")
