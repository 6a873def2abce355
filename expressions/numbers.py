"""Numbers in SQL: exact and floating arithmetic and comparison on both engines, as `base.decimals` defines them.

A number is a *column* (an integer, or on SQLite also a scaled integer), *computed* (a numeric, or on SQLite canonical
text) or a *constant*. Columns are compared with constants and with columns of the same scale as they are, so that
indexes serve; all else goes through exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql import operators as sql_operators
from sqlalchemy.types import TypeEngine

from base import decimals
from expressions import constructs
from expressions.types import Dialect, SqlValue, Type

_INT64_MAX: Final = 2**63 - 1
_STORED_DIGITS: Final = 18  # of a decimal column
_INTEGER_DIGITS: Final = 16  # of an integer column: 2**53 at most
_NUMERIC: Final = {
    "+": constructs.numeric_add,
    "-": constructs.numeric_subtract,
    "*": constructs.numeric_multiply,
    "/": constructs.numeric_divide,
    "%": constructs.numeric_remainder,
}
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": sql_operators.lt,
    "<=": sql_operators.le,
    ">": sql_operators.gt,
    ">=": sql_operators.ge,
}
_ARGUMENTS_MAX: Final = 100  # SQLite's functions take 127


@dataclass(frozen=True, slots=True)
class Number:
    """A number on its way into SQL. `whole` bounds the digits before the point, `scale` those behind it."""

    clause: ColumnElement[Any] | None
    type: Type
    scale: int
    whole: int
    nullable: bool = True
    computed: bool = False
    constant: Decimal | int | None = None
    program: tuple[str | ColumnElement[Any], ...] = ()  # SQLite's form of arithmetic (`base.decimals.run_program`)

    def as_value(self, dialect: Dialect) -> SqlValue:
        """The number as it leaves the back end."""
        if self.type is Type.FLOAT:
            return SqlValue(double(self, dialect), Type.FLOAT, 0, self.nullable)
        if self.clause is not None:
            return SqlValue(self.clause, self.type, self.scale, self.nullable, computed=self.computed)
        return SqlValue(exact(self, dialect), self.type, self.scale, self.nullable, computed=True)


def from_value(value: SqlValue) -> Number:
    """The number that a column, parameter or computed value is."""
    if value.computed:
        whole = decimals.DIGITS
    else:
        whole = _INTEGER_DIGITS if value.type is Type.INTEGER else max(_STORED_DIGITS - value.scale, 0)
    return Number(value.clause, value.type, value.scale, whole, value.nullable, value.computed)


def from_constant(value: Decimal | int, type_: Type) -> Number:
    """The number that a literal is."""
    _, digits, exponent = Decimal(value).as_tuple()
    scale = -int(exponent) if int(exponent) < 0 else 0
    return Number(None, type_, scale, max(len(digits) - scale, 1), nullable=False, constant=value)


def null_number(type_: Type) -> Number:
    """The null of a number type."""
    return Number(sa.null(), type_, 0, 0, computed=True)


def exact(number: Number, dialect: Dialect) -> ColumnElement[Any]:
    """A numeric (PostgreSQL) or canonical text (SQLite). Not for floats."""
    if dialect == "postgresql":
        if number.constant is not None:
            return sa.cast(sa.literal(Decimal(number.constant), sa.Numeric()), sa.Numeric())
        plain = number.type is Type.INTEGER and not number.computed
        if plain or isinstance(number.clause, sa.Null):
            return sa.cast(number.clause, sa.Numeric())
        return sa.type_coerce(number.clause, sa.Numeric())
    if number.constant is not None:
        return sa.literal(decimals.text(number.constant), sa.Text())
    if number.program:
        return _called(number.program, sa.Text())
    if number.computed:
        return sa.type_coerce(number.clause, sa.Text())
    return sa.func.pliant_decimal(number.clause, _written(number.scale), type_=sa.Text())


def double(number: Number, dialect: Dialect) -> ColumnElement[Any]:
    """The nearest double."""
    if number.constant is not None:
        constant: ColumnElement[Any] = sa.literal(float(number.constant), sa.Double())
        return sa.cast(constant, sa.Double()) if dialect == "postgresql" else constant
    if number.type is Type.FLOAT and number.program:
        return _called(number.program, sa.Double())
    if number.type is Type.FLOAT and number.clause is not None and not isinstance(number.clause, sa.Null):
        return sa.type_coerce(number.clause, sa.Double())
    if dialect == "postgresql":
        return sa.cast(number.clause, sa.Double())
    if number.type is Type.INTEGER and not number.computed:
        return sa.cast(number.clause, sa.REAL())
    return sa.func.pliant_double(exact(number, dialect), type_=sa.Double())


def arithmetic(operator: str, left: Number, right: Number, type_: Type, dialect: Dialect) -> Number:
    """`+ - * / %` of two numbers, of which the result has type `type_`."""
    scale, whole = _size(operator, left, right)
    risky = whole + scale > decimals.DIGITS or type_ is Type.FLOAT
    nullable = left.nullable or right.nullable or risky or operator in "/%"
    number = Number(None, type_, scale, min(whole, decimals.DIGITS), nullable, computed=True)
    if dialect == "sqlite":
        return replace(number, program=_joined(operator, left, right, type_ is Type.FLOAT))
    if type_ is Type.FLOAT:
        return replace(number, clause=_double_arithmetic(operator, double(left, dialect), double(right, dialect)))
    clause = _NUMERIC[operator](exact(left, dialect), exact(right, dialect))
    return replace(number, clause=constructs.bounded(clause) if risky else clause)


def equal(left: Number, right: Number, negated: bool, dialect: Dialect) -> ColumnElement[Any]:
    """`==`, or its negation. Positive: null where it is false, perhaps. Negated: never null."""
    sides = _comparable(left, right, dialect, for_order=False)
    if isinstance(sides, _AgainstConstant):
        if not sides.exact or abs(sides.bound) > _INT64_MAX:
            return sa.true() if negated else sa.false()
        return equality(sides.column, _integer(sides.bound, dialect), sides.nullable, False, negated)
    return equality(*sides, left.nullable, right.nullable, negated)


def ordered(operator: str, left: Number, right: Number, dialect: Dialect) -> ColumnElement[Any]:
    """`< <= > >=`; null where an operand is null."""
    sides = _comparable(left, right, dialect, for_order=True)
    if not isinstance(sides, _AgainstConstant):
        return _ORDER[operator](*sides)  # type: ignore[no-any-return]
    operator = _MIRRORED[operator] if sides.mirrored else operator
    if not sides.exact:  # between two integers: x < 2.5 is x <= 2, and x >= 2.5 is x > 2
        operator = {"<": "<=", ">=": ">"}.get(operator, operator)
    bound = max(min(sides.bound, _INT64_MAX), -_INT64_MAX)
    return _ORDER[operator](sides.column, _integer(bound, dialect))  # type: ignore[no-any-return]


def among(number: Number, constants: list[Number], dialect: Dialect) -> ColumnElement[Any]:
    """Whether the number equals one of some constants; it is written once."""
    if number.type is Type.FLOAT:
        return double(number, dialect).in_([double(constant, dialect) for constant in constants])
    if number.clause is None or number.computed or not _is_integer(number, dialect):
        return exact(number, dialect).in_([exact(constant, dialect) for constant in constants])
    bounds = [decimals.floor_scaled(constant.constant or 0, number.scale) for constant in constants]
    whole = [_integer(bound, dialect) for bound, is_exact in bounds if is_exact and abs(bound) <= _INT64_MAX]
    return number.clause.in_(whole) if whole else sa.false()


def equality(
    left: ColumnElement[Any], right: ColumnElement[Any], left_nullable: bool, right_nullable: bool, negated: bool
) -> ColumnElement[Any]:
    """Total equality of two clauses, as plain `=` where at most one can be null (then null stands for false)."""
    if negated:
        return left.is_distinct_from(right) if left_nullable or right_nullable else left != right
    return left.is_not_distinct_from(right) if left_nullable and right_nullable else left == right


def order(operator: str, left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """`< <= > >=` of two clauses."""
    return _ORDER[operator](left, right)  # type: ignore[no-any-return]


def stored(value: SqlValue, scale: int, dialect: Dialect) -> ColumnElement[Any]:
    """An exact number as a decimal column of `scale` keeps it, rounded HALF_UP: a scaled integer on SQLite."""
    number = from_value(value)
    if dialect == "postgresql":
        return sa.func.round(exact(number, dialect), _written(scale), type_=sa.Numeric())
    if not number.computed and number.scale == scale:
        return value.clause
    return sa.func.pliant_decimal_scaled(exact(number, dialect), _written(scale), type_=sa.BigInteger())


_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class _AgainstConstant:
    """A comparison of an integer column with a constant: the largest integer not above it, and whether it is it."""

    column: ColumnElement[Any]
    bound: int
    exact: bool
    nullable: bool
    mirrored: bool


def _comparable(
    left: Number, right: Number, dialect: Dialect, for_order: bool
) -> _AgainstConstant | tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Two clauses that compare as the numbers do, or the bound that an integer column is compared with."""
    if Type.FLOAT in (left.type, right.type):
        return double(left, dialect), double(right, dialect)
    for column, constant in ((left, right), (right, left)):
        if column.clause is not None and constant.constant is not None and _is_integer(column, dialect):
            bound, is_exact = decimals.floor_scaled(constant.constant, column.scale)
            return _AgainstConstant(column.clause, bound, is_exact, column.nullable, column is right)
    if left.clause is not None and right.clause is not None:
        same = _is_integer(left, dialect) and _is_integer(right, dialect) and left.scale == right.scale
        if same or dialect == "postgresql":
            return left.clause, right.clause
    operands = exact(left, dialect), exact(right, dialect)
    if dialect == "sqlite" and for_order:
        return sa.func.pliant_decimal_compare(*operands, type_=sa.Integer()), _written(0)
    return operands  # equal values have equal canonical texts


