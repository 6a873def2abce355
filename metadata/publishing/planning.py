"""Planning a publish: what it would do, and every fault that stands against it. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from base.errors import DocumentsInvalid, Fault, Text
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.build import Documents, next_catalog
from metadata.catalog import Catalog, Entity
from metadata.faults import LOSS, ROWS
from metadata.publishing.census import Census, Trial
from metadata.publishing.checks import RowCheck, Unforeseen, row_checks, served
from metadata.publishing.diff import Change, ChangeKind, diff_catalogs, match_entities
from metadata.publishing.fills import fill_of
from metadata.publishing.foreseen import Foreseen, unique_keys
from metadata.publishing.plan import Move, Plan, fields_filled_in_place, fields_to_move, plan_of
from metadata.publishing.removed import name_both_sides
from metadata.store import Head
from metadata.trash import Trash, load_trash
from storage.engine import Dialect, Engine
from storage.errors import StatementRefused

T = TypeVar("T")


@dataclass(frozen=True)
class Planned:
    """A publish that was thought through. `rows` has the tables with rows that it touches, counted up to a little
    more than `at_once_rows`; `checks` are those of rows, `faults` what stands against it."""

    base_version: int
    plan: Plan
    changes: tuple[Change, ...]
    moved: tuple[tuple[str, str], ...]
    rows: Mapping[str, int]
    checks: tuple[RowCheck, ...]
    trials: Mapping[str, Trial] = field(default_factory=dict)  # by entity and field
    faults: tuple[Fault, ...] = ()
    at_once_rows: int = DEFAULTS.publish_at_once_rows
    emptied: tuple[Entity, ...] = ()  # they lose something that nobody has allowed: their tables must be empty still

    @property
    def catalog(self) -> Catalog:
        """What the company would serve."""
        return self.plan.after

    @property
    def at_once(self) -> bool:
        """Whether one transaction does it: nothing is converted, and every table that is touched is small."""
        converted = any(self.rows.get(move.entity.table_name) for move in self.plan.moves)
        return not converted and all(self.rows.get(table, 0) <= self.at_once_rows for table in self.touched)

    @property
    def touched(self) -> frozenset[str]:
        """Tables in which rows have to be filled, indexed or checked."""
        plan = self.plan
        return frozenset(
            [
                *(move.entity.table_name for move in plan.moves),
                *(default.entity.table_name for default in plan.defaults if not default.added),
                *(renaming.entity.table_name for renaming in plan.renamings),
                *(shape.table for shape in plan.indexes if shape.table in plan.there),
                *(check.entity.table_name for check in self.checks),
            ]
        )


async def plan_publish(
    engine: Engine,
    namespace: str,
    current: Head | None,
    upserts: Documents,
    removals: Collection[tuple[str, str]] = (),
    allow_loss: Collection[str] = (),
    limits: Limits = DEFAULTS,
) -> Planned:
    """Merge documents over the current ones and find out what that means. Raises `DocumentsInvalid` for documents
    that no catalog can be made of; what rows say comes back as faults."""

    async def planned(trash: Trash) -> Planned:
        """The plan, over what lies in the trash."""
        planner = _Planner(engine, namespace, current, upserts, removals, allow_loss, limits, trash)
        return await planner.planned()

    return await beside_trash(engine, namespace, planned)


async def beside_trash(engine: Engine, namespace: str, work: Callable[[Trash], Awaitable[T]]) -> T:
    """Run what may read columns of the trash; once more when a job has dropped some of it meanwhile."""
    while True:
        trash = await load_trash(engine, namespace)
        try:
            return await work(trash)
        except StatementRefused:
            if (await load_trash(engine, namespace)).items == trash.items:
                raise


class _Planner:
    """One planning, over what lies in the trash at its beginning."""

    def __init__(
        self,
        engine: Engine,
        namespace: str,
        current: Head | None,
        upserts: Documents,
        removals: Collection[tuple[str, str]],
        allow_loss: Collection[str],
        limits: Limits,
        trash: Trash,
    ) -> None:
        self._dialect: Dialect = engine.dialect
        self._base = current.version if current is not None else 0
        self._before = current.catalog if current is not None else None
        self._known: Documents = self._before.documents if self._before is not None else {}
        self._documents = merge(self._known, upserts, removals)
        self._upserted = upserts.keys()
        self._allow_loss = allow_loss
        self._limits = limits
        self._trash = trash
        self._census = Census(engine, namespace)
        self._sizes = _Sizes(self._census, limits.publish_at_once_rows)

    async def planned(self) -> Planned:
        """What the documents mean for the tables, and what rows say to it."""
        catalog, before = await self._built(()), self._before
        plan = plan_of(before, catalog, self._trash, self._dialect)
        if before is not None and catalog.hash == before.hash:
            return Planned(self._base, plan, (), (), {}, ())
        moved = await self._moved(plan)
        if moved:
            catalog = await self._built(moved)
            plan = plan_of(before, catalog, self._trash, self._dialect)
        checks = row_checks(plan, served, self._dialect)
        trials = await self._trials(plan)
        losses = list(forbidden_losses(plan, self._allow_loss))
        planned = Planned(
            self._base,
            plan,
            diff_catalogs(before, catalog),
            moved,
            self._sizes.known,
            checks,
            trials,
            await self._faults(plan, losses, trials),
            self._limits.publish_at_once_rows,
            tuple(entity for entity, _ in losses),
        )
        for table in sorted(planned.touched & plan.existing.keys()):
            await self._sizes.of(plan.existing[table])
        return planned

    async def _built(self, moved: Sequence[tuple[str, str]]) -> Catalog:
        """The new catalog. Building takes about a second per thousand entities: not on the event loop."""
        physical = self._before.physical if self._before is not None else None
        try:
            return await asyncio.to_thread(
                next_catalog, self._documents, physical, self._upserted, self._limits, self._trash, moved
            )
        except DocumentsInvalid as error:
            raise DocumentsInvalid(name_both_sides(error.faults, self._known, self._documents)) from error

    async def _moved(self, plan: Plan) -> tuple[tuple[str, str], ...]:
        """(entity, field) whose values need a new column: of another type, or too many to be changed in one go."""
        size, small = self._sizes.of, self._limits.publish_at_once_rows
        moved = [(entity, item) for entity, item in fields_to_move(plan.before, plan.after) if await size(entity)]
        moved += [(entity, item) for entity, item in fields_filled_in_place(plan) if await size(entity) > small]
        return tuple(sorted({(entity.name, item.name) for entity, item in moved}))

    async def _trials(self, plan: Plan) -> dict[str, Trial]:
        """Conversions tried, by entity and field."""
        zone = plan.after.app.time_zone
        return {
            move.name: await self._census.trial(fill_of(move, self._dialect, zone))
            for move in plan.moves
            if await self._sizes.of(move.entity)
        }

    async def _faults(
        self, plan: Plan, losses: Sequence[tuple[Entity, Fault]], trials: Mapping[str, Trial]
    ) -> tuple[Fault, ...]:
        """What rows say against it."""
        return (
            *[fault for entity, fault in losses if await self._sizes.of(entity)],
            *(_unconverted(move, trials[move.name]) for move in _losing(plan.moves, trials, self._allow_loss)),
            *await _standing(self._census, plan, self._sizes, self._dialect),
            *await _duplicates(self._census, plan, self._sizes, self._dialect),
        )


def merge(current: Documents, upserts: Documents, removals: Collection[tuple[str, str]]) -> Documents:
    """The documents after a publish. One that is new under its name takes the place of those that its x-was names."""
    replaced = {
        (kind, str(old))
        for (kind, name), document in upserts.items()
        if (kind, name) not in current
        and isinstance(document, Mapping)
        and isinstance(was := document.get("x-was"), list | tuple)
        for old in was
    }
    gone = (set(removals) | replaced) - upserts.keys()
    return {**{key: document for key, document in current.items() if key not in gone}, **upserts}


class _Sizes:
    """Rows of tables, each counted once and not much further than it matters."""

    def __init__(self, census: Census, small: int) -> None:
        self._census = census
        self._small = small
        self.known: dict[str, int] = {}

    async def of(self, entity: Entity) -> int:
        """Rows of an entity's table, deleted ones included."""
        known = self.known.get(entity.table_name)
        if known is None:
            known = self.known[entity.table_name] = await self._census.rows_up_to(entity, self._small + 1)
        return known


