"""What a unique index refused: the records of a write whose values are taken, found after the database said no.

A holder that the actor may not read is not told from one that he may: all that is known is that the value is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from base.errors import Fault
from base.text import fold
from metadata.catalog import Unique
from records.writing.draft import Draft, Staged, differs
from records.writing.probe import Probe
from records.writing.refusals import Path, value_taken
from records.writing.writeplan import Slot, WritePlan
from storage.sql import InList
from storage.sql import fold as fold_sql


async def taken(draft: Draft, index: str, again: bool = False) -> list[tuple[int, Fault]]:
    """(command, fault) for each staged record that cannot have its values; empty when none is found any more.

    When the index refuses `again`, records that give a value up by this very write count as its holders: the database
    looks after each statement, so two records cannot exchange values in one write. An index that no entity of this
    version knows belongs to a unique rule that is about to be published.
    """
    rule = _rule(draft, index)
    if rule is None:
        return [(0, value_taken((), ()))]
    plan, unique = rule
    slots = [plan.slots[plan.entity.fields[name].api_name] for name in unique.fields]
    writing = [
        (item, key) for item in _writing(draft, plan, slots) if (key := _key(unique, slots, item.row)) is not None
    ]
    if len(writing) == 1:
        return [_fault(writing[0][0], slots)]
    holders = await _holders(draft, plan, unique, slots, [key for _, key in writing])
    found: list[tuple[int, Fault]] = []
    first: dict[tuple[Any, ...], str] = {}
    for item, key in writing:
        others = holders.get(key, set()) - {item.id}
        free = all(_frees(draft.staged.get(other), unique, slots, key, again) for other in others)
        if not free or first.setdefault(key, item.id) != item.id:
            found.append(_fault(item, slots))
    return found


def _rule(draft: Draft, index: str) -> tuple[WritePlan, Unique] | None:
    for staged in draft.staged.values():
        unique = staged.plan.uniques.get(index)
        if unique is not None:
            return staged.plan, unique
    return None


def _writing(draft: Draft, plan: WritePlan, slots: Iterable[Slot]) -> list[Staged]:
    """Records that come to hold their values by this write: new, restored, or with one of the values changed."""
    return [
        item
        for item in draft.staged.values()
        if item.plan.name == plan.name and item.live and (item.old is None or _moved(item, item.old, slots))
    ]


def _moved(item: Staged, old: Mapping[str, Any], slots: Iterable[Slot]) -> bool:
    return old["deletedAt"] is not None or any(differs(slot, item.row[slot.api], old[slot.api]) for slot in slots)


def _frees(item: Staged | None, unique: Unique, slots: list[Slot], key: tuple[Any, ...], again: bool) -> bool:
    """Whether a holder of a value gives it up by this write, before others take it."""
    return item is not None and (not item.live or (not again and _key(unique, slots, item.row) != key))


def _key(unique: Unique, slots: list[Slot], row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What must be unique; None when a value is null: such a tuple is not checked."""
    values = []
    for slot in slots:
        value = row[slot.api]
        if value is None:
            return None
        values.append(fold(value) if unique.ignore_case and slot.kind == "text" else slot.image(value))
    return tuple(values)


def _fault(item: Staged, slots: list[Slot]) -> tuple[int, Fault]:
    return item.token.command, not_unique(item.token.path, item.plan, slots)


def not_unique(path: Path, plan: WritePlan, slots: Sequence[Slot]) -> Fault:
    """The fault for values that another live record holds: which one is not told, nor fields hidden from the actor."""
    return value_taken(path, tuple(slot.api for slot in slots if slot.api in plan.named))


async def _holders(
    draft: Draft, plan: WritePlan, unique: Unique, slots: list[Slot], keys: list[tuple[Any, ...]]
) -> dict[tuple[Any, ...], set[str]]:
    """The live records that hold one of these keys now."""
    first = slots[0]
    folded = unique.ignore_case and first.kind == "text"
    values = [key[0] if folded else first.logical(key[0]) for key in keys]
    found: dict[tuple[Any, ...], set[str]] = {}
    for row in await _holders_probe(plan, unique, first, folded).rows(draft.snapshot, {"values": values}):
        record = plan.row(row)
        key = _key(unique, slots, record)
        if key is not None:
            found.setdefault(key, set()).add(record["id"])
    return found


def _holders_probe(plan: WritePlan, unique: Unique, first: Slot, folded: bool) -> Probe:
    return plan.probe(
        ("holders", unique.index),
        lambda values, alias: (
            sa.select(*plan.selected(alias))
            .select_from(alias.table)
            .where(
                InList(
                    fold_sql(alias.column(first.field.column)) if folded else alias.column(first.field.column),
                    values.given_list("values", first.field.column.type),
                ),
                alias.live(),
            )
        ),
    )
