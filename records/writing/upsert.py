"""Upsert: a record found by the values of a unique rule is updated or left, else it is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import BadInput, Text
from base.json import Json
from metadata.catalog import Unique
from records.alias import Alias
from records.command import Upsert
from records.writing.change import create_record, update_record, wanted_update
from records.writing.draft import Draft
from records.writing.input import current_keys
from records.writing.probe import Probe, Values
from records.writing.target import read_targets
from records.writing.uniqueness import not_unique
from records.writing.writeplan import Slot, WritePlan
from storage.sql import fold


async def upsert_record(draft: Draft, plan: WritePlan, command: Upsert) -> str:
    """Stage an upsert; gives the record's id.

    `by` names the fields of a unique rule. When the record with these values is hidden, or one of these values is
    hidden in it, the answer is NOT_UNIQUE, as a create would have it: else an upsert would tell whose value it is.
    A null among the values never matches. Raises `BadInput` when no unique rule has these fields.
    """
    unique = _unique(plan, command.by)
    slots = [plan.slots[plan.entity.fields[name].api_name] for name in unique.fields]
    draft.contested.add(unique.index)
    input = current_keys(draft, plan, command.input, ())
    values = _values(plan, slots, input)
    found = None if values is None else await _find(draft, plan, unique, slots, values)
    if found is None:
        return await create_record(draft, plan, input)
    given = {key: value for key, value in input.items() if not _is_key(plan, slots, unique, key)}
    wanted = replace(wanted_update(plan, given), cells=frozenset(unique.fields))
    target = (await read_targets(draft, plan, [found], wanted)).get(found)
    if target is None or not target.readable or not all(target.shows(name) for name in unique.fields):
        draft.faults.append(not_unique((), plan, slots))
    elif not command.ignore:
        await update_record(draft, plan, target, given)
    return found


def _unique(plan: WritePlan, by: tuple[str, ...]) -> Unique:
    fields, aliases = plan.entity.by_api_name, plan.entity.aliases
    current = [aliases.get(name, name) for name in by]
    names = {fields[name].name if name in fields else name for name in current}
    for unique in plan.entity.uniques:
        if set(unique.fields) == names:
            return unique
    known = "; ".join(
        ", ".join(plan.entity.fields[name].api_name for name in item.fields) for item in plan.entity.uniques
    )
    raise BadInput(
        Text(
            f"`by` must name the fields of a unique rule of {plan.name}: {known or 'it has none'}",
            f"by 必须是“{plan.name}”某条唯一规则的字段：{known or '尚无唯一规则'}",
        )
    )


def _values(plan: WritePlan, slots: list[Slot], given: Mapping[str, Json]) -> dict[str, Any] | None:
    """The logical values of the key; None when one is missing or cannot be (creating tells what is wrong)."""
    defaults = dict(plan.defaults)
    values: dict[str, Any] = {}
    for number, slot in enumerate(slots):
        value = given.get(slot.api, defaults.get(slot.api))
        relation = given.get(slot.field.name)
        if value is None and isinstance(relation, Mapping):
            value = relation.get("connect")
        if value is None:
            return None
        try:
            values[f"v{number}"] = slot.logical(value)
        except (ValueError, ArithmeticError, TypeError):
            return None
    return values


def _is_key(plan: WritePlan, slots: list[Slot], unique: Unique, key: str) -> bool:
    """Whether a key of the input is part of what the record was found by, and so equal already."""
    item = next((slot for slot in slots if key in (slot.api, slot.field.name)), None)
    return item is not None and not _folded(unique, item)


def _folded(unique: Unique, slot: Slot) -> bool:
    return unique.ignore_case and slot.kind == "text"


async def _find(
    draft: Draft, plan: WritePlan, unique: Unique, slots: list[Slot], values: Mapping[str, Any]
) -> str | None:
    rows = await _find_probe(plan, unique, slots).rows(draft.snapshot, values)
    return str(plan.slots["id"].decode(rows[0][0])) if rows else None


def _find_probe(plan: WritePlan, unique: Unique, slots: list[Slot]) -> Probe:
    def query(values: Values, alias: Alias) -> sa.Select[Any]:
        conditions: list[ColumnElement[bool]] = []
        for number, slot in enumerate(slots):
            own = alias.column(slot.field.column)
            given = values.given(f"v{number}", slot.field.column.type)
            conditions.append(fold(own) == fold(given) if _folded(unique, slot) else own == given)
        return sa.select(alias.field("id")).select_from(alias.table).where(*conditions, alias.live())

    return plan.probe(("upsert", unique.index), query)
