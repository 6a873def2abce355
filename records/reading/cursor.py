"""Paging cursors: sealed, deterministic, bound to the list that they came from.

A cursor holds the values of a row's order keys and its id, as JSON, encrypted with AES-SIV (RFC 5297): the same row in
the same list gives the same text, and nothing in it can be read or changed. What the list was (company, entity, order,
filter with its values, search, deletion, grants) is bound as associated data, so a cursor of any other list does not
open. All failures look the same.
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from base.clock import timestamp
from base.errors import BadInput, Text
from base.json import dump
from storage.types import ColumnType, time_text


class Sealer:
    """Seals and opens with the keys of `PLIANT_SECRET_KEY`; the first seals, all open."""

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("PLIANT_SECRET_KEY holds no key")
        self._ciphers = [AESSIV(hashlib.sha512(b"pliant cursor\x00" + secret.encode()).digest()) for secret in secrets]

    def seal(self, values: bytes, context: bytes) -> bytes:
        """Text (URL-safe base64 without padding) for a JSON array of values in a list."""
        return urlsafe_b64encode(self._ciphers[0].encrypt(values, [context])).rstrip(b"=")

    def open(self, text: str, context: bytes) -> list[Any]:
        """The values of a cursor. Raises `BadInput` for text that was not sealed for this list."""
        if not isinstance(text, str):  # of any length: an order key may be a long text
            raise _foreign()
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (ValueError, binascii.Error):
            raise _foreign() from None
        for cipher in self._ciphers:
            try:
                values = orjson.loads(cipher.decrypt(sealed, [context]))
            except (InvalidTag, ValueError):
                continue
            if isinstance(values, list):
                return values
        raise _foreign()


def _foreign() -> BadInput:
    return BadInput(
        Text(
            "This cursor does not belong to this list: take one from the same order, filter and search",
            "该游标不属于此列表：请使用相同排序、筛选与搜索条件下返回的游标",
        )
    )


_WHOLE = 1 << 53  # whole numbers below it are ints in a cursor, all others doubles


def _of(*types: type) -> Callable[[Any], Any]:
    def same(value: Any) -> Any:
        """The value itself, when it is of these types exactly."""
        if type(value) not in types:
            raise TypeError
        return value

    return same


def _whole(bits: int) -> Callable[[Any], int]:
    def whole(value: Any) -> int:
        """A whole number of so many bits."""
        number = int(_of(int, float)(value))
        if number != value or not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise ValueError
        return number

    return whole


_LOGICAL: Mapping[str, Callable[[Any], Any]] = {
    "text": _of(str),
    "uuid": _of(str),
    "boolean": _of(bool),
    "integer": _whole(32),
    "bigint": _whole(64),
    "float": lambda value: float(_of(int, float)(value)),
    "decimal": lambda value: Decimal(_of(str, int)(value)),
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timestamp": datetime.fromisoformat,
}
"""How the values of order keys are read back. A field may have another type than when its cursor was given out."""


def position_bytes(values: Sequence[Any]) -> bytes:
    """Key values (logical, or in their JSON form already) as the JSON that is sealed; the same on both engines."""
    return dump([_form(value) for value in values])


def position_values(values: Sequence[Any], types: Sequence[ColumnType]) -> list[Any]:
    """The logical values of an opened cursor. Raises `BadInput` where a field has changed its type since."""
    try:
        if len(values) != len(types):
            raise ValueError
        return [_logical(value, type_) for value, type_ in zip(values, types, strict=True)]
    except (ValueError, TypeError, ArithmeticError):
        raise BadInput(Text("This cursor is no longer valid", "该游标已失效")) from None


def _logical(value: Any, type_: ColumnType) -> Any:
    return None if value is None else _LOGICAL[type_.kind](value)


def _form(value: Any) -> Any:
    match value:
        case datetime():
            return timestamp(value)
        case date():
            return value.isoformat()
        case time():
            return time_text(value)
        case float() if abs(value) < _WHOLE and value.is_integer():
            return int(value)  # one form for what JSON writes as 0, 0.0 or -0.0
        case int() if abs(value) >= _WHOLE:
            return float(value)
        case _:
            return value
