"""Change sets: documents that admins are working on, kept on the server until they are published or discarded.

`_change_set` has a row per set, `_change_set_document` one per document touched in it. A draft is no event (nobody is
served by it); that a set was published or discarded is one. Each edit moves the set's version, and in the same
transaction finds the set open; each document has a version of its own, so that two admins who edit the same one meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.clock import now, timestamp
from base.ids import new_id
from base.json import Json
from storage.batch import Applied, Batch, Cause, ChangeRow, Outcome, Statement
from storage.ddl import ColumnSpec, create_table
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.sql import constant
from storage.types import INTEGER, JSON, TEXT, TEXTS, TIMESTAMP, UUID, ColumnType

EVENT: Final = "changeSet"
"""The `entity` of their change events; the record id is the set's id."""

SET_MOVED: Final = "change set"
"""The token of a write that found the set published, discarded, or (where that was asked) edited meanwhile."""

DOCUMENT_MOVED: Final = "document"
"""The token of a write that found a document of the set edited meanwhile."""


_MARK_ATTEMPTS: Final = 4
"""So often a set is marked while others edit it; after that its drafts show as conflicts, which merge."""


class SetState(StrEnum):
    """What has become of a change set."""

    OPEN = "open"
    PUBLISHED = "published"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set without its documents. `base_version` is the head that it was begun or last rebased on.

    `author_id` None is the system. `version` counts edits. `published_version` is the head that it has become.
    """

    id: str
    name: str
    base_version: int
    author_id: str | None
    state: SetState
    version: int
    allow_loss: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    updated_by: str | None
    published_version: int | None


@dataclass(frozen=True, slots=True)
class DocumentDraft:
    """A document as it is meant to be: `draft` None removes it. `base` is the head's when it was first touched.

    `base` is None for a document that is new; one that renames another has that one as its base.
    """

    kind: str
    name: str
    base: Mapping[str, Json] | None
    draft: Mapping[str, Json] | None
    version: int
    author_id: str | None
    updated_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name of the draft."""
        return self.kind, self.name

    @property
    def base_key(self) -> tuple[str, str]:
        """Kind and name of what it changes."""
        return self.kind, self.name if self.base is None else str(self.base["name"])


_SETS = Table(
    "_change_set",
    {
        "id": UUID,
        "name": TEXT,
        "base_version": INTEGER,
        "author_id": UUID,
        "state": TEXT,
        "version": INTEGER,
        "allow_loss": TEXTS,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "updated_by": UUID,
        "published_version": INTEGER,
    },
)
_DRAFTS = Table(
    "_change_set_document",
    {
        "change_set_id": UUID,
        "kind": TEXT,
        "name": TEXT,
        "base": JSON,
        "draft": JSON,
        "version": INTEGER,
        "author_id": UUID,
        "updated_at": TIMESTAMP,
    },
)
_NULLABLE = {"author_id", "updated_by", "published_version", "base", "draft"}


def _create(dialect: Dialect) -> list[str]:
    return [
        *create_table(_SETS.name, _specs(_SETS), ["id"], dialect),
        *create_table(_DRAFTS.name, _specs(_DRAFTS), ["change_set_id", "kind", "name"], dialect),
    ]


def _specs(table: Table) -> list[ColumnSpec]:
    return [(name, kind, name not in _NULLABLE) for name, kind in table.columns.items()]


MIGRATIONS = (Migration(430, "change sets", _create),)
"""The fixed tables of every company."""

_set, _draft = _SETS.clause, _DRAFTS.clause
_open = sa.and_(_set.c["id"] == parameter("id", UUID), _set.c["state"] == constant(SetState.OPEN.value))
_row = sa.and_(
    _draft.c["change_set_id"] == parameter("id", UUID),
    _draft.c["kind"] == parameter("kind", TEXT),
    _draft.c["name"] == parameter("name", TEXT),
    _draft.c["version"] == parameter("seen", INTEGER),
)
_ROW: Mapping[str, ColumnType] = {"id": UUID, "kind": TEXT, "name": TEXT, "seen": INTEGER}
_EDITED: Mapping[str, ColumnType] = {"at": TIMESTAMP, "by": UUID}
_edited = {"version": _set.c["version"] + constant(1), "updated_at": parameter("at", TIMESTAMP)}
_edited["updated_by"] = parameter("by", UUID)

