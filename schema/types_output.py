"""What an entity's records look like in answers: the record type, its connection, aggregates, payloads, enums."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from graphql import GraphQLInt, GraphQLString

from metadata.field import NEVER_NULL, Choice, Field, GraphQLKind, RelationKind
from records.reading.aggregates import aggregate_type
from resolvers.renamed import renamed_to
from resolvers.roots import MANY, RootKind
from schema.flat import Argument, EnumValue, OutputField, RecordEnum, RecordObject
from schema.pool import TypePool, View, deprecation, enum_name, is_enum
from schema.shared import DELETED, NODE, NON_NULL, PAGE_INFO

FUNCTIONS: Final = {
    "sum": "SumAggregate",
    "avg": "AvgAggregate",
    "min": "MinAggregate",
    "max": "MaxAggregate",
    "distinctCount": "DistinctCountAggregate",
}
"""Aggregate functions over fields, and the type that each has per entity."""

_COUNT: Final = OutputField(NON_NULL[GraphQLInt])
_CURSOR: Final = OutputField(NON_NULL[GraphQLString])
_PAGE: Final = OutputField(NON_NULL[PAGE_INFO])

_PAGE_ARGUMENTS: Final = {
    "first": Argument(GraphQLInt, description="Size of the page; 50 when no size is given."),
    "after": Argument(GraphQLString, description="Cursor that the page begins behind."),
    "last": Argument(GraphQLInt, description="Size of the page, counted from the end."),
    "before": Argument(GraphQLString, description="Cursor that the page ends before."),
    "offset": Argument(GraphQLInt, description="Records to leave out; not together with a cursor."),
    "search": Argument(GraphQLString, description="Words that must all occur in the record."),
    "deleted": Argument(DELETED, "EXCLUDE"),
}


_PAYLOAD: Final = frozenset({"userErrors", "details"})
"""Parts of a payload that are there whatever the entity was called."""


def register_output(pool: TypePool, view: View, kinds: set[RootKind]) -> None:
    """Let an entity's output types exist; `kinds` are the mutations that it has."""
    entity, name = view.entity, view.type_name
    description = pool.title(entity.title, entity.titles, entity.description)
    pool.register(name, lambda: RecordObject(name, partial(_record, pool, view), description, (NODE,)))
    for suffix, make in (("Connection", _connection), ("Edge", _edge), ("Aggregate", _aggregate)):
        _object(pool, name + suffix, partial(make, pool, view))
    for function, suffix in FUNCTIONS.items():
        if any(function in item.type.aggregates for item in view.scalars):
            _object(pool, name + suffix, partial(_aggregated, pool, view, function))
    for item in view.entity.fields.values():
        if is_enum(item) and item.name in view.surface.readable | view.surface.createable | view.surface.updatable:
            _enum(pool, view, item)
    if kinds:
        _object(pool, f"{name}Payload", partial(_payload, pool, view))
    if kinds & MANY:
        _object(pool, f"{entity.plural_type_name}Payload", partial(_payloads, pool, view))


def _object(pool: TypePool, name: str, make: Callable[[], dict[str, Any]]) -> None:
    pool.register(name, lambda: RecordObject(name, make))


def _enum(pool: TypePool, view: View, item: Field) -> None:
    name = enum_name(view, item)

    def values() -> dict[str, EnumValue]:
        """The choices as enum values."""
        values = {choice.value: _enum_value(pool, choice) for choice in item.choices}
        for choice in item.choices:
            for old in choice.was:
                # written and filtered by as before; answers have the new value
                values.setdefault(
                    old, EnumValue(choice.value, values[choice.value].description, renamed_to(choice.value))
                )
        return values

    pool.register(name, lambda: RecordEnum(name, values, pool.field_title(item)))


def _enum_value(pool: TypePool, choice: Choice) -> EnumValue:
    # a retired value is still read, so it stays in the enum; writing it is refused by validation
    retired = "Retired: it can be read, no longer written." if choice.retired else None
    return EnumValue(choice.value, pool.title(choice.title, choice.titles), retired)


def listing_arguments(pool: TypePool, view: View) -> dict[str, Argument]:
    """The arguments of every connection to an entity, at the root and behind a relation."""
    name = view.type_name
    return pool.once(
        f"{name} arguments",
        lambda: {
            "filter": Argument(pool.get(f"{name}Filter")),
            "orderBy": Argument(pool.some_of(pool.get(f"{name}OrderBy"))),
            **_PAGE_ARGUMENTS,
        },
    )


