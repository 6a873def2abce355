"""Targets: existing rows that a write is about, read with system eyes, with what the actor may do to each.

The gate says it in SQL, grant by grant, because a grant's check on the new image is decided only later, in Python,
and must not be mixed with the rows or fields of another grant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from access.grant import Grant, Operation, Rows
from base.ids import canonical_id
from expressions import Expression
from records.alias import Alias
from records.gate import is_true_constant
from records.writing.draft import Draft
from records.writing.probe import Probe, Values, flag
from records.writing.writeplan import WritePlan
from storage.sql import InList


class State(Enum):
    """Which rows are looked for."""

    LIVE = "live"
    ANY = "any"


READABLE = "readable"
"""The flag of a row that the actor may read."""

Flag = str | tuple[Operation, int] | tuple[Operation, int, str]
"""What a flag is about: `READABLE`, the rows of a grant, a cell of a grant, or (as text) a cell that may be read."""


@dataclass(frozen=True, slots=True)
class Target:
    """One row (logical values by API name) and the flags that were asked for."""

    row: Mapping[str, Any]
    flags: Mapping[Flag, bool]

    @property
    def readable(self) -> bool:
        """Whether the actor may read the row: if not, it does not exist for him."""
        return self.flags[READABLE]

    def covered(self, operation: Operation, number: int) -> bool:
        """Whether the row rules of a grant hold."""
        return self.flags[operation, number]

    def cell(self, operation: Operation, number: int, grant: Grant, name: str) -> bool:
        """Whether that one grant covers the row and the field."""
        if grant.fields.right(name) is False:
            return False
        known = self.flags.get((operation, number, name))
        return self.flags[operation, number] if known is None else known

    def shows(self, name: str) -> bool:
        """Whether the actor may read a field of this row (only for fields that were asked for)."""
        return self.flags[f"cell {name}"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be known of each row: rights to do `operations`, on these `fields`; and which cells may be read."""

    operations: tuple[Operation, ...]
    fields: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()
    state: State = State.LIVE


async def read_targets(draft: Draft, plan: WritePlan, ids: Iterable[str], wanted: Wanted) -> dict[str, Target]:
    """The rows of these ids, by id; those that do not exist (or not in that state), and what is no id, are absent."""
    query = _Query.of(plan, wanted)
    known = [item for item in dict.fromkeys(ids) if canonical_id(item) is not None]  # PostgreSQL reads nothing else
    found = await query.probe.rows(draft.snapshot, {"ids": known})
    targets = {}
    width = len(plan.order)
    for values in found:
        row = plan.row(values[:width])
        flags = dict(query.constants)
        flags.update(zip(query.asked, map(bool, values[width:]), strict=True))
        targets[row["id"]] = Target(row, flags)
    return targets


class _Query:
    """A probe with the meaning of its columns."""

    def __init__(self, plan: WritePlan, wanted: Wanted) -> None:
        self.constants: dict[Flag, bool] = {}
        self.asked: list[Flag] = []
        self._plan = plan
        self.probe: Probe = plan.probe(wanted, lambda values, alias: self._select(values, alias, wanted))

    @classmethod
    def of(cls, plan: WritePlan, wanted: Wanted) -> _Query:
        """The query, made once for what is the same about it."""
        wanted = Wanted(wanted.operations, _mattering(plan, wanted), wanted.cells, wanted.state)
        found = plan.target_queries.get(wanted)
        if found is None:
            found = plan.target_queries[wanted] = cls(plan, wanted)
        return found  # type: ignore[return-value]

    def _select(self, values: Values, alias: Alias, wanted: Wanted) -> sa.Select[Any]:
        gate = self._plan.plans.gate
        columns = self._plan.selected(alias)
        self._ask(READABLE, gate.rows(alias), columns)
        for operation in wanted.operations:
            if operation not in self._plan.unlimited:
                for number, grant in enumerate(self._plan.grants.get(operation, ())):
                    self._ask_grant(alias, number, grant, wanted.fields, columns)
        for name in sorted(wanted.cells):
            self._ask(f"cell {name}", gate.cell(alias, self._plan.entity.fields[name]), columns)
        query = sa.select(*columns).select_from(alias.table).where(InList(alias.field("id"), values.ids()))
        return query.where(alias.live()) if wanted.state is State.LIVE else query

    def _ask_grant(
        self, alias: Alias, number: int, grant: Grant, fields: Collection[str], columns: list[ColumnElement[Any]]
    ) -> None:
        gate = self._plan.plans.narrowed(self._plan.name, grant)
        operation = grant.operation
        rows = gate.rows(alias, operation)
        self._ask((operation, number), rows, columns)
        for name in sorted(fields):
            if _is_conditional(grant, name):
                cell = gate.cell(alias, self._plan.entity.fields[name], operation)
                self._ask((operation, number, name), sa.and_(rows, cell), columns)

    def _ask(self, meaning: Flag, clause: ColumnElement[bool], columns: list[ColumnElement[Any]]) -> None:
        if is_true_constant(clause):
            self.constants[meaning] = True
        elif isinstance(clause, sa.sql.elements.False_):
            self.constants[meaning] = False
        else:
            columns.append(flag(clause, f"f{len(self.asked)}"))
            self.asked.append(meaning)


def _mattering(plan: WritePlan, wanted: Wanted) -> frozenset[str]:
    """The fields whose cells depend on the row; the others ask nothing of the database."""
    grants = [
        grant
        for operation in wanted.operations
        if operation not in plan.unlimited
        for grant in plan.grants.get(operation, ())
    ]
    return frozenset(name for name in wanted.fields if any(_is_conditional(grant, name) for grant in grants))


def _is_conditional(grant: Grant, name: str) -> bool:
    right = grant.fields.right(name)
    return isinstance(right, Expression) or (right is True and Rows.SHARED in grant.rows and Rows.ALL not in grant.rows)
