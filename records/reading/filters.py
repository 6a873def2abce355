"""Filters: the tree of a filter argument -> one condition over gated values.

Equality is total and nothing is unknown: whatever stands under a negation is guarded with IS TRUE. Relation filters
see only rows that the actor may read: `account: {..}` holds where there is such an account, `some`, `none` and `every`
range over visible, live rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import BadInput, LimitExceeded, Text
from metadata.field import Field, Relation, RelationKind
from metadata.operators.registry import OPERATORS
from records.alias import Alias
from records.binds import Binds, TermBind
from records.gate import Gate, gated
from records.reading.links import linked
from records.selection import Constant, Tree, Variable
from storage.sql import constant, is_not_true

_GROUPS = ("and", "or", "not")


class Filters:
    """Compiles the filters of one statement."""

    def __init__(self, gate: Gate, binds: Binds) -> None:
        self._gate = gate
        self._binds = binds
        self._nodes = 0

    def condition(self, alias: Alias, tree: Tree | None, depth: int = 1) -> ColumnElement[bool]:
        """The rows of an alias for which a filter holds; an absent or null one holds for all.

        Raises `BadInput` for null arguments and unknown names, `LimitExceeded` for filters beyond the limits.
        """
        entries = _entries(tree)
        if entries is None:
            return sa.true()
        self._count(depth)
        parts = [self._entry(alias, key, item, depth) for key, item in entries.items() if not _is_null(item)]
        return sa.and_(sa.true(), *parts)

    def _count(self, depth: int) -> None:
        self._nodes += 1
        limits = self._binds.limits
        if depth > limits.filter_depth or self._nodes > limits.filter_nodes:
            raise LimitExceeded(
                Text(
                    f"A filter has at most {limits.filter_nodes} conditions, {limits.filter_depth} deep",
                    f"筛选最多含 {limits.filter_nodes} 个条件，嵌套最多 {limits.filter_depth} 层",
                )
            )

    def _entry(self, alias: Alias, key: str, item: Tree, depth: int) -> ColumnElement[bool]:
        if key in _GROUPS:
            return self._group(alias, key, item, depth)
        key = alias.entity.aliases.get(key, key)
        field = alias.entity.by_api_name.get(key)
        if field is not None:
            return self._field(alias, field, item)
        relation = alias.entity.relations.get(key)
        if relation is None:
            raise _unknown(key)
        if relation.kind is RelationKind.TO_ONE:
            return self._to_one(alias, relation, item, depth)
        return self._to_many(alias, relation, item, depth)

    def _group(self, alias: Alias, key: str, item: Tree, depth: int) -> ColumnElement[bool]:
        if key == "not":
            return is_not_true(self.condition(alias, item, depth + 1))
        parts = [self.condition(alias, part, depth + 1) for part in _items(item)]
        return sa.and_(sa.true(), *parts) if key == "and" else sa.or_(sa.false(), *parts)

    def _field(self, alias: Alias, field: Field, item: Tree) -> ColumnElement[bool]:
        column, cell = alias.column(field.column), self._gate.cell(alias, field)
        value = gated(column, cell, self._binds.dialect)
        parts: list[ColumnElement[bool]] = []
        for name, argument in (_entries(item) or {}).items():
            self._count(1)
            operator = OPERATORS.get(name)
            if operator is None or name not in field.type.operators:
                raise _unknown(name)
            if _is_null(argument):
                raise BadInput(Text(f"'{name}' takes no null: use isNull", f"“{name}”不接受 null：请使用 isNull"))
            bind = TermBind(self._binds, field, operator.argument, argument)
            if operator.matches_null or isinstance(cell, sa.sql.elements.False_):
                parts.append(operator.sql(field, value, bind, self._binds.dialect))
            else:
                # a hidden cell cannot match, so the column may stand bare, where an index serves it
                parts.append(sa.and_(operator.sql(field, column, bind, self._binds.dialect), cell))
        return sa.and_(sa.true(), *parts)

    def _to_one(self, alias: Alias, relation: Relation, item: Tree, depth: int) -> ColumnElement[bool]:
        target = alias.sibling(self._gate.catalog.entities[relation.target])
        reference = self._gate.value(alias, alias.entity.fields[relation.name])
        query = sa.select(constant(1)).select_from(target.table)
        inner = self.condition(target, item, depth + 1)
        return sa.exists(query.where(target.field("id") == reference, target.live(), self._gate.rows(target), inner))

    def _to_many(self, alias: Alias, relation: Relation, item: Tree, depth: int) -> ColumnElement[bool]:
        parts: list[ColumnElement[bool]] = []
        for quantifier, tree in (_entries(item) or {}).items():
            if _is_null(tree):
                continue
            target = alias.sibling(self._gate.catalog.entities[relation.target])
            inner = self.condition(target, tree, depth + 1)
            query = sa.select(constant(1)).select_from(target.table)
            query = query.where(*linked(self._gate, alias, relation, target), target.live(), self._gate.rows(target))
            match quantifier:
                case "some":
                    parts.append(sa.exists(query.where(inner)))
                case "none":
                    parts.append(sa.not_(sa.exists(query.where(inner))))
                case "every":
                    parts.append(sa.not_(sa.exists(query.where(is_not_true(inner)))))
                case _:
                    raise _unknown(quantifier)
        return sa.and_(sa.true(), *parts)


def _entries(tree: Tree | None) -> Mapping[str, Tree] | None:
    """The entries of an object in a filter; None for an absent or null one."""
    if tree is None or _is_null(tree):
        return None
    if isinstance(tree, Constant) and isinstance(tree.value, Mapping):
        return {key: Constant(value) for key, value in tree.value.items()}
    if isinstance(tree, Mapping):
        return tree
    raise BadInput(Text("A filter is an object of known shape", "筛选条件必须是形式已知的对象"))


def _items(tree: Tree) -> list[Tree]:
    if isinstance(tree, Constant):
        # GraphQL coerces one value to a list of it
        values: list[Any] = list(tree.value) if isinstance(tree.value, list | tuple) else [tree.value]
        return [Constant(value) for value in values]
    if isinstance(tree, Variable):
        raise BadInput(Text("A filter is an object of known shape", "筛选条件必须是形式已知的对象"))
    return [tree] if isinstance(tree, Mapping) else list(tree)


def _is_null(tree: Tree) -> bool:
    return isinstance(tree, Constant) and tree.value is None


def _unknown(name: str) -> BadInput:
    return BadInput(Text(f"Unknown name '{name}' in a filter", f"筛选条件含有未知名称“{name}”"))
