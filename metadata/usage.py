"""Evidence of use: which documents were run by which token, on which day, how often, and what they name.

Counters, not events: they say that something is used, not what was read. No person is in them, only the id of a token
(empty where there was none). `_use_document` holds what a document names; one text with variables of another shape
may name other things and is then another row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.clock import now, timestamp
from base.ids import new_id
from base.limits import Limits
from storage.batch import Batch, Cause, Execute, Sql, Statement
from storage.ddl import create_table
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import BIGINT, DATE, JSON, TEXT, TIMESTAMP

OTHER: Final = "other"
"""The id under which use is counted once a company has as many documents as may be told apart."""

_DOCUMENT = Table("_use_document", {"id": TEXT, "document": TEXT, "name": TEXT, "text": TEXT, "names": JSON})
_USE = Table("_use", {"day": DATE, "token": TEXT, "document": TEXT, "count": BIGINT, "last_at": TIMESTAMP})


def _create(dialect: Dialect) -> list[str]:
    documents = [(name, kind, name != "name") for name, kind in _DOCUMENT.columns.items()]
    uses = [(name, kind, True) for name, kind in _USE.columns.items()]
    return [
        *create_table(_DOCUMENT.name, documents, ["id"], dialect),
        *create_table(_USE.name, uses, ["day", "token", "document"], dialect),
    ]


MIGRATIONS = (Migration(420, "evidence of use", _create),)
"""The fixed tables of every company."""

_document, _use = _DOCUMENT.clause, _USE.clause
_IDS = Query(sa.select(_document.c["id"]), columns={"id": TEXT})
_FORGET = Query(sa.delete(_use).where(_use.c["day"] < parameter("day", DATE)), {"day": DATE})
_FORGET_DOCUMENTS = Query(sa.delete(_document).where(_document.c["id"].not_in(sa.select(_use.c["document"]))))
_READ = Query(
    sa.select(
        _document.c["id"],
        _document.c["document"],
        _document.c["name"],
        _document.c["names"],
        _use.c["token"],
        sa.func.sum(_use.c["count"]).label("count"),
        sa.func.max(_use.c["last_at"]).label("last_at"),
    )
    .select_from(_use.join(_document, _document.c["id"] == _use.c["document"]))
    .where(_use.c["day"] >= parameter("day", DATE))
    .group_by(_document.c["id"], _use.c["token"]),
    {"day": DATE},
    {"id": TEXT, "document": TEXT, "name": TEXT, "names": JSON, "token": TEXT, "count": BIGINT, "last_at": TIMESTAMP},
)
_PLACES: Final[Mapping[Dialect, str]] = {"sqlite": "?, ?, ?, ?, ?", "postgresql": "$1, $2, $3, $4, $5"}


@dataclass(frozen=True, slots=True, eq=False)
class UsedDocument:
    """What one run of a document names: schema coordinates, and of those that are aliases the current name.

    `document` is the sha256 id of its text, `text` its beginning, `name` its operation's.
    """

    id: str
    document: str
    name: str | None
    text: str
    coordinates: tuple[str, ...]
    aliases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Use:
    """A document and a token, with how often and when last in the days that are kept."""

    document: UsedDocument
    token: str | None
    count: int
    last_at: datetime


async def record_uses(
    engine: Engine, namespace: str, counts: Mapping[tuple[str, UsedDocument], int], limits: Limits
) -> None:
    """Add counts of today; several processes may, each adds its own. `counts`: (token or empty, document) -> times."""
    at, dialect = now(), engine.dialect
    known = {str(row["id"]) for row in await _IDS.rows(engine, namespace)}
    statements: list[Statement] = []
    added: dict[tuple[str, str], int] = {}
    for (token, document), count in counts.items():
        key = document.id
        if key not in known:
            if len(known) >= limits.use_documents:
                key, document = OTHER, UsedDocument(OTHER, OTHER, None, "", (), {})
            if key not in known:
                known.add(key)
                statements.append(_insert_document(document, dialect))
        added[token, key] = added.get((token, key), 0) + count
    # in one order everywhere: two processes that add to the same rows must not wait for each other in a circle
    statements += [_add(at, token, key, count, dialect) for (token, key), count in sorted(added.items())]
    batch = Batch(timestamp(at), new_id(), Cause(None, "upkeep"), None, statements=tuple(statements))
    await engine.apply(namespace, batch)


async def forget_old_uses(engine: Engine, namespace: str, limits: Limits) -> None:
    """Remove what is older than is kept, and documents that nothing tells of any more."""
    at = now()
    day = at.date() - timedelta(days=limits.use_days)
    statements = (_FORGET.execute(engine.dialect, day=day), _FORGET_DOCUMENTS.execute(engine.dialect))
    batch = Batch(timestamp(at), new_id(), Cause(None, "upkeep"), None, statements=statements)
    await engine.apply(namespace, batch)


async def read_uses(engine: Engine, namespace: str, limits: Limits) -> Sequence[Use]:
    """All use in the days that are kept, most frequent first."""
    day = now().date() - timedelta(days=limits.use_days)
    return tuple(sorted(map(_use_of, await _READ.rows(engine, namespace, day=day)), key=lambda use: -use.count))


def _use_of(row: Mapping[str, Any]) -> Use:
    names = row["names"]
    document = UsedDocument(
        row["id"], row["document"], row["name"], "", tuple(names["coordinates"]), dict(names["aliases"])
    )
    return Use(document, row["token"] or None, int(row["count"]), row["last_at"])


def _insert_document(document: UsedDocument, dialect: Dialect) -> Execute:
    row = {
        "id": document.id,
        "document": document.document,
        "name": document.name,
        "text": document.text,
        "names": {"coordinates": list(document.coordinates), "aliases": dict(document.aliases)},
    }
    _, _, values = _DOCUMENT.encoded(row, dialect)
    text = f"INSERT INTO __ns__._use_document (id, document, name, text, names) VALUES ({_PLACES[dialect]})"
    return Execute(Sql(f"{text} ON CONFLICT (id) DO NOTHING"), values)


def _add(at: datetime, token: str, document: str, count: int, dialect: Dialect) -> Execute:
    day: date = at.date()
    row = {"day": day, "token": token, "document": document, "count": count, "last_at": at}
    _, _, values = _USE.encoded(row, dialect)
    text = (
        f"INSERT INTO __ns__._use (day, token, document, count, last_at) VALUES ({_PLACES[dialect]}) "
        "ON CONFLICT (day, token, document) DO UPDATE "
        "SET count = _use.count + excluded.count, last_at = excluded.last_at"
    )
    return Execute(Sql(text), values)
