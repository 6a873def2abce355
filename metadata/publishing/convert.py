"""Values from one field to another: what becomes of them when a field changes its type.

No pair of types is named here. A value's JSON is spelled in every way that means the same (a number as text, a text
as the number that it shows, one thing as a list of one), and the new type takes the first spelling that it accepts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import jsonschema_rs

from base.json import Json
from metadata.field import Field
from metadata.publishing.diff import renamed_choices

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,27})(\.[0-9]{1,28})?\Z")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_WORDS: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Converted:
    """A value of the new field, None where none could be made; `exact` when it means what the old one meant."""

    value: Any
    exact: bool


Convert: TypeAlias = Callable[[Any], Converted]

_NOTHING: Final = Converted(None, True)
_LOST: Final = Converted(None, False)


def converter(old: Field, new: Field, zone: str) -> Convert:
    """A function from the old field's logical value to the new one's. `zone` is where days begin (an IANA name).

    Within one type values are kept as they are, renamed choices mapped: bounds are for what is written from now on.
    """
    if same_kind(old, new):
        return _mapping(renamed_choices(old, new))
    if old.relation is not None or new.relation is not None:
        return lambda value: _NOTHING if value is None else _LOST
    accepts = _accepting(new)
    place = ZoneInfo(zone)

    def convert(value: Any) -> Converted:
        """The first spelling that the new type takes."""
        if value is None:
            return _NOTHING
        for spelling, exact in _spellings(old.type.image(old.options, value), new, place):
            if not accepts(spelling):
                continue
            try:
                logical = new.type.logical(new.options, spelling)
            except (ValueError, ArithmeticError):
                continue
            return Converted(logical, exact and _same(spelling, new.type.image(new.options, logical)))
        return _LOST

    return convert


def same_kind(old: Field, new: Field) -> bool:
    """Whether values of the one are values of the other as they are, but for the names of choices."""
    return old.type is new.type and _target(old) == _target(new) and old.column.type == new.column.type


def _target(item: Field) -> str | None:
    return None if item.relation is None else item.relation.target


def _mapping(renamed: Any) -> Convert:
    def convert(value: Any) -> Converted:
        """The value itself, or what its choices are called now."""
        if isinstance(value, list | tuple):
            return Converted([renamed.get(part, part) for part in value], True)
        return Converted(renamed.get(value, value) if isinstance(value, str) else value, True)

    return convert


def _accepting(new: Field) -> Callable[[Any], bool]:
    """Whether the bare type takes a JSON value. Of choices the retired ones count too, so `logical` decides."""
    if new.choices:
        return lambda value: True
    schema = dict(new.type.json_schema(new.options, {}))
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True).is_valid


def _spellings(image: Json, new: Field, zone: ZoneInfo) -> Iterator[tuple[Json, bool]]:
    """Ways to say a value, the value itself first; each with whether it says all of it."""
    yield image, True
    match image:
        case bool():
            yield str(image).lower(), True
        case str():
            yield from _spelled_text(image, new, zone)
        case int() | float() | Decimal():
            yield from _spelled_number(image)
        case [only]:
            yield only, True
    if not isinstance(image, list | tuple):
        yield [image], True


def _spelled_text(text: str, new: Field, zone: ZoneInfo) -> Iterator[tuple[Json, bool]]:
    bare = text.strip()
    if _NUMBER.match(bare):
        number = Decimal(bare)
        yield bare, True
        yield from _spelled_number(number)
    if bare.lower() in _WORDS:
        yield _WORDS[bare.lower()], True
    if _MOMENT.match(bare):
        yield from _spelled_moment(bare, zone)
    elif _DAY.match(bare):
        yield from _spelled_day(bare, zone)
    for choice in new.choices:
        names = (choice.value, choice.title, *choice.titles.values())
        if any(bare.casefold() == name.casefold() for name in names):
            yield choice.value, True
            yield [choice.value], True
    if bare != text:
        yield bare, True


def _spelled_number(number: float | Decimal) -> Iterator[tuple[Json, bool]]:
    exact = Decimal(str(number))
    if exact == exact.to_integral_value():
        yield int(exact), True
    yield float(exact), True
    yield format(exact, "f"), True


def _spelled_moment(text: str, zone: ZoneInfo) -> Iterator[tuple[Json, bool]]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return
    local = moment.astimezone(zone) if moment.tzinfo is not None else moment
    yield local.date().isoformat(), local.time() == time()


def _spelled_day(text: str, zone: ZoneInfo) -> Iterator[tuple[Json, bool]]:
    try:
        yield datetime.fromisoformat(text).replace(tzinfo=zone).isoformat(), True
    except ValueError:
        return


def _same(spelling: Json, image: Json) -> bool:
    """Whether a value kept its number; what is no number was taken as it is."""
    one, other = _number(spelling), _number(image)
    return one is None or other is None or one == other


def _number(value: Json) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
