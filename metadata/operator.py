"""What a filter operator is: its argument, its SQL on both engines and its meaning in Python."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum
from typing import Any, ClassVar

from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from storage.engine import Dialect


class Argument(str, Enum):
    """What an operator takes."""

    VALUE = "value"  # one value of the field's type
    VALUES = "values"  # a list of them; collapses to one array parameter
    BOOLEAN = "boolean"
    TEXT = "text"  # a String whatever the field's type
    RANGE = "range"  # {from, to} of the field's type
    PERIOD = "period"  # @oneOf {days, weeks, months}: Int!
    ELEMENT = "element"  # one element of a list field
    ELEMENTS = "elements"


class Operator(ABC):
    """One operator. `sql` and `matches` must agree on every value: one contract suite compares them."""

    name: ClassVar[str]
    argument: ClassVar[Argument]

    @abstractmethod
    def sql(self, field: Field, column: ColumnElement[Any], bind: Bind, dialect: Dialect) -> ColumnElement[Any]:
        """A condition that is true or false or NULL (= false); the caller guards negations with IS TRUE."""

    @abstractmethod
    def matches(self, field: Field, value: Any, argument: Any, clock: Clock) -> bool:
        """The same on logical values: `value` may be None; `argument` is logical too."""


class Bind(ABC):
    """How an operator gets its run-time argument into SQL, whatever the value will be."""

    @abstractmethod
    def value(self, convert: Any = None) -> ColumnElement[Any]:
        """One parameter: the argument's logical value, run through `convert` (a pure function) when given, encoded."""

    @abstractmethod
    def values(self) -> ColumnElement[Any]:
        """The whole list as one parameter: a sub-select of its values, or an array, fit for the right side of IN."""

    @abstractmethod
    def text(self, convert: Any = None) -> ColumnElement[Any]:
        """One text parameter, run through `convert`."""

    @abstractmethod
    def part(self, key: str, convert: Any = None) -> ColumnElement[Any]:
        """One parameter out of an object argument (`from`, `to`)."""

    @abstractmethod
    def clock(self, convert: Any) -> ColumnElement[Any]:
        """One parameter computed by `convert(argument, clock)` when the operation runs (relative dates)."""

    @property
    @abstractmethod
    def literal(self) -> Any:
        """The argument itself where it is part of the variable shape (booleans): isNull, thisWeek."""


class Clock:
    """The instant, time zone, week start and fiscal year that relative dates are taken from."""
