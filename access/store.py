"""How access writes: a draft is prepared from what was read, becomes one Batch, and is prepared again when overtaken.

Every write of this room moves `_head.access_version`, and moves it from the value that the draft was prepared at. So
writes to members, teams, roles and tokens follow one another, closures never meet half of another's move, and nobody
needs to lock a row: these writes are rare.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from access.actor import Actor
from access.resolve import Resolver, RoleBook
from access.table import Query, Row, Table, parameter
from base.clock import now, timestamp
from base.errors import Conflict, Fault, SchemaChanged, Text
from base.ids import new_id
from storage.batch import (
    NAMESPACE,
    Applied,
    Batch,
    CatalogMoved,
    Cause,
    ChangeRow,
    Guard,
    GuardFailed,
    NotUnique,
    Statement,
    Update,
)
from storage.engine import Engine
from storage.sql import constant
from storage.types import BIGINT, ColumnType

ATTEMPTS = 5
"""So often is a draft prepared in all; more means a storm of access writes, and the caller may come again."""

_HEAD = sa.table("_head", sa.column("id", sa.Integer()), sa.column("access_version", sa.BigInteger()), schema=NAMESPACE)
_READ_VERSION = Query(
    sa.select(_HEAD.c.access_version).where(_HEAD.c.id == constant(1)), columns={"access_version": BIGINT}
)
_MOVE_VERSION = Query(
    sa.update(_HEAD)
    .where(_HEAD.c.id == constant(1), _HEAD.c.access_version == parameter("seen", BIGINT))
    .values(access_version=_HEAD.c.access_version + constant(1)),
    params={"seen": BIGINT},
)
_OVERTAKEN = "access version"


def _ignore(namespace: str) -> None:
    """Nobody wants to know of a commit."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Where a write goes and who makes it. `actor` None is the system: command line, demo, start-up.

    `book` and `version` are the head catalog that roles are read from. `columns` names the company's own columns of
    `member` and `team`, so that images in the log are whole. `committed` is told the namespace after each commit.
    """

    engine: Engine
    namespace: str
    book: RoleBook
    version: int | None
    actor: Actor | None = None
    resolver: Resolver = field(default_factory=Resolver)
    columns: Mapping[str, Mapping[str, ColumnType]] = field(default_factory=dict)
    committed: Callable[[str], None] = _ignore

    def require(self, right: str) -> None:
        """Raise `Forbidden` unless the actor has a platform right; the system has all."""
        if self.actor is not None:
            self.actor.require(right)

    @property
    def actor_id(self) -> str | None:
        """The acting member, None for the system."""
        return None if self.actor is None else self.actor.member_id


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write: the id that it is about, or the faults that stopped it."""

    id: str | None
    faults: tuple[Fault, ...] = ()


class Draft:
    """A write of access while it is being prepared. Faults stop it; refusals come from the transaction."""

    def __init__(self, writer: Writer, seen: int) -> None:
        self.writer = writer
        self.at: datetime = now()
        self.id: str | None = None
        self.faults: list[Fault] = []
        self.guards: list[Guard] = []
        self.refusals: dict[str, Fault] = {}
        self.changes: list[ChangeRow] = []
        self.statements: list[Statement] = [
            _MOVE_VERSION.execute(writer.engine.dialect, expect_rows=1, token=_OVERTAKEN, seen=seen)
        ]

    def fault(self, path: tuple[str, ...], code: str, en: str, zh: str) -> None:
        """Note a mistake that the caller can mend."""
        self.faults.append(Fault(path, code, Text(en, zh)))

    def insert(self, table: Table, *rows: Row) -> None:
        """New rows of one table; nothing when there are none."""
        if rows:
            self.statements.append(table.insert(rows, self.writer.engine.dialect))

    def execute(self, query: Query, **values: Any) -> None:
        """Any other statement."""
        self.statements.append(query.execute(self.writer.engine.dialect, **values))

    def create_record(self, table: Table, row: Row) -> None:
        """A new row of an entity's table, with its change event. `row` has all columns."""
        self.insert(table, row)
        self._log(table.name, str(row["id"]), "CREATED", 1, tuple(row), None, table.image(row))

    def update_record(self, table: Table, old: Row, changed: Row, op: str = "UPDATED") -> None:
        """Change columns of an entity's row, with its change event; nothing when no value differs."""
        real = {name: value for name, value in changed.items() if old[name] != value}
        if not real:
            return
        version = int(old["version"]) + 1
        stamped = {**real, "version": version, "updated_at": self.at, "updated_by": self.writer.actor_id}
        names, kinds, values = table.encoded(stamped, self.writer.engine.dialect)
        record_id = str(old["id"])
        self.statements.append(Update(table.name, record_id, int(old["version"]), names, kinds, values, _OVERTAKEN))
        before = table.image(old if op == "DELETED" else {name: old[name] for name in stamped})
        self._log(table.name, record_id, op, version, tuple(real), before, table.image({**old, **stamped}))

    def note(self, table: Table, subject: str, before: Row | None, after: Row | None) -> None:
        """An access event: what of `subject` (a member, a token) was before and is after, in one of our own tables."""
        changed = tuple(sorted({*(before or {}), *(after or {})}))
        images = [None if image is None else table.image(image) for image in (before, after)]
        self._log(table.name, subject, ACCESS, 0, changed, images[0], images[1])

    def batch(self) -> Batch:
        """The write as a value."""
        return Batch(
            at=timestamp(self.at),
            transaction_id=new_id(),
            cause=Cause(self.writer.actor_id, "request" if self.writer.actor else "system"),
            catalog_version=self.writer.version,
            guards=tuple(self.guards),
            statements=tuple(self.statements),
            changes=tuple(self.changes),
        )

    def _log(
        self,
        entity: str,
        record_id: str,
        op: str,
        version: int,
        changed: tuple[str, ...],
        before: Mapping[str, object] | None,
        after: Mapping[str, object] | None,
    ) -> None:
        self.changes.append(ChangeRow(new_id(), entity, record_id, op, version, changed, before, after))  # type: ignore[arg-type]


ACCESS = "ACCESS"
"""The `op` of events about roles, team membership and tokens; their `entity` is the platform table, `_member_role`."""


async def write(writer: Writer, prepare: Callable[[Draft], Awaitable[None]]) -> Written:
    """Prepare a draft and apply it; again when another access write came between.

    Raises `SchemaChanged` when a publish came between (the caller takes the new catalog and tries again), `Conflict`
    when others are always faster.
    """
    for _ in range(ATTEMPTS):
        seen = await _READ_VERSION.rows(writer.engine, writer.namespace)
        draft = Draft(writer, seen[0]["access_version"])
        await prepare(draft)
        if draft.faults:
            return Written(None, tuple(draft.faults))
        outcome = await writer.engine.apply(writer.namespace, draft.batch())
        match outcome:
            case Applied():
                writer.committed(writer.namespace)
                return Written(draft.id)
            case NotUnique(index):
                return Written(None, (_not_unique(draft, index),))
            case GuardFailed(token) if token in draft.refusals:
                return Written(None, (draft.refusals[str(token)],))
            case CatalogMoved(version):
                text = Text("Another version was published meanwhile; try again", "期间已发布新版本，请重试")
                raise SchemaChanged(text, {"version": version})
    raise Conflict(Text("Access is being changed by others; try again", "其他人正在修改权限数据，请重试"))


def _not_unique(draft: Draft, index: str) -> Fault:
    known = draft.refusals.get("unique")
    return known or Fault((), "NOT_UNIQUE", Text("This value is already taken", "该值已被占用"), {"index": index})
