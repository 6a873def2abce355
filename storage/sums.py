"""Exact sums and averages of scaled integers on SQLite, whose own sum() stops at 64 bits.

SQL sums the high and low parts (`x / 10**9` and `x % 10**9`, truncated towards zero) and hands them over once.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from base import decimals
from storage.types import EXACT

HALF: Final = 1_000_000_000
"""What the parts are divided by."""


def sum_text(high: int | None, low: int | None, scale: int) -> str | None:
    """The canonical text of a sum; None for the sum of nothing."""
    if high is None or low is None:
        return None
    return decimals.text(Decimal(high * HALF + low).scaleb(-scale, EXACT))


def average_text(high: int | None, low: int | None, count: int, scale: int) -> str | None:
    """The canonical text of sum / count, HALF_UP to `decimals.SCALE`; None for the average of nothing."""
    if high is None or low is None or not count:
        return None
    average = decimals.divide(high * HALF + low, count * 10**scale)
    return None if average is None else decimals.text(average)


SUM_FUNCTIONS: Final[tuple[tuple[str, int, Callable[..., Any]], ...]] = (
    ("pliant_sum", 3, sum_text),
    ("pliant_average", 4, average_text),
)
"""As in `storage.sqlite.functions`."""