_LIST = Query(
    sa.select(*[_set.c[name] for name in _SETS.columns])
    .where(sa.or_(_set.c["state"] == parameter("state", TEXT), parameter("state", TEXT) == constant("")))
    .order_by(_set.c["created_at"].desc(), _set.c["id"].desc())
    .limit(parameter("first", INTEGER)),
    {"state": TEXT, "first": INTEGER},
    _SETS.columns,
)
_FIND = Query(
    sa.select(*[_set.c[name] for name in _SETS.columns]).where(_set.c["id"] == parameter("id", UUID)),
    {"id": UUID},
    _SETS.columns,
)
_shown = {name: kind for name, kind in _DRAFTS.columns.items() if name != "change_set_id"}
_DOCUMENTS = Query(
    sa.select(*[_draft.c[name] for name in _shown])
    .where(_draft.c["change_set_id"] == parameter("id", UUID))
    .order_by(_draft.c["kind"], _draft.c["name"]),
    {"id": UUID},
    _shown,
)
_TOUCH = Query(sa.update(_set).where(_open).values(**_edited), {"id": UUID, **_EDITED})
_SET: Mapping[str, ColumnType] = {
    **{name: _SETS.columns[name] for name in ("name", "allow_loss", "base_version", "state", "published_version")},
    "id": UUID,
    "seen": INTEGER,
    **_EDITED,
}
_CHANGE = Query(
    sa.update(_set)
    .where(_open, _set.c["version"] == parameter("seen", INTEGER))
    .values(
        **{name: parameter(name, _SET[name]) for name in ("name", "allow_loss", "base_version", "published_version")},
        state=parameter("state", TEXT),
        **_edited,
    ),
    _SET,
)
_UPDATE = Query(
    sa.update(_draft)
    .where(_row)
    .values(
        base=parameter("base", JSON),
        draft=parameter("draft", JSON),
        version=_draft.c["version"] + constant(1),
        author_id=parameter("by", UUID),
        updated_at=parameter("at", TIMESTAMP),
    ),
    {**_ROW, "base": JSON, "draft": JSON, **_EDITED},
)
_DELETE = Query(sa.delete(_draft).where(_row), _ROW)


async def list_change_sets(engine: Engine, namespace: str, state: SetState | None, first: int) -> tuple[ChangeSet, ...]:
    """Change sets of one state or of all, newest first."""
    rows = await _LIST.rows(engine, namespace, state="" if state is None else state.value, first=first)
    return tuple(_change_set(row) for row in rows)


async def find_change_set(engine: Engine, namespace: str, set_id: str) -> ChangeSet | None:
    """One change set, or None."""
    rows = await _FIND.rows(engine, namespace, id=set_id)
    return _change_set(rows[0]) if rows else None


async def read_drafts(engine: Engine, namespace: str, set_id: str) -> tuple[DocumentDraft, ...]:
    """The documents of a change set, by kind and name."""
    return tuple(DocumentDraft(**row) for row in await _DOCUMENTS.rows(engine, namespace, id=set_id))


@dataclass(frozen=True, slots=True)
class Seen:
    """A change set as it was when its publish began: its version, and that of each document."""

    id: str
    version: int
    documents: Mapping[tuple[str, str], int]

    def image(self) -> Mapping[str, Json]:
        """As JSON."""
        listed: list[Json] = [[kind, name, version] for (kind, name), version in self.documents.items()]
        return {"id": self.id, "version": self.version, "documents": listed}

    @classmethod
    def of(cls, image: Mapping[str, Any]) -> Seen:
        """Out of JSON."""
        return cls(image["id"], image["version"], {(kind, name): seen for kind, name, seen in image["documents"]})


def seen(found: ChangeSet, drafts: Sequence[DocumentDraft]) -> Seen:
    """What is published of a set."""
    return Seen(found.id, found.version, {item.key: item.version for item in drafts})


async def mark_published(
    engine: Engine,
    namespace: str,
    what: Seen,
    version: int,
    documents: Mapping[tuple[str, str], Mapping[str, Json]],
    author_id: str | None,
) -> None:
    """Mark a set as published with a version, whose documents are given.

    One that was edited meanwhile stays open, over what was published of it.
    """
    for _ in range(_MARK_ATTEMPTS):
        found = await find_change_set(engine, namespace, what.id)
        if found is None or found.state is not SetState.OPEN:
            return
        drafts = await read_drafts(engine, namespace, what.id)
        edit = Edit(engine, author_id, found)
        if found.version == what.version:
            after = replace(found, state=SetState.PUBLISHED, published_version=version)
            edit.change(found, after, drafts)
        else:
            for item in drafts:
                known = what.documents.get(item.key)
                if known == item.version:
                    edit.revert(item)
                elif known is not None:
                    edit.put(item.key, documents.get(item.key), item.draft, item)
        if isinstance(await edit.apply(engine, namespace), Applied):
            return


