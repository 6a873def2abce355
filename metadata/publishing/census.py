"""Counting rows before a publish: how many there are, what stands against a change, what would not convert."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.catalog import Entity
from metadata.publishing.checks import RowCheck, column_of, live, table_of
from metadata.publishing.fills import SAMPLE, Fill
from storage.batch import Sql, Value
from storage.engine import Engine
from storage.sql import compile, compile_with_constants
from storage.types import UUID

READ_ROWS: Final = 250
"""Rows that are read and judged in Python at once: between two such reads other requests have their turn."""

TRIAL_ROWS: Final = 100_000
"""Rows on which a conversion is tried before a publish: about two seconds; the fill itself meets all of them."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What trying a conversion found: rows looked at, whether these were all, and the values that find no place."""

    rows: int
    complete: bool
    lost: int
    sample: tuple[str, ...]


class Census:
    """Counts of rows of one company's tables, as they are at this moment."""

    def __init__(self, engine: Engine, namespace: str) -> None:
        self._engine = engine
        self._namespace = namespace

    async def fetch(self, sql: Sql, params: Sequence[Value]) -> Sequence[Sequence[Any]]:
        """Run one reading statement of the company."""
        return await self._engine.fetch(self._namespace, sql, params)

    async def is_empty(self, entity: Entity) -> bool:
        """Whether a table has no row, deleted ones included."""
        return not await self.rows_up_to(entity, 1)

    async def rows_up_to(self, entity: Entity, most: int) -> int:
        """Rows of a table, deleted ones included; no more than `most` are counted."""
        one: sa.Select[Any] = sa.select(sa.literal_column("1"))
        some = one.select_from(table_of(entity)).limit(sa.literal_column(str(most)))
        return await self._number(sa.select(sa.func.count()).select_from(some.subquery()))

    async def rows(self, entity: Entity) -> int:
        """Rows of a table, deleted ones included."""
        return await self._number(sa.select(sa.func.count()).select_from(table_of(entity)))

    async def count(self, check: RowCheck) -> int:
        """Rows that stand against a change."""
        rows = await self.fetch(*check.count(self._engine.dialect))
        return int(rows[0][0])

    async def count_among(self, check: RowCheck, ids: Collection[str]) -> int:
        """Those of some records that stand against a change."""
        rows = await self.fetch(*check.among(ids, self._engine.dialect))
        return int(rows[0][0])

    async def sample(self, check: RowCheck) -> tuple[str, ...]:
        """Ids of the first rows that stand against a change."""
        decode = UUID.decoder(self._engine.dialect)
        return tuple(decode(row[0]) for row in await self.fetch(*check.sample(self._engine.dialect)))

    async def count_duplicates(self, entity: Entity, keys: Sequence[ColumnElement[Any]]) -> int:
        """Groups of live rows that share all of these values, none of them null."""
        groups = (
            sa.select(sa.literal_column("1"))
            .select_from(table_of(entity))
            .where(live(), *(key.is_not(None) for key in keys))
            .group_by(*keys)
            .having(sa.func.count() > sa.literal_column("1"))
            .subquery()
        )
        return await self._number(sa.select(sa.func.count()).select_from(groups))

    async def ids_after(self, entity: Entity, after: str | None, most: int) -> list[str]:
        """The next ids of a table in their order."""
        key = column_of("id", UUID)
        query = sa.select(key).select_from(table_of(entity)).order_by(key).limit(sa.literal_column(str(most)))
        params: tuple[Value, ...] = ()
        if after is not None:
            query = query.where(key > sa.bindparam("after", type_=UUID.sqlalchemy()))
            params = (after,)
        decode = UUID.decoder(self._engine.dialect)
        return [decode(row[0]) for row in await self.fetch(compile(query, self._engine.dialect), params)]

    async def trial(self, fill: Fill, most: int = TRIAL_ROWS) -> Trial:
        """Try a conversion without writing, on at most so many rows."""
        after: str | None = None
        seen, lost = 0, 0
        sample: list[str] = []
        while seen < most:
            ids = await self.ids_after(fill.entity, after, min(READ_ROWS, most - seen))
            if not ids:
                return Trial(seen, True, lost, tuple(sample))
            after = ids[-1]
            found = await fill.of(self.fetch, ids)
            seen += found.rows
            lost += len(found.lost)
            sample += found.lost[: SAMPLE - len(sample)]
        complete = not await self.ids_after(fill.entity, after, 1)
        return Trial(seen, complete, lost, tuple(sample))

    async def _number(self, query: sa.Select[Any]) -> int:
        made = compile_with_constants(query, self._engine.dialect)
        return int((await self.fetch(made.sql, made.params()))[0][0])
