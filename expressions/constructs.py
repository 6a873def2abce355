"""SQL that SQLAlchemy has no word for. No operand is ever written twice, so nested expressions stay linear in size."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from base.decimals import DIGITS, SCALE
from base.floats import LARGEST, LARGEST_SUM, SMALLEST


class bounded(FunctionElement[Any]):
    """A numeric of PostgreSQL, or null when it has more digits than `base.decimals` allows."""

    name = "bounded"
    type = sa.Numeric()
    inherit_cache = True


class _NumericOperation(FunctionElement[Any]):
    """An operation on two numerics of PostgreSQL: the twin of `base.decimals`, before its bound."""

    type = sa.Numeric()
    inherit_cache = True
    formula: ClassVar[str]


class numeric_add(_NumericOperation):
    """`base.decimals.add`."""

    name = "numeric_add"
    formula = "({0} + {1})"


class numeric_subtract(_NumericOperation):
    """`base.decimals.subtract`."""

    name = "numeric_subtract"
    formula = "({0} - {1})"


class numeric_multiply(_NumericOperation):
    """`base.decimals.multiply`; round takes ties away from zero."""

    name = "numeric_multiply"
    formula = f"round({{0}} * {{1}}, {SCALE})"


class numeric_divide(_NumericOperation):
    """`base.decimals.divide`.

    A quotient has as many digits behind the point as its operands, at least: 40 here. Two values of 28 digits have no
    quotient that differs from a tie by less than 10**-38, so rounding it again gives what rounding once would.
    """

    name = "numeric_divide"
    formula = f"round(round({{0}}, 40) / nullif({{1}}, 0), {SCALE})"


class numeric_remainder(_NumericOperation):
    """`base.decimals.remainder`."""

    name = "numeric_remainder"
    formula = "mod({0}, nullif({1}, 0))"


class contained(FunctionElement[Any]):
    """Whether the first operand is in the second: an array of PostgreSQL, the text of a JSON array on SQLite."""

    name = "contained"
    type = sa.types.NullType()  # behind a Boolean SQLAlchemy would write `= 1` on SQLite, and no index would serve
    inherit_cache = True


class _DoubleOperation(FunctionElement[float]):
    """An operation on two doubles of PostgreSQL that never raises: the twin of `base.floats`."""

    type = sa.Double()
    inherit_cache = True
    formula: ClassVar[str]


def _double(number: float) -> str:
    return f"CAST('{number!r}' AS double precision)"


class double_add(_DoubleOperation):
    """`base.floats.add`."""

    name = "double_add"
    formula = (
        f"CASE WHEN (a > 0 AND b > {_double(LARGEST_SUM)} - a) OR (a < 0 AND b < {_double(-LARGEST_SUM)} - a)"
        f" THEN NULL ELSE a + b + 0 END"
    )


class double_multiply(_DoubleOperation):
    """`base.floats.multiply`; least and greatest keep the bounds computable where their condition is false."""

    name = "double_multiply"
    formula = (
        f"CASE WHEN a IS NULL OR b IS NULL THEN NULL"
        f" WHEN abs(a) > 1 AND abs(b) > {_double(LARGEST)} / greatest(abs(a), 1) THEN NULL"
        f" WHEN a = 0 OR b = 0 THEN 0"
        f" WHEN abs(a) < 1 AND abs(b) < {_double(SMALLEST)} / least(abs(a), 1) THEN 0 ELSE a * b END"
    )


class double_divide(_DoubleOperation):
    """`base.floats.divide`."""

    name = "double_divide"
    formula = (
        f"CASE WHEN a IS NULL OR b IS NULL OR b = 0 THEN NULL"
        f" WHEN abs(b) < 1 AND abs(a) > {_double(LARGEST)} * least(abs(b), 1) THEN NULL"
        f" WHEN a = 0 OR (abs(b) > 1 AND abs(a) < {_double(SMALLEST)} * greatest(abs(b), 1)) THEN 0 ELSE a / b END"
    )


_SAFE: Final = 10 ** (DIGITS - SCALE)
_LARGE: Final = 10**DIGITS


def _operands(element: FunctionElement[Any], compiler: SQLCompiler, kw: dict[str, Any]) -> list[str]:
    clauses: list[ColumnElement[Any]] = list(element.clauses)
    return [compiler.process(clause.self_group(), **kw) for clause in clauses]


@compiles(bounded, "postgresql")
def _bounded(element: bounded, compiler: SQLCompiler, **kw: Any) -> str:
    # OFFSET 0 keeps the planner from writing the operand into each place where v stands.
    (value,) = _operands(element, compiler, kw)
    return (
        f"(SELECT CASE WHEN abs(v) < {_SAFE} THEN v"
        f" WHEN abs(v) < {_LARGE} AND length(translate(CAST(trim_scale(v) AS text), '-.', '')) <= {DIGITS} THEN v END"
        f" FROM (SELECT {value} AS v OFFSET 0) AS bounded)"
    )


@compiles(_NumericOperation, "postgresql")
def _numeric_operation(element: _NumericOperation, compiler: SQLCompiler, **kw: Any) -> str:
    return element.formula.format(*_operands(element, compiler, kw))


@compiles(_DoubleOperation, "postgresql")
def _double_operation(element: _DoubleOperation, compiler: SQLCompiler, **kw: Any) -> str:
    left, right = _operands(element, compiler, kw)
    return f"(SELECT {element.formula} FROM (SELECT {left} AS a, {right} AS b OFFSET 0) AS doubles)"


@compiles(contained, "postgresql")
def _contained_in_array(element: contained, compiler: SQLCompiler, **kw: Any) -> str:
    item, items = _operands(element, compiler, kw)
    if items.lstrip("(").startswith("SELECT"):
        # ANY would take the rows of a sub-select, not the array in its one row; the planner drops the COALESCE
        items = f"COALESCE({items})"
    return f"{item} = ANY ({items})"


@compiles(contained, "sqlite")
def _contained_in_json(element: contained, compiler: SQLCompiler, **kw: Any) -> str:
    item, items = _operands(element, compiler, kw)
    return f"{item} IN (SELECT value FROM json_each({items}))"
