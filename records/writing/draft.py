"""A write while it is being prepared: the rows that it will leave behind, what must hold, and what it is refused for.

Each record that a write touches is staged once, whatever touches it: one statement, one version, one change event.
`Draft.batch` makes of it the value that storage applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from base.clock import now, timestamp
from base.errors import Fault
from base.ids import new_id
from base.json import Json, dump
from records.snapshot import Snapshot
from records.writing.probe import Probe
from records.writing.refusals import Path, Reason, Refusal, too_many_rows
from records.writing.writeplan import STAMPS, Slot, WritePlan, plans_of
from storage.batch import Batch, Cause, ChangeRow, Guard, IdempotencyRow, Insert, Late, Statement, Update
from storage.sql import InList
from storage.types import INTEGER, UUID


class Op(StrEnum):
    """What a change event says happened to a record."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    RESTORED = "RESTORED"
    PURGED = "PURGED"
    MERGED = "MERGED"


@dataclass(slots=True)
class Staged:
    """One record as the write will leave it: `row` and `old` hold logical values by API name, in the plan's order."""

    plan: WritePlan
    id: str
    op: Op
    row: dict[str, Any]
    old: Mapping[str, Any] | None
    token: Refusal
    linked: set[str] = field(default_factory=set)  # keys of relations whose link rows change

    @property
    def live(self) -> bool:
        """Whether the record will be there and not be deleted."""
        return self.op is not Op.PURGED and self.row.get("deletedAt") is None

    def dirty(self) -> list[Slot]:
        """The slots whose values differ from the old row's; all that have a value for a new one."""
        if self.old is None:
            return [slot for slot in self.plan.order if self.row.get(slot.api) is not None]
        return [slot for slot in self.plan.order if differs(slot, self.row[slot.api], self.old[slot.api])]


