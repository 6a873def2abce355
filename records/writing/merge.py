"""Merging: several records of one entity become one; what pointed at the others points at the one that is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from access.grant import Operation
from base.errors import BadInput, Text
from base.ids import canonical_id, new_id
from base.json import Json
from records.alias import Alias
from records.command import Merge
from records.shares import field_key, share_table
from records.writing.delete import guard_unreferenced, readable_referrers, referring
from records.writing.draft import Draft, Op, Staged
from records.writing.input import validate_changed
from records.writing.pointers import LinkSide
from records.writing.probe import Values
from records.writing.references import require_target
from records.writing.refusals import Path, not_found, too_many_rows
from records.writing.rights import may_fill, permit_row, permit_update
from records.writing.rules import check_rules, preload
from records.writing.target import Target, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.batch import NAMESPACE
from storage.sql import InList, constant
from storage.types import UUID


@dataclass(slots=True)
class Merged:
    """What a merge does: rows that point elsewhere then, by `entity.field`, and fields of the kept record filled."""

    moves: dict[str, int] = field(default_factory=dict)
    fills: dict[str, Json] = field(default_factory=dict)

    def details(self, kept: str, losers: Sequence[str]) -> Mapping[str, Json]:
        """The findings of a dry run, as JSON."""
        return {"keep": kept, "deletes": list(losers), "moves": self.moves, "fills": self.fills}


def parts_of(command: Merge) -> tuple[str, list[str]]:
    """The id to keep and the others, each once, in their order."""
    keep = canonical_id(command.keep) or command.keep
    ids = (canonical_id(item) or item for item in command.ids)
    return keep, [item for item in dict.fromkeys(ids) if item != keep]


async def merge_records(draft: Draft, plan: WritePlan, command: Merge) -> Merged:
    """Stage a merge. It needs the right to update the kept record and to delete the others.

    References from live records of every entity, owned rows, links and shares move to the kept record with system
    eyes; its empty fields take the first value that the others have, in the order of `ids`, as far as the actor may
    read it there and write it here. Raises `Forbidden`, and `BadInput` when there is nothing to merge.
    """
    ids = [canonical_id(item) or item for item in command.ids]
    keep, losers = parts_of(command)
    if not losers:
        raise BadInput(Text("A merge needs a record beside the one to keep", "合并至少需要一条保留记录以外的记录"))
    if len(losers) >= draft.snapshot.limits.relation_rows:
        draft.faults.append(too_many_rows(("ids",), draft.snapshot.limits.relation_rows))
        return Merged()
    fillable = plan.inputs[Operation.UPDATE].items()
    names = frozenset(item.name for key, item in fillable if key in plan.slots and not item.system)
    wanted = Wanted((Operation.UPDATE, Operation.DELETE), names, names)
    targets = await read_targets(draft, plan, [keep, *losers], wanted)
    if not _permitted(draft, plan, targets, keep, losers, ids):
        return Merged()
    merged = Merged()
    kept = draft.change(plan, targets[keep].row, ("keep",))
    # it may stay as it is, and must still be there: others may merge or delete it meanwhile
    require_target(draft, plan, keep, ("keep",))
    await _fill(draft, plan, kept, targets, losers, names, merged)
    _delete(draft, plan, [targets[item] for item in losers])
    await _move_references(draft, plan, keep, losers, merged if command.dry_run else None)
    for side in plan.links:
        await _note_links(draft, side, kept, losers)
    _move_links(draft, plan, keep, losers)
    draft.detail["mergedInto"] = keep
    return merged


def _permitted(
    draft: Draft, plan: WritePlan, targets: Mapping[str, Target], keep: str, losers: Sequence[str], ids: Sequence[str]
) -> bool:
    found = True
    for record_id in (keep, *losers):
        path: Path = ("keep",) if record_id == keep else ("ids", str(ids.index(record_id)))
        target = targets.get(record_id)
        if target is None or not target.readable:
            draft.faults.append(not_found(path))
            found = False
        elif record_id == keep:
            permit_update(draft, plan, target, target.row, {}, path)
        else:
            permit_row(plan, target, Operation.DELETE, path)
    return found


async def _fill(
    draft: Draft,
    plan: WritePlan,
    kept: Staged,
    targets: Mapping[str, Target],
    losers: Sequence[str],
    names: Iterable[str],
    merged: Merged,
) -> None:
    changed: set[str] = set()
    for name in sorted(names):
        slot = plan.slots[plan.entity.fields[name].api_name]
        if kept.row[slot.api] is not None or not may_fill(plan, targets[kept.id], name):
            continue
        sources = (targets[item] for item in losers)
        value = next(
            (item.row[slot.api] for item in sources if item.row[slot.api] is not None and item.shows(name)), None
        )
        # a reference to one of the others would be one to itself
        if value is not None and value not in targets:
            kept.row[slot.api] = value
            changed.add(slot.api)
            merged.fills[slot.api] = slot.image(value)
    if changed and kept.old is not None:
        validate_changed(draft, plan, kept.old, merged.fills, changed, ())
        await preload(draft, plan, [kept.row], plan.update_paths)
        check_rules(draft, plan, kept.row, changed, ())
        given = {plan.slots[api].field.name: api for api in changed}
        permit_update(draft, plan, targets[kept.id], kept.row, given, ("keep",))


def _delete(draft: Draft, plan: WritePlan, targets: Iterable[Target]) -> None:
    """The others go, with nothing that belongs to them: it belongs to the kept record now."""
    deletion = new_id()
    for target in targets:
        staged = draft.change(plan, target.row, ("ids",))
        staged.op = Op.MERGED
        staged.row.update(deletedAt=draft.instant, deletedById=draft.actor_id, deletionId=deletion)


async def _move_references(
    draft: Draft, plan: WritePlan, keep: str, losers: Sequence[str], told: Merged | None
) -> None:
    """All references move; a dry run tells only of those that the actor may read."""
    gone = set(losers)
    for pointer in plan.pointers:
        moved: list[str] = []
        for row, other in await referring(draft, pointer, losers):
            if row["id"] in gone:
                continue
            staged = draft.change(other, row, ("ids",))
            if staged.row[pointer.api] in gone:
                staged.row[pointer.api] = None if row["id"] == keep else keep
                moved.append(row["id"])
        if moved and told is not None:
            shown = await readable_referrers(draft, draft.plans.of(pointer.entity), pointer, moved)
            if shown:
                told.moves[f"{pointer.entity}.{pointer.field.name}"] = len(shown)
        guard_unreferenced(draft, pointer, list(losers), ("ids",))


async def _note_links(draft: Draft, side: LinkSide, kept: Staged, losers: Sequence[str]) -> None:
    """Records whose links change by the move have an event and a new version: those that declare the field."""
    plan, values = kept.plan, {"keep": kept.id, "ids": losers}
    make = _new_links if side.own else _declaring
    rows = await plan.probe(("links", side.table, side.here), partial(make, side)).rows(draft.snapshot, values)
    if side.own:
        if rows:
            kept.linked.add(field_key(side.field))
        return
    declaring = draft.plans.of(side.entity)
    decode = declaring.slots["id"].decode
    ids = sorted({str(decode(row[0])) for row in rows} - {kept.id, *losers})
    if len(draft.staged) + len(ids) > draft.snapshot.limits.relation_rows:
        return  # a tag on thousands of records can be merged, too: their lists change without being told of
    await draft.load(declaring, ids)
    for record_id in ids:
        row = draft.seen(declaring, record_id)
        if row is not None:
            draft.change(declaring, row, ("ids",)).linked.add(field_key(side.field))


def _move_links(draft: Draft, plan: WritePlan, keep: str, losers: Sequence[str]) -> None:
    """Link rows and shares move unless the kept record has the same one already; then they go.

    Shares of an actor who may not share everything stay with the deleted records.

    One statement for each loser, so that two of them with the same link do not meet.
    """
    moves = [
        (
            plan.probe(("move link", *names), partial(_copy, *names)),
            plan.probe(("cut link", *names), partial(_cut, *names)),
        )
        for names in ((side.table, side.here, side.there) for side in plan.links)
    ]
    if _may_give_all(plan):  # else a share of a record of his own would open the kept one for more than he may show
        moves.append((plan.probe("move shares", _move_share), plan.probe("cut shares", _cut_share)))
    for loser in losers:
        values: dict[str, Any] = {"keep": keep, "loser": loser}
        for copy, cut in moves:
            draft.statements += [copy.execute(draft.snapshot, values), cut.execute(draft.snapshot, values)]


def _may_give_all(plan: WritePlan) -> bool:
    """Whether the actor may share every record of the entity with all that is in it, to be read and to be written."""
    return {Operation.SHARE, Operation.READ, Operation.UPDATE} <= plan.unlimited


def _declaring(side: LinkSide, values: Values, _: Alias) -> ClauseElement:
    """The records on the other side of the links that go; one more than a write may touch at most."""
    table = sa.table(side.table, sa.column(side.here), sa.column(side.there), schema=NAMESPACE)
    found = sa.select(table.c[side.there]).where(InList(table.c[side.here], values.ids())).distinct()
    return found.limit(constant(values.limits.relation_rows + 1))


def _new_links(side: LinkSide, values: Values, _: Alias) -> ClauseElement:
    """A row when one of the links that go leads where the kept record has none."""
    table = sa.table(side.table, sa.column(side.here), sa.column(side.there), schema=NAMESPACE)
    old, own = table.alias("o"), table.alias("k")
    here, there = old.c[side.here], old.c[side.there]
    known = sa.select(constant(1)).select_from(own)
    known = known.where(own.c[side.here] == values.given("keep", UUID), own.c[side.there] == there)
    found = sa.select(constant(1)).select_from(old)
    found = found.where(InList(here, values.ids()), there != values.given("keep", UUID))
    return found.where(sa.not_(sa.exists(known.correlate(old)))).limit(constant(1))


def _copy(link: str, here: str, there: str, values: Values, _: Alias) -> ClauseElement:
    table = sa.table(link, sa.column(here), sa.column(there), schema=NAMESPACE)
    old, own = table.alias("o"), table.alias("k")
    known = sa.select(constant(1)).select_from(own)
    known = known.where(own.c[here] == values.given("keep", UUID), own.c[there] == old.c[there])
    keep = (
        sa.cast(values.given("keep", UUID), sa.Uuid(as_uuid=False))
        if values.dialect == "postgresql"
        else values.given("keep", UUID)
    )
    rows = sa.select(keep, old.c[there]).where(
        old.c[here] == values.given("loser", UUID),
        old.c[there] != values.given("keep", UUID),
        sa.not_(sa.exists(known.correlate(old))),
    )
    return sa.insert(table).from_select([here, there], rows)


def _cut(link: str, here: str, there: str, values: Values, _: Alias) -> ClauseElement:
    table = sa.table(link, sa.column(here), schema=NAMESPACE)
    return sa.delete(table).where(table.c[here] == values.given("loser", UUID))


_SHARE_KEY = ("principal_kind", "principal", "source")


def _move_share(values: Values, _: Alias) -> ClauseElement:
    table = share_table()
    own = table.alias("k")
    known = sa.select(constant(1)).select_from(own)
    known = known.where(
        own.c.record_id == values.given("keep", UUID), *(own.c[key] == table.c[key] for key in _SHARE_KEY)
    )
    return (
        sa.update(table)
        .where(table.c.record_id == values.given("loser", UUID), sa.not_(sa.exists(known.correlate(table))))
        .values(record_id=values.given("keep", UUID))
    )


def _cut_share(values: Values, _: Alias) -> ClauseElement:
    table = share_table()
    return sa.delete(table).where(table.c.record_id == values.given("loser", UUID))
