"""What may be written: create and update inputs, relation inputs of nested writes, keys of upserts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from graphql import GraphQLBoolean, GraphQLID

from access.grant import Operation
from metadata.field import Field, GraphQLKind, RelationKind
from metadata.names import RELATION_INPUT, pascal
from resolvers.renamed import renamed_to
from resolvers.roots import RootKind, conflict_keys
from schema.flat import EnumValue, InputField, RecordEnum, RecordInput
from schema.pool import TypePool, View, deprecation
from schema.shared import LIST, NON_NULL

_ID = InputField(GraphQLID)
_IDS = InputField(LIST[NON_NULL[GraphQLID]])
_YES = InputField(GraphQLBoolean)


def register_inputs(pool: TypePool, view: View, kinds: set[RootKind], owned: Collection[str]) -> None:
    """Let an entity's input types exist. `owned`: names of entities that are children in some relation."""
    surface, name = view.surface, view.type_name
    if surface.createable:
        _input(pool, f"{name}CreateInput", partial(_values, pool, view, surface.createable))
    if surface.updatable:
        _input(pool, f"{name}UpdateInput", partial(_values, pool, view, surface.updatable))
        if view.entity.name in owned:
            _input(pool, f"{name}ChildInput", partial(_child, pool, view))
    if RootKind.UPSERT in kinds:
        pool.register(f"{name}ConflictKey", lambda: RecordEnum(f"{name}ConflictKey", partial(_keys, pool, view)))
    for item in view.entity.fields.values():
        if has_relation_input(item) and item.name in surface.createable | surface.updatable:
            _register_relation(pool, view, item)


def has_relation_input(item: Field) -> bool:
    """Whether a field is written through a relation input; owner and team are written by their ids alone."""
    return item.relation is not None and not item.system


def _input(pool: TypePool, name: str, make: Callable[[], dict[str, InputField]]) -> None:
    pool.register(name, lambda: RecordInput(name, make))


def _values(pool: TypePool, view: View, written: Collection[str]) -> dict[str, InputField]:
    """Every input field is nullable: absent is unchanged, null is cleared, and what is required is validated."""
    fields: dict[str, InputField] = {}
    for item in view.entity.fields.values():
        if item.name not in written:
            continue
        title, old = pool.field_title(item), deprecation(item)
        if has_relation_input(item):
            fields[item.name] = pool.input(pool.get(relation_input(view, item)), title, old)
        if item.type.graphql is not GraphQLKind.RELATION:
            fields[item.api_name] = pool.input(pool.value_type(view, item), title, old)
    return pool.aliases(view, fields)


def relation_input(view: View, item: Field) -> str:
    """The name of a field's relation input."""
    return view.type_name + pascal(item.name) + RELATION_INPUT


def _register_relation(pool: TypePool, view: View, item: Field) -> None:
    assert item.relation is not None
    name, kind = relation_input(view, item), item.relation.kind
    make = {
        RelationKind.TO_ONE: _one,
        RelationKind.MANY: _many,
        RelationKind.CHILDREN: _children,
        RelationKind.INVERSE: _many,
    }[kind]
    one_of = kind is RelationKind.TO_ONE
    target = pool.views[item.relation.target]
    pool.register(name, lambda: RecordInput(name, partial(make, pool, target), one_of=one_of))


def _one(pool: TypePool, target: View) -> dict[str, Any]:
    fields = {"connect": _ID, "disconnect": _YES}
    if target.surface.createable:
        fields["create"] = pool.input(pool.get(f"{target.type_name}CreateInput"))
    return fields


def _many(_pool: TypePool, _target: View) -> dict[str, Any]:
    return {"connect": _IDS, "disconnect": _IDS, "set": _IDS}


def _children(pool: TypePool, target: View) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    create, update = bool(target.surface.createable), bool(target.surface.updatable)
    delete = target.may(Operation.DELETE)
    if create:
        fields["create"] = pool.input(pool.some_of(pool.get(f"{target.type_name}CreateInput")))
    if update:
        fields["update"] = pool.input(pool.some_of(pool.get(f"{target.type_name}ChildInput")))
    if delete:
        fields["delete"] = _IDS
    if create and update and delete:
        fields["set"] = pool.input(
            pool.some_of(pool.get(f"{target.type_name}ChildInput")),
            "The whole list: rows with an id are changed, rows without are created, all others are deleted.",
        )
    return fields


def _child(pool: TypePool, view: View) -> dict[str, InputField]:
    return {"id": _ID, "input": pool.input(pool.get(f"{view.type_name}UpdateInput"))}


def _keys(pool: TypePool, view: View) -> dict[str, EnumValue]:
    fields = view.entity.by_api_name
    values = {
        name: EnumValue(name, pool.field_title(fields[name])) for name in conflict_keys(view.entity, view.surface)
    }
    for old, current in view.entity.aliases.items():
        if current in values:
            values.setdefault(old, EnumValue(current, values[current].description, renamed_to(current)))
    return values
