"""Where rows are kept: one contract, two engines (SQLite, PostgreSQL), batches, DDL and jobs.

A company is a namespace of real tables. Nothing here knows an entity, an actor or GraphQL; a write arrives as a value
(`Batch`) and is applied in one transaction without coming back to its maker. `open_engine` chooses the engine by the
database's address; `storage.types`, `storage.sql`, `storage.ddl` and `storage.jobs` are used by their names.
"""

from storage.batch import (
    NAMESPACE,
    Applied,
    Batch,
    CatalogMoved,
    Cause,
    ChangeRow,
    Execute,
    Expect,
    Guard,
    GuardFailed,
    IdempotencyRow,
    Insert,
    Late,
    NotUnique,
    Outcome,
    Replayed,
    Sql,
    Statement,
    Update,
)
from storage.choice import open_engine
from storage.engine import CONTROL, Dialect, Engine
from storage.errors import (
    Busy,
    Damaged,
    NamespaceMissing,
    StatementRefused,
    StorageError,
    StorageFull,
    Unreachable,
)
from storage.fixed import MIGRATIONS
from storage.migrations import Migration
from storage.sqlite.engine import SqliteEngine

__all__ = [
    "CONTROL",
    "MIGRATIONS",
    "NAMESPACE",
    "Applied",
    "Batch",
    "Busy",
    "CatalogMoved",
    "Cause",
    "ChangeRow",
    "Damaged",
    "Dialect",
    "Engine",
    "Execute",
    "Expect",
    "Guard",
    "GuardFailed",
    "IdempotencyRow",
    "Insert",
    "Late",
    "Migration",
    "NamespaceMissing",
    "NotUnique",
    "Outcome",
    "Replayed",
    "Sql",
    "SqliteEngine",
    "Statement",
    "StatementRefused",
    "StorageError",
    "StorageFull",
    "Unreachable",
    "Update",
    "open_engine",
]
