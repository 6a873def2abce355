"""Importing: the rows of a file go through the door in batches; good rows land, bad ones are told of.

One pass writes the rows, a second one the references of an entity to itself, whose targets may stand further down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from base.clock import now
from base.errors import BadInput, Conflict, LimitExceeded, SchemaChanged, Text
from base.ids import new_id
from base.json import Json
from records.snapshot import Snapshot
from sources.binding import Binding, bind
from sources.csv import Row, Survey, read_rows
from sources.faults import FaultFile, RowFault
from sources.landing import Landed, Landing, restored, stored
from sources.lookup import Lookups
from sources.mapping import Mapping as Mapped
from sources.progress import Counts, Progress, Step, silent
from sources.rows import Drafted, Planned, draft_row, folded_key, look_up, plan_batch
from sources.seat import Seat
from sources.state import Identity, State, drop_state, load_state, save_state

IMPORT: Final = "import"
"""The platform right that whoever imports must have."""

ATTEMPTS: Final = 3
"""So often is a batch planned when publishes come between."""

DEFAULT_BATCH: Final = 500
"""Rows of one transaction: large enough for speed, small enough for others to write in between."""


@dataclass(frozen=True, slots=True)
class Options:
    """How an import is done. Without a state file a killed import cannot be continued."""

    batch: int = DEFAULT_BATCH
    dry_run: bool = False
    faults: Path | None = None
    state: Path | None = None
    resume: bool = False  # there must be something to continue
    restart: bool = False  # whatever was begun is forgotten
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import did. `first` are its first refused rows; `resumed` is the row that it went on behind, or 0."""

    counts: Counts
    seconds: float
    first: Sequence[RowFault]
    resumed: int = 0
    dry_run: bool = False

    def as_json(self, locale: str = "en") -> dict[str, Json]:
        """The summary for programs."""
        return {
            **self.counts.as_json(),
            "seconds": round(self.seconds, 3),
            "dryRun": self.dry_run,
            "resumedAfterRow": self.resumed,
            "faults": [fault.as_json(locale) for fault in self.first],
        }


async def import_file(
    seat: Seat,
    entity: str,
    file: Survey,
    mapping: Mapped,
    options: Options = Options(),
    progress: Progress = silent,
) -> Summary:
    """Import a surveyed file.

    Raises `DocumentsInvalid` for a mapping that does not fit, `Conflict` for another import that was begun here,
    `BadInput` and `LimitExceeded` for options that cannot be, `Forbidden` for a member who may not import,
    `Unreadable`, and whatever ends all work (`NotFound` for a member who has left).
    """
    limit = seat.limits.mutation_rows
    if not 1 <= options.batch <= limit:
        raise LimitExceeded(Text(f"a batch has 1 to {limit} rows", f"每批须为 1 到 {limit} 行"))
    for written in (options.faults, options.state):
        if written is not None and written.resolve() == file.path.resolve():
            raise BadInput(
                Text(
                    f"{written.name} is the file to import: it would be overwritten",
                    f"{written.name} 是待导入的文件，不能被覆盖",
                )
            )
    return await _Import(seat, entity, file, mapping, options, progress).run()


