"""Roots of a query: each becomes one column of the statement's one row."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import BadInput, Text
from base.ids import canonical_id, entity_number
from records.binds import Run, reader
from records.reading.listing import Connection
from records.reading.planning import Planning, check_range
from records.reading.query import record_pairs, record_query
from records.selection import (
    Record,
    Root,
    RootListing,
    RootMeta,
    RootNode,
    RootNodes,
    RootRecord,
    RootTypeName,
    TypeName,
)
from storage.batch import Value
from storage.json_sql import JsonList, JsonName, JsonObject
from storage.sql import ListParameter, column, constant, encode_list
from storage.types import INTEGER, UUID

_HEAD_COLUMNS = {"catalogVersion": "catalog_version", "position": "position"}
_NUMBER_AT, _NUMBER_DIGITS = 16, 3  # where the entity's number stands in the text of an id, in hexadecimal


def root_column(root: Root, planning: Planning) -> ColumnElement[Any]:
    """The JSON of a root; null for a record that is not there or not to be seen."""
    match root:
        case RootRecord():
            alias = planning.alias(root.entity, one=True)
            return record_query(root.selection, alias, planning, alias.field("id") == planning.binds.id(root.id))
        case RootListing():
            alias = planning.alias(root.listing.entity)
            return Connection(root.listing, alias, planning, record_pairs).query([])
        case RootNode():
            return _node(root, planning)
        case RootNodes():
            return _nodes(root, planning)
        case RootMeta():
            return _meta(root)
        case RootTypeName():
            return JsonName(root.value)


def _meta(root: RootMeta) -> ColumnElement[Any]:
    pairs: list[tuple[str, ColumnElement[Any]]] = []
    for item in root.items:
        if isinstance(item, TypeName):
            pairs.append((item.key, JsonName(item.value)))
        else:
            pairs.append((item[0], column("h", _HEAD_COLUMNS[item[1]], sa.BigInteger())))
    return JsonObject(pairs)


def _node(root: RootNode, planning: Planning) -> ColumnElement[Any]:
    read = reader(root.id)
    number = planning.binds.add(lambda run: entity_number(canonical_id(read(run.variables)) or ""), INTEGER)
    record_id = planning.binds.id(root.id)
    entities = planning.catalog.entities
    cases = [
        (number == constant(entities[name].number), _by_id(record, record_id, planning))
        for name, record in root.selections.items()
    ]
    return sa.case(*cases) if cases else _nothing()


def _nodes(root: RootNodes, planning: Planning) -> ColumnElement[Any]:
    read, dialect, limits = reader(root.ids), planning.dialect, planning.limits

    def check(run: Run) -> None:
        ids = read(run.variables)
        if not isinstance(ids, list | tuple):
            raise BadInput(Text("'ids' must be a list", "“ids”必须是列表"))
        check_range(len(ids), "ids", limits.page_size_max)

    def get(run: Run) -> Value:
        return encode_list([canonical_id(item) for item in read(run.variables)], UUID, dialect)

    planning.checks.append(check)
    name = planning.names.next("u")
    record_id = sa.literal_column(f"{name}.{'id' if dialect == 'postgresql' else 'value'}", UUID.sqlalchemy())
    text = sa.cast(record_id, sa.Text()) if dialect == "postgresql" else record_id
    number = sa.func.substr(text, constant(_NUMBER_AT), constant(_NUMBER_DIGITS))
    ids = planning.binds.add_list(get, UUID)
    entities = planning.catalog.entities
    cases = [
        (number == constant(f"{entities[entity].number:03x}"), _by_id(record, record_id, planning))
        for entity, record in root.selections.items()
    ]
    value: ColumnElement[Any] = sa.case(*cases) if cases else _nothing()
    return sa.select(JsonList(value)).select_from(_each(ids, name, planning)).scalar_subquery()


def _nothing() -> ColumnElement[Any]:
    """A null with a type, without which PostgreSQL makes no JSON of it."""
    return sa.cast(constant(None), sa.Text())


def _each(ids: ListParameter, name: str, planning: Planning) -> sa.FromClause:
    """The ids as rows, in their order."""
    if planning.dialect == "postgresql":
        return sa.func.unnest(ids).table_valued("id").render_derived(name=name)
    return sa.func.json_each(sa.bindparam(ids.bind.key, type_=sa.Text())).table_valued("value").alias(name)


def _by_id(record: Record, record_id: ColumnElement[Any], planning: Planning) -> ColumnElement[Any]:
    alias = planning.alias(record.entity)
    return record_query(record, alias, planning, alias.field("id") == record_id)
