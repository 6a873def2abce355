"""Relative spans, shared by the operators over them. All are half-open: the first moment is in, the last is not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Operator, Span
from storage.engine import Dialect
from storage.sql import is_not_true

Bounds = tuple[date, date] | tuple[datetime, datetime]


def inside(column: ColumnElement[Any], bind: Bind, bounds: Callable[[Any, Clock], Bounds]) -> ColumnElement[Any]:
    """The column lies between the two bounds, computed when the operation runs."""
    first = bind.clock(lambda argument, clock: bounds(argument, clock)[0])
    end = bind.clock(lambda argument, clock: bounds(argument, clock)[1])
    return sa.and_(column >= first, column < end)


def is_instant(field: Field) -> bool:
    """Whether the field holds instants (else it holds days)."""
    return field.column.type.kind == "timestamp"


class CurrentSpan(Operator):
    """The week, month, quarter or year that it is now in the company's zone; `false` asks for all other rows."""

    argument = Argument.BOOLEAN
    matches_null = True  # with false it is everything outside of the span

    @abstractmethod
    def span(self, clock: Clock) -> Span:
        """The days of the span."""

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """Two comparisons; for `false` their negation, which includes nulls."""
        found = inside(column, bind, lambda _, clock: self.bounds(field, clock))
        return found if bind.literal else is_not_true(found)

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same two comparisons."""
        first, end = self.bounds(field, clock)
        return (value is not None and first <= value < end) is bool(argument)

    def bounds(self, field: Field, clock: Clock) -> Bounds:
        """The span in the field's own terms: days, or the midnights between which its instants lie."""
        first, end = self.span(clock)
        return (clock.midnight(first), clock.midnight(end)) if is_instant(field) else (first, end)


class MovingSpan(Operator):
    """A number of days, weeks or months that ends or begins now."""

    argument = Argument.PERIOD

    @abstractmethod
    def days(self, period: Mapping[str, int], today: date) -> Span:
        """The days of the span for a field of days."""

    @abstractmethod
    def instants(self, period: Mapping[str, int], clock: Clock) -> tuple[datetime, datetime]:
        """The span for a field of instants."""

    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """Two comparisons."""
        return inside(column, bind, lambda period, clock: self.bounds(field, period, clock))

    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same two comparisons."""
        first, end = self.bounds(field, argument, clock)
        return value is not None and bool(first <= value < end)

    def bounds(self, field: Field, period: Mapping[str, int], clock: Clock) -> Bounds:
        """The span in the field's own terms. Raises `BadInput` for a negative period or one that leads too far."""
        return self.instants(period, clock) if is_instant(field) else self.days(period, clock.today)


def day_after(day: date) -> date:
    """The next day."""
    return day + timedelta(days=1)
