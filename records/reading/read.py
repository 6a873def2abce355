"""The read path: a selection becomes one statement, run once for an answer that is JSON bytes already.

A `Plan` is made for one catalog, one set of grants and one selection, and is shared by everything that has the same:
actors, companies and values are parameters. Its statement gives one row: a JSON column per root, and the catalog
version and log position of the same snapshot.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from access.grant import GrantSet
from base.errors import PliantError, Text
from base.json import dump
from base.limits import Limits
from metadata.catalog import Catalog
from records.binds import Getter, Run, Variables
from records.gate import Gate
from records.reading.cursor import position_bytes, position_values
from records.reading.planning import Context, Pattern, Planning, Slot, list_digests
from records.reading.roots import root_column
from records.selection import RootTypeName, Selection
from records.snapshot import Snapshot
from storage.batch import NAMESPACE, Sql, Value
from storage.engine import Dialect
from storage.sql import column, compile_with_constants, fits_parser, labelled

_NONCE = secrets.token_hex(12)  # marks cursors in answers; never leaves the process, so no value can forge one
_MARK = re.compile(_NONCE.encode() + rb"(\d+)\.([0-9a-fA-F]*)!")
_HEAD = "h"
_VARIANTS_MAX = 64  # forms of one plan by nulls in cursors: a client with cursors of many keys could ask for thousands


class PlanTooDeep(PliantError):
    """No statement of this engine can hold the selection: answer it with the stock executor instead."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of the `data` object, and the catalog version that was head when it was read."""

    data: bytes
    head_version: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One form of a plan's SQL, with what gives its parameters in placeholder order."""

    sql: Sql
    getters: tuple[Getter, ...]
    checks: tuple[Callable[[Run], None], ...]
    slots: tuple[Slot, ...]
    contexts: tuple[Context, ...]
    marks: bool


@dataclass(frozen=True)
class Plan:
    """How a selection is answered. `pieces` are the bytes around the columns of the row."""

    selection: Selection
    catalog: Catalog
    grants: GrantSet
    dialect: Dialect
    limits: Limits
    pieces: tuple[bytes, ...]
    statement: Statement
    variants: dict[tuple[tuple[bool, ...], ...], Statement] = field(default_factory=dict)

    @property
    def sql(self) -> Sql:
        """The statement of a run without cursors, or with cursors that hold no null."""
        return self.statement.sql

    def prepared(self, run: Run) -> Statement:
        """The statement for a run, its checks made and its cursors opened. Raises `BadInput`, `LimitExceeded`."""
        statement = self.statement
        for check in statement.checks:
            check(run)
        if not statement.slots:
            return statement
        run.digests = digests = list_digests(statement.contexts, run)
        opened = [_opened(slot, run, digests[slot.context]) for slot in statement.slots]
        run.cursors = dict(enumerate(opened))
        pattern = tuple([tuple([value is None for value in values]) for values in opened])
        if not any(map(any, pattern)):
            return statement
        found = self.variants.get(pattern)
        if found is None:
            if len(self.variants) >= _VARIANTS_MAX:
                self.variants.clear()
            found = self.variants[pattern] = _write(
                self.selection, self.catalog, self.grants, self.dialect, self.limits, dict(enumerate(pattern))
            )
        return found


def compile_selection(
    selection: Selection, catalog: Catalog, grants: GrantSet, dialect: Dialect, limits: Limits
) -> Plan:
    """Write the statement of a selection.

    Raises `BadInput` or `LimitExceeded` for what no values could mend, `PlanTooDeep` where the engine takes no such
    statement (SQLite, beyond about six lists in each other).
    """
    statement = _write(selection, catalog, grants, dialect, limits, {})
    return Plan(selection, catalog, grants, dialect, limits, _pieces(selection), statement)


async def run(plan: Plan, snapshot: Snapshot, variables: Variables) -> Answer:
    """Answer a selection in one round trip."""
    going = Run(variables, snapshot)
    going.nonce = _NONCE
    statement = plan.prepared(going)
    params: list[Value] = [get(going) for get in statement.getters]
    row = await snapshot.engine.fetch_row(snapshot.namespace, statement.sql, params)
    parts = [plan.pieces[0]]
    for value, piece in zip(row, plan.pieces[1:], strict=False):  # the row's last column is the version
        parts.append(b"null" if value is None else value if isinstance(value, bytes) else value.encode())
        parts.append(piece)
    data = b"".join(parts)
    if statement.marks:
        data = _sealed(data, going.digests or list_digests(statement.contexts, going), snapshot)
    return Answer(data, int(row[-1]))


def _write(
    selection: Selection, catalog: Catalog, grants: GrantSet, dialect: Dialect, limits: Limits, pattern: Pattern
) -> Statement:
    planning = Planning(catalog, Gate(catalog, grants, dialect), limits, pattern)
    columns: list[ColumnElement[Any]] = [
        labelled(root_column(root, planning), f"r{index}")
        for index, root in enumerate(selection.roots)
        if not isinstance(root, RootTypeName)
    ]
    version = labelled(column(_HEAD, "catalog_version", sa.BigInteger()), "v")
    head = sa.table("_head", schema=NAMESPACE).alias(_HEAD)
    compiled = compile_with_constants(sa.select(*columns, version).select_from(head), dialect)
    if not fits_parser(compiled.sql, dialect):
        raise PlanTooDeep(Text("This query is nested too deep for one statement", "该查询嵌套过深，无法合成一条语句"))
    getters = tuple(planning.binds.getter(name, compiled.constants) for name in compiled.sql.binds)
    return Statement(
        compiled.sql,
        getters,
        tuple(planning.checks),
        tuple(planning.slots),
        tuple(planning.contexts),
        planning.marks,
    )


def _pieces(selection: Selection) -> tuple[bytes, ...]:
    """The literal bytes before each column, and after the last."""
    pieces = [b"{"]
    for index, root in enumerate(selection.roots):
        pieces[-1] += (b"," if index else b"") + dump(root.key) + b":"
        if isinstance(root, RootTypeName):
            pieces[-1] += dump(root.value)
        else:
            pieces.append(b"")
    pieces[-1] += b"}"
    return tuple(pieces)


def _opened(slot: Slot, run: Run, context: bytes) -> Sequence[Any]:
    return position_values(run.snapshot.sealer.open(slot.read(run.variables), context), slot.types)


def _sealed(data: bytes, digests: Sequence[bytes], snapshot: Snapshot) -> bytes:
    seal = snapshot.sealer.seal

    def replace(match: re.Match[bytes]) -> bytes:
        return seal(position_bytes(orjson.loads(bytes.fromhex(match[2].decode()))), digests[int(match[1])])

    return _MARK.sub(replace, data)
