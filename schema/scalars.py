"""The scalars of both schemas: strict readers of values, which stay in their JSON form.

What comes out of a reader is the JSON that `FieldType.logical` takes: numbers that are exact travel as text. Answers
come out of the database in their final form, so nothing is converted on the way out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from graphql import (
    FloatValueNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLString,
    IntValueNode,
    StringValueNode,
    ValueNode,
    value_from_ast_untyped,
)

from base.json import JsonInvalid, check_integer, check_text

LONG_MAX: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

DECIMAL_DIGITS: Final = 38
"""Digits of a decimal that is read: more than any stored one has, so that comparisons stay exact."""

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?[eE]([+-]?[0-9]{1,3})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _refuse(message: str) -> GraphQLError:
    return GraphQLError(message)


def read_long(value: Any) -> int:
    """A whole number within +-(2^53-1), also when it is written as a float without fraction."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -LONG_MAX <= value <= LONG_MAX:
        raise _refuse("Long is a whole number between -(2^53-1) and 2^53-1")
    return value


def read_decimal(value: Any) -> str:
    """Exact digits out of a string (`"-12.50"`) or a plain JSON number; never an exponent that would blow up."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**DECIMAL_DIGITS:
        text = str(value)
    elif isinstance(value, float) and math.isfinite(value):
        text = _plain_digits(repr(value))
    else:
        text = ""
    if len(text) > DECIMAL_DIGITS + 2 or not _DECIMAL.fullmatch(text):
        raise _refuse(f'Decimal is a string such as "12.50" or a plain number, of at most {DECIMAL_DIGITS} digits')
    return text


def _plain_digits(text: str) -> str:
    """A number with an exponent written out; text that would grow too long stays as it is and is refused."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    sign, whole, fraction, power = match[1], match[2], match[3] or "", int(match[4])
    if abs(power) > DECIMAL_DIGITS:
        return text
    point = len(whole) + power
    digits = (whole + fraction).rjust(len(whole + fraction) + max(0, 1 - point), "0")
    point = max(point, 1)
    digits = digits.ljust(point, "0")
    head, tail = digits[:point].lstrip("0") or "0", digits[point:].rstrip("0")
    return f"{sign}{head}.{tail}" if tail else sign + head


def read_date(value: Any) -> str:
    """A calendar day, `2026-11-23`."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            pass
    raise _refuse('Date is a day that exists, such as "2026-11-23"')


def read_date_time(value: Any) -> str:
    """An instant with its offset, RFC 3339: `2026-11-23T08:05:00Z`. At most microseconds count."""
    match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        day, clock, fraction, zone = match[1], match[2], (match[3] or "")[:7], match[4].upper()
        try:
            datetime.fromisoformat(f"{day}T{clock}{fraction}{zone}").astimezone(UTC)
            return f"{day}T{clock}{fraction}{zone}"
        except (ValueError, OverflowError):  # in UTC it may lie beyond the calendar
            pass
    raise _refuse('DateTime is an instant with an offset, such as "2026-11-23T08:05:00Z"')


def read_time(value: Any) -> str:
    """A time of day, `08:05` or `08:05:00.5`."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            time.fromisoformat(value)
            return value
        except ValueError:
            pass
    raise _refuse('Time is a time of day, such as "08:05:00"')