def forbidden_losses(plan: Plan, allow_loss: Collection[str]) -> Iterator[tuple[Entity, Fault]]:
    """Removals and changes of relations that nobody has allowed: each stands while the entity's table has a row."""
    before, after = plan.before, plan.after
    tables = {entity.table_name: entity for entity in before.entities.values()} if before is not None else {}
    converted = {move.name for move in plan.moves}
    for change in diff_catalogs(before, after):
        if change.loss is None or change.loss in allow_loss or change.subject not in ("entity", "field"):
            continue
        if change.kind is ChangeKind.RETYPED and change.loss in converted:
            continue  # told by the trial of the conversion
        entity = before.entities.get(change.path[0]) if before is not None else None
        if change.path[0] in after.entities:
            entity = tables.get(after.entities[change.path[0]].table_name)
        if entity is not None:
            path = ("entity", change.path[0], *(("properties", change.path[1]) if len(change.path) > 1 else ()))
            yield entity, Fault(path, LOSS, _loss_text(change), {"allowLoss": change.loss})


def _loss_text(change: Change) -> Text:
    allowed = f"(allowLoss, --allow-loss {change.loss})"
    if change.kind is ChangeKind.RETYPED:
        return Text(
            f"the values of {change.loss!r} cannot be kept in its new type: allow that it starts empty {allowed}",
            f"“{change.loss}”的值无法保留到新类型：如允许清空请注明 {allowed}",
        )
    was = f'"x-was": ["{change.path[-1]}"]'
    return Text(
        f"records would lose {change.loss!r}: allow it {allowed}; what only has a new name says {was} there",
        f"记录将丢失“{change.loss}”：如确需如此请注明 {allowed}；如只是改名，请在新名称处写 {was}",
    )


