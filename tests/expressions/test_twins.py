"""The twins agree: random expressions over random rows give the same value in Python, SQLite and PostgreSQL."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from base.limits import Limits
from expressions import Expression, ExpressionInvalid, SqlValue, Type, check, condition, evaluate, to_sql
from tests.expressions.conftest import TWINS, Twin
from tests.expressions.world import (
    ACTOR,
    TABLE,
    Row,
    RowColumns,
    World,
    Writer,
    compiled,
    logical,
    random_row,
)

ROWS = 60
ROUNDS = 12
BATCH = 40
TYPES = (Type.BOOLEAN, Type.BOOLEAN, Type.BOOLEAN, Type.INTEGER, Type.DECIMAL, Type.DECIMAL, Type.FLOAT, Type.TEXT)

Difference = tuple[str, Row, Any, Any]


@pytest.fixture(params=list(TWINS))
async def twin(request: pytest.FixtureRequest) -> AsyncIterator[Twin]:
    rng = random.Random(20261123)
    async with TWINS[request.param]([random_row(rng) for _ in range(ROWS)]) as opened:
        yield opened


def written(seed: int, count: int, depth: int) -> list[Expression]:
    """Random expressions that the checker accepts."""
    rng = random.Random(seed)
    writer, world = Writer(rng), World()
    found: list[Expression] = []
    while len(found) < count:
        try:
            found.append(check(writer.write(rng.choice(TYPES), rng.randrange(1, depth)), world))
        except ExpressionInvalid:
            continue
    return found


async def differences(twin: Twin, expressions: Sequence[Expression]) -> list[Difference]:
    """Where the database and Python part: the expression, the row, and both answers."""
    columns = RowColumns(twin.dialect)
    forms: list[SqlValue] = []
    selected: list[Any] = [TABLE.c.n]
    for expression in expressions:
        forms.append(to_sql(expression, columns, twin.dialect))
        selected.append(forms[-1].clause)
        if expression.type is Type.BOOLEAN:
            for negated in (False, True):
                clause = condition(expression, columns, twin.dialect, negated=negated)
                selected.append(sa.case((clause, 1), else_=0))
    named = [clause.label(f"c{index}") for index, clause in enumerate(selected)]
    found: list[Difference] = []
    for number, *answers in await twin.run(*compiled(sa.select(*named).order_by(TABLE.c.n), twin.dialect)):
        row = {**twin.rows[number], **ACTOR}
        rest = iter(answers)
        for expression, form in zip(expressions, forms, strict=True):
            expected = evaluate(expression, row.__getitem__)
            answer = logical(next(rest), form, twin.dialect)
            if not same(answer, expected):
                found.append((expression.source, row, expected, answer))
            if expression.type is Type.BOOLEAN:
                truth = expected is True
                held, not_held = next(rest), next(rest)
                if (held, not_held) != (int(truth), int(not truth)):
                    found.append((expression.source, row, truth, (held, not_held)))
            if not form.nullable and answer is None:
                found.append((expression.source, row, "not nullable", None))
    return found


def same(answer: Any, expected: Any) -> bool:
    """Equal, bit for bit where they are floats."""
    if isinstance(expected, float) and isinstance(answer, float):
        return answer == expected and math.copysign(1, answer) == math.copysign(1, expected or 0.0 * answer)
    if isinstance(expected, float) or isinstance(answer, float):
        return False
    return (answer is None) == (expected is None) and bool(answer == expected)


async def test_random_expressions_give_the_same_everywhere(twin: Twin) -> None:
    found: list[Difference] = []
    for seed in range(ROUNDS):
        found += await differences(twin, written(seed, BATCH, 5))
    found.sort(key=lambda fault: len(fault[0]))
    assert not found, (len(found), *_shown(found[0]))


def _shown(fault: Difference) -> tuple[Any, ...]:
    source, row, expected, answer = fault
    return source, {".".join(path): value for path, value in row.items() if ".".join(path) in source}, expected, answer


@pytest.mark.parametrize("joint", ["+", "-", "*", "/", "%"])
@pytest.mark.parametrize("name", ["amount", "ratio", "count"])
async def test_the_deepest_expression_stays_small(twin: Twin, joint: str, name: str) -> None:
    if (joint, name) == ("%", "ratio"):
        pytest.skip("% is for exact numbers")
    source = name
    for _ in range(38):
        source = f"({source} {joint} {name})"
    expression = check(f"{source} > 0", World())
    sql, _ = compiled(sa.select(to_sql(expression, RowColumns(twin.dialect), twin.dialect).clause), twin.dialect)
    assert len(sql) < 40_000
    assert not await differences(twin, [expression])


DEEP = {
    "choice": "({0} ? active : flag)",
    "condition of a choice": "({0}) ? active : false",
    "later choice": "(active ? flag : ({0}))",
    "negation": "!({0} == flag)",
    "left": "({0} != (amount * 2 < 1))",
    "right": "(flag == ({0}))",
    "and or": "(flag && (active || {0}))",
}


@pytest.mark.parametrize("shape", DEEP.values(), ids=DEEP.keys())
async def test_the_deepest_conditions_fit_every_parser(twin: Twin, shape: str) -> None:
    source, last = "flag", "flag"
    while True:
        try:
            check(source, World())
        except ExpressionInvalid:
            break
        last, source = source, shape.replace("{0}", source)
    assert not await differences(twin, [check(last, World())])


async def test_wide_formulas_take_several_calls(twin: Twin) -> None:
    names = ["amount", "cost", "count", "(flag ? rate : units)", "-units"]
    terms = [names[n % len(names)] for n in range(128)]
    while len(terms) > 1:
        terms = [f"({left} + {right})" for left, right in zip(terms[::2], terms[1::2], strict=True)]
    limits = Limits(expression_nodes=1_000)
    assert not await differences(twin, [check(terms[0], World(), limits=limits)])


async def test_long_chains_are_flat(twin: Twin) -> None:
    chained = " || ".join(f"name == '{n}'" for n in range(120))
    tiers = " : ".join(f"count > {n} ? {n} * 2" for n in range(36, 0, -1)) + " : amount"
    assert not await differences(twin, [check(chained, World()), check(tiers, World())])