@dataclass(slots=True)
class Required:
    """A record that references of the write point at, and where they stand in the input."""

    plan: WritePlan
    uses: list[Refusal]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a draft that it can go back to."""

    guards: int
    statements: int
    changes: int
    staged: int
    links: int
    counters: Mapping[str, int]


class Draft:
    """Collects one write. Reads see the database as it is; what is staged lies over it."""

    def __init__(self, snapshot: Snapshot, cause: Cause) -> None:
        self.snapshot = snapshot
        self.plans = plans_of(snapshot)
        self.cause = cause
        self.instant = now()
        self.at = timestamp(self.instant)
        self.actor_id = snapshot.actor.member_id
        self.command = 0
        self.faults: list[Fault] = []
        self.staged: dict[str, Staged] = {}
        self.guards: list[Guard] = []
        self.statements: list[Statement] = []
        self.changes: list[ChangeRow] = []  # events of what is no record: shares
        self.links: dict[tuple[str, str, str], None] = {}  # (table, here, there) of links that it makes, in order
        self.counters: dict[str, int] = {}
        self.detail: dict[str, Json] = {}
        self.contested: set[str] = set()  # unique indexes where losing a race means: prepare again
        self.required: dict[tuple[str, str], Required] = {}
        self._known: dict[tuple[str, str], dict[str, Any] | None] = {}

    def token(self, reason: Reason, path: Path) -> Refusal:
        """A token for a guard of the command being prepared."""
        return Refusal(reason, self.command, path)

    def create(self, plan: WritePlan, record_id: str, path: Path) -> dict[str, Any]:
        """Stage a new record and give its row, stamped and otherwise empty, to be filled."""
        actor = self.snapshot.actor
        row: dict[str, Any] = {**plan.empty}
        row["id"], row["version"] = record_id, 1
        row["createdAt"] = row["updatedAt"] = self.instant
        row["createdById"] = row["updatedById"] = row["ownerId"] = self.actor_id
        row["teamId"] = actor.default_team_id
        self._stage(Staged(plan, record_id, Op.CREATED, row, None, self.token(Reason.MOVED, path)))
        return row

    def change(self, plan: WritePlan, old: Mapping[str, Any], path: Path, *, expected: bool = False) -> Staged:
        """Stage an existing record, or find it staged; its `row` may then be changed."""
        record_id = str(old["id"])
        known = self.staged.get(record_id)
        if known is not None:
            return known
        token = self.token(Reason.EXPECTED if expected else Reason.MOVED, path)
        return self._stage(Staged(plan, record_id, Op.UPDATED, dict(old), old, token))

    def _stage(self, staged: Staged) -> Staged:
        self.staged[staged.id] = staged
        limit = self.snapshot.limits.relation_rows
        if len(self.staged) == limit + 1:
            self.faults.append(too_many_rows(staged.token.path, limit))
        return staged

    @property
    def full(self) -> bool:
        """Whether more records are staged than a write may touch: then a LIMIT fault is there, and work may stop."""
        return len(self.staged) > self.snapshot.limits.relation_rows

    def late(self, plan: WritePlan, slot: Slot) -> Late | None:
        """The next number of a generated field, which only the database knows."""
        key = f"{plan.table}.{slot.column}"
        numbering = plan.numbering(slot, key, self.instant.date())
        if numbering is None:
            return None
        drawn = self.counters.get(numbering.counter, 0) + 1
        self.counters[numbering.counter] = drawn
        return Late(numbering.counter, drawn, numbering.pattern)

    def mark(self) -> Mark:
        """Where the draft stands now."""
        return Mark(
            len(self.guards),
            len(self.statements),
            len(self.changes),
            len(self.staged),
            len(self.links),
            dict(self.counters),
        )

    def back(self, mark: Mark) -> None:
        """Forget the command being prepared, which began at the mark; nothing before it may have been changed since."""
        del self.guards[mark.guards :], self.statements[mark.statements :], self.changes[mark.changes :]
        for record_id in list(self.staged)[mark.staged :]:
            del self.staged[record_id]
        for link in list(self.links)[mark.links :]:
            del self.links[link]
        self.counters = dict(mark.counters)
        for item in self.required.values():
            item.uses = [use for use in item.uses if use.command != self.command]
        self.required = {key: item for key, item in self.required.items() if item.uses}

    async def load(self, plan: WritePlan, ids: Iterable[str]) -> None:
        """Read live records with system eyes, for `seen`; those known already are not read again."""
        missing = [item for item in dict.fromkeys(ids) if (plan.name, item) not in self._known]
        if not missing:
            return
        for item in missing:
            self._known[plan.name, item] = None
        for row in await _rows_probe(plan).rows(self.snapshot, {"ids": missing}):
            values = plan.row(row)
            self._known[plan.name, values["id"]] = values

    def seen(self, plan: WritePlan, record_id: str | None) -> Mapping[str, Any] | None:
        """A live record as the write will leave it; None when there is none. Call `load` first."""
        if record_id is None:
            return None
        staged = self.staged.get(record_id)
        if staged is not None:
            return staged.row if staged.live else None
        return self._known.get((plan.name, record_id))

    def batch(self, idempotency: IdempotencyRow | None = None) -> Batch:
        """The write as a value. Events stand in the order in which records were staged: parents first."""
        made = _Rows(self)
        for staged in self.staged.values():
            made.add(staged)
        cause = self.cause
        if self.detail:
            cause = Cause(cause.actor_id, cause.kind, {**cause.detail, **self.detail})
        return Batch(
            at=self.at,
            transaction_id=new_id(),
            cause=cause,
            catalog_version=self.snapshot.version,
            counters=self.counters,
            guards=tuple(self.guards),
            statements=(*made.statements(), *self.statements),
            changes=(*made.changes, *self.changes),
            idempotency=idempotency,
        )


class _Rows:
    """Staged records as statements and events. Deletions come first, so that they free what is unique; then changes,
    each in the order of ids, which lets no two writes wait for each other; then new rows."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._deletes: list[tuple[str, Statement]] = []
        self._updates: list[tuple[str, Statement]] = []
        self._inserts: dict[str, tuple[WritePlan, list[tuple[Any, ...]]]] = {}
        self.changes: list[ChangeRow] = []

    def statements(self) -> list[Statement]:
        """Everything in the order in which it is to be run."""
        found: list[Statement] = [statement for _, statement in sorted(self._deletes, key=_by_id)]
        found += [statement for _, statement in sorted(self._updates, key=_by_id)]
        for plan, rows in self._inserts.values():
            found.append(Insert(plan.table, plan.columns, plan.kinds, tuple(rows)))
        return found

    def add(self, staged: Staged) -> None:
        if staged.old is None:
            self._insert(staged)
        elif staged.op is Op.PURGED:
            self._purge(staged, staged.old)
        else:
            self._update(staged, staged.old)

    def _insert(self, staged: Staged) -> None:
        plan = staged.plan
        values, changed, after = emitted(plan, staged.row, self._draft.instant, self._draft.at)
        found = self._inserts.get(plan.table)
        if found is None:
            found = self._inserts[plan.table] = (plan, [])
        found[1].append(values)
        changed += sorted(staged.linked)
        self.changes.append(ChangeRow(new_id(), plan.table, staged.id, Op.CREATED, 1, tuple(changed), None, after))

    def _update(self, staged: Staged, old: Mapping[str, Any]) -> None:
        dirty = staged.dirty()
        if not dirty and not staged.linked:
            return
        plan, row, draft = staged.plan, staged.row, self._draft
        version = old["version"]
        row.update(version=version + 1, updatedAt=draft.instant, updatedById=draft.actor_id)
        own = {slot.api for slot in dirty}
        written = [slot for slot in plan.order if slot.api in own or slot.api in _TOUCHED]
        statement = Update(
            plan.table,
            staged.id,
            version,
            tuple(slot.column for slot in written),
            tuple(slot.kind for slot in written),
            tuple(slot.encode(row[slot.api]) for slot in written),
            staged.token,
        )
        gone = staged.op in (Op.DELETED, Op.MERGED)
        (self._deletes if gone else self._updates).append((staged.id, statement))
        changed = (*(slot.key for slot in dirty if slot.api not in STAMPS), *sorted(staged.linked))
        before = images(plan.order if gone else dirty, old)
        self.changes.append(
            ChangeRow(new_id(), plan.table, staged.id, staged.op, version + 1, changed, before, images(plan.order, row))
        )

    def _purge(self, staged: Staged, old: Mapping[str, Any]) -> None:
        """The row goes for ever; its last event keeps what row rules ask for, and nothing that anybody wrote."""
        plan, version = staged.plan, old["version"]
        params = {"id": staged.id, "version": version}
        statement = _purge_probe(plan).execute(self._draft.snapshot, params, expect_rows=1, token=staged.token)
        self._deletes.append((staged.id, statement))
        before = images([plan.slots[name] for name in _KEPT], old)
        self.changes.append(ChangeRow(new_id(), plan.table, staged.id, Op.PURGED, version + 1, (), before, None))


