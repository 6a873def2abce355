"""The values of `enum`, read alike for one choice and for several. What a value may be is in `metadata.choices`."""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import Fault
from base.json import Json
from metadata.faults import invalid

CHOICE_KEYWORDS = frozenset({"x-choices"})


def read_values(prop: Mapping[str, Json], enum: Json, path: tuple[str, ...], faults: list[Fault]) -> tuple[str, ...]:
    """All values, which must be texts and differ; at least one must not be retired."""
    listed = [value for value in enum if value is not None] if isinstance(enum, list | tuple) else []
    values = tuple(value for value in listed if isinstance(value, str))
    if not values or len(values) != len(listed):
        faults.append(invalid(path, "must list the choices as texts", "必须以文本列出选项"))
    elif len(set(values)) != len(values):
        faults.append(invalid(path, "must not repeat a choice", "选项不得重复"))
    elif not writable(prop, enum):
        faults.append(invalid(path, "at least one choice must not be retired", "至少要有一个未停用的选项"))
    return values


def writable(prop: Mapping[str, Json], enum: Json) -> list[Json]:
    """The values that an input may hold: those that are not retired."""
    described = prop.get("x-choices")
    retired = {
        item.get("value")
        for item in (described if isinstance(described, list | tuple) else ())
        if isinstance(item, Mapping) and item.get("retired") is True
    }
    listed = enum if isinstance(enum, list | tuple) else ()
    return [value for value in listed if value is not None and value not in retired]
