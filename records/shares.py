"""Shares: rows that let a member, a team or a role read or write one record.

`entity` is the entity's number and `fields` (null: all) holds field keys, so a rename changes nothing here.
`principal` is a member's or team's id, or a role's name: none of them can be mistaken for another. `source` says who
keeps the share (`manual`, later a workflow task).
"""

from __future__ import annotations

import sqlalchemy as sa

from metadata.field import Field
from storage.batch import NAMESPACE
from storage.ddl import create_index, create_table
from storage.engine import Dialect
from storage.migrations import Migration
from storage.types import INTEGER, TEXT, TEXTS, TIMESTAMP, UUID, ColumnType

SHARE = "_share"
"""The table's name."""

SHARE_COLUMNS: dict[str, ColumnType] = {
    "entity": INTEGER,
    "record_id": UUID,
    "principal_kind": TEXT,  # member | team | role
    "principal": TEXT,
    "level": TEXT,  # READ | WRITE
    "fields": TEXTS,
    "source": TEXT,
    "until": TIMESTAMP,
}
"""Its columns; the key is record, principal and source."""

MANUAL = "manual"
"""The source of shares that a member made."""

_OPTIONAL = frozenset({"fields", "until"})


def field_key(field: Field) -> str:
    """How a share names a field: by its first column, which no rename touches, or by its name if it has none."""
    return field.columns[0].name if field.columns else field.name


def share_table() -> sa.TableClause:
    """The table for statements, under the namespace placeholder."""
    columns = [sa.column(name, type_.sqlalchemy()) for name, type_ in SHARE_COLUMNS.items()]
    return sa.table(SHARE, *columns, schema=NAMESPACE)


def _create(dialect: Dialect) -> list[str]:
    columns = [(name, type_, name not in _OPTIONAL) for name, type_ in SHARE_COLUMNS.items()]
    key = ("record_id", "principal_kind", "principal", "source")
    return [
        *create_table(SHARE, columns, key, dialect),
        *create_index("_share_principal", SHARE, ("principal", "entity"), dialect),
    ]


MIGRATIONS = (Migration(500, "shares", _create),)
"""What this room keeps in every company beside the entities' own tables."""
