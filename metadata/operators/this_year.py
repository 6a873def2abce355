"""thisYear: the fiscal year that it is now."""

from __future__ import annotations

from metadata.operator import Clock, Span
from metadata.operators.relative import CurrentSpan


class ThisYear(CurrentSpan):
    """The fiscal year that it is now, in its zone."""

    name = "thisYear"

    def span(self, clock: Clock) -> Span:
        """The days of that year."""
        return clock.year()
