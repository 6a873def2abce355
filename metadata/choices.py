"""Choices: the values of `enum`, described by `x-choices`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from base.errors import Fault, Text
from base.json import Json
from metadata.faults import INVALID, clash, reserved, unknown
from metadata.field import Choice

VALUE = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,62}")
"""A choice value is a GraphQL enum value."""

_NOT_ENUM = frozenset({"true", "false", "null"})


def parse_choices(prop: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> tuple[Choice, ...]:
    """The choices of a property whose type shows them as an enum, in the order of `enum`."""
    values = _enum(prop)
    described = {
        str(item["value"]): (item, (*path, "x-choices", str(index)))
        for index, item in enumerate(_listed(prop.get("x-choices")))
        if isinstance(item, Mapping) and "value" in item
    }
    for value, (_, where) in described.items():
        if value not in values:
            faults.append(unknown((*where, "value"), Text("choice", "选项"), value, values))
    choices = []
    for index, value in enumerate(values):
        fault = choice_fault(value, (*path, "enum", str(index)))
        if fault is not None:
            faults.append(fault)
        choices.append(_choice(value, described[value][0] if value in described else {}))
    _refuse_repeated(choices, path, faults)
    return tuple(choices)


def choice_fault(value: str, path: tuple[str, ...]) -> Fault | None:
    """Whether a text can be a choice value."""
    if not VALUE.fullmatch(value):
        return Fault(
            path,
            INVALID,
            Text(
                f"{value[:80]!r} is no choice value: letters, digits and _, not beginning with a digit; "
                "put what people read into x-choices",
                f"“{value[:80]}”不是合法的选项值：只能含字母、数字和下划线且不以数字开头；显示文字请写在 x-choices 中",
            ),
        )
    return reserved(path, value) if value in _NOT_ENUM or value.startswith("__") else None


def _enum(prop: Mapping[str, Json]) -> tuple[str, ...]:
    values = prop.get("enum")
    items = prop.get("items")
    if values is None and isinstance(items, Mapping):
        values = items.get("enum")
    if values is None and "const" in prop:
        values = [prop["const"]]
    return tuple(str(value) for value in _listed(values) if value is not None)


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list | tuple) else ()


def _choice(value: str, described: Mapping[str, Json]) -> Choice:
    titles = described.get("x-titles")
    color = described.get("color")
    return Choice(
        value=value,
        title=str(described.get("title", value)),
        titles={str(key): str(text) for key, text in titles.items()} if isinstance(titles, Mapping) else {},
        color=color if isinstance(color, str) else None,
        retired=described.get("retired") is True,
        was=tuple(str(old) for old in _listed(described.get("x-was"))),
    )


def _refuse_repeated(choices: Sequence[Choice], path: tuple[str, ...], faults: list[Fault]) -> None:
    owners: dict[str, str] = {}
    for choice in choices:
        for name in (choice.value, *choice.was):
            other = owners.setdefault(name, choice.value)
            if other != choice.value:
                faults.append(clash((*path, "x-choices"), name, f"choice {other}", f"choice {choice.value}"))
