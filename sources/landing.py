"""Landing: a planned batch goes through the door. Creates that hold are one transaction; so are updates.

A row that another one stands against is refused alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from base.errors import Fault, Forbidden, PliantError, SchemaChanged, Text
from base.json import Json
from records.command import Command, Commands, Create, Result, Saved, Update, Upsert
from records.snapshot import Snapshot
from records.writing.prepare import prepare
from records.writing.save import save
from sources.binding import Binding
from sources.faults import RowFault
from sources.rows import Planned
from storage.batch import Cause

CAUSE = "import"
"""The kind of cause that change events of an import carry."""

_T = TypeVar("_T")


@dataclass(slots=True)
class Landed:
    """What became of a batch."""

    created: int = 0
    updated: int = 0
    refused: list[RowFault] = field(default_factory=list)


class Landing:
    """Writes, or only checks, one batch as the member of a snapshot."""

    def __init__(self, snapshot: Snapshot, binding: Binding, run: str, file: str, row: int) -> None:
        self._snapshot = snapshot
        self._binding = binding
        self._entity = binding.entity.name
        detail: dict[str, Json] = {"import": run, "file": file, "row": row}
        self._cause = Cause(snapshot.actor.member_id, CAUSE, detail)

    async def write(self, planned: Planned, key: str) -> Landed:
        """Write a batch. With the same `key` and the same creates nothing is created twice.

        Raises `SchemaChanged` when a publish came between; what was written by then is found by the next attempt.
        """
        landed = Landed()
        if planned.creates:
            for (row, input), result in zip(planned.creates, await self._create(planned, key), strict=True):
                if result.faults and self._binding.by and all(fault.code == "NOT_UNIQUE" for fault in result.faults):
                    result = await self._one(Upsert(self._entity, input, self._binding.by))
                if result.faults:
                    landed.refused.append(self._refusal(row, result.faults))
                else:
                    landed.created += 1
        await self._update(planned.updates, landed)
        return landed

    async def check(self, planned: Planned) -> Landed:
        """What writing a batch would do, as far as one can tell without writing."""
        landed = Landed()
        creates: list[Command] = [Create(self._entity, input) for _, input in planned.creates]
        for (row, _), result in zip(planned.creates, await self._prepared(creates, atomic=False), strict=True):
            if result.faults:
                landed.refused.append(self._refusal(row, result.faults))
            else:
                landed.created += 1
        for row, record_id, input in planned.updates:
            (result,) = await self._prepared([Update(self._entity, record_id, input)], atomic=True)
            if result.faults:
                landed.refused.append(self._refusal(row, result.faults))
            else:
                landed.updated += 1
        return landed

    async def _create(self, planned: Planned, key: str) -> Sequence[Result]:
        if self._binding.ignore_case:
            return [await self._one(Upsert(self._entity, input, self._binding.by)) for _, input in planned.creates]
        items = [Create(self._entity, input) for _, input in planned.creates]
        commands = Commands(items, atomic=False, operation=CAUSE, idempotency_key=key)
        return _results(await _told(lambda: save(self._snapshot, commands, self._cause), len(items)), len(items))

    async def _update(self, updates: Sequence[tuple[int, str, Mapping[str, Json]]], landed: Landed) -> None:
        """Updates as one transaction; when one is refused, its half again, until it stands alone."""
        if not updates:
            return
        items = [Update(self._entity, record_id, input) for _, record_id, input in updates]
        commands = Commands(items, operation=CAUSE)
        saved = await _told(lambda: save(self._snapshot, commands, self._cause), len(items))
        results = _results(saved, len(items))
        if not any(result.faults for result in results):
            landed.updated += len(updates)
        elif len(updates) == 1:
            landed.refused.append(self._refusal(updates[0][0], results[0].faults))
        else:
            middle = len(updates) // 2
            await self._update(updates[:middle], landed)
            await self._update(updates[middle:], landed)

    async def _one(self, command: Command) -> Result:
        commands = Commands([command], operation=CAUSE)
        saved = await _told(lambda: save(self._snapshot, commands, self._cause), 1)
        return _results(saved, 1)[0]

    async def _prepared(self, items: Sequence[Command], *, atomic: bool) -> Sequence[Result]:
        if not items:
            return ()

        async def saved() -> Saved:
            prepared = await prepare(self._snapshot, Commands(items, atomic=atomic, operation=CAUSE), self._cause)
            return prepared.saved

        return _results(await _told(saved, len(items)), len(items))

    def _refusal(self, row: int, faults: Sequence[Fault]) -> RowFault:
        return RowFault(row, tuple((self._binding.column_of(fault.path), fault) for fault in faults))


async def _told(work: Callable[[], Any], count: int) -> Saved:
    """What a write answers; what it raises against one row is a fault of every row."""
    try:
        return cast(Saved, await work())
    except SchemaChanged:
        raise
    except Forbidden as error:
        return _all(error, count)


def _all(error: PliantError, count: int) -> Saved:
    fault = Fault((), error.code, error.text)
    return Saved(tuple(Result(None, (fault,)) for _ in range(count)))


def _results(saved: Saved, count: int) -> Sequence[Result]:
    """One result per command; faults of the whole write are each row's."""
    if saved.faults:
        return [Result(None, saved.faults) for _ in range(count)]
    return saved.results


def stored(planned: Planned) -> dict[str, Json]:
    """A planned batch as JSON."""
    return {
        "creates": [[row, dict(input)] for row, input in planned.creates],
        "updates": [[row, record_id, dict(input)] for row, record_id, input in planned.updates],
        "unchanged": planned.unchanged,
        "refused": [
            {"row": item.row, "faults": [_fault_json(column, fault) for column, fault in item.faults]}
            for item in planned.refused
        ],
    }


def restored(body: Mapping[str, Any]) -> Planned:
    """A planned batch from its JSON."""
    return Planned(
        tuple((row, input) for row, input in body["creates"]),
        tuple((row, record_id, input) for row, record_id, input in body["updates"]),
        body["unchanged"],
        tuple(RowFault(item["row"], tuple(map(_fault, item["faults"]))) for item in body["refused"]),
    )


def _fault_json(column: str, fault: Fault) -> Json:
    text = {"en": fault.text.en, "zh": fault.text.zh}
    return {"column": column, "path": list(fault.path), "code": fault.code, "text": text}


def _fault(body: Mapping[str, Any]) -> tuple[str, Fault]:
    return body["column"], Fault(tuple(body["path"]), body["code"], Text(body["text"]["en"], body["text"]["zh"]))
