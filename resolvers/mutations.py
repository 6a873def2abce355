"""The fast path of mutations: each field in order, each a transaction of its own, payloads spliced from bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import OperationDefinitionNode

from base.json import dump
from metadata.catalog import Catalog
from records.command import Result, Saved
from records.writing.save import save
from resolvers.arguments import Arguments, compile_arguments
from resolvers.commands import commands_of
from resolvers.context import Context
from resolvers.payload import Part, Payload, RecordPart, ResultsPart, empty, frame, join, plan_payload, settled, written
from resolvers.plan import Planner
from resolvers.readback import ReadBack, compile_read_back, read_many, read_one
from resolvers.roots import DELETES, MANY, RootKind, RootOperation, Roots
from resolvers.terms import NotPlanned


@dataclass(frozen=True, slots=True)
class MutationField:
    """One root field made ready. `whole` are the pieces of a payload without faults; `back` None reads nothing."""

    key: str
    operation: RootOperation
    arguments: Arguments
    payload: Payload
    whole: tuple[bytes, ...]
    back: ReadBack | None


@dataclass(frozen=True, slots=True)
class MutationPlan:
    """An operation whose roots are all mutations of records (or `__typename`, given as its bytes)."""

    fields: tuple[MutationField | tuple[str, bytes], ...]


class FieldFailed(Exception):
    """A field ended with an error, so the whole answer has no data: payloads are never null."""

    def __init__(self, key: str, cause: Exception) -> None:
        self.key = key
        self.cause = cause
        super().__init__(key)


def plan_mutation(
    planner: Planner, roots: Roots, catalog: Catalog, operation: OperationDefinitionNode, context: Context
) -> MutationPlan | None:
    """The plan of a mutation; None: the stock executor answers.

    Raises `BadInput` and `LimitExceeded` for what no request could mend, before anything is written.
    """
    fields: list[MutationField | tuple[str, bytes]] = []
    root_type = planner.mutation_type
    try:
        for key, nodes in planner.fields([operation.selection_set], "Mutation").items():
            root = roots.mutation.get(nodes[0].name.value)
            if root is None:
                fields.append((key, dump("Mutation")))
                continue
            entity = catalog.entities[root.entity or ""]
            payload = plan_payload(planner, root, entity, nodes)
            many, deleted = root.kind in MANY, root.kind in DELETES
            whole = frame(payload.parts, context.locale)
            back = None
            if payload.records and root.kind is not RootKind.PURGE:
                pieces = None if many or deleted else whole
                back = compile_read_back(
                    entity.name, payload.records, context.snapshot, many=many, deleted=deleted, pieces=pieces
                )
            arguments = compile_arguments(root_type.fields[root.name], nodes[0])
            fields.append(MutationField(key, root, arguments, payload, whole, back))
    except NotPlanned:
        return None
    return MutationPlan(tuple(fields))


class MutationRun:
    """One request's way through a plan. When a publish comes between, it goes on with the new version's plan."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._done: list[bytes] = []

    async def run(self, plan: MutationPlan, context: Context) -> bytes:
        """The bytes of `data`. Raises `FieldFailed`, after which it can be run again with another plan."""
        while len(self._done) < len(plan.fields):
            field = plan.fields[len(self._done)]
            if isinstance(field, tuple):
                key, value = field
            else:
                key = field.key
                try:
                    value = await self._field(field, context)
                except Exception as error:
                    raise FieldFailed(key, error) from error
            self._done.append(dump(key) + b":" + value)
        return b"{" + b",".join(self._done) + b"}"

    async def _field(self, field: MutationField, context: Context) -> bytes:
        snapshot = context.snapshot
        commands = commands_of(field.operation, field.arguments(self._variables))
        if field.back is not None:
            field.back.check(snapshot, self._variables)
        saved = settled(await save(snapshot, commands, context.cause), field.operation.kind, atomic=commands.atomic)
        context.runtime.wake(snapshot.namespace)
        ids = written(saved, atomic=commands.atomic)
        if field.operation.kind in MANY:
            return await self._plural(field, saved, ids, context)
        return await self._singular(field, saved, ids, context)

    async def _singular(self, field: MutationField, saved: Saved, ids: Sequence[str], context: Context) -> bytes:
        result = saved.results[0] if saved.results else Result(None)
        faults = (*saved.faults, *result.faults)
        pieces = field.whole
        if faults or saved.details is not None:
            pieces = frame(field.payload.parts, context.locale, faults, saved.details)
        if not ids or field.back is None:
            return empty(pieces)
        if field.back.deleted:
            found = await read_many(field.back, context.snapshot, self._variables, ids)
            return join(pieces, found[ids[0]]) if ids[0] in found else empty(pieces)
        shown = field.back.echoed(context.snapshot, saved.images.get(ids[0]))
        if shown is not None:
            return join(pieces, shown)
        other = None if pieces is field.whole else pieces
        return await read_one(field.back, context.snapshot, self._variables, ids[0], other)

    async def _plural(self, field: MutationField, saved: Saved, ids: Sequence[str], context: Context) -> bytes:
        found: Mapping[str, Sequence[bytes]] = {}
        if field.back is not None:
            found = await read_many(field.back, context.snapshot, self._variables, ids)
        whole = [b"{"]
        for place, part in enumerate(field.payload.parts):
            results = b"[]"
            if isinstance(part, ResultsPart):
                shown = [_result(part.parts, item, found, context.locale) for item in saved.results]
                results = b"[" + b",".join(shown) + b"]"
            (piece,) = frame((part,), context.locale, saved.faults, None, results, len(ids))
            whole += (b"," if place else b"", piece[1:-1])
        return b"".join((*whole, b"}"))


def _result(parts: Sequence[Part], result: Result, found: Mapping[str, Sequence[bytes]], locale: str) -> bytes:
    pieces = frame(parts, locale, result.faults)
    records = found.get(result.id or "")
    if result.faults or records is None:
        return empty(pieces)
    return join(pieces, [records[part.index] for part in parts if isinstance(part, RecordPart)])
