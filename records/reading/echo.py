"""Echoes: a record that was just written, shown from the image that its event carries instead of being read again.

An echo is given only where it is surely what the read path would say: plain fields of the record itself, whose JSON
in the image is the database's own, and a row that a grant covers for a reason that needs no look-up: all rows, own
rows, rows of the actor's own teams. Everything else is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from access.actor import Actor
from access.grant import Grant, GrantSet, Operation, Rows
from base.json import Json, dump
from metadata.catalog import Catalog, Entity
from records.selection import Record, Scalar, TypeName
from records.surface import ALWAYS_READABLE, HIDDEN_FIELDS

ECHOED: Final = frozenset({"text", "integer", "bigint", "decimal", "boolean", "date", "time", "timestamp", "uuid"})
"""Kinds of columns whose image is, byte for byte, what both engines write into JSON."""


@dataclass(frozen=True, slots=True)
class _Cover:
    """A grant to read: when it covers a row, and which of the fields that are asked for it then covers."""

    all: bool
    own: bool
    team: bool
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Echo:
    """How one record of a payload is shown from its image. Made once per selection, catalog and grants."""

    items: tuple[tuple[str, str | None, Json], ...]  # response key, column (None: a constant), the constant
    asked: frozenset[str]
    covers: tuple[_Cover, ...]
    owner: str
    team: str
    deleted: str

    def show(self, image: Mapping[str, Json], actor: Actor) -> bytes | None:
        """The JSON of the record for the actor; None: it has to be read."""
        if image[self.deleted] is not None:
            return None
        own = image[self.owner] == actor.member_id
        mine = image[self.team] in actor.team_ids
        covered: frozenset[str] | None = None
        for cover in self.covers:
            if cover.all or (own and cover.own) or (mine and cover.team):
                covered = cover.fields if covered is None else covered | cover.fields
        if covered is None or not self.asked <= covered:
            return None
        return dump({key: constant if column is None else image[column] for key, column, constant in self.items})


def compile_echo(record: Record, catalog: Catalog, grants: GrantSet) -> Echo | None:
    """The echo of a selection; None where it holds more than plain fields, so that it is always read."""
    entity = catalog.entities[record.entity]
    reading = [grant for grant in grants.of(entity.name, Operation.READ) if grant.rows]
    items: list[tuple[str, str | None, Json]] = []
    asked: set[str] = set()
    for item in record.items:
        if isinstance(item, TypeName):
            items.append((item.key, None, item.value))
            continue
        field = entity.by_api_name[item.field] if isinstance(item, Scalar) else None
        if field is None or field.column.type.kind not in ECHOED:
            return None
        if field.name in ALWAYS_READABLE:
            items.append((item.key, field.column.name, None))
        elif field.write_only or field.name in HIDDEN_FIELDS or _is_hidden(field.name, reading):
            items.append((item.key, None, None))
        else:
            items.append((item.key, field.column.name, None))
            asked.add(field.name)
    covers = tuple(_cover(grant, asked) for grant in reading)
    return Echo(
        tuple(items), frozenset(asked), covers, *(_column(entity, name) for name in ("owner", "team", "deletedAt"))
    )


def _is_hidden(name: str, reading: list[Grant]) -> bool:
    return all(grant.fields.right(name) is False for grant in reading)


def _cover(grant: Grant, asked: set[str]) -> _Cover:
    rows = grant.rows
    return _Cover(
        Rows.ALL in rows,
        Rows.OWN in rows,
        Rows.TEAM in rows or Rows.TEAM_DOWN in rows,  # every team is above itself
        frozenset(name for name in asked if grant.fields.right(name) is True),
    )


def _column(entity: Entity, name: str) -> str:
    return entity.fields[name].column.name
