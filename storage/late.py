"""Numbers that the database gave out, put into the places that waited for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from base.json import Json
from storage.batch import Late, Value


def finished(values: Sequence[Value], numbers: Mapping[str, int]) -> tuple[Value, ...]:
    """A row's values with the text of each `Late`."""
    return tuple(_finished(value, numbers) for value in values)


def finished_image(image: Mapping[str, Json | Late], numbers: Mapping[str, int]) -> Mapping[str, Json]:
    """A change row's image with the text of each `Late`."""
    if not numbers:
        return image  # type: ignore[return-value]  # without counters there is nothing late
    return {name: _finished(value, numbers) for name, value in image.items()}


def _finished(value: Any, numbers: Mapping[str, int]) -> Any:
    return value.text(numbers[value.counter]) if isinstance(value, Late) else value
