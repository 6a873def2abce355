"""Failing records as the asking actor may know them: samples read through the gate, and a query that lists them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from access.actor import Actor
from base.errors import Text
from base.json import dump, parse
from metadata.catalog import Entity
from metadata.publishing.failing import Failing, Test
from metadata.store import Head
from records.reading.read import compile_selection, run
from records.selection import Constant, Record, RootNodes, Scalar, Selection
from records.snapshot import Snapshot
from records.surface import surface_of
from resolvers.runtime import Runtime

MAX_SAMPLES: Final = 5
"""Records shown of each kind of failure."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that the asking actor may read, with its display value."""

    id: str
    display: str | None


@dataclass(frozen=True, slots=True)
class FailingRows:
    """Live records that would not meet a rule or keyword. `blocks`: a publish is refused while there are any.

    `count` is None where none could be counted. `scanned` is None when all records were, else how many were looked
    at. `query` is a GraphQL document that lists them: by a filter, else the first twenty by their ids. At most five
    `samples`; neither names a record that the actor may not read.
    """

    path: tuple[str, ...]
    text: Text
    count: int | None
    blocks: bool
    scanned: int | None = None
    samples: tuple[Sample, ...] = ()
    query: str | None = None


async def shown_failures(
    runtime: Runtime, actor: Actor, head: Head, found: Iterable[Failing]
) -> tuple[FailingRows, ...]:
    """Failures with what the actor may see of them."""
    surface = surface_of(head.catalog, actor.grants)
    shown: list[FailingRows] = []
    for item in found:
        entity, seen = head.catalog.entities[item.entity], surface.entities.get(item.entity)
        samples: tuple[Sample, ...] = ()
        query = None
        if seen is not None:
            display = entity.fields[entity.display].api_name if entity.display in seen.readable else None
            readable = await _readable(runtime, actor, head, entity, display, item.ids)
            query = _query(entity, display, item, [sample.id for sample in readable])
            samples = readable[:MAX_SAMPLES]
        shown.append(FailingRows(item.path, item.text, item.count, item.blocks, item.scanned, samples, query))
    return tuple(shown)


async def _readable(
    runtime: Runtime, actor: Actor, head: Head, entity: Entity, display: str | None, ids: Sequence[str]
) -> tuple[Sample, ...]:
    if not ids:
        return ()
    parts = (Scalar("id", "id"), *((Scalar("display", display),) if display else ()))
    root = RootNodes("found", Constant(list(ids)), {entity.name: Record(entity.name, parts)})
    plan = compile_selection(
        Selection((root,)), head.catalog, actor.grants, runtime.engine.dialect, runtime.limits
    )  # fmt: skip
    snapshot = Snapshot(
        runtime.engine, actor.namespace, head.catalog, head.version, actor, runtime.limits, runtime.sealer
    )
    data = parse((await run(plan, snapshot, {})).data)
    rows = data["found"] if isinstance(data, dict) else []
    seen = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return tuple(Sample(str(row["id"]), None if row.get("display") is None else str(row["display"])) for row in seen)


def _query(entity: Entity, display: str | None, item: Failing, ids: Sequence[str]) -> str | None:
    shown = f"id {display}" if display and display != "id" else "id"
    if item.test is not None:
        filter_ = f"{{{item.test.field}: {{{item.test.operator}: {_literal(item.test)}}}}}"
        return f"{{ {entity.plural}(filter: {filter_}, first: 50) {{ totalCount nodes {{ {shown} }} }} }}"
    if not ids:
        return None
    listed = ", ".join(f'"{record_id}"' for record_id in ids)
    return f"{{ nodes(ids: [{listed}]) {{ id ... on {entity.type_name} {{ {shown} }} }} }}"


def _literal(test: Test) -> str:
    """The argument as a GraphQL literal; numbers are written as they are, decimals take them too."""
    return str(test.value) if test.is_enum else dump(test.value).decode()
