"""Arithmetic of doubles that never fails and never leaves the finite numbers, one definition for every engine.

IEEE 754 double precision, with three rules where engines part (PostgreSQL raises an error, SQLite gives infinities):
a result beyond about 1e308 is null, a product or quotient below about 1e-307 is zero, and there is no negative zero.
The bounds are written as comparisons of doubles that can neither overflow nor vanish, so that every engine can ask
exactly the same question before it computes. Division by zero is null; null operands give null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

LARGEST: Final = 1e308
LARGEST_SUM: Final = 1.7e308
SMALLEST: Final = 1e-307


def add(left: float, right: float) -> float | None:
    """The sum, or null beyond the range."""
    if (left > 0 and right > LARGEST_SUM - left) or (left < 0 and right < -LARGEST_SUM - left):
        return None
    return left + right + 0.0


def subtract(left: float, right: float) -> float | None:
    """The difference, or null beyond the range."""
    return add(left, 0.0 - right)


def multiply(left: float, right: float) -> float | None:
    """The product; null beyond the range, zero where it is too small."""
    size = abs(left)
    if size > 1 and abs(right) > LARGEST / size:
        return None
    if left == 0 or right == 0 or (size < 1 and abs(right) < SMALLEST / size):
        return 0.0
    return left * right


def divide(left: float, right: float) -> float | None:
    """The quotient; null beyond the range or by zero, zero where it is too small."""
    size = abs(right)
    if size == 0 or (size < 1 and abs(left) > LARGEST * size):
        return None
    if left == 0 or (size > 1 and abs(left) < SMALLEST * size):
        return 0.0
    return left / right


def _nullable(function: Callable[[float, float], float | None]) -> Callable[..., float | None]:
    def nullable(left: float | None, right: float | None) -> float | None:
        return None if left is None or right is None else function(left, right)

    return nullable


SQLITE_FUNCTIONS: Final[tuple[tuple[str, int, Callable[..., Any]], ...]] = (
    ("pliant_double_add", 2, _nullable(add)),
    ("pliant_double_subtract", 2, _nullable(subtract)),
    ("pliant_double_multiply", 2, _nullable(multiply)),
    ("pliant_double_divide", 2, _nullable(divide)),
)
"""(name in SQL, number of arguments, function): deterministic functions for SQLite connections."""