class _Import:
    def __init__(
        self, seat: Seat, entity: str, file: Survey, mapping: Mapped, options: Options, progress: Progress
    ) -> None:
        self.seat = seat
        self.entity = entity
        self.file = file
        self.mapping = mapping
        self.options = options
        self.progress = progress
        self.lookups = Lookups()
        self.faults = FaultFile(options.faults, file.header, options.locale)
        self.began = monotonic()
        self.path = None if options.dry_run else options.state
        self.state = State(self._identity(), new_id())
        self.resumed = 0
        self.own: set[tuple[str, Json]] = set()

    def _identity(self) -> Identity:
        return Identity(self.seat.company.id, self.entity, self.file.sha256, self.mapping.digest, self.options.batch)

    async def run(self) -> Summary:
        await self._bind()
        self._begin()
        if self.state.phase == "rows":
            await self._pass()
            self.state.phase, self.state.row, self.state.done = "links", 0, 0
            self._keep()
        if self.binding.later:
            self.lookups.forget()
            await self._pass()
        if self.path is not None:
            drop_state(self.path)
        seconds = monotonic() - self.began
        return Summary(self.state.counts, seconds, self.faults.first, self.resumed, self.options.dry_run)

    def _begin(self) -> None:
        if self.path is not None and self.options.restart:
            drop_state(self.path)
        found = None if self.path is None else load_state(self.path, self.state.identity)
        if found is None and self.options.resume:
            raise Conflict(Text("there is no unfinished import of this file to continue", "没有可继续的未完成导入"))
        if found is not None:
            self._check_age(found)
            self.state, self.resumed = found, max(found.row, self.file.header_row)
        self.faults.begin(self.state.faults)

    def _check_age(self, found: State) -> None:
        hours = self.seat.limits.idempotency_hours
        if found.pending is None or self.mapping.by or now() - found.at < timedelta(hours=hours):
            return
        raise Conflict(
            Text(
                f"this import stopped over {hours} hours ago while rows behind row {found.row} were being written, and "
                "it is forgotten whether they were: look, then import the rest as a file of its own, with --restart",
                f"导入中断已超过 {hours} 小时，无法确认第 {found.row} 行之后是否已写入："
                "请核对后将其余部分作为单独文件用 --restart 导入",
            )
        )

    async def _bind(self) -> Snapshot:
        snapshot = await self.seat.snapshot()
        snapshot.actor.require(IMPORT)
        self.binding: Binding = bind(self.mapping, self.file.header, self.entity, snapshot)
        self.catalog_hash = snapshot.catalog.hash
        self.surface_hash = snapshot.actor.grants.hash
        return snapshot

    async def _snapshot(self) -> Snapshot:
        """The newest snapshot; the mapping is tied anew when documents or grants have changed."""
        snapshot = await self.seat.snapshot()
        if (snapshot.catalog.hash, snapshot.actor.grants.hash) != (self.catalog_hash, self.surface_hash):
            self.lookups.forget()
            return await self._bind()
        return snapshot

    async def _pass(self) -> None:
        for batch in self._batches():
            await self._do(batch)
            self.state.row = batch[-1].number
            self.state.done += len(batch)
            self.state.pending = None
            if self.state.phase == "rows":
                self.state.counts.rows += len(batch)
            self.state.faults = self.faults.position
            self._keep()
            self.seat.committed(self.seat.company.namespace)
            self.progress(Step(self.state.phase, self.state.done, self.file.rows, self.state.counts))

    def _batches(self) -> Iterator[list[Row]]:
        """Batches of rows; a batch ends before a row with the key of an earlier one, so that the later row wins."""
        batch: list[Row] = []
        keys: set[bytes] = set()
        for row in read_rows(self.file, self.state.row):
            key = self._key(row)
            if len(batch) >= self.options.batch or key in keys:
                yield batch
                batch, keys = [], set()
            batch.append(row)
            if key is not None:
                keys.add(key)
        if batch:
            yield batch

    def _key(self, row: Row) -> bytes | None:
        binding = self.binding
        if not binding.by:
            return None
        drafted = draft_row(binding, row, [way for way in binding.ways if way.api in binding.by])
        values = {**drafted.input, **{way.api: value for way, value in drafted.wanted}}
        return None if drafted.faults else folded_key(binding, values)

    async def _do(self, rows: list[Row]) -> None:
        for attempt in range(ATTEMPTS):
            snapshot = await self._snapshot()
            pending = self.state.pending
            planned = await self._plan(snapshot, rows) if pending is None else restored(pending)
            landing = Landing(snapshot, self.binding, self.state.run, self.file.path.name, rows[0].number)
            if self.options.dry_run:
                landed = await landing.check(planned)
                break
            if pending is None:
                self.state.pending = stored(planned)
                self._keep()
            try:
                landed = await landing.write(planned, f"{self.state.run} {self.state.phase} {rows[0].number}")
                break
            except SchemaChanged:
                if attempt == ATTEMPTS - 1:
                    raise
                self.state.pending = None
        self._count(planned, landed, rows)

    async def _plan(self, snapshot: Snapshot, rows: list[Row]) -> Planned:
        binding = self.binding
        if self.state.phase == "rows":
            drafts = [draft_row(binding, row, binding.ways) for row in rows]
            await look_up(binding, self.lookups, snapshot, drafts)
            planned = await plan_batch(binding, snapshot, drafts)
            self._remember(drafts)
            return planned
        drafts = [drafted for row in rows if (drafted := self._link(row)) is not None]
        await look_up(binding, self.lookups, snapshot, drafts, self.own)
        for drafted in drafts:
            kept = {*binding.by, *(way.api for way in binding.later)}
            drafted.input = {api: value for api, value in drafted.input.items() if api in kept}
        return await plan_batch(binding, snapshot, drafts, create=False)

    def _remember(self, drafts: Sequence[Drafted]) -> None:
        """In a dry run: what later rows may look up, though nothing is written."""
        if not self.options.dry_run:
            return
        fields = {way.key.field for way in self.binding.later if way.key is not None}
        for drafted in drafts:
            if not drafted.faults:
                self.own |= {
                    (api, value)
                    for api, value in drafted.input.items()
                    if api in fields and isinstance(value, str | int)
                }

    def _link(self, row: Row) -> Drafted | None:
        """What a row says of references to its own entity; None when it was refused before."""
        binding = self.binding
        keys = [way for way in binding.ways if way.api in binding.by]
        drafted = draft_row(binding, row, [*keys, *binding.later])
        refused_before = len(row.cells) != binding.width or any(
            column in {way.column for way in keys} for column, _ in drafted.faults
        )
        return None if refused_before else drafted

    def _count(self, planned: Planned, landed: Landed, rows: list[Row]) -> None:
        counts = self.state.counts
        refused = sorted((*planned.refused, *landed.refused), key=lambda fault: fault.row)
        counts.failed += len(refused)
        if self.state.phase == "rows":
            counts.created += landed.created
            counts.updated += landed.updated
            counts.unchanged += planned.unchanged
        else:
            counts.linked += landed.updated
        cells = {row.number: row.cells for row in rows}
        self.faults.write((fault, cells[fault.row]) for fault in refused)

    def _keep(self) -> None:
        if self.path is not None:
            save_state(self.path, self.state)
