"""The tables that storage itself keeps in every namespace.

* `_head`: one row; the catalog version, the last position of the log, the log's epoch, the version of access data.
* `_counter`: the last number drawn from each counter.
* `_log`: change events with their dense positions. On PostgreSQL they wait in `_pending` for the sequencer; on SQLite
  the writer numbers them itself.
* `_idempotency`: answers of mutations under their keys.
* `_job`: jobs and timers.
"""

from __future__ import annotations

from base.text import postgres_fold_statements
from storage import ddl
from storage.batch import NAMESPACE
from storage.ddl import ColumnSpec
from storage.engine import Dialect
from storage.migrations import Migration
from storage.types import BIGINT, BOOLEAN, INTEGER, JSON, TEXT, TIMESTAMP, UUID, ColumnType

CHANGE_COLUMNS: dict[str, ColumnType] = {
    "id": UUID,
    "transaction_id": UUID,
    "at": TIMESTAMP,
    "actor_id": UUID,
    "cause": JSON,
    "entity": TEXT,
    "record_id": TEXT,
    "op": TEXT,
    "record_version": INTEGER,
    "catalog_version": BIGINT,
    "changed": JSON,
    "before": JSON,
    "after": JSON,
}
"""The columns that a change row brings. `record_id` is text: events of documents and roles name no record."""

LOG_COLUMNS: dict[str, ColumnType] = {"position": BIGINT, "seq": BIGINT, "last": BOOLEAN, **CHANGE_COLUMNS}
"""The columns of `_log`: the change row, its position, whether it ends its transaction, and the order of writing."""

_NULLABLE = {"actor_id", "catalog_version", "before", "after"}


def _specs(columns: dict[str, ColumnType]) -> list[ColumnSpec]:
    return [(name, type_, name not in _NULLABLE) for name, type_ in columns.items()]


def _head(dialect: Dialect) -> list[str]:
    epoch = "gen_random_uuid()::text" if dialect == "postgresql" else "lower(hex(randomblob(16)))"
    columns: list[ColumnSpec] = [
        ("id", INTEGER, True),
        ("catalog_version", BIGINT, True),
        ("position", BIGINT, True),
        ("epoch", TEXT, True),
        ("access_version", BIGINT, True),
    ]
    # Room in the page, so that the one row that changes all the time stays on it.
    roomy = [f"ALTER TABLE {NAMESPACE}._head SET (fillfactor = 10)"] if dialect == "postgresql" else []
    return [
        *ddl.create_table("_head", columns, ["id"], dialect),
        *roomy,
        f"INSERT INTO {NAMESPACE}._head (id, catalog_version, position, epoch, access_version) "
        f"VALUES (1, 0, 0, {epoch}, 0)",
        *ddl.create_table("_counter", [("name", TEXT, True), ("value", BIGINT, True)], ["name"], dialect),
    ]


def _log(dialect: Dialect) -> list[str]:
    log = [
        *ddl.create_table("_log", _specs(LOG_COLUMNS), ["position"], dialect),
        *ddl.create_index("_log_record", "_log", ["record_id", "position"], dialect),
    ]
    if dialect == "sqlite":
        return log
    return [
        *log,
        *ddl.create_table("_pending", [("seq", BIGINT, True), *_specs(CHANGE_COLUMNS)], ["seq"], dialect),
        f"ALTER TABLE {NAMESPACE}._pending ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY",
        # Rows stay for milliseconds: what they leave behind is cleared early.
        f"ALTER TABLE {NAMESPACE}._pending "
        "SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
    ]


def _idempotency(dialect: Dialect) -> list[str]:
    columns: list[ColumnSpec] = [
        ("key", TEXT, True),
        ("input_hash", TEXT, True),
        ("answer", JSON, True),
        ("expires_at", TIMESTAMP, True),
    ]
    return [
        *ddl.create_table("_idempotency", columns, ["key"], dialect),
        *ddl.create_index("_idempotency_expires", "_idempotency", ["expires_at"], dialect),
    ]


def _job(dialect: Dialect) -> list[str]:
    columns: list[ColumnSpec] = [
        ("id", UUID, True),
        ("kind", TEXT, True),
        ("payload", JSON, True),
        ("run_at", TIMESTAMP, True),
        ("attempt", INTEGER, True),
        ("dedupe_key", TEXT, False),
        ("lease_token", TEXT, False),
        ("lease_until", TIMESTAMP, False),
        ("error", TEXT, False),
    ]
    return [
        *ddl.create_table("_job", columns, ["id"], dialect),
        *ddl.create_index("_job_due", "_job", ["run_at"], dialect),
        *ddl.create_index("_job_lease", "_job", ["lease_token"], dialect),
        *ddl.create_index("_job_dedupe", "_job", ["dedupe_key"], dialect, unique=True),
    ]


def _fold(dialect: Dialect) -> list[str]:
    return postgres_fold_statements(NAMESPACE) if dialect == "postgresql" else []


MIGRATIONS = (
    Migration(100, "functions", _fold),
    Migration(101, "head and counters", _head),
    Migration(102, "log", _log),
    Migration(103, "idempotency", _idempotency),
    Migration(104, "jobs", _job),
)
"""Storage's own; the engines run them in every namespace before those of other rooms."""
