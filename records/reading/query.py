"""Records in SQL: what is wanted of one row -> response keys and JSON values, each seen through the gate."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from metadata.field import Field
from records.alias import Alias
from records.gate import gated
from records.reading.links import linked
from records.reading.listing import Connection
from records.reading.planning import Planning
from records.selection import Record, Scalar, ToMany, ToOne, TypeName
from storage.json_sql import JsonName, JsonObject, Pairs, WordText
from storage.sql import constant

_WORDS_MAX = 16  # choices that are looked for one by one


def record_pairs(record: Record, alias: Alias, planning: Planning) -> Pairs:
    """Key and value of every item of a record; rows themselves are the caller's matter."""
    return [(item.key, _value(item, alias, planning)) for item in record.items]


def record_query(
    record: Record, alias: Alias, planning: Planning, *conditions: ColumnElement[bool]
) -> ColumnElement[Any]:
    """A scalar sub-select: the live, readable row that meets the conditions as an object, or null."""
    where = (*conditions, alias.live(), planning.gate.rows(alias))
    row = alias.fenced()
    found = sa.select(JsonObject(record_pairs(record, row, planning)))
    if not row.computed:
        return found.select_from(alias.table).where(*where).scalar_subquery()
    # LIMIT keeps both engines from writing what is computed once into each of its uses
    inner = sa.select(*row.projected(alias)).select_from(alias.table).where(*where).limit(constant(1))
    return found.select_from(inner.subquery(row.name)).scalar_subquery()


def _value(item: Scalar | TypeName | ToOne | ToMany, alias: Alias, planning: Planning) -> ColumnElement[Any]:
    match item:
        case Scalar():
            return shown_value(alias, alias.entity.by_api_name[item.field], planning)
        case TypeName():
            return JsonName(item.value)
        case ToOne():
            return _to_one(item, alias, planning)
        case ToMany():
            return _to_many(item, alias, planning)


def shown_value(alias: Alias, field: Field, planning: Planning) -> ColumnElement[Any]:
    """A field in its JSON form, null where its cell is not covered."""
    column = alias.column(field.column)
    if field.column.type.kind == "text" and 0 < len(field.choices) <= _WORDS_MAX:
        column = sa.type_coerce(column, WordText([choice.value for choice in field.choices]))
    shown = field.column.type.shown(column, planning.dialect)
    return gated(shown, planning.gate.cell(alias, field), planning.dialect)


def _to_one(item: ToOne, alias: Alias, planning: Planning) -> ColumnElement[Any]:
    relation = alias.entity.relations[item.relation]
    target = planning.alias(relation.target)
    reference = planning.gate.value(alias, alias.entity.fields[relation.name])
    return record_query(item.selection, target, planning, target.field("id") == reference)


def _to_many(item: ToMany, alias: Alias, planning: Planning) -> ColumnElement[Any]:
    relation = alias.entity.relations[item.relation]
    target = planning.alias(relation.target)
    return Connection(item.listing, target, planning, record_pairs).query(
        linked(planning.gate, alias, relation, target)
    )
