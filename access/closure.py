"""Closures of trees: who stands above whom, kept as pairs in the same transaction as the tree itself.

Every node is above itself, so `team+` and `reports+` are one look-up. A move removes and adds only the pairs that
differ; its two statements read nothing that the other writes, so an engine may run them in either form.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from access.store import Draft
from access.table import Query, Table, parameter
from storage.engine import Engine
from storage.sql import constant
from storage.types import UUID


class Closure:
    """The closure of one tree: a table of two ids, `upper` and `lower`, and the statements that keep it."""

    def __init__(self, table: str, upper: str, lower: str) -> None:
        self.table = Table(table, {upper: UUID, lower: UUID})
        self.upper, self.lower = upper, lower
        self._is_below = self._below_query()
        self._attach = self._attach_query()
        self._cut = self._cut_query()
        self._join = self._join_query()
        own = self.table.clause
        ends = sa.or_(own.c[upper] == parameter("id", UUID), own.c[lower] == parameter("id", UUID))
        self._remove = Query(sa.delete(own).where(ends), {"id": UUID})
        self._all = Query(sa.select(own.c[upper], own.c[lower]), columns=self.table.columns)

    async def is_below(self, engine: Engine, namespace: str, node: str, candidate: str) -> bool:
        """Whether `candidate` is `node` or stands below it."""
        return bool(await self._is_below.rows(engine, namespace, id=node, other=candidate))

    async def pairs(self, engine: Engine, namespace: str) -> frozenset[tuple[str, str]]:
        """All (upper, lower) pairs: for checks that compare them with the tree."""
        rows = await self._all.rows(engine, namespace)
        return frozenset((row[self.upper], row[self.lower]) for row in rows)

    def add(self, draft: Draft, node: str, parent: str | None) -> None:
        """A new leaf under `parent`, or a root."""
        draft.insert(self.table, {self.upper: node, self.lower: node})
        if parent is not None:
            draft.execute(self._attach, id=node, parent=parent)

    def move(self, draft: Draft, node: str, parent: str | None) -> None:
        """The subtree of `node` goes under `parent` (not into itself: the caller has asked `is_below`)."""
        draft.execute(self._cut, id=node, parent=parent)
        if parent is not None:
            draft.execute(self._join, id=node, parent=parent)

    def remove(self, draft: Draft, node: str) -> None:
        """A leaf goes."""
        draft.execute(self._remove, id=node)

    def _alias(self, name: str) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
        alias = self.table.clause.alias(name)
        return alias.c[self.upper], alias.c[self.lower]

    def _below_query(self) -> Query:
        upper, lower = self._alias("b")
        clause = sa.select(lower).where(upper == parameter("id", UUID), lower == parameter("other", UUID))
        return Query(clause, {"id": UUID, "other": UUID}, {self.lower: UUID})

    def _attach_query(self) -> Query:
        upper, lower = self._alias("p")
        rows = sa.select(upper, parameter("id", UUID)).where(lower == parameter("parent", UUID))
        clause = sa.insert(self.table.clause).from_select([self.upper, self.lower], rows)
        return Query(clause, {"id": UUID, "parent": UUID})

    def _cut_query(self) -> Query:
        table = self.table.clause
        above, above_of = self._alias("a")
        kept, kept_of = self._alias("k")
        top, below = self._alias("d")
        clause = sa.delete(table).where(
            table.c[self.lower].in_(sa.select(below).where(top == parameter("id", UUID))),
            table.c[self.upper].in_(
                sa.select(above).where(above_of == parameter("id", UUID), above != parameter("id", UUID))
            ),
            table.c[self.upper].not_in(sa.select(kept).where(kept_of == parameter("parent", UUID))),
        )
        return Query(clause, {"id": UUID, "parent": UUID})

    def _join_query(self) -> Query:
        above, above_of = self._alias("a")
        top, below = self._alias("d")
        upper, lower = self._alias("x")
        there = sa.select(constant(1)).where(upper == above, lower == below).exists()
        rows = sa.select(above, below).where(
            above_of == parameter("parent", UUID), top == parameter("id", UUID), sa.not_(there)
        )
        clause = sa.insert(self.table.clause).from_select([self.upper, self.lower], rows)
        return Query(clause, {"id": UUID, "parent": UUID})


TEAMS = Closure("_team_closure", "ancestor", "descendant")
"""Which teams stand under which: a row of team T is seen with `team+` by members of every ancestor of T."""

REPORTS = Closure("_report_closure", "manager", "report")
"""Who reports to whom, directly or not."""
