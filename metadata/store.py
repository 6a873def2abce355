"""Where published catalogs are kept, and the cache that companies with equal documents share.

`_catalog` has one row per version of a company: its hash, and as JSON its documents and physical map.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from base.errors import NotFound, Text
from base.json import Json, parse
from base.limits import DEFAULTS, Limits
from metadata.build import build_catalog
from metadata.catalog import Catalog
from storage import ddl
from storage.batch import NAMESPACE, Insert
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.sql import compile
from storage.types import INTEGER, JSON, TEXT, TIMESTAMP, UUID

CATALOG_TABLE = "_catalog"

_COLUMNS = (
    ("version", INTEGER, True),
    ("hash", TEXT, True),
    ("body", JSON, True),
    ("created_at", TIMESTAMP, True),
    ("author_id", UUID, False),
)


def _create(dialect: Dialect) -> list[str]:
    return ddl.create_table(CATALOG_TABLE, _COLUMNS, ["version"], dialect)


MIGRATIONS = (Migration(400, "versions of the catalog", _create),)
"""The fixed tables of this room in every company."""

_catalog = sa.table(
    CATALOG_TABLE, *(sa.column(name, kind.sqlalchemy()) for name, kind, _ in _COLUMNS), schema=NAMESPACE
)
_head = sa.table("_head", sa.column("id"), sa.column("catalog_version"), schema=NAMESPACE)

_SELECT_HEAD = sa.select(_head.c.catalog_version)
_SELECT_HASH = sa.select(_catalog.c.hash).where(_catalog.c.version == sa.bindparam("version", type_=sa.Integer()))
_SELECT_BODY = sa.select(_catalog.c.body).where(_catalog.c.version == sa.bindparam("version", type_=sa.Integer()))
_TYPES = {name: kind for name, kind, _ in _COLUMNS}
_SHOWN = ("version", "hash", "created_at", "author_id")
_SELECT_VERSIONS = (
    sa.select(*[_catalog.c[name] for name in _SHOWN])
    .where(_catalog.c.version < sa.bindparam("before", type_=sa.Integer()))
    .order_by(_catalog.c.version.desc())
    .limit(sa.bindparam("first", type_=sa.Integer()))
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
    values = {"before": before if before is not None else 2**31 - 1, "first": first}
    sql = compile(_SELECT_VERSIONS, engine.dialect)
    rows = await engine.fetch(namespace, sql, tuple(values[name] for name in sql.binds))
    decoders = [_TYPES[name].decoder(engine.dialect) for name in _SHOWN]
    return tuple(Version(*(decode(value) for decode, value in zip(decoders, row, strict=True))) for row in rows)


async def load_head(engine: Engine, namespace: str) -> int:
    """The version that a company serves now; 0 before its first publish."""
    rows = await engine.fetch(namespace, compile(_SELECT_HEAD, engine.dialect))
    return int(rows[0][0]) if rows else 0


def catalog_row(version: int, catalog: Catalog, at: Any, author_id: str | None, dialect: Dialect) -> Insert:
    """The row of a new version. `at` is an aware datetime."""
    documents = [document for _, document in sorted(catalog.documents.items())]
    values = (version, catalog.hash, {"documents": documents, "physical": catalog.physical}, at, author_id)
    encoded = tuple(kind.encoder(dialect)(value) for (_, kind, _), value in zip(_COLUMNS, values, strict=True))
    names, kinds = tuple(name for name, _, _ in _COLUMNS), tuple(kind.kind for _, kind, _ in _COLUMNS)
    return Insert(CATALOG_TABLE, names, kinds, (encoded,))


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
        mark = await self._read(namespace, version, "hash")
        lock = self._building.setdefault(mark, asyncio.Lock())
        async with lock:
            catalog = self._by_hash.get(mark)
            if catalog is None:
                body = cast(Mapping[str, Any], parse(await self._read(namespace, version, "body")))
                catalog = await asyncio.to_thread(_rebuild, body, self._limits)
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

    async def _read(self, namespace: str, version: int, column: str) -> str:
        sql = compile(_SELECT_HASH if column == "hash" else _SELECT_BODY, self._engine.dialect)
        rows = await self._engine.fetch(namespace, sql, (version,))
        if not rows:
            raise NotFound(Text(f"there is no version {version}", f"不存在版本 {version}"))
        value = rows[0][0]
        return value.decode() if isinstance(value, bytes) else str(value)


def _rebuild(body: Mapping[str, Any], limits: Limits) -> Catalog:
    documents: dict[tuple[str, str], Mapping[str, Json]] = {
        (str(document["kind"]), str(document["name"])): document for document in body["documents"]
    }
    return build_catalog(documents, body["physical"], limits=limits)
