"""Publications: publishes that take longer than one transaction may, as rows that tell how far they are.

    PREPARING --> ACTIVE
        |-------> FAILING ----> FAILED      (rows stood against it)
        '-------> CANCELLING -> CANCELLED   (somebody did not want it any more)

One at a time in a company is open (its `slot` is 1). Until it is ACTIVE nothing that a served version names has been
touched; what it had added is removed again when it fails or is cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.clock import now
from base.errors import Fault, Text
from base.ids import new_id
from base.json import Json
from storage import ddl
from storage.batch import ChangeRow, Execute, Expect, Guard, Insert
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import INTEGER, JSON, TEXT, TIMESTAMP, UUID

PUBLICATION: Final = "publication"
"""The `entity` of change events about publications."""

OPEN_GUARD: Final = "a publication is open"
"""The token of the guard that no publication is open."""

ENDED_GUARD: Final = "the publication is no longer in this state"
"""The token of statements that find a publication in another state than they were made for."""


class State(StrEnum):
    """Where a publication stands."""

    PREPARING = "PREPARING"
    ACTIVE = "ACTIVE"
    FAILING = "FAILING"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"


OPEN: Final = frozenset({State.PREPARING, State.FAILING, State.CANCELLING})
"""States in which there is still something to be done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a publication is; kept with each step, so that another process can take it up.

    `done` names finished steps, `cursors` the last id of each fill under way, `position` the place in the log up to
    which changed rows have been filled again, `lost` (field path -> count and sample ids) the values that found no
    place in their new type.
    """

    done: tuple[str, ...] = ()
    step: str = ""
    cursors: Mapping[str, str] = field(default_factory=dict)
    rows_done: int = 0
    rows_total: int = 0
    position: int | None = None
    lost: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)

    def image(self) -> Mapping[str, Json]:
        """As JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in _fields(self).items()}

    @classmethod
    def of(cls, image: Mapping[str, Any]) -> Progress:
        """Out of JSON."""
        return cls(**{**image, "done": tuple(image.get("done", ()))})


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication. `version` is the one that it became; `faults` are what it failed by."""

    id: str
    state: State
    base_version: int
    version: int | None
    author_id: str | None
    created_at: datetime
    updated_at: datetime
    progress: Progress
    faults: tuple[Fault, ...] = ()

    @property
    def open(self) -> bool:
        """Whether there is still something to be done."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Target:
    """What a publication is to become: documents, physical map, and the losses that are meant.

    `change_set` is the JSON of `metadata.changesets.Seen`, where one is published.
    """

    documents: tuple[Mapping[str, Json], ...]
    physical: Mapping[str, Json]
    allow_loss: tuple[str, ...]
    moved: tuple[tuple[str, str], ...] = ()
    change_set: Mapping[str, Json] | None = None


_TABLE = Table(
    "_publication",
    {
        "id": UUID,
        "slot": INTEGER,
        "state": TEXT,
        "base_version": INTEGER,
        "version": INTEGER,
        "author_id": UUID,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "target": JSON,
        "progress": JSON,
        "faults": JSON,
    },
)
_NULLABLE: Final = {"slot", "version", "author_id", "faults"}


def _create(dialect: Dialect) -> list[str]:
    columns = [(name, kind, name not in _NULLABLE) for name, kind in _TABLE.columns.items()]
    return [
        *ddl.create_table(_TABLE.name, columns, ["id"], dialect),
        *ddl.create_index("_publication_slot", _TABLE.name, ["slot"], dialect, unique=True),
    ]


MIGRATIONS = (Migration(402, "publications", _create),)
"""The fixed table of publications in every company."""

_own = _TABLE.clause
_shown = {name: kind for name, kind in _TABLE.columns.items() if name not in ("target", "slot")}
_selected = sa.select(*[_own.c[name] for name in _shown])
_ONE = Query(_selected.where(_own.c["id"] == parameter("id", UUID)), {"id": UUID}, _shown)
_LIST = Query(
    _selected.order_by(_own.c["created_at"].desc(), _own.c["id"].desc()).limit(parameter("first", INTEGER)),
    {"first": INTEGER},
    _shown,
)
_OPEN = Query(_selected.where(_own.c["slot"].is_not(None)), columns=_shown)
_TARGET = Query(
    sa.select(_own.c["target"]).where(_own.c["id"] == parameter("id", UUID)), {"id": UUID}, {"target": JSON}
)
_NONE_OPEN = Query(sa.select(sa.literal_column("1")).select_from(_own).where(_own.c["slot"].is_not(None)))
_CHANGED = {
    "state": TEXT,
    "slot": INTEGER,
    "version": INTEGER,
    "updated_at": TIMESTAMP,
    "progress": JSON,
    "faults": JSON,
}
_MOVE = Query(
    sa.update(_own)
    .where(_own.c["id"] == parameter("own_id", UUID), _own.c["state"] == parameter("from_state", TEXT))
    .values({name: parameter(name, kind) for name, kind in _CHANGED.items()}),
    {"own_id": UUID, "from_state": TEXT, **_CHANGED},
)


