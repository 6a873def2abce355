"""Exact decimal arithmetic, one definition for every engine.

`+ -` and the remainder are exact and keep the larger scale, products and quotients are rounded HALF_UP (ties away from
zero, as PostgreSQL's `round` does) to `SCALE` digits behind the point. A result of more than `DIGITS` digits, before
and after the point together and without trailing zeros behind the point, is null, and so is a division by zero.
Null operands give null.

SQLite has no decimals: there computed ones travel as canonical text (no exponent, no trailing zeros, no `-0`) through
the functions of `SQLITE_FUNCTIONS`, so two equal values are equal texts.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias

from base import floats

DIGITS: Final = 28
"""Digits that a result may have; .NET's and many databases' decimal, and far beyond any amount of money."""

SCALE: Final = 10
"""Digits behind the point to which products and quotients are rounded."""

# wide enough that no sum, product or integer quotient of two values of DIGITS digits is ever rounded by it
_EXACT: Final = Context(prec=120, rounding=ROUND_HALF_UP)
_UNIT: Final = Decimal(1).scaleb(-SCALE)
_SAFE: Final = Decimal(10) ** (DIGITS - SCALE)

Number: TypeAlias = Decimal | int


def add(left: Number, right: Number) -> Decimal | None:
    """The exact sum, with the larger scale of the two."""
    return _bounded(_EXACT.add(left, right))


def subtract(left: Number, right: Number) -> Decimal | None:
    """The exact difference, with the larger scale of the two."""
    return _bounded(_EXACT.subtract(left, right))


def multiply(left: Number, right: Number) -> Decimal | None:
    """The product, exact or rounded to `SCALE`."""
    return _bounded(_rounded(_EXACT.multiply(left, right)))


def divide(left: Number, right: Number) -> Decimal | None:
    """The quotient rounded to `SCALE`, without trailing zeros; null when `right` is zero."""
    if not right:
        return None
    # In integers, because rounding a rounded quotient again may round twice.
    (top, over), (bottom, under) = Decimal(left).as_integer_ratio(), Decimal(right).as_integer_ratio()
    numerator, denominator = abs(top) * under * 10**SCALE, over * abs(bottom)
    units = (2 * numerator + denominator) // (2 * denominator)
    return _bounded(canonical(_EXACT.scaleb(Decimal(units if (top < 0) == (bottom < 0) else -units), -SCALE)))


def remainder(left: Number, right: Number) -> Decimal | None:
    """What is left of a division with a whole quotient; it has the sign of `left`. Null when `right` is zero."""
    if not right:
        return None
    return _bounded(_EXACT.remainder(left, right))


def compare(left: Number, right: Number) -> int:
    """-1, 0 or 1, by value: `1.0` and `1` are equal."""
    return (left > right) - (left < right)


def rounded(value: Number, scale: int) -> Decimal:
    """The value with exactly `scale` digits behind the point, rounded HALF_UP: what a stored field keeps."""
    return _EXACT.quantize(Decimal(value), Decimal(1).scaleb(-scale))


def floor_scaled(value: Number, scale: int) -> tuple[int, bool]:
    """The largest integer not above `value * 10**scale`, and whether it is exactly that."""
    scaled = _EXACT.scaleb(Decimal(value), scale)
    whole = scaled.to_integral_value(ROUND_FLOOR)
    return int(whole), whole == scaled


def canonical(value: Number) -> Decimal:
    """The same value without trailing zeros, exponent or negative zero: equal values have equal texts."""
    decimal = _EXACT.normalize(Decimal(value))
    if not decimal:
        return Decimal(0)
    return _EXACT.quantize(decimal, Decimal(1)) if _exponent(decimal) > 0 else decimal


def text(value: Number) -> str:
    """The canonical text of a value: `-12.5`, `1000`, `0`."""
    return format(canonical(value), "f")


def digits(value: Number) -> int:
    """Digits before and after the point together, without leading zeros or trailing zeros behind the point."""
    return len(canonical(value).as_tuple().digits)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("not a finite number")
    return exponent


def _rounded(value: Decimal) -> Decimal:
    return _EXACT.quantize(value, _UNIT) if _exponent(value) < -SCALE else value


def _bounded(value: Decimal) -> Decimal | None:
    if -_SAFE < value < _SAFE or digits(value) <= DIGITS:
        return value if value else value.copy_abs()  # no -0
    return None


def _compare_text(left: str | int | None, right: str | int | None) -> int | None:
    return None if left is None or right is None else compare(Decimal(left), Decimal(right))


def _unscale(value: int | None, scale: int) -> str | None:
    return None if value is None else text(_EXACT.scaleb(Decimal(value), -scale))


def _scale(value: str | int | None, scale: int) -> int | None:
    return None if value is None else int(_EXACT.scaleb(rounded(Decimal(value), scale), scale))


def _to_double(value: str | int | None) -> float | None:
    return None if value is None else float(Decimal(value))


def run_program(program: str, *arguments: str | int | float | None) -> str | float | None:
    """A whole formula in postfix form: one call, because SQLite's parser does not nest calls deeply.

    Words: `$0` the first argument (an integer, canonical text or a double), `=12.5` a constant, `u4` the integer on
    top taken as scaled by 10**4, `f` the nearest double, `+ - * / %` exact and `f+ f- f* f/` floating arithmetic.
    Null when any operation has no result; an exact result is canonical text.
    """
    stack: list[Any] = []
    for word, operand in _words(program):
        if word == "$":
            value = arguments[operand]
            stack.append(Decimal(value) if isinstance(value, str | int) else value)
        elif word == "=":
            stack.append(operand)
        elif word == "u":
            stack.append(None if stack[-1] is None else _EXACT.scaleb(stack.pop(), -operand))
        elif word == "f":
            stack.append(None if stack[-1] is None else float(stack.pop()))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(None if left is None or right is None else operand(left, right))
        if stack[-1] is None:
            return None
    result = stack[-1]
    return result if isinstance(result, float) else text(result)


_OPERATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
    "f+": floats.add,
    "f-": floats.subtract,
    "f*": floats.multiply,
    "f/": floats.divide,
}


@lru_cache(maxsize=1024)
def _words(program: str) -> list[tuple[str, Any]]:
    return [_word(word) for word in program.split()]


def _word(word: str) -> tuple[str, Any]:
    if word in _OPERATIONS:
        return word, _OPERATIONS[word]
    head, rest = word[0], word[1:]
    return head, Decimal(rest) if head == "=" else int(rest or 0)


SQLITE_FUNCTIONS: Final[tuple[tuple[str, int, Callable[..., Any]], ...]] = (
    ("pliant_decimal", 2, _unscale),  # (integer, scale) -> text
    ("pliant_decimal_scaled", 2, _scale),  # (text, scale) -> integer, rounded HALF_UP
    ("pliant_decimal_compare", 2, _compare_text),  # -1, 0, 1 or null
    ("pliant_double", 1, _to_double),  # nearest double
    ("pliant_arithmetic", -1, run_program),
)
"""(name in SQL, number of arguments or -1 for any, function): deterministic functions for SQLite connections.

Decimals among the arguments are integers or canonical text; results are canonical text or null.
"""
