"""Filters and orders as records take them: nulls settled, sizes checked, one-key objects made paths."""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import BadInput, LimitExceeded, Text
from base.limits import Limits
from metadata.catalog import Catalog, Entity
from metadata.field import RelationKind
from records.selection import Constant, Order, Tree
from resolvers.terms import NULL


class Filters:
    """Settles one filter argument: a null filter is none, a null argument of an operator is refused.

    Counts what it meets against `filter_nodes` and `filter_depth`: each test becomes a condition, each relation a
    sub-query.
    """

    def __init__(self, catalog: Catalog, limits: Limits) -> None:
        self._catalog = catalog
        self._limits = limits
        self._nodes = 0

    def whole(self, entity: Entity, tree: Tree) -> Tree | None:
        """The filter of an entity, without the parts that are null; None when nothing is asked."""
        return self._entity(entity, tree, 1)

    def _entity(self, entity: Entity, tree: Tree, depth: int) -> Tree | None:
        if not isinstance(tree, Mapping):
            return None  # null is the only other value of an input object's type
        self._count(depth)
        found: dict[str, Tree] = {}
        for name, inner in tree.items():
            part = None if inner == NULL else self._part(entity, name, inner, depth)
            if part is not None:
                found[name] = part
        return found

    def _part(self, entity: Entity, name: str, tree: Tree, depth: int) -> Tree | None:
        if name in ("and", "or"):
            items = tree if isinstance(tree, tuple) else (tree,)
            parts = (self._entity(entity, item, depth + 1) for item in items)
            return tuple({} if part is None else part for part in parts)
        if name == "not":
            return self._entity(entity, tree, depth + 1)
        relation = entity.relations.get(name)
        if relation is None:
            return self._tests(name, tree)
        target = self._catalog.entities[relation.target]
        if relation.kind is RelationKind.TO_ONE:
            return self._entity(target, tree, depth + 1)
        assert isinstance(tree, Mapping)
        quantified = {word: self._entity(target, inner, depth + 1) for word, inner in tree.items()}
        return {word: part for word, part in quantified.items() if part is not None}

    def _tests(self, field: str, tree: Tree) -> Tree:
        assert isinstance(tree, Mapping)
        for operator, argument in tree.items():
            self._count(0)
            if argument == NULL:
                raise BadInput(
                    Text(
                        f"{field}: {operator} takes no null. Use isNull to ask for it.",
                        f"{field}:{operator} 不接受 null,请使用 isNull。",
                    ),
                    {"field": field, "operator": operator},
                )
        return tree

    def _count(self, depth: int) -> None:
        self._nodes += 1
        limits = self._limits
        if depth > limits.filter_depth or self._nodes > limits.filter_nodes:
            raise LimitExceeded(
                Text(
                    f"A filter has at most {limits.filter_nodes} tests and {limits.filter_depth} levels.",
                    f"筛选条件最多 {limits.filter_nodes} 个、嵌套最多 {limits.filter_depth} 层。",
                ),
                {"nodes": limits.filter_nodes, "depth": limits.filter_depth},
            )


def orders(tree: Tree) -> tuple[Order, ...]:
    """The keys of an order, most significant first; null is no order."""
    items = tree if isinstance(tree, tuple) else ()
    return tuple(_order(item, ()) for item in items)


def _order(tree: Tree, path: tuple[str, ...]) -> Order:
    if isinstance(tree, Constant):
        word = str(tree.value)
        return Order(path, word.startswith("DESC"), word.endswith("_NULLS_FIRST"))
    assert isinstance(tree, Mapping)  # @oneOf: exactly one key, never null
    ((name, inner),) = tree.items()
    return _order(inner, (*path, name))
