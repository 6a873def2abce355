"""The runner: takes due jobs of every company and runs them, one per company at a time.

Several processes may run at once: a job is held by one of them. A process that dies loses its lease, and another one
takes the job up where its rows say that it stands.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from base.errors import PliantError
from storage.engine import Engine
from storage.errors import NamespaceMissing
from storage.jobs import LEASE_SECONDS, Job, JobKind, claim, due, extend, fail

SWEEP_SECONDS: Final = 1.0
"""So often are recently active companies visited: a job whose time has come, or that a dead process left, is found."""

RECENT_SECONDS: Final = 120.0
"""A company counts as recently active for this long: longer than a lease, so that what a dead process held is found."""

FULL_SWEEP_SECONDS: Final = 60.0
"""So often are all companies visited."""

RUNS_AT_ONCE: Final = 2
"""Companies whose jobs run at the same time in one process: jobs take connections, and requests come first."""

_log = logging.getLogger(__name__)


async def _none() -> Iterable[str]:
    return ()


class Runner:
    """One per process. `start` it with the engine open, `wake` it when a job was put there, `stop` it before the end.

    A job that is being run when the runner stops is left to others.
    """

    def __init__(
        self,
        engine: Engine,
        kinds: Iterable[JobKind],
        everybody: Callable[[], Awaitable[Iterable[str]]] = _none,
        sweep_seconds: float = SWEEP_SECONDS,
        full_sweep_seconds: float = FULL_SWEEP_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._engine = engine
        self._kinds = {kind.name: kind for kind in kinds}
        self._everybody = everybody
        self._sweep_every = sweep_seconds
        self._full_every = full_sweep_seconds
        self._lease = lease_seconds
        self._recent: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(RUNS_AT_ONCE)
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin. Needs a running event loop."""
        if self._sweeper is None and self._kinds:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    def wake(self, namespace: str) -> None:
        """A job was put there. Cheap, and safe before `start`."""
        self._recent[namespace] = time.monotonic()
        self._ask(namespace)

    async def stop(self) -> None:
        """End; jobs under way are cancelled, and taken up again by whoever comes next."""
        self._stopping = True
        tasks = [task for task in (self._sweeper, *self._runs.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._sweeper = None

    def _ask(self, namespace: str) -> None:
        self._waiting.add(namespace)
        if namespace not in self._runs and self._sweeper is not None and not self._stopping:
            self._runs[namespace] = asyncio.get_running_loop().create_task(self._run(namespace))

    async def _run(self, namespace: str) -> None:
        try:
            while namespace in self._waiting:
                self._waiting.discard(namespace)
                async with self._room:
                    while jobs := await claim(self._engine, namespace, list(self._kinds), 1, self._lease):
                        self._recent[namespace] = time.monotonic()
                        await self._do(namespace, jobs[0])
        except PliantError:
            # The company stays recent, or the full sweep comes back to it.
            _log.exception("taking jobs of %s failed", namespace)
        finally:
            del self._runs[namespace]

    async def _do(self, namespace: str, job: Job) -> None:
        keeping = asyncio.get_running_loop().create_task(self._keep(namespace, job))
        try:
            await self._kinds[job.kind].run(namespace, job)
        except Exception as error:
            _log.exception("job %s of %s failed, attempt %d", job.kind, namespace, job.attempt)
            await fail(self._engine, namespace, job, f"{type(error).__name__}: {error}")
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self, namespace: str, job: Job) -> None:
        """Renew the lease of a job that takes long."""
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                if not await extend(self._engine, namespace, job, self._lease):
                    return
            except PliantError:
                _log.warning("the lease of job %s of %s could not be renewed", job.kind, namespace)

    async def _sweep(self) -> None:
        full_at = 0.0
        while True:
            at = time.monotonic()
            self._recent = {name: last for name, last in self._recent.items() if at - last < RECENT_SECONDS}
            names = set(self._recent)
            if at >= full_at:
                full_at = at + self._full_every
                names |= await self._all()
            for namespace in names:
                if await self._has_due(namespace):
                    self._ask(namespace)
            await asyncio.sleep(self._sweep_every)

    async def _has_due(self, namespace: str) -> bool:
        """Whether it is worth a write to claim: asked by a read."""
        try:
            return await due(self._engine, namespace)
        except NamespaceMissing:  # the company was deleted meanwhile
            return False
        except PliantError:
            _log.exception("looking for jobs of %s failed", namespace)
            return False

    async def _all(self) -> set[str]:
        try:
            return set(await self._everybody())
        except PliantError:
            _log.exception("listing companies for their jobs failed")
            return set()