async def find_publication(engine: Engine, namespace: str, id: str) -> Publication | None:
    """One publication."""
    return next(iter(_read(await _ONE.rows(engine, namespace, id=id))), None)


async def list_publications(engine: Engine, namespace: str, first: int) -> tuple[Publication, ...]:
    """Publications, newest first."""
    return _read(await _LIST.rows(engine, namespace, first=first))


async def open_publication(engine: Engine, namespace: str) -> Publication | None:
    """The one that is under way, if any."""
    return next(iter(_read(await _OPEN.rows(engine, namespace))), None)


async def load_target(engine: Engine, namespace: str, id: str) -> Target:
    """What a publication is to become."""
    (row,) = await _TARGET.rows(engine, namespace, id=id)
    found = row["target"]
    moved = tuple((entity, name) for entity, name in found["moved"])
    documents, losses = tuple(found["documents"]), tuple(found["allowLoss"])
    return Target(documents, found["physical"], losses, moved, found.get("changeSet"))


def begun(base_version: int, author_id: str | None) -> Publication:
    """A publication that is about to be prepared."""
    at = now()
    return Publication(new_id(), State.PREPARING, base_version, None, author_id, at, at, Progress())


def insert(item: Publication, target: Target, dialect: Dialect) -> Insert:
    """The statement that puts it there; another open one makes the Batch `NotUnique`."""
    body = {
        "documents": list(target.documents),
        "physical": target.physical,
        "allowLoss": list(target.allow_loss),
        "moved": [list(pair) for pair in target.moved],
        "changeSet": target.change_set,
    }
    row = {
        "id": item.id,
        "slot": 1,
        "state": str(item.state),
        "base_version": item.base_version,
        "author_id": item.author_id,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "target": body,
        "progress": item.progress.image(),
    }
    return _TABLE.insert([row], dialect)


def none_open(dialect: Dialect) -> Guard:
    """The condition that no publication is under way."""
    return _NONE_OPEN.guard(dialect, OPEN_GUARD, Expect.NO_ROW)


def move(before: Publication, after: Publication, dialect: Dialect) -> Execute:
    """The statement that takes a publication from one state of its own to the next, or notes its progress."""
    return _MOVE.execute(
        dialect,
        1,
        ENDED_GUARD,
        own_id=before.id,
        from_state=str(before.state),
        state=str(after.state),
        slot=1 if after.open else None,
        version=after.version,
        updated_at=now(),
        progress=after.progress.image(),
        faults=[_fault_image(fault) for fault in after.faults] or None,
    )


def event(before: Publication | None, after: Publication) -> ChangeRow:
    """What the log tells of a publication that begins or changes its state."""
    op = "CREATED" if before is None else "UPDATED"
    shown = None if before is None else _image(before)
    return ChangeRow(new_id(), PUBLICATION, after.id, op, 1 if before is None else 2, ("state",), shown, _image(after))


def with_progress(item: Publication, **changes: Any) -> Publication:
    """The same with other progress."""
    return replace(item, progress=replace(item.progress, **changes))


def _image(item: Publication) -> Mapping[str, Json]:
    return {"state": str(item.state), "baseVersion": item.base_version, "version": item.version}


def _read(rows: Sequence[Mapping[str, Any]]) -> tuple[Publication, ...]:
    return tuple(
        Publication(
            **{
                **row,
                "state": State(row["state"]),
                "progress": Progress.of(row["progress"]),
                "faults": tuple(_fault_of(fault) for fault in row["faults"] or ()),
            }
        )
        for row in rows
    )


def _fields(item: Progress) -> dict[str, Any]:
    return {name: getattr(item, name) for name in Progress.__slots__}


def _fault_image(fault: Fault) -> Mapping[str, Json]:
    text = {"en": fault.text.en, "zh": fault.text.zh}
    return {"path": list(fault.path), "code": fault.code, "text": text, "details": dict(fault.details)}


def _fault_of(image: Mapping[str, Any]) -> Fault:
    text = Text(image["text"]["en"], image["text"]["zh"])
    return Fault(tuple(image["path"]), image["code"], text, image["details"])