def _is_integer(number: Number, dialect: Dialect) -> bool:
    """Whether its clause is an integer (a column's, perhaps scaled)."""
    return not number.computed and (
        number.type is Type.INTEGER or (number.type is Type.DECIMAL and dialect == "sqlite")
    )


def _size(operator: str, left: Number, right: Number) -> tuple[int, int]:
    """Digits behind and before the point that a result can have."""
    match operator:
        case "+" | "-":
            return max(left.scale, right.scale), max(left.whole, right.whole) + 1
        case "*":
            return min(left.scale + right.scale, decimals.SCALE), left.whole + right.whole
        case "/":
            at_least_one = right.constant is not None and not -1 < right.constant < 1
            return decimals.SCALE, left.whole + (0 if at_least_one else right.scale)
        case _:
            return max(left.scale, right.scale), max(left.whole, right.whole)


def _double_arithmetic(operator: str, left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    match operator:
        case "+":
            return constructs.double_add(left, right)
        case "-":
            return constructs.double_add(left, _written(0) - right)
        case "*":
            return constructs.double_multiply(left, right)
        case _:
            return constructs.double_divide(left, right)


def _joined(operator: str, left: Number, right: Number, floating: bool) -> tuple[str | ColumnElement[Any], ...]:
    """The program that computes both sides and then the operation."""
    sides = []
    for number in (left, right):
        steps = _steps(number)
        if sum(not isinstance(step, str) for step in steps) > _ARGUMENTS_MAX // 2:
            steps = (_called(steps, sa.Double() if number.type is Type.FLOAT else sa.Text()),)
        sides.append((*steps, "f") if floating and number.type is not Type.FLOAT else steps)
    return (*sides[0], *sides[1], f"f{operator}" if floating else operator)


def _steps(number: Number) -> tuple[str | ColumnElement[Any], ...]:
    if number.constant is not None:
        return (f"={decimals.text(number.constant)}",)
    if number.program or number.clause is None:
        return number.program
    scaled = number.type is Type.DECIMAL and not number.computed and number.scale
    return (number.clause, f"u{number.scale}") if scaled else (number.clause,)


def _called(program: tuple[str | ColumnElement[Any], ...], type_: TypeEngine[Any]) -> ColumnElement[Any]:
    """The call that runs a program; a column that it uses twice is one argument."""
    arguments: list[ColumnElement[Any]] = []
    words: list[str] = []
    for step in program:
        if isinstance(step, str):
            words.append(step)
            continue
        known = [index for index, argument in enumerate(arguments) if argument is step]
        if not known:
            arguments.append(step)
        words.append(f"${known[0] if known else len(arguments) - 1}")
    return sa.func.pliant_arithmetic(sa.literal(" ".join(words), sa.Text()), *arguments, type_=type_)


def _integer(value: int, dialect: Dialect) -> ColumnElement[Any]:
    constant = sa.literal(value, sa.BigInteger())
    return sa.cast(constant, sa.BigInteger()) if dialect == "postgresql" else constant


def _written(number: int) -> ColumnElement[Any]:
    """A number of ours, written into the text: it takes no parameter, whose type the engine would have to guess."""
    return sa.literal_column(str(number), sa.Integer())
