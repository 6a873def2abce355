"""Heads of companies: which version each serves, as far as this process knows.

A request never waits for the head to be asked: it plans with the version that is known, and its own statement tells
when another one is head. Only a request that does not fit the known version asks before it is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from base.errors import PliantError
from base.limits import Limits
from metadata.catalog import Catalog
from metadata.store import Catalogs, Head, load_head
from storage.engine import Engine

_VERSIONS_PER_SCHEMA = 50  # a version is an integer: far more companies are remembered than catalogs are kept

_log = logging.getLogger(__name__)


Warm: TypeAlias = Callable[[str, Catalog, Catalog, bool], Awaitable[None]]
"""(namespace, catalog that is served, catalog that will be, whether somebody waits for it)."""


async def _nothing(namespace: str, before: Catalog, after: Catalog, hurried: bool) -> None:
    """Nobody keeps anything that belongs to a catalog."""


class Companies:
    """Head versions by namespace. Owned by the event loop. `served` is told what each request starts from."""

    def __init__(
        self, engine: Engine, catalogs: Catalogs, limits: Limits, served: Callable[[str, int], None] = lambda *_: None
    ) -> None:
        self.warm: Warm = _nothing
        """Makes ready what a new catalog needs, while the old one is served; set by who serves."""
        self._engine = engine
        self._catalogs = catalogs
        self._served = served
        self._size = _VERSIONS_PER_SCHEMA * limits.cached_schemas
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._heads: OrderedDict[str, Head] = OrderedDict()  # of those asked for most lately: they hold catalogs
        self._kept = limits.cached_schemas
        self._advancing: dict[str, asyncio.Task[None]] = {}

    async def head(self, namespace: str) -> Head:
        """The head as it is known; read from the database at the first touch only."""
        known = self._heads.get(namespace)
        if known is not None:
            self._heads.move_to_end(namespace)
            self._served(namespace, known.version)
            return known
        version = self._versions.get(namespace)
        if version is None:
            version = await load_head(self._engine, namespace)
            self._keep(namespace, version)
        head = Head(version, await self._catalogs.get(namespace, version))
        if self._versions.get(namespace) == version:  # nobody has published while the catalog was made
            self._heads[namespace] = head
            if len(self._heads) > self._kept:
                self._heads.popitem(last=False)
        self._served(namespace, version)
        return head

    async def refresh(self, namespace: str) -> bool:
        """Ask the database (one cheap statement) whether the head has moved; True when it is another one now."""
        known = self._versions.get(namespace)
        version = await load_head(self._engine, namespace)
        if version == known:
            return False
        await self._catalogs.get(namespace, version)
        kept = self._versions.get(namespace)
        if kept == known or (kept is not None and kept < version):  # nobody went as far while the catalog was made
            self._keep(namespace, version)
        return True

    def moved(self, namespace: str, version: int) -> None:
        """An answer or another process has told of a head: its catalog is made beside the old one, and later requests
        take it. Companies that nobody has asked for here stay unread."""
        known = self._versions.get(namespace)
        if known is None or version <= known or namespace in self._advancing:
            return
        task = asyncio.get_running_loop().create_task(self._advance(namespace))
        self._advancing[namespace] = task
        task.add_done_callback(lambda _: self._advancing.pop(namespace, None))

    async def published(self, namespace: str, version: int, catalog: Catalog) -> None:
        """This process has published: from now on this is the head."""
        self._catalogs.put(namespace, version, catalog.hash, catalog)
        await self._make_ready(namespace, version, hurried=True)
        if version >= self._versions.get(namespace, 0):
            self._keep(namespace, version)

    def forget(self, namespace: str) -> None:
        """A company is gone, or came back from a backup."""
        self._versions.pop(namespace, None)
        self._heads.pop(namespace, None)
        self._catalogs.forget(namespace)

    async def close(self) -> None:
        """Wait for what is being read."""
        await asyncio.gather(*self._advancing.values(), return_exceptions=True)

    async def _advance(self, namespace: str) -> None:
        try:
            version = await load_head(self._engine, namespace)
            await self._make_ready(namespace, version, hurried=False)
            if version > self._versions.get(namespace, 0):
                self._keep(namespace, version)
        except PliantError:
            _log.exception("reading the new head of %s failed", namespace)  # the next answer asks again

    async def _make_ready(self, namespace: str, version: int, *, hurried: bool) -> None:
        """Have the catalog, and what is compiled from it, before anybody waits for them."""
        known = self._heads.get(namespace)
        catalog = await self._catalogs.get(namespace, version)
        if known is None or known.catalog is catalog:
            return
        try:
            await self.warm(namespace, known.catalog, catalog, hurried)
        except Exception:
            _log.exception("making ready version %d of %s failed", version, namespace)  # requests will do it

    def _keep(self, namespace: str, version: int) -> None:
        self._versions[namespace] = version
        self._heads.pop(namespace, None)
        self._versions.move_to_end(namespace)
        if len(self._versions) > self._size:
            self._versions.popitem(last=False)
