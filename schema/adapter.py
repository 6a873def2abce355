"""The one adapter between record types made at run time and Strawberry's static schema.

Only this file uses private names of Strawberry (`_schema`, `_strawberry_schema`); tests/schema/test_adapter.py is its
contract with the pinned version.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    introspection_types,
)

from metadata.catalog import Catalog
from metadata.fields.registry import FIELD_TYPES
from metadata.operators.registry import OPERATORS
from records.surface import Surface
from resolvers.roots import RootKind, Roots
from schema.fixed import CONFIG, Query, UserError
from schema.flat import FlatSchema, LazyMap, RecordObject
from schema.pool import TypePool
from schema.shared import NODE, SharedTypes
from schema.types import record_types
from schema.types_root import ResolverOf, mutation_field, query_field

_BACK_REFERENCE: Final = "strawberry-definition"
_STATIC_ROOTS: Final = frozenset({RootKind.META, RootKind.VIEWER, RootKind.TYPENAME})


@dataclass(frozen=True, slots=True)
class StaticSchema:
    """The fixed part: its Strawberry schema, its types without the roots, and the fields of its Query."""

    strawberry: strawberry.Schema
    types: Mapping[str, Any]
    query: Mapping[str, GraphQLField]


@cache
def static_schema() -> StaticSchema:
    """The one static schema of the process."""
    made = strawberry.Schema(query=Query, types=[UserError], config=CONFIG)
    repair_introspection()
    core = made._schema
    kept = {
        name: type_
        for name, type_ in core.type_map.items()
        if type_ is not core.query_type and name not in introspection_types
    }
    assert core.query_type is not None
    return StaticSchema(made, kept, core.query_type.fields)


@cache
def shared_types() -> SharedTypes:
    """The types that all companies share, from the registries."""
    return SharedTypes(FIELD_TYPES, OPERATORS)


def core_of(schema: strawberry.Schema) -> GraphQLSchema:
    """What graphql-core runs of a Strawberry schema that was just made."""
    repair_introspection()
    core: GraphQLSchema = schema._schema
    return core


def repair_introspection() -> None:
    """Mend `__Type.isOneOf`, which every new Strawberry schema overwrites for the whole process. Idempotent."""
    introspection_types["__Type"].fields["isOneOf"].resolve = _is_one_of  # type: ignore[attr-defined]


def _is_one_of(type_: Any, _info: GraphQLResolveInfo[Any]) -> bool | None:
    if not isinstance(type_, GraphQLInputObjectType):
        return None
    definition = type_.extensions.get(_BACK_REFERENCE)
    return bool(type_.is_one_of or getattr(definition, "is_one_of", False))


@dataclass(frozen=True, slots=True)
class Merged:
    """A company's schema for one surface: as graphql-core knows it, and as a Strawberry schema for its transports."""

    core: FlatSchema
    strawberry: strawberry.Schema
    pool: TypePool
    roots: Roots


def merge(
    catalog: Catalog,
    surface: Surface,
    roots: Roots,
    resolver_of: ResolverOf,
    *,
    lazy: bool = True,
    shared: SharedTypes | None = None,
) -> Merged:
    """Record types and the static schema as one schema. With `lazy`, types are made when first looked up.

    Raises `ValueError` when two types would have one name (publishing refuses such documents).
    """
    static = static_schema()
    pool = record_types(catalog, surface, roots, shared or shared_types(), static.types)
    query, mutation = _root_types(pool, roots, resolver_of, static, lazy)
    types = _type_map(pool, query, mutation, lazy)
    # Strawberry's own __init__ must not run again: the shell keeps configuration, extensions and converter
    shell = copy.copy(static.strawberry)
    nodes = [view.type_name for view in pool.views.values()]
    extensions = {**static.strawberry._schema.extensions, _BACK_REFERENCE: shell}
    directives = static.strawberry._schema.directives
    core = FlatSchema((query, mutation, None), types, NODE, nodes, directives, extensions)
    core._strawberry_schema = shell  # type: ignore[attr-defined]
    shell._schema = core
    return Merged(core, shell, pool, roots)


def _root_types(
    pool: TypePool, roots: Roots, resolver_of: ResolverOf, static: StaticSchema, lazy: bool
) -> tuple[RecordObject, RecordObject | None]:
    def query(name: str) -> GraphQLField:
        """One field of Query."""
        # static field objects are shared between schemas: copied, never written to
        return (
            copy.copy(static.query[name]) if name in static.query else query_field(pool, roots.query[name], resolver_of)
        )

    def mutation(name: str) -> GraphQLField:
        """One field of Mutation."""
        return mutation_field(pool, roots.mutation[name], resolver_of)

    asked = {name: None for name, operation in roots.query.items() if operation.kind not in _STATIC_ROOTS}
    names = {**asked, **dict.fromkeys(static.query)}
    if not pool.views:
        names = {name: None for name in names if name in static.query}  # Node has no type: nothing implements it
    types = [_root("Query", names, query, lazy)]
    types += [_root("Mutation", dict.fromkeys(roots.mutation), mutation, lazy)] if roots.mutation else []
    return types[0], types[1] if len(types) == 2 else None


def _root(name: str, names: Mapping[str, None], make: Any, lazy: bool) -> RecordObject:
    fields: LazyMap[GraphQLField] = LazyMap(names, make)
    return RecordObject(name, lambda: fields if lazy else fields.copy())


def _type_map(pool: TypePool, query: RecordObject, mutation: RecordObject | None, lazy: bool) -> dict[str, Any]:
    base: dict[str, Any] = {"Query": query}
    if mutation is not None:
        base["Mutation"] = mutation
    base |= pool.fixed
    base |= introspection_types
    types: LazyMap[Any] = LazyMap(dict.fromkeys([*base, *pool.makers]), pool.get)
    types.update(base)
    return types if lazy else types.copy()


def full_schema(merged: Merged) -> GraphQLSchema:
    """The same types as an ordinary schema, walked by graphql-core: what `FlatSchema` must be equal to in tests."""
    core = merged.core
    return GraphQLSchema(
        core.query_type,
        core.mutation_type,
        types=[type_ for name, type_ in core.type_map.items() if name not in introspection_types],
        directives=core.directives,
    )
