"""What may be asked for: filter inputs and orders of an entity, relations included."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from metadata.field import Field
from schema.flat import InputField, RecordInput
from schema.pool import TypePool, View, deprecation, enum_name, filter_name, is_enum
from schema.shared import ORDER, operator_inputs

_DIRECTION = InputField(ORDER)


def register_filters(pool: TypePool, view: View, listed: Collection[str]) -> None:
    """Let an entity's filter and order types exist. `listed`: names of entities that a to-many relation leads to."""
    name = view.type_name
    pool.register(f"{name}Filter", lambda: RecordInput(f"{name}Filter", partial(_filter, pool, view)))
    pool.register(f"{name}OrderBy", lambda: RecordInput(f"{name}OrderBy", partial(_order, pool, view), one_of=True))
    if view.entity.name in listed:
        pool.register(f"{name}ListFilter", lambda: RecordInput(f"{name}ListFilter", partial(_list_filter, pool, view)))
    for item in view.scalars:
        if is_enum(item) and item.type.operators:
            _register_enum_filter(pool, view, item)


def _register_enum_filter(pool: TypePool, view: View, item: Field) -> None:
    name = filter_name(view, item)

    def inputs() -> dict[str, InputField]:
        """One field per operator."""
        value = pool.get(enum_name(view, item))
        return operator_inputs(pool.shared.operators, item.type.operators, value, pool.some_of(value))

    pool.register(name, lambda: RecordInput(name, inputs))


def _filter(pool: TypePool, view: View) -> dict[str, InputField]:
    fields: dict[str, InputField] = {}
    for item in view.scalars:
        name = filter_name(view, item)
        if pool.has(name):
            fields[item.api_name] = pool.input(pool.get(name), pool.field_title(item), deprecation(item))
    for way in view.to_one:
        fields[way.name] = pool.input(pool.get(f"{pool.target(way).type_name}Filter"))
    for way in view.to_many:
        fields[way.name] = pool.input(pool.get(f"{pool.target(way).type_name}ListFilter"))
    fields = pool.aliases(view, fields)
    own = pool.get(f"{view.type_name}Filter")
    every = pool.input(pool.some_of(own))
    return {**fields, "and": every, "or": every, "not": pool.input(own)}


def _list_filter(pool: TypePool, view: View) -> dict[str, InputField]:
    own = pool.input(pool.get(f"{view.type_name}Filter"))
    return {"some": own, "none": own, "every": own}


def _order(pool: TypePool, view: View) -> dict[str, InputField]:
    fields = {item.api_name: _DIRECTION for item in view.scalars if item.type.orderable}
    for way in view.to_one:
        fields[way.name] = pool.input(pool.get(f"{pool.target(way).type_name}OrderBy"))
    return pool.aliases(view, fields)
