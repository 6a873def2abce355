"""thisQuarter: the quarter that it is now, of the company's fiscal year."""

from __future__ import annotations

from metadata.operator import Clock, Span
from metadata.operators.relative import CurrentSpan


class ThisQuarter(CurrentSpan):
    """The quarter that it is now, of the company's fiscal year, in its zone."""

    name = "thisQuarter"

    def span(self, clock: Clock) -> Span:
        """The days of that quarter."""
        return clock.quarter()
