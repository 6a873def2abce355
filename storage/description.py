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
    """Product, version, and whether it knows ICU's collations (for orders that people expect; nothing needs them).

    `shared`: whether several processes may write the same company at once without a fault of the database's own.
    """

    product: str
    version: str
    icu: bool
    shared: bool


async def describe(engine: Engine) -> Description:
    """Ask an open engine's database. Raises `StorageError`."""
    postgres = engine.dialect == "postgresql"
    rows = await engine.fetch(CONTROL, _POSTGRES if postgres else _SQLITE)
    version, icu = rows[0]
    shown = version.decode() if isinstance(version, bytes) else str(version)
    shared = postgres or resets_its_log_well(shown)
    return Description("PostgreSQL" if postgres else "SQLite", shown, bool(icu), shared)


def resets_its_log_well(version: str) -> bool:
    """Whether a version of SQLite is without the WAL-reset bug, by which two processes that write one file may, very
    rarely, damage it (https://sqlite.org/wal.html#walresetbug)."""
    number = tuple(int(part) for part in version.split("."))
    return number >= (3, 51, 3) or (3, 50, 7) <= number < (3, 51) or (3, 44, 6) <= number < (3, 45)
