"""From rows of a file to commands: cells are read, natural keys looked up, and what is there already is compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from base.errors import Fault, Text
from base.json import Json
from base.text import fold
from records.snapshot import Snapshot
from sources.binding import Binding, Way
from sources.csv import Row
from sources.faults import RowFault
from sources.lookup import Key, Lookups, differing, distinct, read_by, shown
from sources.values import CellRefused


@dataclass(slots=True)
class Drafted:
    """A row being read: its values by API name, the values still to be looked up, and what is wrong."""

    row: Row
    input: dict[str, Json] = field(default_factory=dict)
    wanted: list[tuple[Way, Any]] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)

    @property
    def number(self) -> int:
        """Its number in a spreadsheet."""
        return self.row.number


@dataclass(frozen=True, slots=True)
class Planned:
    """What a batch will do: inputs to create and to update by row number, and the rows that need nothing."""

    creates: tuple[tuple[int, Mapping[str, Json]], ...] = ()
    updates: tuple[tuple[int, str, Mapping[str, Json]], ...] = ()
    unchanged: int = 0
    refused: tuple[RowFault, ...] = ()


def draft_row(binding: Binding, row: Row, ways: Sequence[Way]) -> Drafted:
    """Read the cells of a row. Its mistakes are gathered in the draft."""
    drafted = Drafted(row)
    if len(row.cells) != binding.width:
        en = f"the row has {len(row.cells)} cells, the header {binding.width}"
        zh = f"该行有 {len(row.cells)} 个单元格，表头有 {binding.width} 个"
        drafted.faults.append(("", Fault((), "ROW_LENGTH", Text(en, zh))))
        return drafted
    for way in ways:
        _read_cell(drafted, way, row.cells[way.index])
    return drafted


def _read_cell(drafted: Drafted, way: Way, text: str) -> None:
    rule = way.rule
    cell = text.strip() if rule.trim else text
    cell = rule.replace.get(cell, cell)
    if not cell.strip() and rule.default is not None:
        cell = rule.default
    if not cell.strip():
        if rule.empty == "null":
            drafted.input[way.api] = None
        return
    try:
        value = way.convert(cell)
    except CellRefused as error:
        drafted.faults.append((way.column, Fault((way.api,), "VALIDATION", error.text)))
        return
    if way.key is None:
        drafted.input[way.api] = value
    else:
        drafted.wanted.append((way, value))


async def look_up(
    binding: Binding, lookups: Lookups, snapshot: Snapshot, batch: Sequence[Drafted], own: Collection[Any] = ()
) -> None:
    """Put the ids of what was looked up into the inputs of a batch, and its constants.

    `own`: pairs of a field and a value that a dry run has found in the file itself; records that have them would be
    there by now.
    """
    wanted: dict[Key, list[Any]] = {}
    for drafted in batch:
        drafted.wanted = [(way, _shown(snapshot, way, value)) for way, value in drafted.wanted]
        for way, value in drafted.wanted:
            assert way.key is not None
            wanted.setdefault(way.key, []).append(value)
    for key, value in binding.looked_up.values():
        wanted.setdefault(key, []).append(value)
    found = await lookups.find(snapshot, {key: distinct(values) for key, values in wanted.items()})
    for drafted in batch:
        for way, value in drafted.wanted:
            assert way.key is not None
            answer = found[way.key][value]
            if answer.id is not None and not answer.many:
                drafted.input[way.api] = answer.id
            elif answer.id is None and (way.key.field, value) in own:
                continue
            elif answer.id is None and way.rule.on_missing != "fault":
                if way.rule.on_missing == "null":
                    drafted.input[way.api] = None
            else:
                drafted.faults.append((way.column, await _missing(lookups, snapshot, way, value, many=answer.many)))
        _put_constants(binding, drafted, found)


def _put_constants(binding: Binding, drafted: Drafted, found: Mapping[Key, Mapping[Any, Any]]) -> None:
    drafted.input.update(binding.constants)
    for api, (key, value) in binding.looked_up.items():
        answer = found[key][value]
        if answer.id is None or answer.many:
            en, zh = (
                f"no one {key.entity} has {key.field} '{value}'",
                f"没有唯一的 {key.entity} 的 {key.field} 为“{value}”",
            )
            drafted.faults.append(("", Fault((api,), "NOT_FOUND", Text(en, zh))))
        else:
            drafted.input[api] = answer.id


def _shown(snapshot: Snapshot, way: Way, value: Json) -> Any:
    assert way.key is not None
    item = snapshot.catalog.entities[way.key.entity].by_api_name[way.key.field]
    try:
        return shown(item, value)
    except (ValueError, ArithmeticError, TypeError):
        return value


async def _missing(lookups: Lookups, snapshot: Snapshot, way: Way, value: Any, *, many: bool) -> Fault:
    key = way.key
    assert key is not None
    if many:
        en = f"several records of {key.entity} have {key.field} '{value}'"
        return Fault((way.api,), "AMBIGUOUS", Text(en, f"{key.entity} 中有多条记录的 {key.field} 为“{value}”"))
    near = await lookups.hint(snapshot, key, str(value))
    en = f"no {key.entity} has {key.field} '{value}'{near.en}"
    return Fault((way.api,), "NOT_FOUND", Text(en, f"没有 {key.field} 为“{value}”的 {key.entity}{near.zh}"))


async def plan_batch(binding: Binding, snapshot: Snapshot, batch: Sequence[Drafted], *, create: bool = True) -> Planned:
    """Divide a batch into creates, updates, rows that need nothing and rows that are refused.

    Without `create` rows that nobody has are passed over: they have been refused before.
    """
    refused = tuple(RowFault(drafted.number, tuple(drafted.faults)) for drafted in batch if drafted.faults)
    good = [drafted for drafted in batch if not drafted.faults]
    if not binding.by:
        return Planned(tuple((drafted.number, drafted.input) for drafted in good), refused=refused)
    existing = await _existing(binding, snapshot, good)
    creates: list[tuple[int, Mapping[str, Json]]] = []
    updates: list[tuple[int, str, Mapping[str, Json]]] = []
    unchanged = 0
    for drafted in good:
        row = existing.get(key_of(binding, drafted.input))
        if row is None:
            if create:
                creates.append((drafted.number, drafted.input))
            continue
        changed = differing(binding.fields, drafted.input, row)
        if changed:
            updates.append((drafted.number, str(row["id"]), changed))
        else:
            unchanged += 1
    return Planned(tuple(creates), tuple(updates), unchanged, refused)


def key_of(binding: Binding, input: Mapping[str, Json]) -> bytes:
    """The key of a row, equal for values that the fields keep as one."""
    return orjson.dumps([_key_value(binding, api, input.get(api)) for api in binding.by])


def folded_key(binding: Binding, input: Mapping[str, Json]) -> bytes:
    """The key of a row, equal for values that are one to the unique rule: perhaps without regard to case."""
    values = [_key_value(binding, api, input.get(api)) for api in binding.by]
    if binding.ignore_case:
        values = [fold(value) if isinstance(value, str) else value for value in values]
    return orjson.dumps(values)


def _key_value(binding: Binding, api: str, value: Json) -> Json:
    try:
        return shown(binding.fields[api], value)
    except (ValueError, ArithmeticError, TypeError):
        return value


async def _existing(binding: Binding, snapshot: Snapshot, batch: Sequence[Drafted]) -> dict[bytes, dict[str, Json]]:
    filter: dict[str, Json] = {}
    for api in binding.by:
        values = distinct(_usable(binding, api, drafted.input.get(api)) for drafted in batch)
        if not values:
            return {}
        filter[api] = {"in": values}
    rows = await read_by(snapshot, binding.entity.name, filter)
    return {orjson.dumps([row[api] for api in binding.by]): row for row in rows}


def _usable(binding: Binding, api: str, value: Json) -> Json:
    """A key value that a filter takes; null for what its field refuses, which is told when it is written."""
    try:
        return shown(binding.fields[api], value)
    except (ValueError, ArithmeticError, TypeError):
        return None
