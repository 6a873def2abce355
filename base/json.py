"""JSON: its name as a type, strict reading, canonical writing and hashing.

Strict means what RFC 8259 leaves open is refused: NaN and Infinity, duplicate keys, lone surrogates, NUL, numbers
that no double or 64-bit integer holds. Hashes are taken over RFC 8785 (JCS) text.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import orjson
import rfc8785

Json: TypeAlias = "bool | int | float | Decimal | str | Sequence[Json] | Mapping[str, Json] | None"
"""Any JSON value. Decimals stand for numbers read exactly."""

MAX_DEPTH = 64
"""Deeper nesting than this is refused: no document of ours needs it, and recursion stays safe."""

MAX_INTEGER_DIGITS = 400
"""Longer integers are refused before `int()` sees them (its cost is quadratic)."""


class JsonInvalid(ValueError):
    """Text that is not JSON as Pliant reads it; the message names the place."""


def parse(data: bytes | str) -> Json:
    """Read JSON strictly. Raises `JsonInvalid` with line and column where the parser knows them."""
    if isinstance(data, str):
        try:
            data = data.encode()
        except UnicodeEncodeError as error:
            raise JsonInvalid("text holds a lone surrogate") from error
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    quick = _quick(data)
    if quick is not _UNSURE:
        return quick
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise JsonInvalid(f"not UTF-8 at byte {error.start}") from error
    _bracket_depth(text)
    try:
        value = _READER.decode(text)
    except json.JSONDecodeError as error:
        raise JsonInvalid(f"{error.msg} at line {error.lineno} column {error.colno}") from error
    if "\\u" in text:  # the only way in: the reader itself refuses control characters and half a surrogate
        _no_bad_text(value)
    return value  # type: ignore[no-any-return]


_UNSURE: Final[Json] = ()
"""Stands for text that only the strict reader can judge; by identity, and no JSON is read as a tuple."""


def _quick(data: bytes) -> Json:
    """What orjson reads, where that is surely what the strict reader would give: a third of its time.

    orjson takes the last of duplicate keys, reads a long integer as a double, and knows nothing of NUL. A key's colon
    comes after a quotation mark or white space: when no more colons do than there are keys, no key was there twice.
    """
    if b"\\u" in data or data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        return _UNSURE
    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _UNSURE
    count = data.count
    colons = count(b'":') + count(b" :") + count(b"\n:") + count(b"\t:") + count(b"\r:")
    return value if _keys(value) == colons else _UNSURE


def _keys(value: Json) -> float:
    """How many keys a value has in all its objects; minus infinity where it holds a double."""
    if type(value) is dict:
        found: float = len(value)
        items: Iterable[Json] = value.values()
    elif type(value) is list:
        found, items = 0, value
    else:
        return -math.inf if type(value) is float else 0
    for item in items:
        if type(item) in _COUNTED:
            found += _keys(item)
    return found


_COUNTED: Final = frozenset({dict, list, float})

_STRUCTURE = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
"""Strings (to be skipped; an open one is taken whole, so the scan stays linear) and brackets."""


def _bracket_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRUCTURE.finditer(text):
        mark = found[0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise JsonInvalid(f"nested deeper than {MAX_DEPTH}")
        elif mark in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonInvalid(f"duplicate key {key!r}")
            seen.add(key)
    return result


def _no_constant(name: str) -> Json:
    raise JsonInvalid(f"{name} is not JSON")


def _integer(text: str) -> int:
    if len(text) > MAX_INTEGER_DIGITS:
        raise JsonInvalid(f"integer of {len(text)} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise JsonInvalid(f"number {text} is out of range")
    return value


_READER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer, parse_float=_float
)
"""Made once: making one costs more than reading a request."""


def _no_bad_text(value: Json) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            check_text(key)
            _no_bad_text(item)
    elif isinstance(value, Sequence):
        for item in value:
            _no_bad_text(item)


def check_text(text: str) -> None:
    """Raise `JsonInvalid` for text that no database of ours can keep: NUL or a lone surrogate."""
    if "\x00" in text:
        raise JsonInvalid("text holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise JsonInvalid("text holds a lone surrogate") from None


def check_integer(number: int) -> None:
    """Raise `JsonInvalid` for an integer that no 64-bit reader keeps; `dump` writes no other."""
    if not -(1 << 63) <= number < 1 << 64:
        raise JsonInvalid("an integer has more than 64 bits: write it as a text")


def dump(value: Json) -> bytes:
    """Compact JSON bytes; decimals become strings with their digits."""
    return orjson.dumps(value, default=_default)


def pretty(value: Json) -> str:
    """The text of an exported document: two spaces, authored key order, a newline at the end."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_default) + "\n"


def digest(value: Json) -> str:
    """SHA-256 (hex) over the RFC 8785 form: equal for documents that mean the same JSON."""
    return hashlib.sha256(rfc8785.dumps(_plain(value))).hexdigest()  # type: ignore[arg-type]


def fingerprint(value: Json) -> str:
    """SHA-256 (hex) of a JSON value with sorted keys, thirty times faster than `digest`.

    The same in every process, but not canonical: `1` and `1.0` differ. For keys of caches, never for documents.
    """
    return hashlib.sha256(orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _plain(value: Json) -> Json:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _default(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} is not JSON")
