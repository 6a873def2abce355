"""Orders as records take them: one-key objects made paths."""

from __future__ import annotations

from collections.abc import Mapping

from records.selection import Constant, Order, Tree


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
