"""Orders as records take them: one-key objects made paths."""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import BadInput, Text
from records.selection import Constant, Order, Tree

_ONE_KEY = Text("An item of 'orderBy' names one field and its direction", "“orderBy”的每一项须指定一个字段及其排序方向")


def orders(tree: Tree) -> tuple[Order, ...]:
    """The keys of an order, most significant first; null is no order.

    Raises `BadInput` for an item that does not name one key: graphql-core's validation misses variables that are
    absent or null there (`[{name: $direction}]`).
    """
    items = tree if isinstance(tree, tuple) else ()
    return tuple(_order(item, ()) for item in items)


def _order(tree: Tree, path: tuple[str, ...]) -> Order:
    if isinstance(tree, Constant) and tree.value is not None:
        word = str(tree.value)
        return Order(path, word.startswith("DESC"), word.endswith("_NULLS_FIRST"))
    if not isinstance(tree, Mapping) or len(tree) != 1:
        raise BadInput(_ONE_KEY)
    ((name, inner),) = tree.items()
    return _order(inner, (*path, name))
