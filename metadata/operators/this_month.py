"""thisMonth: the calendar month that it is now."""

from __future__ import annotations

from metadata.operator import Clock, Span
from metadata.operators.relative import CurrentSpan


class ThisMonth(CurrentSpan):
    """The calendar month that it is now, in its zone."""

    name = "thisMonth"

    def span(self, clock: Clock) -> Span:
        """The days of that month."""
        return clock.month()
