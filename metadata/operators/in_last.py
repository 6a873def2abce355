"""inLast: within a period that ends now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from metadata.operator import Clock, Span, shift
from metadata.operators.relative import MovingSpan, day_after


class InLast(MovingSpan):
    """Instants from the period ago to before now; days up to today: `{days: 7}` are today and the six before."""

    name = "inLast"

    def days(self, period: Mapping[str, int], today: date) -> Span:
        """From the day after the one that lies the period back, to today."""
        return day_after(shift(today, period, -1)), day_after(today)

    def instants(self, period: Mapping[str, int], clock: Clock) -> tuple[datetime, datetime]:
        """From the same time of day the period ago, to now."""
        return clock.shifted(period, -1), clock.now.astimezone(UTC)
