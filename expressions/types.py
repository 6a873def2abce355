"""The type lattice and the two things the language asks of its surroundings: names (`Scope`), columns (`Columns`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from sqlalchemy.sql import ColumnElement


class Type(str, Enum):
    """Types of expressions. INTEGER widens to DECIMAL and FLOAT; NULL fits everywhere."""

    NULL = "null"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    DATE = "date"
    DATETIME = "dateTime"
    TIME = "time"
    ID = "id"
    LIST = "list"  # of texts: choices, tags, ids
    JSON = "json"


class Scope(Protocol):
    """What names mean where an expression stands."""

    def type_of(self, name: str) -> Type | None:
        """The type of a name, or None when the name is unknown (or only a step)."""

    def step(self, name: str) -> Scope | None:
        """The scope behind a to-one name (`account`, `actor`), or None."""

    def names(self) -> Iterable[str]:
        """All names, for hints."""


@dataclass(frozen=True, slots=True)
class SqlValue:
    """A column or parameter for the SQL back end.

    `scale` is given for decimals: on SQLite the clause is an integer scaled by 10**scale, on PostgreSQL a numeric.
    """

    clause: ColumnElement[object]
    type: Type
    scale: int = 0


class Columns(Protocol):
    """Where names stand in the SQL being written."""

    def column(self, path: tuple[str, ...]) -> SqlValue:
        """The value at a path (`("account", "sector")`); a to-one path becomes a correlated scalar sub-select."""