_TOUCHED = frozenset({"version", "updatedAt", "updatedById"})
_KEPT = ("id", "version", "ownerId", "teamId")


def _by_id(item: tuple[str, Statement]) -> str:
    return item[0]


def emitted(
    plan: WritePlan, row: Mapping[str, Any], instant: datetime, at: str
) -> tuple[tuple[Any, ...], list[str], dict[str, Json | Late]]:
    """What a new row becomes: its values for the driver, the keys of what it has, and its image.

    `instant`, of which `at` is the text, is known by its identity: stamps are not encoded again.
    """
    values: list[Any] = list(row.values())
    changed: list[str] = []
    after: dict[str, Json | Late] = {**plan.blank}
    for place, (value, (column, key, encode, image)) in enumerate(zip(row.values(), plan.emitted, strict=True)):
        if value is None:
            continue
        shown = value
        if value is instant:
            shown = at
            if plan.stamps_are_text:
                values[place] = at
        else:
            if type(value) is not Late:
                if encode is not None:
                    values[place] = encode(value)
                if image is not None:
                    shown = image(value)
            if key is not None:
                changed.append(key)
        if column is not None:
            after[column] = shown
    return tuple(values), changed, after


def images(slots: Iterable[Slot], row: Mapping[str, Any]) -> dict[str, Json | Late]:
    """The JSON image of a row's slots by column, without what is only ever written."""
    return {
        slot.column: None if (value := row[slot.api]) is None else slot.image(value) for slot in slots if slot.shown
    }


def differs(slot: Slot, left: Any, right: Any) -> bool:
    """Whether two logical values are two values. In JSON, 1 is not true."""
    if slot.kind == "json" and left is not None and right is not None:
        return dump(left) != dump(right)
    return bool(left != right)


def _rows_probe(plan: WritePlan) -> Probe:
    return plan.probe(
        "rows",
        lambda values, alias: (
            sa.select(*plan.selected(alias))
            .select_from(alias.table)
            .where(InList(alias.field("id"), values.ids()), alias.live())
        ),
    )


def _purge_probe(plan: WritePlan) -> Probe:
    table = plan.entity.table
    return plan.probe(
        "purge",
        lambda values, _: sa.delete(table).where(
            table.c.id == values.given("id", UUID), table.c.version == values.given("version", INTEGER)
        ),
    )
