"""Mutations through the stock executor: the same commands and the same door, payloads as plain dicts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLFieldResolver, GraphQLResolveInfo

from base.errors import SchemaChanged
from metadata.catalog import Entity
from records.command import Result, Saved
from records.selection import Constant, Deleted, Listing
from records.writing.save import save
from resolvers.commands import commands_of
from resolvers.context import Context
from resolvers.loaders import Loaders, as_record, find_record, loaders_of
from resolvers.payload import settled, shown_fault, written
from resolvers.roots import DELETES, MANY, RootKind, RootOperation


def mutation_resolver(operation: RootOperation) -> GraphQLFieldResolver:
    """The resolver of a mutation field."""

    async def resolve(_source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> dict[str, Any]:
        """The payload of one write."""
        context: Context = info.context
        entity = context.catalog.entities[operation.entity or ""]
        commands = commands_of(operation, arguments)
        try:
            saved = settled(
                await save(context.snapshot, commands, context.cause), operation.kind, atomic=commands.atomic
            )
        except SchemaChanged:
            if not await context.advance():
                raise
            entity = context.catalog.entities[entity.name]
            saved = settled(
                await save(context.snapshot, commands, context.cause), operation.kind, atomic=commands.atomic
            )
        context.kept.pop(Loaders, None)  # what was read before the write is no longer true
        context.runtime.wake(context.actor.namespace)
        ids = written(saved, atomic=commands.atomic)
        records = await _records(context, operation.kind, entity, ids)
        if operation.kind in MANY:
            return _plural(context, entity, saved, ids, records)
        return _singular(context, entity, saved, records)

    return resolve


async def _records(
    context: Context, kind: RootKind, entity: Entity, ids: Sequence[str]
) -> Mapping[str, dict[str, Any] | None]:
    if kind is RootKind.PURGE or not ids:
        return {}
    if kind not in DELETES:
        found = await asyncio.gather(*(find_record(context, entity, record_id) for record_id in ids))  # one statement
        return dict(zip(ids, found, strict=True))
    limits = context.runtime.limits
    listing = Listing(
        entity.name,
        (),
        {"id": {"in": Constant(list(ids))}},
        first=Constant(limits.page_size_max),
        deleted=Deleted.INCLUDE,
    )
    page = await loaders_of(context).listing("deleted", lambda: listing, None).page(None)
    return {str(row["id"]): as_record(row, entity) for row in page.rows}


def _singular(
    context: Context, entity: Entity, saved: Saved, records: Mapping[str, dict[str, Any] | None]
) -> dict[str, Any]:
    result = saved.results[0] if saved.results else Result(None)
    faults = (*saved.faults, *result.faults)
    record = None if faults or result.id is None else records.get(result.id)
    return {
        **dict.fromkeys(entity.was, record),
        "userErrors": [shown_fault(fault, context.locale) for fault in faults],
        "details": saved.details,
        entity.name: record,
    }


def _plural(
    context: Context,
    entity: Entity,
    saved: Saved,
    ids: Sequence[str],
    records: Mapping[str, dict[str, Any] | None],
) -> dict[str, Any]:
    return {
        "results": [_singular(context, entity, Saved((result,)), records) for result in saved.results],
        "count": len(ids),
        "userErrors": [shown_fault(fault, context.locale) for fault in saved.faults],
    }
