"""Aggregates over all rows that match: exact sums on both engines, values as the actor sees them.

| function      | integer, percent scale 0 | long              | decimal           | float  | other               |
|---------------|--------------------------|-------------------|-------------------|--------|---------------------|
| sum           | Long                     | Decimal           | Decimal           | Float  | -                   |
| avg           | Decimal                  | Decimal           | Decimal           | Float  | -                   |
| min, max      | the field's own type                                                                          |||||
| distinctCount | Int                                                                                           |||||

Sums and averages of decimals are computed values: text without trailing zeros, averages HALF_UP to scale 10. Over no
value at all everything but a count is null, and so are sums and averages of doubles from 1e290 on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base import decimals
from metadata.field import Field
from records.alias import Alias
from records.gate import Gate
from records.selection import Aggregate, AggregateItem, TypeName
from storage.engine import Dialect
from storage.json_sql import JsonName, JsonObject
from storage.sql import constant
from storage.sums import HALF
from storage.types import BOOLEAN, ColumnType

LARGEST_SUMMED = 1e290
"""Doubles from here on have no sum and no average: 10**18 smaller ones stay finite."""

_EXACT_DIVIDEND = 25  # with these digits, a quotient by at most 10**9 rows is rounded to scale 10 as if exact


def aggregate_object(aggregate: Aggregate, alias: Alias, gate: Gate) -> ColumnElement[Any]:
    """The JSON object of an aggregate; it stands in a SELECT over the rows that match."""
    pairs: list[tuple[str, ColumnElement[Any]]] = []
    for item in aggregate.items:
        if isinstance(item, TypeName):
            pairs.append((item.key, JsonName(item.value)))
        elif item.function == "count":
            pairs.append((item.key, sa.func.count()))
        else:
            pairs.append((item.key, _fields(item, alias, gate)))
    return JsonObject(pairs)


def _fields(item: AggregateItem, alias: Alias, gate: Gate) -> ColumnElement[Any]:
    pairs: list[tuple[str, ColumnElement[Any]]] = []
    for part in item.fields:
        if isinstance(part, TypeName):
            pairs.append((part.key, JsonName(part.value)))
        else:
            key, name = part
            field = alias.entity.by_api_name[name]
            pairs.append((key, aggregate_value(item.function, field, gate.value(alias, field), gate.dialect)))
    return JsonObject(pairs)


def aggregate_value(function: str, field: Field, value: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """One aggregate of gated values, in its JSON form."""
    type_ = field.column.type
    match function:
        case "distinctCount":
            return sa.func.count(sa.distinct(value))
        case "min" | "max":
            return _extreme(function, value, type_, dialect)
        case "sum":
            return _sum(value, type_, dialect)
        case _:
            return _average(value, type_, dialect)


def _extreme(function: str, value: ColumnElement[Any], type_: ColumnType, dialect: Dialect) -> ColumnElement[Any]:
    if dialect == "postgresql":
        if type_.kind == "boolean":
            return sa.func.bool_and(value) if function == "min" else sa.func.bool_or(value)
        if type_.kind == "uuid":
            value = sa.collate(sa.cast(value, sa.Text()), "C")
    found = (sa.func.min if function == "min" else sa.func.max)(value)
    if type_.kind == "boolean":
        return BOOLEAN.shown(found, dialect)
    if dialect == "postgresql" and type_.kind == "decimal":
        return sa.cast(sa.cast(found, sa.Numeric(18, type_.scale)), sa.Text())
    return type_.shown(found, dialect)


def _sum(value: ColumnElement[Any], type_: ColumnType, dialect: Dialect) -> ColumnElement[Any]:
    if type_.kind == "float":
        return type_.shown(_finite(sa.func.sum, value), dialect)
    if type_.kind == "integer":
        return sa.func.sum(value)
    if dialect == "postgresql":
        return sa.cast(sa.func.trim_scale(sa.func.sum(sa.cast(value, sa.Numeric()))), sa.Text())
    return sa.func.pliant_sum(*_halves(value), constant(type_.scale))


def _average(value: ColumnElement[Any], type_: ColumnType, dialect: Dialect) -> ColumnElement[Any]:
    if type_.kind == "float":
        return type_.shown(_finite(sa.func.avg, value), dialect)
    if dialect == "sqlite":
        return sa.func.pliant_average(*_halves(value), sa.func.count(value), constant(type_.scale))
    # a cast to the dividend's scale makes PostgreSQL divide with as many digits
    total = sa.cast(sa.func.sum(sa.cast(value, sa.Numeric())), sa.Numeric(60, _EXACT_DIVIDEND))
    quotient = total / sa.func.nullif(sa.func.count(value), constant(0))
    return sa.cast(sa.func.trim_scale(sa.func.round(quotient, constant(decimals.SCALE))), sa.Text())


def _finite(function: Callable[[Any], sa.Function[Any]], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """A sum or average of doubles; null where a value is so large that a sum might leave the finite numbers.

    PostgreSQL fails there and SQLite gives an infinity, so such values never reach the function.
    """
    size = sa.func.abs(value)
    bound = sa.literal_column(repr(LARGEST_SUMMED), sa.Float())
    return sa.case((sa.func.max(size) >= bound, sa.null()), else_=function(value).filter(size < bound))


def _halves(value: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Sums of the high and low parts of scaled integers: a plain sum overflows at 64 bits."""
    half = constant(HALF)
    return sa.func.sum(value.op("/")(half)), sa.func.sum(value.op("%")(half))


def aggregate_type(function: str, field: Field) -> str:
    """GraphQL's name for the scalar of a sum or an average, by the table above."""
    kind = field.column.type.kind
    if kind == "float":
        return "Float"
    return "Long" if function == "sum" and kind == "integer" else "Decimal"
