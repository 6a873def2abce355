"""The type lattice and the two things the language asks of its surroundings: names (`Scope`), columns (`Columns`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol, TypeAlias

from sqlalchemy.sql import ColumnElement

Dialect: TypeAlias = Literal["postgresql", "sqlite"]
"""Which SQL is written (the names of `storage.engine.Dialect`, a room on the same floor)."""


class Type(StrEnum):
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
    """A column, parameter or computed value of the SQL back end. It may stand anywhere in the expression's SQL, once.

    DECIMAL: on SQLite the clause is an integer scaled by 10**`scale`, on PostgreSQL a numeric, of 18 digits at most.
    A `computed` DECIMAL or INTEGER has up to 28 digits, at most `scale` of them behind the point: on SQLite it is the
    canonical text of `base.decimals`, on PostgreSQL a numeric. `expressions.stored` gives a column's form back.

    LIST: on PostgreSQL the clause is an array, `text[]`, or `uuid[]` with `element=Type.ID`; on SQLite it is the text
    of a JSON array of strings. A list of the actor (`actor.teamIds`, `actor.roles`) is one parameter of that form:
    `sa.bindparam("actor_teamIds", type_=ARRAY(Uuid(as_uuid=False)))` on PostgreSQL, a text parameter on SQLite.

    `nullable=False` promises that the clause is never null: `ownerId == actor.id` then stays a plain `=` that an
    index serves. A parameter on PostgreSQL should be typed by a cast where its place does not type it.
    """

    clause: ColumnElement[Any]
    type: Type
    scale: int = 0
    nullable: bool = True
    element: Type = Type.TEXT
    computed: bool = False


class Columns(Protocol):
    """Where names stand in the SQL being written."""

    def column(self, path: tuple[str, ...]) -> SqlValue:
        """The value at a path (`("account", "sector")`); a to-one path becomes a correlated scalar sub-select."""
