"""Planning: what is gathered while one statement is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from base.errors import BadInput, LimitExceeded, Text
from base.json import dump
from base.limits import Limits
from metadata.catalog import Catalog
from records.alias import Alias, Names
from records.binds import Binds, Run, Variables, reader
from records.gate import Gate
from records.reading.filters import Filters
from records.selection import Constant, Term
from storage.engine import Dialect
from storage.types import ColumnType

Pattern = Mapping[int, tuple[bool, ...]]
"""Which values of a given cursor are null, by the cursor's slot: other patterns need other SQL."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A cursor argument: how to find its text, and the types of the values in it."""

    read: Callable[[Variables], Any]
    types: tuple[ColumnType, ...]
    context: int  # the list that it belongs to


@dataclass(frozen=True, slots=True)
class Context:
    """What a list is, for its cursors: a fixed part, and one that holds the run's filter and search."""

    fixed: Any
    read: Callable[[Variables], Any]


@dataclass
class Planning:
    """The state of writing one statement: names, parameters, checks and cursors found on the way."""

    catalog: Catalog
    gate: Gate
    limits: Limits
    pattern: Pattern
    names: Names = field(default_factory=Names)
    checks: list[Callable[[Run], None]] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    contexts: list[Context] = field(default_factory=list)
    marks: bool = False  # whether the answer holds cursors to be sealed

    def __post_init__(self) -> None:
        self.binds = Binds(self.gate.dialect, self.limits)
        self.filters = Filters(self.gate, self.binds)

    @property
    def dialect(self) -> Dialect:
        """The SQL that is written."""
        return self.gate.dialect

    def alias(self, entity: str, *, one: bool = False) -> Alias:
        """A new occurrence of an entity's table, perhaps for `one` of its rows."""
        return Alias(self.catalog.entities[entity], self.names.next("t"), self.names, one=one)

    def check_range(self, term: Term, name: str, maximum: int) -> None:
        """See to it that a page argument is within bounds: now for a constant, else when the plan runs."""
        if isinstance(term, Constant):
            check_range(term.value, name, maximum)
            return
        read = reader(term)
        self.checks.append(lambda run: check_range(read(run.variables), name, maximum))


def check_range(value: Any, name: str, maximum: int) -> None:
    """Raise `BadInput` for what is no count, `LimitExceeded` for what is above the limit."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInput(Text(f"'{name}' must be 0 or more", f"“{name}”必须大于等于 0"))
    if value > maximum:
        raise LimitExceeded(Text(f"'{name}' is at most {maximum}", f"“{name}”最大为 {maximum}"))


def list_digests(contexts: Sequence[Context], run: Run) -> list[bytes]:
    """What each list is in this run, hashed: company, grants, order, filter with its values, search."""
    snapshot = run.snapshot
    who = [snapshot.namespace, snapshot.actor.grants.hash]
    return [hashlib.sha256(dump([*who, context.fixed, context.read(run.variables)])).digest() for context in contexts]
