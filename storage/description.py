"""What a database says of itself, for operators."""

from __future__ import annotations

from dataclasses import dataclass

from storage.batch import Sql
from storage.engine import CONTROL, Engine

_POSTGRES = Sql(
    "SELECT current_setting('server_version'), EXISTS (SELECT 1 FROM pg_catalog.pg_collation WHERE collprovider = 'i')"
)
_SQLITE = Sql("SELECT sqlite_version(), 0")


@dataclass(frozen=True, slots=True)
class Description:
    """Product, version, and whether it knows ICU's collations (for orders that people expect; nothing needs them)."""

    product: str
    version: str
    icu: bool


async def describe(engine: Engine) -> Description:
    """Ask an open engine's database. Raises `StorageError`."""
    postgres = engine.dialect == "postgresql"
    rows = await engine.fetch(CONTROL, _POSTGRES if postgres else _SQLITE)
    version, icu = rows[0]
    shown = version.decode() if isinstance(version, bytes) else str(version)
    return Description("PostgreSQL" if postgres else "SQLite", shown, bool(icu))