def read_uuid(value: Any) -> str:
    """A UUID; its lower-case form is kept."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise _refuse("UUID is 32 hexadecimal digits in groups of 8-4-4-4-12")
    return value.lower()


def read_json(value: Any) -> Any:
    """Any JSON: no NaN or Infinity, no integer beyond 64 bits, no NUL, no lone surrogates."""
    try:
        _check_json(value)
    except JsonInvalid as error:
        raise _refuse(f"JSON: {error}") from None
    return value


def _check_json(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, int):
        check_integer(value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise JsonInvalid("number is out of range")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key)
            _check_json(item)
    elif isinstance(value, list):
        for item in value:
            _check_json(item)


def read_cursor(value: Any) -> str:
    """A cursor of the log, as it was given out."""
    if not isinstance(value, str):
        raise _refuse("Cursor is the text that an earlier answer gave")
    return value


def _same(value: Any) -> Any:
    return value


def _number_literal(read: Callable[[Any], Any]) -> Callable[[ValueNode], Any]:
    """Literals keep their digits: a float on the way would lose them."""

    def literal(node: ValueNode) -> Any:
        """The value of a number or string as it is written."""
        if isinstance(node, IntValueNode | FloatValueNode):
            return read(_plain_digits(node.value))
        if isinstance(node, StringValueNode):
            return read(node.value)
        raise _refuse("expected a number or a string")

    return literal


def _long_literal(node: ValueNode) -> int:
    if not isinstance(node, IntValueNode) or len(node.value) > 17:
        raise _refuse("Long is a whole number between -(2^53-1) and 2^53-1")
    return read_long(int(node.value))


def _json_literal(node: ValueNode) -> Any:
    # integers of thousands of digits would cost quadratic time, and no JSON reader keeps them
    if _has_long_number(node):
        raise _refuse("JSON: number of too many digits")
    return read_json(value_from_ast_untyped(node))


def _text_literal(read: Callable[[Any], Any]) -> Callable[[ValueNode], Any]:
    return lambda node: read(node.value if isinstance(node, StringValueNode) else None)


def _placed(literal: Callable[[ValueNode], Any]) -> Callable[[ValueNode], Any]:
    """The same, with the position of the literal in its refusal: validation passes such errors on as they are."""

    def placed(node: ValueNode) -> Any:
        """The value of a literal."""
        try:
            return literal(node)
        except GraphQLError as error:
            raise GraphQLError(error.message, node) from None

    return placed


def _has_long_number(node: Any) -> bool:
    if isinstance(node, IntValueNode):
        return len(node.value) > 400
    children = [*getattr(node, "values", ()), *(field.value for field in getattr(node, "fields", ()))]
    return any(_has_long_number(child) for child in children)


def _scalar(
    name: str,
    description: str,
    read: Callable[[Any], Any],
    url: str | None = None,
    literal: Callable[[ValueNode], Any] | None = None,
) -> GraphQLScalarType:
    return GraphQLScalarType(
        name,
        description=description,
        coerce_output_value=_same,
        coerce_input_value=read,
        coerce_input_literal=_placed(literal or _text_literal(read)),
        specified_by_url=url,
    )


LONG = _scalar("Long", "A whole number between -(2^53-1) and 2^53-1.", read_long, literal=_long_literal)
DECIMAL = _scalar(
    "Decimal", 'An exact decimal number: a string such as "12.50"; plain numbers are read too.', read_decimal,
    literal=_number_literal(read_decimal),
)  # fmt: skip
DATE = _scalar(
    "Date", "A calendar day, 2026-11-23.", read_date, "https://scalars.graphql.org/andimarek/local-date.html"
)
DATE_TIME = _scalar(
    "DateTime", "An instant: RFC 3339 with an offset when read, in UTC when shown.", read_date_time,
    "https://scalars.graphql.org/andimarek/date-time.html",
)  # fmt: skip
TIME = _scalar("Time", "A time of day without zone, 08:05:00.", read_time)
UUID = _scalar("UUID", "A UUID in lower case.", read_uuid, "https://www.rfc-editor.org/rfc/rfc9562")
JSON = _scalar("JSON", "Any JSON value.", read_json, "https://www.rfc-editor.org/rfc/rfc8259", _json_literal)
CURSOR = _scalar("Cursor", "A place in the log of changes; opaque.", read_cursor)

CUSTOM: Final = (LONG, DECIMAL, DATE, DATE_TIME, TIME, UUID, JSON, CURSOR)
"""Pliant's own scalars, in the order of the documentation."""

SCALARS: Final[Mapping[str, GraphQLScalarType]] = {
    scalar.name: scalar for scalar in (GraphQLString, GraphQLInt, GraphQLFloat, GraphQLBoolean, GraphQLID, *CUSTOM)
}
"""Every scalar by name: what `FieldType.graphql_name` may say."""
