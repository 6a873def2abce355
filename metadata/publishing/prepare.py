"""Preparing a publication: expand, fill, index, check, catch up, activate; each step noted so that it can be taken up.

All steps before the last add things that no served version names, beside readers and writers. The last one is a short
transaction under the company's exclusive lock: it fills the few records that changed since, checks them, and moves the
head. What writers of the version before did meanwhile is read off the log, which knows of every write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from base.clock import now, timestamp
from base.errors import Conflict, Fault, PliantError, Text
from base.ids import new_id
from base.limits import Limits
from metadata.catalog import Catalog, Entity
from metadata.publishing import publication as publications
from metadata.publishing.census import Census
from metadata.publishing.changed import changed_since, position_now
from metadata.publishing.checks import RowCheck, no_rows, row_checks, served
from metadata.publishing.ddl import IndexShape, expand_ddl, new_indexes, tables_there, undo_ddl
from metadata.publishing.fills import SAMPLE, Fetch, Fill, fill_default, map_choice, prepared_fills
from metadata.publishing.plan import Plan
from metadata.publishing.planning import duplicates, forbidden_losses, unconverted
from metadata.publishing.publication import Publication, State, Target, with_progress
from metadata.publishing.publish import head_batch
from metadata.trash import load_trash
from storage.batch import (
    Applied,
    Batch,
    CatalogMoved,
    Cause,
    ChangeRow,
    GuardFailed,
    NotUnique,
    Outcome,
    Statement,
)
from storage.engine import Engine, Exclusive
from storage.errors import Busy
from storage.jobs import LEASE_LOST, Job, complete

CATCH_UP_ROWS: Final = 500
"""So few changed records may be left for the company's lock: they are filled in some milliseconds."""

CATCH_UP_ROUNDS: Final = 100
"""Rounds of catching up before the rest is done under the lock all the same: writers that are faster than fills."""

LOCKED_ROWS: Final = 5_000
"""More changed records than this are not filled under the lock: one more round first."""

_CHECK_ATTEMPTS: Final = 3  # a record may become sound between two looks at it
_PAUSE_SECONDS: Final = 0.001  # between chunks, so that a process that also serves does not only fill


