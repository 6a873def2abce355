"""All record types of one company: which names exist, and the roots over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metadata.catalog import Catalog
from metadata.field import RelationKind
from records.surface import Surface
from resolvers.roots import RootKind, Roots
from schema.pool import TypePool
from schema.shared import SharedTypes
from schema.types_filter import register_filters
from schema.types_input import register_inputs
from schema.types_output import register_output


def record_types(
    catalog: Catalog, surface: Surface, roots: Roots, shared: SharedTypes, fixed: Mapping[str, Any]
) -> TypePool:
    """The pool of an actor's record types. `fixed` holds the static schema's types that records refer to.

    Nothing is made yet but the table of names. Raises `ValueError` when two types would have one name.
    """
    pool = TypePool(catalog, surface, shared, fixed)
    listed, owned = ends(pool)
    kinds: dict[str, set[RootKind]] = {}
    for operation in roots.mutation.values():
        kinds.setdefault(operation.entity or "", set()).add(operation.kind)
    for name, view in pool.views.items():
        own = kinds.get(name, set())
        register_output(pool, view, own)
        register_filters(pool, view, listed)
        register_inputs(pool, view, own, owned)
    return pool


def ends(pool: TypePool) -> tuple[set[str], set[str]]:
    """Entities at the far end of a to-many relation, and of an owning one that can be written."""
    listed, owned = set(), set()
    for view in pool.views.values():
        listed |= {way.target for way in view.to_many}
        written = view.surface.createable | view.surface.updatable
        owned |= {
            item.relation.target
            for name, item in view.entity.fields.items()
            if name in written and item.relation is not None and item.relation.kind is RelationKind.CHILDREN
        }
    return listed, owned
