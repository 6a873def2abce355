"""What a filter operator is: its argument, its SQL on both engines and its meaning in Python."""

from __future__ import annotations

import calendar
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy.sql import ColumnElement

from base.errors import BadInput, Text
from metadata.field import Field
from storage.engine import Dialect
from storage.sql import ListParameter
from storage.types import ColumnType


class Argument(StrEnum):
    """What an operator takes. A null argument or part is the caller's matter: no operator ever sees one."""

    VALUE = "value"  # one value of the field's type
    VALUES = "values"  # a list of them; collapses to one array parameter
    BOOLEAN = "boolean"
    TEXT = "text"  # a String whatever the field's type
    RANGE = "range"  # {from, to} of the field's type
    PERIOD = "period"  # @oneOf {days, weeks, months}: Int!
    ELEMENT = "element"  # one element of a list field
    ELEMENTS = "elements"
    PATH = "path"  # {path: [String!]!, eq: JSON!} into a json field


class Operator(ABC):
    """One operator. `sql` and `matches` must agree on every value: one contract suite compares them."""

    name: ClassVar[str]
    argument: ClassVar[Argument]
    matches_null: ClassVar[bool] = False
    """Whether a null value can match some argument."""

    @abstractmethod
    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """A condition that is true or false or NULL (= false); the caller guards negations with IS TRUE."""

    @abstractmethod
    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same on logical values: `value` may be None; `argument` is logical too."""


Convert = Callable[[Any], Any]
"""A pure function of the logical argument or a part of it, run with every operation. May raise `BadInput`."""


class Bind(ABC):
    """How an operator gets its run-time argument into SQL, whatever the value will be.

    The argument is logical (`FieldType.argument` of each value in it: texts, Decimals, dates, a list of them, a mapping
    for RANGE, PERIOD and PATH). Each call makes a parameter; the returned element may stand in the SQL several times.
    A parameter is converted, then encoded by `type`; without `type` by the field's own.
    Parameters are typed (`ColumnType.sqlalchemy`), so that PostgreSQL never has to guess.
    """

    @abstractmethod
    def value(self, convert: Convert | None = None, type: ColumnType | None = None) -> ColumnElement[Any]:
        """One parameter: the whole argument."""

    @abstractmethod
    def values(self, convert: Convert | None = None, type: ColumnType | None = None) -> ListParameter:
        """One parameter for a list argument, fit for `InList`; `convert` and `type` are for each element."""

    @abstractmethod
    def text(self, convert: Convert | None = None) -> ColumnElement[Any]:
        """`value(convert, TEXT)`."""

    @abstractmethod
    def part(self, key: str, convert: Convert | None = None, type: ColumnType | None = None) -> ColumnElement[Any]:
        """One parameter out of an object argument (`from`, `to`); `convert` is for that part."""

    @abstractmethod
    def clock(self, convert: Callable[[Any, Clock], Any], type: ColumnType | None = None) -> ColumnElement[Any]:
        """One parameter computed by `convert(argument, clock)` when the operation runs (relative dates)."""

    @property
    @abstractmethod
    def literal(self) -> Any:
        """The argument itself where it is part of the variable shape (booleans): isNull, isEmpty, thisWeek."""


Span = tuple[date, date]
"""Days from the first to before the second."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The instant, time zone, week start and fiscal year that relative dates are taken from."""

    now: datetime  # aware
    zone: tzinfo
    week_start: int = 1  # ISO weekday
    fiscal_year_start: int = 1  # month

    @property
    def today(self) -> date:
        """The day that it is in the zone."""
        return self.now.astimezone(self.zone).date()

    def week(self) -> Span:
        """The week with today in it."""
        first = self.today - timedelta(days=(self.today.isoweekday() - self.week_start) % 7)
        return first, first + timedelta(days=7)

    def month(self) -> Span:
        """The calendar month with today in it."""
        first = self.today.replace(day=1)
        return first, add_months(first, 1)

    def quarter(self) -> Span:
        """The quarter of the fiscal year with today in it."""
        first = self.today.replace(day=1)
        first = add_months(first, -((first.month - self.fiscal_year_start) % 3))
        return first, add_months(first, 3)

    def year(self) -> Span:
        """The fiscal year with today in it."""
        first = self.today.replace(day=1)
        first = add_months(first, -((first.month - self.fiscal_year_start) % 12))
        return first, add_months(first, 12)

    def midnight(self, day: date) -> datetime:
        """The first instant of a day in the zone, in UTC."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def shifted(self, period: Mapping[str, int], sign: int) -> datetime:
        """The instant a period from now: the same time of day on the shifted day of the zone, in UTC."""
        local = self.now.astimezone(self.zone)
        day = shift(local.date(), period, sign)
        moved = local.replace(year=day.year, month=day.month, day=day.day)
        try:
            return moved.astimezone(UTC)
        except OverflowError:
            raise _too_far() from None


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def shift(day: date, period: Mapping[str, int], sign: int) -> date:
    """A day moved by {days | weeks | months: n}. Raises `BadInput` for a negative n or a day out of the calendar."""
    (unit, count), *_ = period.items()
    if count < 0:
        raise BadInput(Text(f"{unit} must not be negative", f"{unit} 不得为负数"))
    try:
        match unit:
            case "days":
                return day + timedelta(days=sign * count)
            case "weeks":
                return day + timedelta(weeks=sign * count)
            case _:
                return add_months(day, sign * count)
    except (ValueError, OverflowError):
        raise _too_far() from None


def _too_far() -> BadInput:
    return BadInput(Text("the period leads out of the calendar", "时间范围超出了日历"))
