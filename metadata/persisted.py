"""Persisted documents: GraphQL texts that a company has registered, asked for by their hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.clock import now, timestamp
from base.ids import new_id
from storage.batch import Batch, Cause, ChangeRow, Statement
from storage.ddl import create_table
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import TEXT, TIMESTAMP, UUID

EVENT = "persistedDocument"
"""The `entity` of their change events; the record id is the document's id."""

_TABLE = Table("_persisted", {"id": TEXT, "name": TEXT, "text": TEXT, "created_at": TIMESTAMP, "created_by": UUID})


def _create(dialect: Dialect) -> list[str]:
    optional = {"name", "created_by"}
    columns = [(name, type_, name not in optional) for name, type_ in _TABLE.columns.items()]
    return create_table(_TABLE.name, columns, ["id"], dialect)


MIGRATIONS = (Migration(410, "persisted documents", _create),)
"""The fixed table of every company."""

_own = _TABLE.clause
_shown = {name: type_ for name, type_ in _TABLE.columns.items() if name != "text"}
_TEXT = Query(sa.select(_own.c["text"]).where(_own.c["id"] == parameter("id", TEXT)), {"id": TEXT}, {"text": TEXT})
_ALL = Query(sa.select(*[_own.c[name] for name in _shown]).order_by(_own.c["created_at"], _own.c["id"]), columns=_shown)
_WITH_TEXT = Query(sa.select(*_own.c).order_by(_own.c["created_at"], _own.c["id"]), columns=_TABLE.columns)
_REMOVE = Query(sa.delete(_own).where(_own.c["id"] == parameter("id", TEXT)), {"id": TEXT})


@dataclass(frozen=True, slots=True)
class Persisted:
    """A registered document without its text."""

    id: str
    name: str | None
    created_at: datetime
    created_by: str | None


async def persisted_text(engine: Engine, namespace: str, document_id: str) -> str | None:
    """The text of a registered document, or None."""
    rows = await _TEXT.rows(engine, namespace, id=document_id)
    return str(rows[0]["text"]) if rows else None


async def list_persisted(engine: Engine, namespace: str) -> tuple[Persisted, ...]:
    """All registered documents, oldest first."""
    return tuple(Persisted(**row) for row in await _ALL.rows(engine, namespace))


async def persisted_texts(engine: Engine, namespace: str) -> dict[Persisted, str]:
    """All registered documents with their texts, oldest first."""
    rows = await _WITH_TEXT.rows(engine, namespace)
    return {Persisted(**{name: row[name] for name in _shown}): str(row["text"]) for row in rows}


async def register_document(
    engine: Engine, namespace: str, document_id: str, text: str, name: str | None, author_id: str | None
) -> None:
    """Keep a document under its id; one that is there stays as it is."""
    if await persisted_text(engine, namespace, document_id) is not None:
        return
    at = now()
    row: dict[str, Any] = {"id": document_id, "name": name, "text": text, "created_at": at, "created_by": author_id}
    change = ChangeRow(new_id(), EVENT, document_id, "CREATED", 1, ("text",), None, {"name": name, "text": text})
    # two who register the same text at once agree: the second finds the key taken, and nothing is wrong
    await engine.apply(namespace, _batch(at, author_id, [_TABLE.insert([row], engine.dialect)], change))


async def remove_persisted(engine: Engine, namespace: str, document_id: str, author_id: str | None) -> bool:
    """Forget a document; False when there was none."""
    text = await persisted_text(engine, namespace, document_id)
    if text is None:
        return False
    change = ChangeRow(new_id(), EVENT, document_id, "DELETED", 2, ("text",), {"text": text}, None)
    statement = _REMOVE.execute(engine.dialect, id=document_id)
    await engine.apply(namespace, _batch(now(), author_id, [statement], change))
    return True


def _batch(at: datetime, author_id: str | None, statements: Sequence[Statement], change: ChangeRow) -> Batch:
    cause = Cause(author_id, "request" if author_id else "system")
    return Batch(timestamp(at), new_id(), cause, None, statements=tuple(statements), changes=(change,))
