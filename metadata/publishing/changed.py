"""Which records have changed since a position of the log: what a fill that ran beside writers has to visit again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from metadata.publishing.fills import Fetch
from storage.batch import NAMESPACE, Sql
from storage.engine import Dialect
from storage.sql import InList, ListParameter, compile, encode_list
from storage.types import BIGINT, TEXT

_POSITION: Final = Sql("SELECT position FROM __ns__._head WHERE id = 1")


async def position_now(fetch: Fetch) -> int:
    """The position up to which the log is numbered: what is committed and lies before it is in the log."""
    rows = await fetch(_POSITION, ())
    return int(rows[0][0])


async def changed_since(
    fetch: Fetch, dialect: Dialect, position: int, entities: Collection[str], most: int | None = None
) -> Mapping[str, Sequence[str]]:
    """Entity -> ids of its records with an event behind `position`, events that wait for theirs included.

    At most `most` records are read: who gets so many has not seen all.
    """
    if not entities:
        return {}
    sql = compile(_changed(dialect, most), dialect)
    values = {"entities": encode_list(sorted(entities), TEXT, dialect), "position": position}
    text = TEXT.decoder(dialect)
    found: dict[str, list[str]] = {}
    for row in await fetch(sql, tuple(values[name] for name in sql.binds)):
        found.setdefault(text(row[0]), []).append(text(row[1]))
    return {entity: sorted(records) for entity, records in found.items()}


def _changed(dialect: Dialect, most: int | None) -> sa.Select[Any]:
    """One statement, hence one snapshot: an event that is numbered meanwhile is in one of the two tables."""
    asked = InList(sa.column("entity", sa.Text()), ListParameter("entities", TEXT))
    columns: list[sa.ColumnClause[Any]] = [sa.column("entity"), sa.column("record_id")]
    behind = sa.column("position") > sa.bindparam("position", type_=BIGINT.sqlalchemy())
    logged = sa.select(*columns).select_from(sa.table("_log", schema=NAMESPACE)).where(behind, asked)
    parts = [logged]
    if dialect == "postgresql":
        parts.append(sa.select(*columns).select_from(sa.table("_pending", schema=NAMESPACE)).where(asked))
    query = sa.select(*columns).distinct().select_from(sa.union_all(*parts).subquery())
    return query if most is None else query.limit(sa.literal_column(str(most)))
