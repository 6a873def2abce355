"""Counting use: a request adds one to a number in memory, and the numbers are written now and then."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from typing import Final

from base.clock import now
from base.errors import PliantError
from base.limits import Limits
from metadata.usage import OTHER, UsedDocument, forget_old_uses, record_uses
from storage.engine import Engine

MAX_COUNTED: Final = 50_000
"""(company, token, form, document) counted between two writes; more are not told apart and not counted."""

_log = logging.getLogger(__name__)


class Usage:
    """One per process, owned by the event loop. `start` it with the engine open, `stop` it before the engine closes."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine = engine
        self._limits = limits
        self._counts: dict[tuple[str, str | None, str, int], int] = {}
        self._documents: dict[int, UsedDocument] = {}
        self._named: dict[str, int] = {}  # company -> keys with a form, so that no company fills the room of all
        self._swept: dict[str, date] = {}
        self._task: asyncio.Task[None] | None = None

    def saw(self, namespace: str, token: str | None, form: str, document: UsedDocument) -> None:
        """A request, of a form or of none (empty), runs a document. Documents are told apart as objects: they are kept
        with their plans."""
        key, counts = (namespace, token, form, id(document)), self._counts
        if form and key not in counts:
            named = self._named.get(namespace, 0)
            if named < self._limits.use_forms:
                self._named[namespace] = named + 1
            else:
                key = (namespace, token, OTHER, id(document))
        if key in counts:
            counts[key] += 1
        elif len(counts) < MAX_COUNTED:
            counts[key] = 1
            self._documents[key[3]] = document  # held until written, so that the id stays its own

    def start(self) -> None:
        """Begin to write every `limits.use_seconds`. Needs a running event loop."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    async def stop(self) -> None:
        """Write what was counted and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.flush()

    async def flush(self) -> None:
        """Write what was counted. What fails in one company is logged and lost: it is evidence, not accounting."""
        counts, documents = self._counts, self._documents
        self._counts, self._documents, self._named = {}, {}, {}
        by_company: dict[str, dict[tuple[str, str, UsedDocument], int]] = {}
        for (namespace, token, form, place), count in counts.items():
            own = by_company.setdefault(namespace, {})
            key = (token or "", form, documents[place])
            own[key] = own.get(key, 0) + count
        for namespace, own in by_company.items():
            try:
                await record_uses(self._engine, namespace, own, self._limits)
                if self._swept.get(namespace) != now().date():
                    self._swept[namespace] = now().date()
                    await forget_old_uses(self._engine, namespace, self._limits)
            except PliantError:
                _log.exception("writing the use of %s failed", namespace)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._limits.use_seconds)
            await self.flush()
