"""thisWeek: the week that it is now, from the company's first weekday."""

from __future__ import annotations

from metadata.operator import Clock, Span
from metadata.operators.relative import CurrentSpan


class ThisWeek(CurrentSpan):
    """The week that it is now, from the company's first weekday, in its zone."""

    name = "thisWeek"

    def span(self, clock: Clock) -> Span:
        """The days of that week."""
        return clock.week()
