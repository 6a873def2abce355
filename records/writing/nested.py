"""Nested writes: records created, connected and changed through the relation inputs of another record."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from access.grant import Operation
from base.errors import Fault
from base.ids import canonical_id, new_id
from base.json import Json
from metadata.field import Field, Relation, RelationKind
from records.writing.delete import delete_records
from records.writing.draft import Draft, Staged
from records.writing.input import Input
from records.writing.linking import items_of, write_links
from records.writing.probe import Probe
from records.writing.refusals import Path, invalid, not_found, over_limit
from records.writing.rights import permit_row
from records.writing.target import Target, Wanted, read_targets
from records.writing.writeplan import WritePlan
from storage.types import UUID


@dataclass(frozen=True, slots=True)
class Owner:
    """The record in whose owned list another one is written; `field` is that one's reference back."""

    field: Field
    id: str
    created: bool


class Creating(Protocol):
    """`change.create_record`: handed down, because a nested record is written like any other."""

    def __call__(
        self,
        draft: Draft,
        plan: WritePlan,
        given: Mapping[str, Json],
        path: Path,
        depth: int,
        owner: Owner | None,
        record_id: str | None,
    ) -> Awaitable[str]:
        """Stage a new record."""  # fmt: skip


class Updating(Protocol):
    """`change.update_record`."""

    def __call__(
        self,
        draft: Draft,
        plan: WritePlan,
        target: Target,
        given: Mapping[str, Json],
        path: Path,
        depth: int,
        owner: Owner | None,
    ) -> Awaitable[Staged]:
        """Stage changes to a record."""  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nest:
    """Where nested inputs stand: the draft, how deep, at which path, and how records are written."""

    draft: Draft
    create: Creating
    update: Updating
    depth: int
    path: Path

    def deeper(self, path: Path) -> bool:
        """Whether one more level is allowed; if not, a LIMIT fault is left."""
        limit = self.draft.snapshot.limits.nested_depth
        if self.depth < limit:
            return True
        self.draft.faults.append(over_limit(path, f"nested deeper than {limit} levels", f"嵌套超过 {limit} 层", limit))
        return False


async def write_ones(nest: Nest, plan: WritePlan, read: Input) -> None:
    """To-one inputs become ids among the values: of the record created, of the one connected, or null."""
    for item, asked in read.ones:
        relation, path = _relation(item), (*nest.path, item.name)
        ((verb, value),) = asked.items()
        if verb == "disconnect":
            if value is not True:
                nest.draft.faults.append(invalid((*path, verb), "can only be true", "只能为 true"))
            read.values[item.api_name] = None
        elif verb == "connect":
            read.values[item.api_name] = value
        elif not isinstance(value, Mapping):
            nest.draft.faults.append(_no_object((*path, verb)))
        elif nest.deeper(path):
            target = plan.plans.of(relation.target)
            created = new_id(target.entity.number)
            read.values[item.api_name] = created
            await nest.create(nest.draft, target, value, (*path, verb), nest.depth + 1, None, created)


async def write_lists(nest: Nest, plan: WritePlan, read: Input, record_id: str, *, created: bool) -> None:
    """Inputs of relations to many: links of the record, and records that it owns."""
    for item, asked in read.lists:
        path = (*nest.path, item.name)
        if _relation(item).kind is RelationKind.MANY:
            await write_links(nest.draft, plan, item, asked, record_id, path, created=created)
        elif nest.deeper(path):
            await _Children(nest, plan, item, record_id, created).write(asked, path)