class Stands(PliantError):
    """Rows stand against a publication."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("rows stand against a publication")
        self.faults = tuple(faults)


class Ended(PliantError):
    """The publication is no longer in the state in which this worker found it: somebody has cancelled it."""

    def __init__(self) -> None:
        super().__init__("the publication has gone on without this worker")


@dataclass
class Preparation:
    """One publication in the hands of one worker."""

    engine: Engine
    namespace: str
    limits: Limits
    job: Job
    publication: Publication
    target: Target
    plan: Plan

    async def prepare(self) -> Publication:
        """All steps that are not done yet. Raises `Stands` and `Ended`."""
        fills = prepared_fills(self.plan, self.engine.dialect, self._zone)
        await self._once("expand", lambda: self._expand(fills))
        for fill in fills:
            if not fill.added:
                await self._once(f"fill {fill.name}", partial(self._fill, fill))
        self._refuse_losses()
        for shape in self.plan.indexes:
            await self._once(f"index {shape.name}", partial(self._index, shape))
        for _ in range(CATCH_UP_ROUNDS):
            if await self._catch_up(fills) > CATCH_UP_ROWS:
                continue
            self._refuse_losses()
            await self._note(step="check")
            await self._check()
            await self._note(step="activate")
            active = await self._activate(fills)
            if active is not None:
                return active
        raise Busy()

    async def fail(self, faults: Sequence[Fault]) -> None:
        """Note what stands against it; undoing comes next."""
        failing = replace(self.publication, state=State.FAILING, faults=tuple(faults))
        await self._move(failing, events=True)

    async def undo(self, head: Catalog) -> None:
        """Remove what was added, and end. `head` is what the company serves: nothing of it is touched."""
        there = tables_there(head, await load_trash(self.engine, self.namespace))
        dialect = self.engine.dialect
        wanted = {shape.name for shape in new_indexes(head, self.plan.after, dialect) if shape.table in there}
        drops = [text for shape in self.plan.indexes if shape.name in wanted for text in shape.drop(dialect)]
        ddl = [*(_if_exists(text) for text in drops), *undo_ddl(there, self.plan.after, dialect)]
        if "expand" not in self.publication.progress.done:
            ddl = []
        state = State.FAILED if self.publication.state is State.FAILING else State.CANCELLED
        ended = replace(self.publication, state=state)
        batch = self._batch(
            (publications.move(self.publication, ended, dialect), complete(dialect, self.job)),
            (publications.event(self.publication, ended),),
        )
        self._done_or_refused(await self.engine.migrate(self.namespace, ddl, batch))

    @property
    def _census(self) -> Census:
        return Census(self.engine, self.namespace)

    @property
    def _zone(self) -> str:
        return self.plan.after.app.time_zone

    async def _once(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step unless it is done; it notes itself."""
        if name not in self.publication.progress.done:
            await self._note(step=name)
            await step()

    async def _expand(self, fills: Sequence[Fill]) -> None:
        """Tables and columns, and from where on the log tells of what changed."""
        total = sum([await self._census.rows(fill.entity) for fill in fills if not fill.added])
        position = await position_now(self._census.fetch)
        ddl = expand_ddl(self.plan.there, self.plan.after, self.engine.dialect, self.plan.filled)
        after = self._done("expand", position=position, rows_total=total)
        move = publications.move(self.publication, after, self.engine.dialect)
        batch = self._batch((move,), version=self.publication.base_version)
        self._done_or_refused(await self.engine.migrate(self.namespace, ddl, batch))
        self.publication = after

    async def _fill(self, fill: Fill) -> None:
        """One column, a chunk of rows in each transaction."""
        progress = self.publication.progress
        after = progress.cursors.get(fill.name)
        while True:
            ids = await self._census.ids_after(fill.entity, after, self.limits.publish_chunk_rows)
            if not ids:
                await self._move(self._done(f"fill {fill.name}"))
                return
            after = ids[-1]
            await self._fill_rows(fill, ids, cursors={**self.publication.progress.cursors, fill.name: after})
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _fill_rows(self, fill: Fill, ids: Sequence[str], **noted: Any) -> None:
        filled = await fill.of(self._census.fetch, ids)
        progress = self.publication.progress
        following = with_progress(
            self.publication,
            rows_done=progress.rows_done + filled.rows,
            lost=_lost(progress.lost, fill.name, filled.lost),
            **noted,
        )
        await self._move(following, filled.statements)

    async def _index(self, shape: IndexShape) -> None:
        """One index, beside readers and writers."""
        made = shape.create(self.engine.dialect, concurrently=True)
        if isinstance(await self.engine.build_index(self.namespace, shape.name, made), NotUnique):
            raise Stands(self._duplicated(shape.name))
        await self._move(self._done(f"index {shape.name}"))

    async def _check(self) -> None:
        """Every row, over the columns as they will be served. Those that changed since the last round come later."""
        checks = self._checks()
        for attempt in range(_CHECK_ATTEMPTS):
            faults = [fault for check in checks if (fault := await self._standing(check)) is not None]
            if not faults:
                return
            if attempt + 1 == _CHECK_ATTEMPTS:
                raise Stands(faults)

    async def _standing(self, check: RowCheck) -> Fault | None:
        """The rows that stand against it, but for those that are filled and checked under the lock."""
        count = await self._census.count(check)
        if not count:
            return None
        changed = await self._changed(self._census.fetch, {check.entity.table_name})
        left = count - await self._census.count_among(check, [item for listed in changed.values() for item in listed])
        return check.fault(left, await self._census.sample(check)) if left > 0 else None

    async def _changed(
        self, fetch: Fetch, entities: Collection[str], most: int | None = None
    ) -> Mapping[str, Sequence[str]]:
        """Records with events behind the place up to which they have been filled again."""
        position = self.publication.progress.position
        assert position is not None  # noted when it expanded
        return await changed_since(fetch, self.engine.dialect, position, entities, most)

    async def _catch_up(self, fills: Sequence[Fill]) -> int:
        """Fill records again that changed since the last round; how many these were."""
        await self.engine.sequence(self.namespace)
        reached, chunk = await position_now(self._census.fetch), self.limits.publish_chunk_rows
        changed = await self._changed(self._census.fetch, _tables(fill.entity for fill in fills))
        for fill in fills:
            ids = changed.get(fill.entity.table_name, ())
            for start in range(0, len(ids), chunk):
                await self._fill_rows(fill, ids[start : start + chunk])
        await self._note(position=reached)
        return sum(map(len, changed.values()))

    async def _activate(self, fills: Sequence[Fill]) -> Publication | None:
        """The last records, the last checks, the head: one short transaction while nobody else writes.

        None when too many records have changed since the last round.
        """
        dialect, checks = self.engine.dialect, self._checks()
        watched = _tables([*(fill.entity for fill in fills), *(check.entity for check in checks)])
        active = replace(self.publication, state=State.ACTIVE, version=self.publication.base_version + 1)

        async def work(session: Exclusive) -> tuple[Outcome | None, bool]:
            """One attempt."""
            changed = await self._changed(session.fetch, watched, LOCKED_ROWS + 1)
            if sum(map(len, changed.values())) > LOCKED_ROWS:
                return None, False
            statements: list[Statement] = []
            lost = self.publication.progress.lost
            for fill in fills:
                filled = await fill.of(session.fetch, changed.get(fill.entity.table_name, ()))
                statements += filled.statements
                lost = _lost(lost, fill.name, filled.lost)
            self._refuse_losses(lost)
            await self._check_emptied(session)
            for text in (text for shape in self.plan.dropped for text in shape.drop(dialect)):
                await session.execute(text)
            outcome = await session.apply(self._last(active, statements))
            if isinstance(outcome, Applied):
                await self._check_changed(session, checks, changed)
            return outcome, isinstance(outcome, Applied)

        outcome = await self.engine.exclusively(self.namespace, work)
        if outcome is None:
            return None
        self._done_or_refused(outcome)
        return active

    def _last(self, active: Publication, statements: Sequence[Statement]) -> Batch:
        """The Batch that moves the head; small tables are filled in place with it, for nobody reads between."""
        dialect, plan = self.engine.dialect, self.plan
        fills = [
            *statements,
            *(map_choice(renaming, dialect) for renaming in plan.renamings),
            *(fill_default(default, dialect) for default in plan.defaults if not default.fresh),
        ]
        made = head_batch(self.publication.base_version, plan, fills, active.author_id, dialect, self.limits)
        return replace(
            made,
            statements=(
                *made.statements,
                publications.move(self.publication, active, dialect),
                complete(dialect, self.job),
            ),
            changes=(*made.changes, publications.event(self.publication, active)),
        )

    async def _check_emptied(self, session: Exclusive) -> None:
        """A table that was empty may lose what nobody has allowed to lose, as long as it is."""
        dialect = self.engine.dialect
        losses = forbidden_losses(self.plan, self.target.allow_loss)
        guards = [(no_rows(entity, dialect), fault) for entity, fault in losses]
        guards += [(no_rows(entity, dialect), _filled(entity)) for entity in self.plan.retyped_where_they_are]
        faults = [fault for guard, fault in guards if await session.fetch(guard.sql, guard.params)]
        if faults:
            raise Stands(faults)

    async def _check_changed(
        self, session: Exclusive, checks: Sequence[RowCheck], changed: Mapping[str, Sequence[str]]
    ) -> None:
        faults = []
        for check in checks:
            ids = changed.get(check.entity.table_name, ())
            if not ids:
                continue
            rows = await session.fetch(*check.among(ids, self.engine.dialect))
            if rows[0][0]:
                faults.append(check.fault(int(rows[0][0])))
        if faults:
            raise Stands(faults)

    def _checks(self) -> Sequence[RowCheck]:
        """The checks over columns as they are once the publication has expanded."""
        assert self.plan.before is not None  # a first publish finds no rows
        return row_checks(self.plan, served, self.engine.dialect)

    def _refuse_losses(self, lost: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        found: Mapping[str, Mapping[str, Any]] = self.publication.progress.lost if lost is None else lost
        faults = [
            unconverted(*_split(name), item["count"], item["sample"])
            for name, item in found.items()
            if name not in self.target.allow_loss
        ]
        if faults:
            raise Stands(faults)

    def _duplicated(self, index: str) -> list[Fault]:
        for entity in self.plan.after.entities.values():
            for number, unique in enumerate(entity.uniques):
                if unique.index == index:
                    return [duplicates(entity, number, None)]
        raise Conflict(f"index {index} belongs to no unique rule")

    def _done(self, name: str, **progress: Any) -> Publication:
        return with_progress(self.publication, done=(*self.publication.progress.done, name), **progress)

    async def _note(self, **progress: Any) -> None:
        await self._move(with_progress(self.publication, **progress))

    async def _move(self, after: Publication, statements: Sequence[Statement] = (), events: bool = False) -> None:
        move = publications.move(self.publication, after, self.engine.dialect)
        changes = (publications.event(self.publication, after),) if events else ()
        version = self.publication.base_version if after.state is State.PREPARING else None
        self._done_or_refused(
            await self.engine.apply(self.namespace, self._batch((*statements, move), changes, version))
        )
        self.publication = after

    def _batch(
        self, statements: Sequence[Statement], changes: Sequence[ChangeRow] = (), version: int | None = None
    ) -> Batch:
        cause = Cause(self.publication.author_id, "publish", {"publication": self.publication.id})
        return Batch(timestamp(now()), new_id(), cause, version, statements=tuple(statements), changes=tuple(changes))

    def _done_or_refused(self, outcome: Outcome) -> None:
        """Raise what an outcome other than `Applied` means."""
        match outcome:
            case Applied():
                return
            case GuardFailed(token) if token == LEASE_LOST:
                raise Busy()
            case NotUnique(index):
                raise Stands(self._duplicated(index))
            case CatalogMoved(version):  # by a release that knows of no publications
                raise Stands([_overtaken(version)])
        raise Ended()


def _overtaken(version: int) -> Fault:
    text = Text(
        f"version {version} was published meanwhile: publish again over it",
        f"期间已发布版本 {version}：请基于它重新发布",
    )
    return Fault((), "CONFLICT", text, {"version": version})


def _filled(entity: Entity) -> Fault:
    text = Text(
        f"{entity.name!r} had no records when this was planned, and has some now: publish again",
        f"计划发布时“{entity.name}”没有记录，现在已有：请重新发布",
    )
    return Fault(("entity", entity.name), "CONFLICT", text)


def _split(name: str) -> tuple[str, str]:
    entity, _, item = name.partition(".")
    return entity, item


def _lost(known: Mapping[str, Mapping[str, Any]], name: str, ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
    if not ids:
        return known
    before = known.get(name, {"count": 0, "sample": []})
    sample = [*before["sample"], *ids][:SAMPLE]
    return {**known, name: {"count": before["count"] + len(ids), "sample": sample}}


def _tables(entities: Iterable[Entity]) -> set[str]:
    """How events name the entities of records: by their tables, which no rename changes."""
    return {entity.table_name for entity in entities}


def _if_exists(drop_index: str) -> str:
    return drop_index.replace("DROP INDEX ", "DROP INDEX IF EXISTS ", 1)
