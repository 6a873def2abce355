"""Plain creates: one new record of plain values, which is what most writes are, made a Batch without a draft.

Only what is surely right goes this way. Whatever is not (a fault, a right that depends on the row, relations in the
input, numbers of a sequence, rules about other records) is prepared by `records.writing.prepare`, which decides; and
when the database refuses a plain create, the long way says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.actor import Actor
from access.grant import Operation
from base.clock import now, timestamp
from base.ids import new_id
from base.immutable import immutable
from base.json import Json, JsonInvalid
from expressions import Lookup
from metadata.scope import ACTOR
from records.command import Commands, Create, Result, Saved
from records.snapshot import Snapshot
from records.writing.draft import Op, emitted
from records.writing.input import check_texts
from records.writing.references import SINGLE_GUARDS, target_probe
from records.writing.refusals import Reason, Refusal
from records.writing.rules import actor_value
from records.writing.writeplan import Slot, WritePlan, plans_of
from storage.batch import Batch, Cause, ChangeRow, Guard, Insert


@immutable
class Plain:
    """A plain create, ready to be applied, and its answer when it has been."""

    batch: Batch
    saved: Saved


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What is known of an entity's plain creates: the scalars that an input may have, and which of them refer."""

    slots: Mapping[str, Slot]
    targets: Mapping[str, tuple[WritePlan, Refusal]]  # scalar -> the plan of what it refers to, and what a guard means
    always: tuple[frozenset[str], ...]  # for each grant to create: the scalars that it covers without a condition


def plain_create(snapshot: Snapshot, commands: Commands, cause: Cause) -> Plain | None:
    """The Batch of a single plain create; None: prepare it the long way."""
    if len(commands.items) != 1 or not commands.atomic:
        return None
    command = commands.items[0]
    if type(command) is not Create:
        return None
    plans = plans_of(snapshot)
    if command.entity not in plans.surface:
        return None
    plan = plans.of(command.entity)
    recipe = _recipe(plan)
    if recipe is None:
        return None
    values = _values(plan, recipe, command.input)
    row = None if values is None else _row(snapshot.actor, plan, values)
    if values is None or row is None or not _permitted(snapshot.actor, plan, recipe, row, command.input):
        return None
    guards = _guards(snapshot, recipe, row, values)
    if guards is None:
        return None
    instant, record_id = now(), new_id(plan.entity.number)
    at = timestamp(instant)
    row["id"], row["createdAt"], row["updatedAt"] = record_id, instant, instant
    encoded, changed, after = emitted(plan, row, instant, at)
    batch = Batch(
        at=at,
        transaction_id=new_id(),
        cause=cause,
        catalog_version=snapshot.version,
        guards=guards,
        statements=(Insert(plan.table, plan.columns, plan.kinds, (encoded,)),),
        changes=(ChangeRow(new_id(), plan.table, record_id, Op.CREATED, 1, tuple(changed), None, after),),
    )
    return Plain(batch, Saved((Result(record_id),), images={record_id: after}))


def _recipe(plan: WritePlan) -> _Recipe | None:
    """The entity's recipe; None where no create of it is plain."""
    try:
        found: _Recipe | None = plan.kept["plain"]
    except KeyError:
        found = plan.kept["plain"] = _make_recipe(plan)
    return found


def _make_recipe(plan: WritePlan) -> _Recipe | None:
    if Operation.CREATE not in plan.grants or plan.entity.system or plan.numbered or plan.create_paths:
        return None
    slots = {key: slot for key in plan.inputs[Operation.CREATE] if (slot := plan.slots.get(key)) is not None}
    written = {**slots, **{api: plan.slots[api] for api, _ in plan.defaults}}
    targets = {
        key: (plan.plans.of(slot.field.relation.target), Refusal(Reason.MISSING, 0, (key,)))
        for key, slot in written.items()
        if slot.field.relation is not None
    }
    always = tuple(
        frozenset(key for key, slot in slots.items() if slot.field.name in grant.always) for grant in plan.creating
    )
    return _Recipe(slots, targets, always)


def _values(plan: WritePlan, recipe: _Recipe, given: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The values that are given and those by default; None when one is not surely right."""
    slots = recipe.slots
    for key, value in given.items():
        if key not in slots:
            return None
        if (not value.isascii() or "\x00" in value) if type(value) is str else type(value) not in _TEXTLESS:
            try:
                check_texts(value)
            except JsonInvalid:
                return None
    values = given
    for api, default in plan.defaults:
        if api not in given:
            values = {**values, api: default}
    return values if plan.validator.holds(values) else None


_TEXTLESS = frozenset({int, bool, type(None)})


def _row(actor: Actor, plan: WritePlan, values: Mapping[str, Json]) -> dict[str, Any] | None:
    """The new row without its id and instants; None when a field cannot keep its value."""
    row: dict[str, Any] = {**plan.empty}
    row["version"] = 1
    row["createdById"] = row["updatedById"] = row["ownerId"] = actor.member_id
    row["teamId"] = actor.default_team_id
    slots = plan.slots
    try:
        for key, value in values.items():
            row[key] = None if value is None else slots[key].logical(value)
    except (ValueError, ArithmeticError, TypeError):
        return None
    return row


def _permitted(
    actor: Actor, plan: WritePlan, recipe: _Recipe, row: Mapping[str, Any], given: Mapping[str, Json]
) -> bool:
    """Whether a grant surely covers the record and everything that is given, and all rules hold."""

    def lookup(path: tuple[str, ...]) -> Any:
        """A field of the row, or the actor's: plans with longer paths have no recipe."""
        return actor_value(actor, path[1]) if path[0] == ACTOR and len(path) == 2 else row[path[0]]

    if Operation.CREATE not in plan.unlimited and not _granted(plan, recipe, lookup, given):
        return False
    for item in plan.rules:
        if (item.when is None or item.when(lookup) is True) and item.check(lookup) is not True:
            return False
    return True


def _granted(plan: WritePlan, recipe: _Recipe, lookup: Lookup, given: Mapping[str, Json]) -> bool:
    for grant, always in zip(plan.creating, recipe.always, strict=True):
        if given.keys() <= always and (grant.check is None or grant.check(lookup) is True):
            return True
    return False


def _guards(
    snapshot: Snapshot, recipe: _Recipe, row: Mapping[str, Any], values: Mapping[str, Json]
) -> tuple[Guard, ...] | None:
    """A guard for each record that a value refers to; None when they are too many for guards of their own."""
    guards: dict[tuple[str, str], Guard] = {}
    for key, (target, token) in recipe.targets.items():
        if key in values and (value := row[key]) is not None and (target.name, value) not in guards:
            guards[target.name, value] = target_probe(target).guard(snapshot, token, {"id": value})
    return tuple(guards.values()) if len(guards) <= SINGLE_GUARDS else None
