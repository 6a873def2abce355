"""The SQL that indexes depend on, and the way back from a computed value to a column."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from base import decimals
from expressions import Dialect, check, condition, stored, to_sql
from tests.expressions.conftest import TWINS
from tests.expressions.world import IDS, NAMES, TABLE, RowColumns, World, compiled


def where(source: str, dialect: Dialect) -> str:
    """The condition in SQL, without the table's name."""
    clause = condition(check(source, World()), RowColumns(dialect), dialect)
    sql, _ = compiled(sa.select(TABLE.c.n).where(clause), dialect)
    return sql.partition("WHERE ")[2].replace("expression_row.", "")


@pytest.mark.parametrize(
    ("source", "postgresql", "sqlite"),
    [
        ("stage == 'A'", "stage = CAST($1 AS TEXT)", "stage = ?"),
        ("amount < 1.5", "amount < CAST($1 AS NUMERIC)", "amount < ?"),
        ("count < 1.5", "count <= CAST($1 AS BIGINT)", "count <= ?"),
        ("amount == cost", "amount IS NOT DISTINCT FROM cost", "amount IS cost"),
        ("ownerId != null", "(ownerid) IS NOT NULL", "(ownerid) IS NOT NULL"),
        ("teamId in actor.teamIds", "teamid = ANY (CAST($1 AS UUID[]))", "teamid IN (SELECT value FROM json_each(?))"),
        (f"ownerId == '{IDS[1]}'", "ownerid = CAST($1 AS UUID)", "ownerid = ?"),
    ],
)
def test_plain_comparisons_stay_plain(source: str, postgresql: str | None, sqlite: str) -> None:
    assert where(source, "sqlite") == sqlite
    if postgresql is not None:
        assert re.sub(r"::[A-Z]+(\[\])?", "", where(source, "postgresql")) == postgresql


@pytest.mark.parametrize("engine", TWINS)
@pytest.mark.parametrize("source", ["2.5 / 1000", "-2.5 / 1000", "amount", "1 / 3", "count", "amount / 0"])
async def test_a_computed_value_goes_back_into_a_column(engine: str, source: str) -> None:
    values: dict[tuple[str, ...], Any] = {known.path: None for known in NAMES}
    values |= {("amount",): Decimal("1.2345"), ("count",): 7}
    async with TWINS[engine]([values]) as twin:
        expression = check(source, World())
        clause = stored(to_sql(expression, RowColumns(twin.dialect), twin.dialect), 2, twin.dialect)
        ((answer,),) = await twin.run(*compiled(sa.select(clause.label("a")).select_from(TABLE), twin.dialect))
    exact = {"amount": Decimal("1.23"), "1 / 3": Decimal("0.33"), "count": Decimal(7), "amount / 0": None}
    expected = exact.get(source, Decimal("0.00"))
    if twin.dialect == "sqlite" and expected is not None:
        assert answer == int(decimals.rounded(expected, 2).scaleb(2))
    else:
        assert answer == expected
