"""Deadlines of requests, kept by one sweep for all: a timer for each request would cost more than its parsing."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

Task = asyncio.Task[Any]


class Deadlines:
    """Tasks that are cancelled when they take longer than `seconds`, give or take a tenth of it (a second at most)."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._every = min(1.0, seconds / 10)
        self._until: dict[Task, float] = {}
        self._passed: set[Task] = set()
        self._sweeping = False

    def enter(self) -> Task:
        """Begin to count for the running task; give the result to `leave`."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("deadlines are for tasks")
        self._until[task] = monotonic() + self._seconds
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(self._every, self._sweep)
        return task

    def leave(self, task: Task) -> None:
        """The task has done its work."""
        self._until.pop(task, None)
        self._passed.discard(task)

    def has_passed(self, task: Task) -> bool:
        """Whether the task was cancelled by its deadline; then it may go on, to say so."""
        if task not in self._passed:
            return False
        task.uncancel()
        return True

    def _sweep(self) -> None:
        now = monotonic()
        late = [task for task, until in self._until.items() if until <= now]
        for task in late:
            del self._until[task]
            self._passed.add(task)
            task.cancel()
        self._sweeping = bool(self._until)
        if self._sweeping:
            asyncio.get_running_loop().call_later(self._every, self._sweep)