class _Children:
    """The owned list of one record."""

    def __init__(self, nest: Nest, plan: WritePlan, item: Field, record_id: str, created: bool) -> None:
        relation = _relation(item)
        self.nest, self.draft = nest, nest.draft
        self.plan = plan.plans.of(relation.target)
        self.back = self.plan.entity.fields[str(relation.inverse)]
        self.owner = Owner(self.back, record_id, created)

    async def write(self, asked: Mapping[str, Json], path: Path) -> None:
        """create, update, delete and set, in this order; several of them may be given."""
        for number, item in enumerate(items_of(asked.get("create"))):
            await self._create(item, (*path, "create", str(number)))
        for verb in ("update", "set"):
            if verb in asked:
                await self._change(items_of(asked[verb]), (*path, verb), whole=verb == "set")
        if "delete" in asked:
            await self._delete(self._ids(asked["delete"], (*path, "delete")))

    def _ids(self, value: Json, path: Path) -> dict[str, Path]:
        """The ids of a list, each with its place; text that is no id is the id of nothing."""
        ids: dict[str, Path] = {}
        for number, item in enumerate(items_of(value)):
            record_id = canonical_id(item)
            if record_id is None:
                self.draft.faults.append(not_found((*path, str(number))))
            else:
                ids[record_id] = (*path, str(number))
        return ids

    async def _create(self, given: Json, path: Path) -> None:
        if isinstance(given, Mapping):
            await self.nest.create(self.draft, self.plan, given, path, self.nest.depth + 1, self.owner, None)
        else:
            self.draft.faults.append(_no_object(path))

    async def _change(self, items: Sequence[Json], path: Path, *, whole: bool) -> None:
        """Rows with an id are changed; with `whole` those without are created and all others deleted."""
        parts = [item if isinstance(item, Mapping) else {} for item in items]
        wrong = [number for number, item in enumerate(items) if not isinstance(item, Mapping)]
        self.draft.faults += [_no_object((*path, str(number))) for number in wrong]
        if wrong:
            return
        inputs = [part.get("input") for part in parts]
        given = [item if isinstance(item, Mapping) else {} for item in inputs]
        ids = [canonical_id(part.get("id")) if part.get("id") is not None else None for part in parts]
        others = {} if not whole else await self._others([item for item in ids if item is not None], path)
        wanted = self._wanted(given)
        targets = await read_targets(self.draft, self.plan, [item for item in ids if item], wanted)
        for number, (record_id, values) in enumerate(zip(ids, given, strict=True)):
            where = (*path, str(number))
            if record_id is None and whole and parts[number].get("id") is None:
                await self._create(values, (*where, "input"))
            elif (target := self._own(targets.get(record_id or ""))) is None:
                self.draft.faults.append(not_found((*where, "id")))
            else:
                at = (*where, "input")
                await self.nest.update(self.draft, self.plan, target, values, at, self.nest.depth + 1, None)
        await self._delete(others)

    def _wanted(self, given: Sequence[Mapping[str, Json]]) -> Wanted:
        keys = self.plan.inputs[Operation.UPDATE]
        names = frozenset(item.name for values in given for key in values if (item := keys.get(key)) is not None)
        return Wanted((Operation.UPDATE, Operation.TRANSFER), names)

    async def _others(self, kept: Sequence[str], path: Path) -> dict[str, Path]:
        """The list's other rows that the actor may read: hidden ones are not his to remove."""
        if self.owner.created:
            return {}
        found = await self._listed().rows(self.draft.snapshot, {"id": self.owner.id})
        ids = [str(self.plan.slots["id"].decode(row[0])) for row in found]
        return {record_id: path for record_id in ids if record_id not in kept}

    def _listed(self) -> Probe:
        return self.plan.probe(
            ("children", self.back.name),
            lambda values, alias: (
                sa.select(alias.field("id"))
                .select_from(alias.table)
                .where(
                    alias.field(self.back.name) == values.given("id", UUID),
                    alias.live(),
                    self.plan.plans.gate.rows(alias),
                )
                .order_by(alias.field("id"))
            ),
        )

    async def _delete(self, ids: Mapping[str, Path]) -> None:
        if not ids:
            return
        targets = await read_targets(self.draft, self.plan, ids, Wanted((Operation.DELETE,)))
        doomed: dict[str, tuple[Target, Path]] = {}
        for record_id, path in ids.items():
            target = self._own(targets.get(record_id))
            if target is None:
                self.draft.faults.append(not_found(path))
                continue
            permit_row(self.plan, target, Operation.DELETE, path)
            doomed[record_id] = (target, path)
        await delete_records(self.draft, self.plan, doomed)

    def _own(self, target: Target | None) -> Target | None:
        """The target, if the actor may read it and it is in this list."""
        if target is None or not target.readable or target.row[self.back.api_name] != self.owner.id:
            return None
        return target


def _relation(item: Field) -> Relation:
    assert item.relation is not None
    return item.relation


def _no_object(path: Path) -> Fault:
    return invalid(path, "must be an object", "必须是对象")
