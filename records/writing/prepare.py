"""Preparing a write: commands are read, validated, permitted and computed without a lock, and become a Batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from access.actor import Actor
from base.errors import BadInput, Fault, Text
from base.ids import canonical_id
from records.command import (
    Command,
    Commands,
    Create,
    Delete,
    DeleteWhere,
    Merge,
    Purge,
    Restore,
    Result,
    Saved,
    Share,
    Unshare,
    Update,
    UpdateWhere,
    Upsert,
)
from records.snapshot import Snapshot
from records.writing.bulk import delete_where, update_where
from records.writing.change import create_record, update_record, wanted_update
from records.writing.delete import delete_record
from records.writing.draft import Draft
from records.writing.merge import merge_records, parts_of
from records.writing.purge import purge_record
from records.writing.references import target_guards
from records.writing.refusals import forbidden, not_found, other_version, too_many_rows
from records.writing.restore import restore_record
from records.writing.sharing import share_record, unshare_record
from records.writing.target import read_targets
from records.writing.upsert import upsert_record
from records.writing.writeplan import WritePlan
from storage.batch import Batch, Cause, ChangeRow, Guard, Statement


class WriteRule(Protocol):
    """What another room adds to every write: record locks, triggers. Asked once for each Batch."""

    async def prepare(
        self, snapshot: Snapshot, actor: Actor, changes: Sequence[ChangeRow], cause: Cause
    ) -> tuple[Sequence[Fault], Sequence[Statement], Sequence[Guard]]:
        """Faults that stop the write, and what is to be done and to hold in its transaction.

        A guard's token that is a `records.writing.refusals.Refusal` is answered as its reason says; after any other
        one the write is prepared again.
        """


@dataclass(slots=True)
class Prepared:
    """A write before it is applied. With faults of a command `batch` still holds the others of a write that is not
    atomic; it is None when there is nothing to apply."""

    draft: Draft
    saved: Saved
    batch: Batch | None = None
    details: Mapping[str, Any] | None = None
    refused: dict[int, tuple[Fault, ...]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether anything was refused."""
        return bool(self.saved.faults) or any(item.faults for item in self.saved.results)


async def prepare(
    snapshot: Snapshot,
    commands: Commands,
    cause: Cause,
    rules: Sequence[WriteRule] = (),
    refused: Mapping[int, tuple[Fault, ...]] | None = None,
) -> Prepared:
    """Prepare all commands of one mutation field.

    `refused` holds commands of a write that is not atomic which the database has refused before. Raises `Forbidden`
    for what the actor may read but not do, `BadInput` for arguments that no rule can accept.
    """
    most = snapshot.limits.mutation_rows
    draft = Draft(snapshot, cause)
    if len(commands.items) > most:
        return Prepared(draft, Saved((), (too_many_rows(("input",), most),)))
    if not commands.atomic and not all(isinstance(item, Create) for item in commands.items):
        raise BadInput(Text("Only creates may be written one without the other", "只有批量创建可以部分写入"))
    prepared = Prepared(draft, Saved(()), refused=dict(refused or {}))
    results: list[Result] = []
    for number, command in enumerate(commands.items):
        draft.command = number
        results += await _result(prepared, command, number, atomic=commands.atomic)
    prepared.saved = Saved(tuple(results), (), prepared.details)
    if commands.atomic and prepared.failed:
        return _refuse_all(prepared)
    await _finish(prepared, rules)
    return prepared


async def _result(prepared: Prepared, command: Command, number: int, *, atomic: bool) -> list[Result]:
    draft = prepared.draft
    known = prepared.refused.get(number)
    if known is not None:
        return [Result(None, known)]
    mark = None if atomic else draft.mark()
    draft.faults = []
    ids = await _prepare_one(prepared, command)
    if not draft.faults:
        return [Result(item) for item in ids]
    if mark is not None:
        draft.back(mark)
    return [Result(None, tuple(draft.faults))]


async def _prepare_one(prepared: Prepared, command: Command) -> list[str]:
    draft = prepared.draft
    plan = _plan(draft, command.entity)
    if plan.entity.system and not isinstance(command, Update | UpdateWhere):
        raise forbidden(type(command).__name__.lower(), plan.name)
    match command:
        case Create():
            return [await create_record(draft, plan, command.input)]
        case Upsert():
            return [await upsert_record(draft, plan, command)]
        case UpdateWhere():
            return await update_where(draft, plan, command)
        case DeleteWhere():
            return await delete_where(draft, plan, command)
        case Merge():
            merged = await merge_records(draft, plan, command)
            keep, losers = parts_of(command)
            if command.dry_run:
                prepared.details = merged.details(keep, losers)
            return [keep]
        case _:
            return await _prepare_row(draft, plan, command)


def _plan(draft: Draft, entity: str) -> WritePlan:
    """The plan of an entity; one that the actor may not read is as unknown as any other name."""
    if entity not in draft.plans.surface:
        raise BadInput(Text(f"There is no entity '{entity[:64]}'", f"没有实体“{entity[:64]}”"))
    return draft.plans.of(entity)


async def _prepare_row(
    draft: Draft, plan: WritePlan, command: Update | Delete | Restore | Purge | Share | Unshare
) -> list[str]:
    """A command about one record by its id; text that is no id is the id of nothing."""
    record_id = canonical_id(command.id)
    if record_id is None:
        draft.faults.append(not_found(("id",)))
        return []
    command = replace(command, id=record_id)
    match command:
        case Update():
            await _update(draft, plan, command, record_id)
        case Delete():
            await delete_record(draft, plan, record_id, command.expected_version)
        case Restore():
            await restore_record(draft, plan, record_id)
        case Purge():
            await purge_record(draft, plan, record_id)
        case Share():
            await share_record(draft, plan, command)
        case Unshare():
            await unshare_record(draft, plan, command)
    return [record_id]


async def _update(draft: Draft, plan: WritePlan, command: Update, record_id: str) -> None:
    targets = await read_targets(draft, plan, [record_id], wanted_update(plan, command.input))
    target = targets.get(record_id)
    expected = command.expected_version
    if target is None or not target.readable:
        draft.faults.append(not_found(("id",)))
    elif expected is not None and target.row["version"] != expected:
        draft.faults.append(other_version(("expectedVersion",), target.row["version"]))
    else:
        await update_record(draft, plan, target, command.input, expected=expected is not None)


def _refuse_all(prepared: Prepared) -> Prepared:
    """Atomic: with one fault nothing is written, and no record is answered."""
    prepared.saved = Saved(tuple(Result(None, item.faults) for item in prepared.saved.results))
    return prepared


async def _finish(prepared: Prepared, rules: Sequence[WriteRule]) -> None:
    draft, snapshot = prepared.draft, prepared.draft.snapshot
    if prepared.details is not None:
        return
    draft.guards = [*target_guards(draft), *draft.guards]
    batch = draft.batch()
    faults: list[Fault] = []
    for rule in rules:
        found, statements, guards = await rule.prepare(snapshot, snapshot.actor, batch.changes, batch.cause)
        faults += found
        batch = replace(batch, statements=(*batch.statements, *statements), guards=(*batch.guards, *guards))
    if faults:
        prepared.saved = Saved(tuple(Result(None, item.faults) for item in prepared.saved.results), tuple(faults))
    else:
        prepared.batch = batch
