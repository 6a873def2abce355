"""What several field types read the same way: lengths, ranges, keywords that stay as authored; operator lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from base.errors import Fault
from base.json import Json
from metadata.faults import invalid

EXACT_OPERATORS = ("eq", "neq", "in", "notIn", "isNull")
ORDERED_OPERATORS = (*EXACT_OPERATORS, "gt", "gte", "lt", "lte", "between")
TEXT_OPERATORS = (*ORDERED_OPERATORS, "contains", "startsWith", "endsWith", "like", "iLike")
DATE_OPERATORS = (*ORDERED_OPERATORS, "inLast", "inNext", "thisWeek", "thisMonth", "thisQuarter", "thisYear")
LIST_OPERATORS = ("isNull", "has", "hasAny", "hasAll", "isEmpty")

NUMBER_AGGREGATES = frozenset({"sum", "avg", "min", "max", "distinctCount"})
ONLY_COUNTED = frozenset({"distinctCount"})


@dataclass(frozen=True, slots=True)
class Lengths:
    """The least and the most characters or items; None is no bound."""

    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number. A strict bound excludes the number itself."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_strict: bool = False
    high_strict: bool = False

    def holds(self, value: Decimal) -> bool:
        """Whether a number lies inside."""
        above = self.low is None or (value > self.low if self.low_strict else value >= self.low)
        return above and (self.high is None or (value < self.high if self.high_strict else value <= self.high))


def plain_type(prop: Mapping[str, Json]) -> str | None:
    """The one JSON type of a property beside null; "" when it names none, None when it names several."""
    named = prop.get("type")
    if named is None:
        return ""
    if isinstance(named, str):
        return named
    types = [item for item in named if item != "null"] if isinstance(named, list | tuple) else []
    return types[0] if len(types) == 1 and isinstance(types[0], str) else None


def is_string(prop: Mapping[str, Json]) -> bool:
    """Whether a plain property is a text: by type, or by keywords that only texts have."""
    named = plain_type(prop)
    if named == "" and "enum" not in prop and "const" not in prop:
        return any(word in prop for word in ("format", "minLength", "maxLength", "pattern"))
    return named == "string"


def read_lengths(
    prop: Mapping[str, Json], least: str, most: str, path: tuple[str, ...], faults: list[Fault], ceiling: int
) -> Lengths:
    """The two keywords named `least` and `most`: whole numbers from 0 to `ceiling`, in order."""
    found: list[int | None] = []
    for word in (least, most):
        value = prop.get(word)
        if value is not None and (not is_whole(value) or not 0 <= int(value) <= ceiling):  # type: ignore[arg-type]
            faults.append(
                invalid(
                    (*path, word),
                    f"must be a whole number from 0 to {ceiling:,}",
                    f"必须是 0 到 {ceiling:,} 之间的整数",
                )
            )
            value = None
        found.append(None if value is None else int(value))  # type: ignore[arg-type]
    low, high = found
    if low is not None and high is not None and low > high:
        faults.append(invalid((*path, least), f"must not be more than {most}", f"不得大于 {most}"))
    return Lengths(low, high)


def read_range(prop: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> Range:
    """minimum, maximum, exclusiveMinimum and exclusiveMaximum; the tighter of two on one side counts."""
    low, high = _number(prop, "minimum", path, faults), _number(prop, "maximum", path, faults)
    over, under = _number(prop, "exclusiveMinimum", path, faults), _number(prop, "exclusiveMaximum", path, faults)
    low_strict = over is not None and (low is None or over >= low)
    high_strict = under is not None and (high is None or under <= high)
    found = Range(over if low_strict else low, under if high_strict else high, low_strict, high_strict)
    if found.low is not None and found.high is not None:
        empty = found.low > found.high or (found.low == found.high and (low_strict or high_strict))
        if empty:
            word = "exclusiveMinimum" if low_strict else "minimum"
            faults.append(invalid((*path, word), "no number lies between the bounds", "上下限之间没有任何数"))
    return found


def read_multiple(prop: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> Decimal | None:
    """multipleOf: a number above 0."""
    found = _number(prop, "multipleOf", path, faults)
    if found is not None and found <= 0:
        faults.append(invalid((*path, "multipleOf"), "must be more than 0", "必须大于 0"))
        return None
    return found


def is_whole(value: Json) -> bool:
    """Whether a JSON value is a whole number (`5` and `5.0` are)."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def kept(prop: Mapping[str, Json], *words: str) -> dict[str, Json]:
    """The named keywords of a property, as authored."""
    return {word: prop[word] for word in words if prop.get(word) is not None}


def _number(prop: Mapping[str, Json], word: str, path: tuple[str, ...], faults: list[Fault]) -> Decimal | None:
    value = prop.get(word)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        faults.append(invalid((*path, word), "must be a number", "必须是数字"))
        return None
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
