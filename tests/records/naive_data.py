"""All rows of a company, read table by table with plain SELECTs: what the naive reader thinks over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from metadata.catalog import Catalog
from metadata.field import RelationKind
from storage.batch import NAMESPACE, Sql
from storage.engine import Engine
from storage.names import quoted
from storage.types import TIMESTAMP

Row = dict[str, Any]
"""Logical values by API name."""


@dataclass
class Data:
    """All rows of a company."""

    rows: dict[str, dict[str, Row]]
    links: dict[str, set[tuple[str, str]]] = field(default_factory=dict)  # link table -> (here, there)
    below: set[tuple[str, str]] = field(default_factory=set)  # team, team at or below it
    reports: set[tuple[str, str]] = field(default_factory=set)  # manager, himself or a report
    shares: list[Row] = field(default_factory=list)


async def load(engine: Engine, namespace: str, catalog: Catalog) -> Data:
    """Read everything, one plain SELECT per table."""
    data = Data({})
    for entity in catalog.entities.values():
        fields = list(entity.by_api_name.values())
        names = [item.column.name for item in fields]
        found = await _table(engine, namespace, entity.table_name, names)
        decoders = [item.column.type.decoder(engine.dialect) for item in fields]
        keys = [item.api_name for item in fields]
        rows = [dict(zip(keys, (d(v) for d, v in zip(decoders, row, strict=True)), strict=True)) for row in found]
        data.rows[entity.name] = {row["id"]: row for row in rows}
        for relation in entity.relations.values():
            if relation.kind is RelationKind.MANY and relation.field is not None:
                pairs = await _table(engine, namespace, str(relation.link), [str(relation.here), str(relation.there)])
                data.links[str(relation.link)] = {(_text(a), _text(b)) for a, b in pairs}
    pairs = await _table(engine, namespace, "_team_closure", ["ancestor", "descendant"])
    data.below = {(_text(a), _text(b)) for a, b in pairs}
    pairs = await _table(engine, namespace, "_report_closure", ["manager", "report"])
    data.reports = {(_text(a), _text(b)) for a, b in pairs}
    columns = ["record_id", "principal", "level", "fields", "until"]
    decode = TIMESTAMP.decoder(engine.dialect)
    for record_id, principal, level, fields, until in await _table(engine, namespace, "_share", columns):
        covered = None if fields is None else set(fields if isinstance(fields, list) else _parsed(fields))
        share = {"record": _text(record_id), "principal": principal, "level": level, "fields": covered}
        data.shares.append({**share, "until": decode(until)})
    return data


def _parsed(text: Any) -> list[str]:
    return list(json.loads(text))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


async def _table(engine: Engine, namespace: str, table: str, columns: Sequence[str]) -> Sequence[Sequence[Any]]:
    names = ", ".join(quoted(name) for name in columns)
    return await engine.fetch(namespace, Sql(f"SELECT {names} FROM {NAMESPACE}.{quoted(table)}"), ())
