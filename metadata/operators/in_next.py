"""inNext: within a period that begins now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from metadata.operator import Clock, Span, shift
from metadata.operators.relative import MovingSpan


class InNext(MovingSpan):
    """Instants from now to before the period's end; days from today: `{days: 7}` are today and the six after."""

    name = "inNext"

    def days(self, period: Mapping[str, int], today: date) -> Span:
        """From today to before the day that lies the period ahead."""
        return today, shift(today, period, 1)

    def instants(self, period: Mapping[str, int], clock: Clock) -> tuple[datetime, datetime]:
        """From now to the same time of day the period ahead."""
        return clock.now.astimezone(UTC), clock.shifted(period, 1)
