"""Where a value stands in a JSON text: line and column for the path of a fault."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*")


def locate(text: str, path: Sequence[str]) -> tuple[int, int]:
    """(line, column), both from 1, of the deepest part of `path` that exists in a JSON text.

    A step is a key (the place is that of the key) or the index of an item as text. Text that cannot be read gives
    the place that was reached.
    """
    position = _skip(text, 0)
    place = position
    for step in path:
        try:
            found = _step(text, position, step)
        except (ValueError, IndexError, RecursionError):
            break
        if found is None:
            break
        place, position = found
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match is not None else position


def _step(text: str, position: int, step: str) -> tuple[int, int] | None:
    """(where the key or item stands, where its value begins), or None."""
    if text[position] == "{":
        return _member(text, position, step)
    if text[position] == "[" and step.isdigit():
        return _item(text, position, int(step))
    return None


def _member(text: str, position: int, step: str) -> tuple[int, int] | None:
    decoder = json.JSONDecoder()
    position = _skip(text, position + 1)
    while text[position] != "}":
        key, after = decoder.raw_decode(text, position)
        value = _skip(text, _skip(text, after) + 1)
        if key == step:
            return position, value
        _, after = decoder.raw_decode(text, value)
        position = _skip(text, after)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return None


def _item(text: str, position: int, index: int) -> tuple[int, int] | None:
    decoder = json.JSONDecoder()
    position = _skip(text, position + 1)
    while text[position] != "]":
        if index == 0:
            return position, position
        _, after = decoder.raw_decode(text, position)
        position, index = _skip(text, after), index - 1
        if text[position] == ",":
            position = _skip(text, position + 1)
    return None
