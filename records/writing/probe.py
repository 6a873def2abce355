"""Probes: the statements of the write side that read, compiled once and run with values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import ClauseElement

from base.limits import Limits
from records.binds import Binds, Run
from records.snapshot import Snapshot
from storage.batch import Execute, Expect, Guard, Sql, Value
from storage.engine import Dialect
from storage.sql import ListParameter, compile_with_constants, encode_list
from storage.types import UUID, ColumnType


class Values(Binds):
    """Parameters that a probe is given by name when it runs."""

    def given(self, name: str, type_: ColumnType) -> ColumnElement[Any]:
        """One logical value."""
        return self.logical(lambda run: run.variables[name], type_)

    def given_list(self, name: str, type_: ColumnType) -> ListParameter:
        """A list of logical values."""
        dialect = self.dialect
        return self.add_list(lambda run: encode_list(run.variables[name], type_, dialect), type_)

    def ids(self, name: str = "ids") -> ListParameter:
        """A list of record ids."""
        return self.given_list(name, UUID)


class Probe:
    """One compiled statement: its text, and where each parameter comes from."""

    def __init__(self, clause: ClauseElement, binds: Binds) -> None:
        compiled = compile_with_constants(clause, binds.dialect)
        self.sql: Sql = compiled.sql
        self._getters = tuple(binds.getter(name, compiled.constants) for name in compiled.sql.binds)

    def params(self, snapshot: Snapshot, values: Mapping[str, Any]) -> tuple[Value, ...]:
        """The parameters in the order of the text."""
        run = Run(values, snapshot)
        return tuple([getter(run) for getter in self._getters])

    async def rows(self, snapshot: Snapshot, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run it; values come as the driver gives them."""
        return await snapshot.engine.fetch(snapshot.namespace, self.sql, self.params(snapshot, values))

    def guard(
        self,
        snapshot: Snapshot,
        token: Hashable,
        values: Mapping[str, Any],
        expect: Expect = Expect.ROW,
        after: bool = False,
    ) -> Guard:
        """It as a condition of a Batch."""
        return Guard(token, self.sql, self.params(snapshot, values), expect, after)

    def execute(
        self, snapshot: Snapshot, values: Mapping[str, Any], expect_rows: int | None = None, token: Hashable = None
    ) -> Execute:
        """It as a statement of a Batch."""
        return Execute(self.sql, self.params(snapshot, values), expect_rows, token)


def probe(limits: Limits, dialect: Dialect, make: Callable[[Values], ClauseElement]) -> Probe:
    """Compile what `make` writes with the parameters that it asks for."""
    values = Values(dialect, limits)
    return Probe(make(values), values)


def flag(clause: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A condition as a column that is never null."""
    return sa.func.coalesce(clause, sa.false()).label(name)
