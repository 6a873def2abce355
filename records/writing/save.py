"""Saving: a write is prepared, applied, and prepared again when others were faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from base.errors import Fault, PliantError, SchemaChanged, Text
from records.command import Commands, Result, Saved
from records.snapshot import Snapshot
from records.writing.draft import Op
from records.writing.idempotency import Key, under_way
from records.writing.plain import plain_create
from records.writing.prepare import Prepared, WriteRule, prepare
from records.writing.references import missing_targets
from records.writing.refusals import Reason, Refusal, not_found, other_version, overtaken
from records.writing.uniqueness import taken
from storage.batch import Applied, Batch, CatalogMoved, Cause, GuardFailed, NotUnique, Outcome, Replayed

ATTEMPTS = 4
"""A write is prepared so often in all before the caller hears of a CONFLICT."""

_KEPT = frozenset({Op.CREATED, Op.UPDATED})


async def save(snapshot: Snapshot, commands: Commands, cause: Cause, rules: Sequence[WriteRule] = ()) -> Saved:
    """Do what one mutation field asks, in one transaction, or tell why not.

    Raises `Forbidden`, `BadInput` (an argument that no rule accepts, a used idempotency key with another input),
    `Conflict` (its key is under way), `SchemaChanged` (a publish came between: take a new snapshot and try once more).
    """
    key = None if commands.idempotency_key is None else Key(snapshot, commands, commands.idempotency_key)
    with under_way(snapshot, key):
        return await _Saving(snapshot, commands, cause, rules, key).run()


@dataclass(slots=True)
class _Saving:
    """One save under way."""

    snapshot: Snapshot
    commands: Commands
    cause: Cause
    rules: Sequence[WriteRule]
    key: Key | None
    refused: dict[int, tuple[Fault, ...]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)  # unique indexes that have refused it

    async def run(self) -> Saved:
        outcome: Outcome | None = None
        if self.key is None and not self.rules:
            plain = plain_create(self.snapshot, self.commands, self.cause)
            if plain is not None:
                outcome = await self._apply(plain.batch)
                if isinstance(outcome, Applied):
                    return plain.saved
        return await self._long_way(outcome)

    async def _long_way(self, outcome: Outcome | None) -> Saved:
        """Prepare and apply until there is an answer; an `outcome` is why the plain way was refused."""
        attempt = 0
        while attempt < ATTEMPTS:
            prepared = await self._prepare()
            if isinstance(prepared, Saved):
                return prepared
            if prepared.batch is None or _is_empty(prepared.batch, self.key):
                return prepared.saved
            if outcome is None:
                outcome = await self._apply(self._remembering(prepared))
            answer, told = await self._understand(prepared, outcome)
            outcome = None
            if answer is not None:
                return answer
            if told and self.commands.atomic:
                return self._refuse(told)
            if told:
                for number, fault in told:
                    self.refused[number] = (*self.refused.get(number, ()), fault)
            else:
                attempt += 1
        return self._refuse([(number, overtaken(())) for number in range(len(self.commands.items))])

    async def _apply(self, batch: Batch) -> Outcome:
        return await self.snapshot.engine.apply(self.snapshot.namespace, batch)

    async def _prepare(self) -> Prepared | Saved:
        """The prepared write; or the first answer, when refusals come only from a first time that went well."""
        try:
            prepared = await prepare(self.snapshot, self.commands, self.cause, self.rules, self.refused)
        except PliantError:
            known = None if self.key is None else await self.key.known(self.snapshot)
            if known is None:
                raise
            return known
        if self.key is not None and prepared.failed and not self.refused:
            return await self.key.known(self.snapshot) or prepared
        return prepared

    def _remembering(self, prepared: Prepared) -> Batch:
        assert prepared.batch is not None
        if self.key is None:
            return prepared.batch
        row = self.key.row(self.snapshot.limits, prepared.draft.instant, prepared.saved)
        return replace(prepared.batch, idempotency=row)

    async def _understand(self, prepared: Prepared, outcome: Outcome) -> tuple[Saved | None, list[tuple[int, Fault]]]:
        """The final answer, or what the database refused; neither means: prepare again."""
        match outcome:
            case Applied():
                return self._answered(prepared), []
            case Replayed():
                assert self.key is not None
                return self.key.replay(outcome), []
            case CatalogMoved(version):
                text = Text("Another version was published meanwhile; try again", "期间已发布新版本，请重试")
                raise SchemaChanged(text, {"version": version})
            case NotUnique(index):
                return None, await self._not_unique(prepared, index)
            case GuardFailed(token):
                return None, await self._guard_failed(prepared, token)

    def _answered(self, prepared: Prepared) -> Saved:
        """The answer of a write that was applied, with the images of a single command's records."""
        batch = prepared.batch
        assert batch is not None
        # numbers of counters are not in the images yet, and a rule's statements may have changed the rows again
        if len(self.commands.items) != 1 or batch.counters or self.rules:
            return prepared.saved
        images = {item.record_id: item.after for item in batch.changes if item.after is not None and item.op in _KEPT}
        return replace(prepared.saved, images=images)

    async def _not_unique(self, prepared: Prepared, index: str) -> list[tuple[int, Fault]]:
        if index in prepared.draft.contested:
            prepared.draft.contested.discard(index)
            return []
        again = index in self.seen
        self.seen.add(index)
        return await taken(prepared.draft, index, again)

    async def _guard_failed(self, prepared: Prepared, token: object) -> list[tuple[int, Fault]]:
        if not isinstance(token, Refusal):
            return []
        match token.reason:
            case Reason.MOVED:
                return []
            case Reason.EXPECTED:
                return [(token.command, other_version(("expectedVersion",), None))]
            case Reason.MISSING:
                return await missing_targets(prepared.draft) or [(token.command, not_found(token.path))]

    def _refuse(self, told: list[tuple[int, Fault]]) -> Saved:
        """Nothing was written: each command with the faults that are its own."""
        faults: dict[int, list[Fault]] = {}
        for number, fault in told:
            faults.setdefault(number, []).append(fault)
        return Saved(tuple(Result(None, tuple(faults.get(number, ()))) for number in range(len(self.commands.items))))


def _is_empty(batch: Batch, key: Key | None) -> bool:
    """Whether there is nothing to do, nothing to make sure of, and nothing to remember."""
    return key is None and not batch.statements and not batch.changes