def _change_set(row: Mapping[str, Any]) -> ChangeSet:
    return ChangeSet(**{**row, "state": SetState(row["state"]), "allow_loss": tuple(row["allow_loss"])})


class Edit:
    """Edits of one change set by one author, to be applied as a whole with `apply`.

    Without `change` they demand only that the set is open, and each its own document's version.
    """

    def __init__(self, engine: Engine, author_id: str | None, found: ChangeSet) -> None:
        self._dialect = engine.dialect
        self._by = author_id
        self._at = now()
        self._id = found.id
        touch = _TOUCH.execute(self._dialect, 1, SET_MOVED, id=found.id, at=self._at, by=author_id)
        self._statements: list[Statement] = [touch]
        self._changes: list[ChangeRow] = []

    def put(self, key: tuple[str, str], base: Json, draft: Json, seen: DocumentDraft | None) -> None:
        """A document's draft (None removes the document), in place of the one that was `seen`."""
        kind, name = key
        if seen is None:
            row = {"change_set_id": self._id, "kind": kind, "name": name, "base": base, "draft": draft, "version": 1}
            stamped = {**row, "author_id": self._by, "updated_at": self._at}
            self._statements.append(_DRAFTS.insert([stamped], self._dialect))
            return
        values = {"id": self._id, "kind": kind, "name": name, "seen": seen.version, "base": base, "draft": draft}
        self._statements.append(_UPDATE.execute(self._dialect, 1, DOCUMENT_MOVED, **values, at=self._at, by=self._by))

    def revert(self, seen: DocumentDraft) -> None:
        """The document is no longer in the set."""
        values = {"id": self._id, "kind": seen.kind, "name": seen.name, "seen": seen.version}
        self._statements.append(_DELETE.execute(self._dialect, 1, DOCUMENT_MOVED, **values))

    def change(self, before: ChangeSet, after: ChangeSet, documents: Sequence[DocumentDraft] = ()) -> None:
        """Change the set itself, which must still be as it was in `before`; a new state is an event."""
        values = {name: getattr(after, name) for name in ("name", "base_version", "published_version")}
        values |= {"allow_loss": list(after.allow_loss), "state": after.state.value}
        self._statements[0] = _CHANGE.execute(
            self._dialect, 1, SET_MOVED, id=self._id, seen=before.version, at=self._at, by=self._by, **values
        )
        if after.state is not before.state:
            images = [
                {"name": item.name, "state": item.state.value, "publishedVersion": item.published_version}
                for item in (before, after)
            ]
            told = {**images[1], "documents": ["/".join(item.key) for item in documents]}
            changed = ("state", "publishedVersion") if after.published_version is not None else ("state",)
            version = before.version + 1
            self._changes.append(ChangeRow(new_id(), EVENT, self._id, "UPDATED", version, changed, images[0], told))

    async def apply(self, engine: Engine, namespace: str) -> Outcome:
        """Do it all, or nothing. `GuardFailed` with one of our tokens and `NotUnique` tell that somebody was faster."""
        return await engine.apply(namespace, _batch(self._at, self._by, self._statements, self._changes))


async def create_change_set(
    engine: Engine, namespace: str, name: str, base_version: int, allow_loss: Sequence[str], author_id: str | None
) -> str:
    """Begin an empty change set; its id."""
    at, made = now(), new_id()
    row = {
        "id": made,
        "name": name,
        "base_version": base_version,
        "author_id": author_id,
        "state": SetState.OPEN.value,
        "version": 1,
        "allow_loss": list(allow_loss),
        "created_at": at,
        "updated_at": at,
        "updated_by": author_id,
        "published_version": None,
    }
    await engine.apply(namespace, _batch(at, author_id, [_SETS.insert([row], engine.dialect)], ()))
    return made


def _batch(at: datetime, author_id: str | None, statements: Sequence[Statement], changes: Sequence[ChangeRow]) -> Batch:
    cause = Cause(author_id, "request" if author_id else "system")
    return Batch(timestamp(at), new_id(), cause, None, statements=tuple(statements), changes=tuple(changes))
