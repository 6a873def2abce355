"""One record created or updated: from an input to a staged row, with everything that must hold of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from access.grant import Operation
from base.ids import new_id
from base.json import Json
from records.surface import TRANSFER_FIELDS
from records.writing.draft import Draft, Op, Staged, differs
from records.writing.input import Input, convert, read_input, validate_changed, validate_new
from records.writing.nested import Nest, Owner, write_lists, write_ones
from records.writing.references import require_target
from records.writing.refusals import Path, forbidden, invalid
from records.writing.rights import permit_create, permit_update
from records.writing.rules import check_rules, preload
from records.writing.target import Target, Wanted
from records.writing.writeplan import WritePlan


async def create_record(
    draft: Draft,
    plan: WritePlan,
    given: Mapping[str, Json],
    path: Path = (),
    depth: int = 0,
    owner: Owner | None = None,
    record_id: str | None = None,
) -> str:
    """Stage a new record and what its input nests; gives its id. Faults are gathered in the draft.

    `owner` is the record whose list it is created in. Raises `Forbidden` where no grant covers it.
    """
    if Operation.CREATE not in plan.grants or plan.entity.system:
        raise forbidden("create", plan.name, path)
    before = len(draft.faults)
    new = new_id(plan.entity.number) if record_id is None else record_id
    if draft.full:
        return new
    row = draft.create(plan, new, path)
    read = read_input(draft, plan, Operation.CREATE, given, path)
    for api, default in plan.defaults:
        if api not in read.values:
            read.values[api] = default
    _belong(draft, read, owner, path)
    nest = Nest(draft, create_record, update_record, depth, path)
    if read.ones:
        await write_ones(nest, plan, read)
    row.update(validate_new(draft, plan, read.values, path))
    for slot in plan.numbered:
        row[slot.api] = draft.late(plan, slot)
    _require_targets(draft, plan, row, read, owner, path)
    if plan.create_paths:
        await preload(draft, plan, [row], plan.create_paths)
    if len(draft.faults) == before:
        permit_create(draft, plan, row, read.given, path)
        check_rules(draft, plan, row, None, path)
    _tell_as_given(draft, plan, read, path, before)
    if read.lists:
        await write_lists(nest, plan, read, new, created=True)
    return new


async def update_record(
    draft: Draft,
    plan: WritePlan,
    target: Target,
    given: Mapping[str, Json],
    path: Path = (),
    depth: int = 0,
    owner: Owner | None = None,
    *,
    expected: bool = False,
) -> Staged:
    """Stage changes to a record that the actor may read; only faults that concern what changes are gathered.

    Raises `Forbidden` where no grant covers the row, or a field that is given. An input that changes nothing leaves
    the record as it is: no new version, no event.
    """
    before = len(draft.faults)
    staged = draft.change(plan, target.row, path, expected=expected)
    read = read_input(draft, plan, Operation.UPDATE, given, path)
    _belong(draft, read, owner, path)
    nest = Nest(draft, create_record, update_record, depth, path)
    if read.ones:
        await write_ones(nest, plan, read)
    made = convert(draft, plan, read.values, path)
    row, old = staged.row, dict(staged.row)
    changed = {key for key, value in made.items() if differs(plan.slots[key], value, old[key])}
    changed |= {key for key in read.values if key not in made}
    row.update(made)
    validate_changed(draft, plan, old, read.values, changed, path)
    _require_targets(draft, plan, row, read, owner, path, changed)
    if plan.update_paths:
        await preload(draft, plan, [row], plan.update_paths)
    if len(draft.faults) == before:
        permit_update(draft, plan, target, row, read.given, path)
        check_rules(draft, plan, row, changed, path)
    _tell_as_given(draft, plan, read, path, before)
    if read.lists:
        await write_lists(nest, plan, read, staged.id, created=staged.op is Op.CREATED)
    return staged


def wanted_update(plan: WritePlan, given: Mapping[str, Json]) -> Wanted:
    """What must be known of a row that this input is to change."""
    keys = plan.inputs[Operation.UPDATE]
    names = frozenset(item.name for key in given if (item := keys.get(key)) is not None)
    moves = (Operation.TRANSFER,) if names & TRANSFER_FIELDS else ()
    return Wanted((Operation.UPDATE, *moves), names)


def _belong(draft: Draft, read: Input, owner: Owner | None, path: Path) -> None:
    """A record in an owned list refers to the record that it is written in, and to no other."""
    if owner is None:
        return
    if owner.field.name in read.given:
        key = read.given.pop(owner.field.name)
        draft.faults.append(
            invalid((*path, key), "is given by the record that this one belongs to", "由所属记录决定，不可填写")
        )
    read.ones = [item for item in read.ones if item[0].name != owner.field.name]
    read.values[owner.field.api_name] = owner.id


def _tell_as_given(draft: Draft, plan: WritePlan, read: Input, path: Path, before: int) -> None:
    """Faults of `accountId` stand at `account` where that is what the input has."""
    asked = {item.api_name: (item.name, *verbs) for item, verbs in read.ones}
    given = {plan.entity.fields[name].api_name: (key,) for name, key in read.given.items() if key not in plan.slots}
    where = {**given, **asked}
    if not where:
        return
    for number, fault in enumerate(draft.faults[before:], before):
        key = fault.path[len(path)] if len(fault.path) == len(path) + 1 else None
        if key in where:
            draft.faults[number] = replace(fault, path=(*path, *where[key]))


def _require_targets(
    draft: Draft,
    plan: WritePlan,
    row: Mapping[str, Any],
    read: Input,
    owner: Owner | None,
    path: Path,
    changed: set[str] | None = None,
) -> None:
    """Every record that the row now refers to must be live and readable; what it referred to before is not asked."""
    for key in read.values:
        item = plan.slots[key].field
        relation, value = item.relation, row[key]
        if relation is None or value is None or (changed is not None and key not in changed):
            continue
        if owner is not None and owner.created and item.name == owner.field.name:
            continue
        where = read.given.get(item.name, key)
        inner = () if where == key else ("connect",)
        require_target(draft, plan.plans.of(relation.target), str(value), (*path, where, *inner))
