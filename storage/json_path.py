"""A value inside JSON, found by a path and compared: PostgreSQL's `#>` and `jsonb =` on the other engine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson

from base.json import Json

_INDEX = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*([0-9]{1,10})")  # what PostgreSQL reads as a position


def value_at(value: Json, path: Sequence[str]) -> tuple[bool, Json]:
    """(found, value): objects are entered by key, arrays by position (-1 is the last one)."""
    for step in path:
        if isinstance(value, dict):
            if step not in value:
                return False, None
            value = value[step]
        elif isinstance(value, list) and (match := _INDEX.fullmatch(step)):
            index = int(match[1] + match[2])
            if not -len(value) <= index < len(value):
                return False, None
            value = value[index]
        else:
            return False, None
    return True, value


def canonical_json(value: Json) -> str:
    """One text for all spellings of a JSON value: keys sorted, `1.0` and `1` alike."""
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS).decode()


def json_at(text: str | None, path: str) -> str | None:
    """The canonical text of what stands at a path (a JSON array of texts) in a JSON text; null when nothing does."""
    if text is None:
        return None
    found, value = value_at(orjson.loads(text), orjson.loads(path))
    return canonical_json(value) if found else None


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 63:
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
