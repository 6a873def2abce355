"""Joining two Batches into one transaction: members have fields of two rooms, written at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from storage.batch import Batch, ChangeRow, Insert, Late, Statement, Update


def join(first: Batch, second: Batch) -> Batch:
    """Both Batches as one: the first's instant, transaction and cause; guards, statements and events of both in order.

    Numbers that both draw from one counter are drawn by the first first. Raises `ValueError` for two that were
    prepared at different catalog versions, both remember an answer, or both publish.
    """
    versions = {item.catalog_version for item in (first, second)} - {None}
    if len(versions) > 1:
        raise ValueError("the Batches were prepared at different catalog versions")
    if first.idempotency is not None and second.idempotency is not None:
        raise ValueError("both Batches remember an answer")
    if first.new_catalog_version is not None and second.new_catalog_version is not None:
        raise ValueError("both Batches publish")
    counters = dict(first.counters)
    for name, count in second.counters.items():
        counters[name] = counters.get(name, 0) + count
    moved = {name: first.counters[name] for name in second.counters if name in first.counters}
    return replace(
        first,
        catalog_version=max(versions, default=None, key=lambda version: version or 0),
        counters=counters,
        guards=first.guards + second.guards,
        statements=first.statements + tuple(_shifted(item, moved) for item in second.statements),
        changes=first.changes + tuple(_shifted_change(item, moved) for item in second.changes),
        idempotency=first.idempotency or second.idempotency,
        new_catalog_version=first.new_catalog_version or second.new_catalog_version,
    )


def _shifted(statement: Statement, moved: Mapping[str, int]) -> Statement:
    if not moved:
        return statement
    match statement:
        case Insert():
            return replace(statement, rows=tuple(tuple(_late(value, moved) for value in row) for row in statement.rows))
        case Update():
            return replace(statement, values=tuple(_late(value, moved) for value in statement.values))
        case _:
            return statement


def _shifted_change(change: ChangeRow, moved: Mapping[str, int]) -> ChangeRow:
    if not moved or change.after is None:
        return change
    return replace(change, after={name: _late(value, moved) for name, value in change.after.items()})


def _late(value: Any, moved: Mapping[str, int]) -> Any:
    if isinstance(value, Late) and value.counter in moved:
        return replace(value, offset=value.offset + moved[value.counter])
    return value
