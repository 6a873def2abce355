"""Arithmetic of doubles that never fails and never leaves the finite numbers, one definition for every engine.

IEEE 754 double precision, with three rules where engines part (PostgreSQL raises an error, SQLite gives infinities):
a result beyond about 1e308 is null, a product or quotient below about 1e-307 is zero, and there is no negative zero.
The bounds are written as comparisons of doubles that can neither overflow nor vanish, so that every engine can ask
exactly the same question before it computes. Division by zero is null.
"""

from __future__ import annotations

from typing import Final

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
