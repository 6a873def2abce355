"""What a publish costs: per table the work, the locks, and an estimate of the time, from measured constants.

A pure function of what the tables hold and what is to be done to them. The constants are from PostgreSQL 15 on two
shared cores (docs/preview.md): they tell seconds from minutes, not one second from two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COLUMN_SECONDS: Final = 0.003
"""A nullable column: the catalog of the database changes, no row does."""

TABLE_SECONDS: Final = 0.015
"""A new table with its primary key."""

INDEX_ROW_SECONDS: Final = 2.0e-6
"""An index built concurrently: 4 s for two million rows."""

FILL_ROW_SECONDS: Final = 12.0e-6
"""A row that gets a value: a new version of it, and its entries in every index."""

CONVERT_ROW_SECONDS: Final = 35.0e-6
"""A row whose value is read, converted and written into the new column: 35 s for a million, beside others."""

CHECK_ROW_SECONDS: Final = 0.2e-6
"""A row that is looked at: 330 ms for two million rows under a weak lock."""

SWITCH_MS: Final = 5.0
"""The exclusive lock of the company while the new version becomes head."""


@dataclass(frozen=True, slots=True)
class TableWork:
    """What a publish does to one table: counts of things, rows that the table holds, rows that are filled.

    `fills` and `conversions` are rows, `checks` counts tests that each visit every row.
    """

    entity: str
    table: str
    rows: int
    new: bool = False
    columns: int = 0
    indexes: int = 0
    dropped_indexes: int = 0
    fills: int = 0
    conversions: int = 0
    checks: int = 0


@dataclass(frozen=True, slots=True)
class TableCost:
    """One table's work with its price. `blocked_ms` is how long readers of the table wait at most, expectedly."""

    work: TableWork
    seconds: float
    blocked_ms: float


@dataclass(frozen=True, slots=True)
class Cost:
    """The price of a publish. `prepared` tells that it is done step by step, while the old version is served."""

    tables: tuple[TableCost, ...] = ()
    prepared: bool = False
    seconds: float = 0.0
    blocked_ms: float = 0.0


NO_COST: Final = Cost()
"""Nothing to do."""


def cost_of(works: Sequence[TableWork], *, prepared: bool) -> Cost:
    """The price of all work together, done in one transaction or prepared step by step."""
    tables = tuple(
        TableCost(work, _seconds(work), _blocked_ms(work, prepared=prepared))
        for work in sorted(works, key=lambda work: work.table)
    )
    blocked = max((item.blocked_ms for item in tables), default=0.0)
    if not prepared:
        # one transaction: what was locked first stays locked until the last table is done
        blocked = sum(item.blocked_ms for item in tables)
    return Cost(tables, prepared, sum(item.seconds for item in tables), blocked + SWITCH_MS if works else 0.0)


def _seconds(work: TableWork) -> float:
    if work.new:
        return TABLE_SECONDS + work.indexes * COLUMN_SECONDS
    return (
        (work.columns + work.dropped_indexes + work.indexes) * COLUMN_SECONDS
        + work.rows * work.indexes * INDEX_ROW_SECONDS
        + work.fills * FILL_ROW_SECONDS
        + work.conversions * CONVERT_ROW_SECONDS
        + work.rows * work.checks * CHECK_ROW_SECONDS
    )


def _blocked_ms(work: TableWork, *, prepared: bool) -> float:
    """How long readers of the table wait: not at all for a new one, for its short steps when it is prepared."""
    if work.new:
        return 0.0
    steps = (work.columns + work.dropped_indexes) * COLUMN_SECONDS
    return 1000 * (steps if prepared else _seconds(work) if steps else 0.0)