def _record(pool: TypePool, view: View) -> dict[str, OutputField]:
    fields: dict[str, OutputField] = {}
    relations = {way.name: way for way in view.relations}
    for item in view.readable:
        title, old = pool.field_title(item), deprecation(item)
        way = relations.pop(item.relation.name, None) if item.relation is not None else None
        if way is not None:
            fields[way.name] = _relation(pool, way, title)
        if item.type.graphql is not GraphQLKind.RELATION:
            type_ = pool.value_type(view, item)
            fields[item.api_name] = pool.output(pool.non_null[type_] if item.name in NEVER_NULL else type_, title, old)
    for way in relations.values():
        other = pool.target(way).entity
        fields[way.name] = _relation(pool, way, other.titles.get(pool.catalog.app.locale, other.title))
    for old, current in view.entity.aliases.items():
        if current in fields:
            fields.setdefault(old, _renamed(fields[current], current, scalar=current in view.entity.by_api_name))
    return fields


def _renamed(field: OutputField, current: str, *, scalar: bool) -> OutputField:
    """A field under its old name. Relations are left to the default resolver, which knows how to follow them."""
    resolve = (lambda source, _info: source.get(current)) if scalar else None
    return OutputField(field.type, field.args, field.description, resolve, renamed_to(current))


def _relation(pool: TypePool, way: Any, title: str) -> OutputField:
    target = pool.target(way)
    if way.kind is RelationKind.TO_ONE:
        return pool.output(pool.get(target.type_name), title)
    connection = pool.non_null[pool.get(f"{target.type_name}Connection")]
    return OutputField(connection, listing_arguments(pool, target), title)


def _connection(pool: TypePool, view: View) -> dict[str, OutputField]:
    name = view.type_name
    return {
        "edges": pool.output(pool.all_of(pool.get(f"{name}Edge"))),
        "nodes": pool.output(pool.all_of(pool.get(name))),
        "pageInfo": _PAGE,
        "totalCount": _COUNT,
        "aggregate": pool.output(pool.non_null[pool.get(f"{name}Aggregate")]),
    }


def _edge(pool: TypePool, view: View) -> dict[str, OutputField]:
    return {"cursor": _CURSOR, "node": pool.output(pool.non_null[pool.get(view.type_name)])}


def _aggregate(pool: TypePool, view: View) -> dict[str, OutputField]:
    parts = {"count": _COUNT}
    for function, suffix in FUNCTIONS.items():
        if pool.has(view.type_name + suffix):
            parts[function] = pool.output(pool.non_null[pool.get(view.type_name + suffix)])
    return parts


def _aggregated(pool: TypePool, view: View, function: str) -> dict[str, OutputField]:
    fields = {}
    for item in view.scalars:
        if function not in item.type.aggregates:
            continue
        if function == "distinctCount":
            type_: Any = NON_NULL[GraphQLInt]
        elif function in ("min", "max"):
            type_ = pool.value_type(view, item)
        else:
            type_ = pool.get(aggregate_type(function, item))
        fields[item.api_name] = pool.output(type_, pool.field_title(item))
    for old, current in view.entity.aliases.items():
        if current in fields:
            fields.setdefault(old, pool.output(fields[current].type, fields[current].description, renamed_to(current)))
    return fields


def _payload(pool: TypePool, view: View) -> dict[str, OutputField]:
    title, name = pool.title(view.entity.title, view.entity.titles), view.entity.name
    record = {name: pool.output(pool.get(view.type_name), title)}
    for old in view.entity.was:
        if old not in _PAYLOAD:
            record.setdefault(old, pool.output(pool.get(view.type_name), title, renamed_to(name)))
    return {
        **record,
        "userErrors": pool.output(pool.all_of(pool.get("PliantUserError"))),
        "details": pool.output(pool.get("JSON"), "What else there is to know: findings of a dry run."),
    }


def _payloads(pool: TypePool, view: View) -> dict[str, OutputField]:
    return {
        "results": pool.output(pool.all_of(pool.get(f"{view.type_name}Payload"))),
        "count": _COUNT,
        "userErrors": pool.output(pool.all_of(pool.get("PliantUserError"))),
    }
