"""What each filter operator means, written once more from SEMANTICS alone; and a naive reader that uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from base.text import fold
from metadata.field import Field
from metadata.operator import Clock
from metadata.operators.registry import OPERATORS
from records import selection as ask
from tests.records.naive import Naive


def holds(item: Field, name: str, value: Any, argument: Any, clock: Clock) -> bool:
    """Whether a logical value satisfies an operator. Equality is total, order with null is false."""
    match name:
        case "eq":
            return bool(value == argument)
        case "neq":
            return bool(value != argument)
        case "in":
            return bool(value in argument)
        case "notIn":
            return bool(value not in argument)
        case "isNull":
            return bool((value is None) == argument)
        case "isEmpty":
            return bool((value is None or value == []) == argument)
        case "thisWeek" | "thisMonth" | "thisQuarter" | "thisYear":
            return bool(_this(name, value, clock) == argument)
    return value is not None and bool(_ON_VALUES[name](value, argument, clock))


def _this(name: str, value: Any, clock: Clock) -> bool:
    if value is None:
        return False
    day = value.astimezone(clock.zone).date() if isinstance(value, datetime) else value
    return bool(_span(name, day, clock) == _span(name, clock.now.astimezone(clock.zone).date(), clock))


def _span(name: str, day: date, clock: Clock) -> Any:
    """What two days share exactly when they lie in the same span."""
    if name == "thisWeek":
        return day.toordinal() - (day.isoweekday() - clock.week_start) % 7
    months = day.year * 12 + day.month - clock.fiscal_year_start
    return months // {"thisMonth": 1, "thisQuarter": 3, "thisYear": 12}[name]


def _moved(period: Mapping[str, int], clock: Clock, sign: int) -> datetime:
    """Now in the company's zone, so many days, weeks or months away."""
    local = clock.now.astimezone(clock.zone)
    days = period.get("days", 0) + 7 * period.get("weeks", 0)
    if days or "months" not in period:
        return local + timedelta(days=sign * days)
    month = local.year * 12 + local.month - 1 + sign * period["months"]
    first = local.replace(year=month // 12, month=month % 12 + 1, day=1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(local.day, last.day))


def _in_last(value: Any, period: Mapping[str, int], clock: Clock) -> bool:
    start, end = _moved(period, clock, -1), clock.now.astimezone(clock.zone)
    if isinstance(value, datetime):
        return bool(start.astimezone(UTC) <= value < end)
    return bool(start.date() < value <= end.date())


def _in_next(value: Any, period: Mapping[str, int], clock: Clock) -> bool:
    start, end = clock.now.astimezone(clock.zone), _moved(period, clock, 1)
    if isinstance(value, datetime):
        return bool(start <= value < end.astimezone(UTC))
    return bool(start.date() <= value < end.date())


def _like(text: str, pattern: str) -> bool:
    """A pattern of letters, `%` and `_`, matched letter by letter."""
    tokens: list[tuple[str, str]] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\" and index + 1 < len(pattern):
            index += 1
            tokens.append(("letter", pattern[index]))
        else:
            tokens.append(({"%": "any", "_": "one"}.get(char, "letter"), char))
        index += 1
    places = {0}
    for kind, char in tokens:
        if kind == "any":
            places = set(range(min(places), len(text) + 1)) if places else set()
        else:
            places = {at + 1 for at in places if at < len(text) and (kind == "one" or text[at] == char)}
    return len(text) in places


def _at(value: Any, path: list[str]) -> Any:
    """The value at a path in JSON; Ellipsis where nothing stands."""
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ...
    return value


def _same_json(one: Any, other: Any) -> bool:
    """Equal as JSON: `1` is `1.0`, `true` is not `1`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_json, one, other))
    return bool(one == other)


_ON_VALUES: Mapping[str, Callable[[Any, Any, Clock], bool]] = {
    "gt": lambda value, given, _: value > given,
    "gte": lambda value, given, _: value >= given,
    "lt": lambda value, given, _: value < given,
    "lte": lambda value, given, _: value <= given,
    "between": lambda value, given, _: given["from"] <= value <= given["to"],
    "contains": lambda value, given, _: fold(given) in fold(value),
    "startsWith": lambda value, given, _: fold(value).startswith(fold(given)),
    "endsWith": lambda value, given, _: fold(value).endswith(fold(given)),
    "like": lambda value, given, _: _like(value, given),
    "iLike": lambda value, given, _: _like(fold(value), fold(given)),
    "has": lambda value, given, _: given in value,
    "hasAny": lambda value, given, _: any(item in value for item in given),
    "hasAll": lambda value, given, _: all(item in value for item in given),
    "inLast": _in_last,
    "inNext": _in_next,
    "path": lambda value, given, _: _same_json(_at(value, given["path"]), given["eq"]),
}


class Reader(Naive):
    """The naive reader with the operators' meaning from here, and the roots that a whole request has beside records."""

    version: int = 0

    def _test(self, item: Field, value: Any, name: str, argument: Any) -> bool:
        return holds(item, name, value, self._argument(item, OPERATORS[name].argument, argument), self.clock)

    def _root(self, root: ask.Root) -> Any:
        if isinstance(root, ask.RootMeta):
            return {key: self.version for key, _ in root.items}  # type: ignore[misc]
        return super()._root(root)

    def visible(self, name: str) -> list[dict[str, Any]]:
        """All rows of an entity that the actor may read, deleted ones included."""
        return self._visible(self.catalog.entities[name])
