"""The shared corpus: each case has one result in Python, SQLite and PostgreSQL, each invalid one its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from expressions import ExpressionInvalid, Type, check, evaluate, to_sql
from tests.expressions.conftest import TWINS
from tests.expressions.test_twins import same
from tests.expressions.world import ACTOR, NAMES, TABLE, RowColumns, World, compiled, logical

CORPUS: Mapping[str, Any] = orjson.loads((Path(__file__).parent / "corpus.json").read_bytes())
CASES = CORPUS["cases"]
_READ: Mapping[str, Callable[[Any], Any]] = {
    Type.DECIMAL.value: Decimal,
    Type.INTEGER.value: int,
    Type.DATE.value: date.fromisoformat,
    Type.DATETIME.value: datetime.fromisoformat,
    Type.TIME.value: time.fromisoformat,
    Type.LIST.value: tuple,
}


def read(value: Any, type_: str) -> Any:
    """The logical value of a JSON value of the corpus."""
    return value if value is None or type_ not in _READ else _READ[type_](value)


def row(case: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """The values of a case by path; absent ones are null."""
    values = {known.path: None for known in NAMES} | dict(ACTOR)
    for name, value in case["values"].items():
        values[tuple(name.split("."))] = read(value, CORPUS["names"][name])
    return values


def test_the_corpus_names_what_the_world_has() -> None:
    world = {".".join(known.path): known.type.value for known in NAMES}
    assert {name: type_ for name, type_ in CORPUS["names"].items() if not name.startswith("actor.")} == world
    actor = {tuple(name.split(".")): read(value, CORPUS["names"][name]) for name, value in CORPUS["actor"].items()}
    assert actor == dict(ACTOR)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_python_gives_the_result(case: Mapping[str, Any]) -> None:
    expression = check(case["expression"], World())
    expected = read(case["result"], expression.type.value)
    assert same(evaluate(expression, row(case).__getitem__), expected)


@pytest.mark.parametrize("engine", TWINS)
async def test_databases_give_the_results(engine: str) -> None:
    wrong = []
    async with TWINS[engine]([row(case) for case in CASES]) as twin:
        for number, case in enumerate(CASES):
            expression = check(case["expression"], World())
            form = to_sql(expression, RowColumns(twin.dialect), twin.dialect)
            statement = sa.select(form.clause.label("answer")).select_from(TABLE).where(TABLE.c.n == number)
            ((answer,),) = await twin.run(*compiled(statement, twin.dialect))
            found = logical(answer, form, twin.dialect)
            if not same(found, read(case["result"], expression.type.value)):
                wrong.append((case, found))
    assert wrong == []


@pytest.mark.parametrize("case", CORPUS["invalid"], ids=lambda case: case["expression"][:30] or "empty")
def test_a_mistake_is_found_at_its_place(case: Mapping[str, Any]) -> None:
    with pytest.raises(ExpressionInvalid) as caught:
        check(case["expression"], World())
    error = caught.value
    assert (error.position, error.hint) == (case["position"], case["hint"]), error.text
    assert error.text.zh != error.text.en
    assert error.code == "BAD_USER_INPUT"
