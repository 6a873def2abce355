"""The trash: columns, link tables and tables that documents no longer name, kept with their values for a while.

What comes back under its name while it is there gets its values back, so a rollback loses nothing. A job drops what
has been there for `limits.trash_days`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.json import Json
from storage import ddl
from storage.batch import Execute, Expect, Guard, Insert
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import INTEGER, JSON, TEXT, TIMESTAMP, UUID


class Kept(StrEnum):
    """What a piece of trash is in the database."""

    ENTITY = "entity"  # a table, with everything that its physical entry names
    FIELD = "field"  # columns of a table
    LINK = "link"  # a link table


@dataclass(frozen=True, slots=True)
class Trashed:
    """One thing in the trash.

    `path` is its name when it was removed, `opportunity` or `opportunity.amount`; `table` the entity's table. `entry`
    is its part of the physical map: the entity's entry, the field's columns, or the link table's name. `holds` tells
    what is in them, by field (`holding`); None where a former release has put it there.
    """

    id: str
    kind: Kept
    path: str
    table: str
    entry: Any
    removed_version: int
    removed_at: datetime
    drop_after: datetime
    holds: Mapping[str, str] | None = None

    @property
    def field(self) -> str:
        """The name of a field or link without its entity's."""
        return self.path.rpartition(".")[2]


class Trash:
    """All of a company's trash, looked up by name; of things of one name the newest counts."""

    def __init__(self, items: Iterable[Trashed] = ()) -> None:
        self.items = tuple(sorted(items, key=lambda item: (item.removed_at, item.id), reverse=True))

    def entity(self, name: str) -> Trashed | None:
        """A removed entity; its `entry` is the physical one."""
        return self._find(Kept.ENTITY, lambda item: item.path == name)

    def columns(
        self, table: str, name: str, kinds: Sequence[tuple[str, int]], holds: str
    ) -> Sequence[Mapping[str, Any]] | None:
        """The columns of a removed field, when they are of these kinds (kind, scale) and hold the same."""

        def fits(item: Trashed) -> bool:
            same = item.table == table and item.field == name and held(item.holds, name, holds)
            return same and column_kinds(item.entry) == list(kinds)

        found = self._find(Kept.FIELD, fits)
        return None if found is None else found.entry

    def link(self, table: str, name: str, holds: str) -> str | None:
        """The link table of a removed relation that held the same."""
        found = self._find(
            Kept.LINK, lambda item: item.table == table and item.field == name and held(item.holds, name, holds)
        )
        return None if found is None else str(found.entry)

    def _find(self, kind: Kept, fits: Callable[[Trashed], bool]) -> Trashed | None:
        return next((item for item in self.items if item.kind is kind and fits(item)), None)


NO_TRASH: Final = Trash()

GONE: Final = "the trash has gone"
"""The token of what finds a piece of trash no longer there."""

TRASH: Final = "trash"
"""The `entity` of change events about what was dropped for ever."""


def holding(type_name: str, target: str | None) -> str:
    """What a field's values are: a text that two fields share when one can take the other's values as they are.

    `target` is the table that a relation leads to.
    """
    return type_name if target is None else f"{type_name} {target}"


def held(holds: Mapping[str, str] | None, name: str, wanted: str) -> bool:
    """Whether what was kept of a field is what is wanted; nobody knows of what a former release has kept."""
    return holds is None or holds.get(name) == wanted


def column_kinds(listed: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """(kind, scale) of each column of a physical map."""
    return [(column["kind"], column.get("scale", 0)) for column in listed]


_TABLE = Table(
    "_trash",
    {
        "id": UUID,
        "kind": TEXT,
        "path": TEXT,
        "table_name": TEXT,
        "entry": JSON,
        "removed_version": INTEGER,
        "removed_at": TIMESTAMP,
        "drop_after": TIMESTAMP,
        "holds": JSON,
    },
)


def _create(dialect: Dialect) -> list[str]:
    columns = [(name, kind, True) for name, kind in _TABLE.columns.items() if name != "holds"]
    return ddl.create_table(_TABLE.name, columns, ["id"], dialect)


def _tell_what_it_holds(dialect: Dialect) -> list[str]:
    return ddl.add_column(_TABLE.name, "holds", JSON, dialect)


MIGRATIONS = (Migration(401, "trash", _create), Migration(404, "what the trash holds", _tell_what_it_holds))
"""The fixed table of the trash in every company."""

_own = _TABLE.clause
_ALL = Query(sa.select(*[_own.c[name] for name in _TABLE.columns]), columns=_TABLE.columns)
_LIES = Query(
    sa.select(sa.literal_column("1")).select_from(_own).where(_own.c["id"] == parameter("id", UUID)), {"id": UUID}
)
_FORGET = Query(sa.delete(_own).where(_own.c["id"] == parameter("id", UUID)), {"id": UUID})


async def find_trashed(engine: Engine, namespace: str, id: str) -> Trashed | None:
    """One thing, None when it came back or is gone."""
    return next((item for item in (await load_trash(engine, namespace)).items if item.id == id), None)


async def load_trash(engine: Engine, namespace: str) -> Trash:
    """What is in a company's trash now."""
    rows = await _ALL.rows(engine, namespace)
    return Trash(Trashed(**{**_renamed(row), "kind": Kept(row["kind"])}) for row in rows)


def put(items: Sequence[Trashed], dialect: Dialect) -> tuple[Insert, ...]:
    """The statement that puts things there."""
    if not items:
        return ()
    names = {"table_name": "table"}
    rows = [{name: getattr(item, names.get(name, name)) for name in _TABLE.columns} for item in items]
    return (_TABLE.insert([{**row, "kind": str(row["kind"])} for row in rows], dialect),)


def lies(item: Trashed, dialect: Dialect) -> Guard:
    """The condition that one thing still lies there; else `GONE`."""
    return _LIES.guard(dialect, GONE, Expect.ROW, id=item.id)


def take(item: Trashed, dialect: Dialect) -> Execute:
    """The statement that takes one thing out, because it came back or was dropped; `GONE` fails where it is not."""
    return _FORGET.execute(dialect, 1, GONE, id=item.id)


def drop_ddl(item: Trashed, dialect: Dialect) -> list[str]:
    """The statements that remove it from the database for ever."""
    match item.kind:
        case Kept.ENTITY:
            tables = (item.table, *item.entry["links"].values())
            return [text for table in tables for text in ddl.drop_table(str(table), dialect)]
        case Kept.LINK:
            return ddl.drop_table(str(item.entry), dialect)
        case Kept.FIELD:
            names = [str(column["name"]) for column in item.entry]
            return [text for name in names for text in ddl.drop_column(item.table, name, dialect)]


def image(item: Trashed) -> Mapping[str, Json]:
    """What events tell of a piece of trash."""
    return {"kind": str(item.kind), "path": item.path, "removedVersion": item.removed_version}


def _renamed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {("table" if name == "table_name" else name): value for name, value in row.items()}
