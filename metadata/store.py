"""Where published catalogs are kept, and the cache that companies with equal documents share.

`_catalog` has one row per version of a company: its hash, and as JSON its documents and physical map.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.errors import NotFound, Text
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.build import build_catalog
from metadata.catalog import Catalog
from storage import ddl
from storage.batch import Insert
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import BIGINT, BOOLEAN, INTEGER, JSON, TEXT, TIMESTAMP, UUID

_FIRST = {"version": INTEGER, "hash": TEXT, "body": JSON, "created_at": TIMESTAMP, "author_id": UUID}
_TABLE = Table("_catalog", {**_FIRST, "moved": BOOLEAN})


def _create(dialect: Dialect) -> list[str]:
    columns = [(name, kind, name != "author_id") for name, kind in _FIRST.items()]
    return ddl.create_table(_TABLE.name, columns, ["version"], dialect)


def _add_moved(dialect: Dialect) -> list[str]:
    return ddl.add_column(_TABLE.name, "moved", BOOLEAN, dialect)


MIGRATIONS = (
    Migration(400, "versions of the catalog", _create),
    Migration(403, "whether a version moved values", _add_moved),
)
"""The fixed tables of this room in every company."""

_own, _head = _TABLE.clause, Table("_head", {"catalog_version": BIGINT}).clause
_of_version = _own.c["version"] == parameter("version", INTEGER)
_shown = {name: kind for name, kind in _FIRST.items() if name != "body"}
_HEAD = Query(sa.select(_head.c["catalog_version"]), columns={"catalog_version": BIGINT})
_HASH = Query(sa.select(_own.c["hash"]).where(_of_version), {"version": INTEGER}, {"hash": TEXT})
_BODY = Query(sa.select(_own.c["body"]).where(_of_version), {"version": INTEGER}, {"body": JSON})
_MOVED = Query(
    sa.select(_own.c["version"])
    .where(_own.c["version"] > parameter("version", INTEGER), _own.c["moved"])
    .limit(sa.literal_column("1")),
    {"version": INTEGER},
    {"version": INTEGER},
)
_VERSIONS = Query(
    sa.select(*[_own.c[name] for name in _shown])
    .where(_own.c["version"] < parameter("before", INTEGER))
    .order_by(_own.c["version"].desc())
    .limit(parameter("first", INTEGER)),
    {"before": INTEGER, "first": INTEGER},
    _shown,
)


@dataclass(frozen=True, slots=True)
class Head:
    """What a company serves: the number of its version and what it means."""

    version: int
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Version:
    """A version that a company has published: when and by whom (None: the system), and the hash of its catalog."""

    version: int
    hash: str
    created_at: datetime
    author_id: str | None


async def list_versions(engine: Engine, namespace: str, first: int, before: int | None = None) -> tuple[Version, ...]:
    """Published versions, newest first, at most `first` of them, older than `before`."""
    rows = await _VERSIONS.rows(engine, namespace, before=before if before is not None else 2**31 - 1, first=first)
    return tuple(Version(**row) for row in rows)


async def load_head(engine: Engine, namespace: str) -> int:
    """The version that a company serves now; 0 before its first publish."""
    rows = await _HEAD.rows(engine, namespace)
    return int(rows[0]["catalog_version"]) if rows else 0


async def moved_since(engine: Engine, namespace: str, version: int) -> bool:
    """Whether values that a version reads are somewhere else by now, or gone: its answers are no longer the head's."""
    return bool(await _MOVED.rows(engine, namespace, version=version))


def catalog_row(
    version: int, catalog: Catalog, at: datetime, author_id: str | None, moved: bool, dialect: Dialect
) -> Insert:
    """The row of a new version. `at` is an aware datetime; `moved` as in `moved_since`."""
    documents = [document for _, document in sorted(catalog.documents.items())]
    body = {"documents": documents, "physical": catalog.physical}
    row: dict[str, Any] = {
        "version": version,
        "hash": catalog.hash,
        "body": body,
        "created_at": at,
        "author_id": author_id,
    }
    row["moved"] = moved
    return _TABLE.insert([row], dialect)


class Catalogs:
    """Catalogs by company and version, cached by hash: a thousand companies on one template hold one catalog."""

    def __init__(self, engine: Engine, limits: Limits = DEFAULTS) -> None:
        self._engine = engine
        self._limits = limits
        self._by_hash: OrderedDict[str, Catalog] = OrderedDict()
        self._hashes: OrderedDict[tuple[str, int], str] = OrderedDict()
        self._building: dict[str, asyncio.Lock] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    async def head(self, namespace: str) -> Head | None:
        """What a company serves now; None before its first publish."""
        version = await load_head(self._engine, namespace)
        return Head(version, await self.get(namespace, version)) if version else None

    async def get(self, namespace: str, version: int) -> Catalog:
        """One version of a company. Raises `NotFound` when there is none."""
        known = self._hashes.get((namespace, version))
        catalog = self._by_hash.get(known) if known is not None else None
        if known is not None and catalog is not None:
            self._hashes.move_to_end((namespace, version))
            self._by_hash.move_to_end(known)
            return catalog
        mark = str(await self._read(_HASH, namespace, version))
        lock = self._building.setdefault(mark, asyncio.Lock())
        async with lock:
            catalog = self._by_hash.get(mark)
            if catalog is None:
                body = await self._read(_BODY, namespace, version)
                catalog = await asyncio.to_thread(_rebuild, body, mark, self._limits)
        self._building.pop(mark, None)
        self.put(namespace, version, mark, catalog)
        return catalog

    def put(self, namespace: str, version: int, mark: str, catalog: Catalog) -> None:
        """Remember a catalog that was just published or read; the least used ones are forgotten."""
        self._by_hash[mark] = catalog
        self._hashes[namespace, version] = mark
        while len(self._by_hash) > self._limits.cached_schemas:
            self._by_hash.popitem(last=False)
        while len(self._hashes) > 50 * self._limits.cached_schemas:
            self._hashes.popitem(last=False)

    def forget(self, namespace: str) -> None:
        """Drop what is remembered of one company (it was dropped or restored)."""
        for key in [key for key in self._hashes if key[0] == namespace]:
            del self._hashes[key]

    async def _read(self, query: Query, namespace: str, version: int) -> Any:
        """The one value of a version that the query asks for."""
        rows = await query.rows(self._engine, namespace, version=version)
        if not rows:
            raise NotFound(Text(f"there is no version {version}", f"不存在版本 {version}"))
        (value,) = rows[0].values()
        return value


def _rebuild(body: Mapping[str, Any], mark: str, limits: Limits) -> Catalog:
    documents: dict[tuple[str, str], Mapping[str, Json]] = {
        (str(document["kind"]), str(document["name"])): document for document in body["documents"]
    }
    return build_catalog(documents, body["physical"], mark, limits)