def _losing(moves: Sequence[Move], trials: Mapping[str, Trial], allow_loss: Collection[str]) -> list[Move]:
    return [move for move in moves if move.name in trials and trials[move.name].lost and move.name not in allow_loss]


def _unconverted(move: Move, trial: Trial) -> Fault:
    return unconverted(
        move.entity.name, move.item.name, trial.lost, trial.sample, None if trial.complete else trial.rows
    )


def unconverted(entity: str, name: str, lost: int, sample: Sequence[str], of: int | None = None) -> Fault:
    """Values that find no place in the new type of their field; `of` is given when only so many rows were tried."""
    path = ("entity", entity, "properties", name)
    loss = f"{entity}.{name}"
    tried, tried_zh = (f" of the first {of:,} rows", f"（仅检查前 {of:,} 行）") if of is not None else ("", "")
    text = Text(
        f"{lost:,} values of {loss!r}{tried} cannot be kept in its new type: mend them, or allow that they are lost "
        f"(allowLoss, --allow-loss {loss})",
        f"“{loss}”有 {lost:,} 个值无法保留到新类型{tried_zh}：请先处理，或允许丢失（allowLoss，--allow-loss {loss}）",
    )
    details: dict[str, Json] = {"allowLoss": loss, "count": lost, "sample": list(sample)}
    if of is not None:
        details["of"] = of
    return Fault(path, LOSS, text, details)


async def _standing(census: Census, plan: Plan, sizes: _Sizes, dialect: Dialect) -> list[Fault]:
    """What rows say already, as far as SQL tells what they will hold."""
    faults = []
    foreseen = partial(Foreseen, plan, dialect)
    for check in row_checks(plan, foreseen, dialect):
        if await sizes.of(check.entity) and (count := await census.count(check)):
            faults.append(check.fault(count, await census.sample(check)))
    return faults


async def _duplicates(census: Census, plan: Plan, sizes: _Sizes, dialect: Dialect) -> list[Fault]:
    """Values that a new unique rule finds twice; of values that are still to be converted, the index will tell."""
    faults = []
    before = plan.before.entities if plan.before is not None else {}
    for name, previous in match_entities(before, plan.after.entities).items():
        entity = plan.after.entities[name]
        there = {unique.index for unique in previous.uniques}
        foreseen = Foreseen(plan, dialect, entity)
        for index, unique in enumerate(entity.uniques):
            if unique.index in there or not await sizes.of(entity):
                continue
            with suppress(Unforeseen):
                groups = await census.count_duplicates(entity, unique_keys(foreseen, unique))
                if groups:
                    faults.append(duplicates(entity, index, groups))
    return faults


def duplicates(entity: Entity, index: int, groups: int | None) -> Fault:
    """Values that a unique rule finds in more than one record; None when nobody counted them."""
    shown = ", ".join(entity.uniques[index].fields)
    many = "some" if groups is None else f"{groups:,}"
    text = Text(
        f"{many} values of ({shown}) occur in more than one record: mend them first",
        f"({shown}) 有 {'' if groups is None else f'{groups:,} 个'}值出现在多条记录中：请先处理",
    )
    path = ("entity", entity.name, "x-unique", str(index))
    return Fault(path, ROWS, text, {} if groups is None else {"count": groups})
