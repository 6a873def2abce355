"""Evidence of use: which documents were run by which token from which form, on which day, how often; what they name.

Counters, not events: they say that something is used, not what was read. No person is in them, only the id of a token
(empty where there was none). `_use_document` holds what a document names; one text with variables of another shape may
name other things and is then another row, and so it is when a name has become an alias. `_use` counts every run;
`_form_use` says of those whose requests named the form that they come from, how many came from which.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.clock import now, timestamp
from base.ids import new_id
from base.limits import Limits
from storage.batch import Batch, Cause, Execute, Sql, Statement
from storage.ddl import create_table
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.sql import constant
from storage.types import BIGINT, DATE, JSON, TEXT, TIMESTAMP

K = TypeVar("K", bound=Hashable)

OTHER: Final = "other"
"""What use is counted under once a company has as many documents, or forms, as may be told apart."""

_DOCUMENT = Table("_use_document", {"id": TEXT, "document": TEXT, "name": TEXT, "text": TEXT, "names": JSON})
_USE = Table("_use", {"day": DATE, "token": TEXT, "document": TEXT, "count": BIGINT, "last_at": TIMESTAMP})
_FORM_USE = Table("_form_use", {**_USE.columns, "form": TEXT})
_NOT_KEYS = ("count", "last_at")
_FORM_DAYS = 7  # names that nobody used for so long make room for others
_READ_MAX = 20_000  # of what is told apart, the most frequent


def _create(dialect: Dialect) -> list[str]:
    documents = [(name, kind, name != "name") for name, kind in _DOCUMENT.columns.items()]
    return [*create_table(_DOCUMENT.name, documents, ["id"], dialect), *_create_uses(_USE, dialect)]


def _create_uses(table: Table, dialect: Dialect) -> list[str]:
    columns = [(name, kind, True) for name, kind in table.columns.items()]
    return create_table(table.name, columns, _keys(table), dialect)


def _keys(table: Table) -> list[str]:
    return [name for name in table.columns if name not in _NOT_KEYS]


MIGRATIONS = (
    Migration(420, "evidence of use", _create),
    Migration(421, "use by form", lambda dialect: _create_uses(_FORM_USE, dialect)),
)
"""The fixed tables of every company."""

_document, _use, _form_use = _DOCUMENT.clause, _USE.clause, _FORM_USE.clause
_IDS = Query(sa.select(_document.c["id"]), columns={"id": TEXT})
_NAMED = Query(
    sa.select(_form_use.c["form"], _form_use.c["document"])
    .where(_form_use.c["day"] >= parameter("day", DATE))
    .distinct(),
    {"day": DATE},
    {"form": TEXT, "document": TEXT},
)
_FORGET = tuple(
    Query(sa.delete(table).where(table.c["day"] < parameter("day", DATE)), {"day": DATE}) for table in (_use, _form_use)
)
_FORGET_DOCUMENTS = Query(sa.delete(_document).where(_document.c["id"].not_in(sa.select(_use.c["document"]))))


def _told_apart(table: sa.TableClause, form: sa.ColumnElement[Any], count: sa.ColumnElement[Any]) -> sa.Select[Any]:
    names = ("day", "token", "document", "last_at")
    return sa.select(form.label("form"), count.label("count"), *[table.c[name] for name in names])


# What named no form is what remains of all.
_uses = sa.union_all(
    _told_apart(_use, constant(""), _use.c["count"]),
    _told_apart(_form_use, constant(""), -_form_use.c["count"]),
    _told_apart(_form_use, _form_use.c["form"], _form_use.c["count"]),
).subquery("uses")
_count = sa.func.sum(_uses.c["count"])
_READ = Query(
    sa.select(
        _document.c["id"],
        _document.c["document"],
        _document.c["name"],
        _document.c["names"],
        _uses.c["token"],
        _uses.c["form"],
        _count.label("count"),
        sa.func.max(_uses.c["last_at"]).label("last_at"),
    )
    .select_from(_uses.join(_document, _document.c["id"] == _uses.c["document"]))
    .where(_uses.c["day"] >= parameter("day", DATE))
    .group_by(_document.c["id"], _uses.c["token"], _uses.c["form"])
    .having(_count > constant(0))
    .order_by(_count.desc(), _document.c["id"], _uses.c["token"], _uses.c["form"])
    .limit(constant(_READ_MAX)),
    {"day": DATE},
    {
        **{"id": TEXT, "document": TEXT, "name": TEXT, "names": JSON},
        **{"token": TEXT, "form": TEXT, "count": BIGINT, "last_at": TIMESTAMP},
    },
)


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
    """A document, a token and a form, with how often and when last in the days that are kept."""

    document: UsedDocument
    token: str | None
    form: str | None
    count: int
    last_at: datetime


async def record_uses(
    engine: Engine, namespace: str, counts: Mapping[tuple[str, str, UsedDocument], int], limits: Limits
) -> None:
    """Add counts of today; several processes may, each adds its own.

    `counts`: (token or empty, form or empty, document) -> times.
    """
    at, dialect = now(), engine.dialect
    known = {str(row["id"]) for row in await _IDS.rows(engine, namespace)}
    named = await _named(engine, namespace, at) if any(form for _, form, _ in counts) else set()
    statements: list[Statement] = []
    added: dict[tuple[str, str, str], int] = {}
    for (token, form, document), count in counts.items():
        key = document.id
        if key not in known:
            if len(known) >= limits.use_documents:
                key, document = OTHER, UsedDocument(OTHER, OTHER, None, "", (), {})
            if key not in known:
                known.add(key)
                statements.append(_insert_document(document, dialect))
        added["", token, key] = added.get(("", token, key), 0) + count
        if form:
            if (form, key) not in named:
                form = form if len(named) < limits.use_forms else OTHER
                named.add((form, key))
            added[form, token, key] = added.get((form, token, key), 0) + count
    # in one order everywhere: two processes that add to the same rows must not wait for each other in a circle
    statements += [_add(at, *key, count, dialect) for key, count in sorted(added.items())]
    batch = Batch(timestamp(at), new_id(), Cause(None, "upkeep"), None, statements=tuple(statements))
    await engine.apply(namespace, batch)


async def forget_old_uses(engine: Engine, namespace: str, limits: Limits) -> None:
    """Remove what is older than is kept, and documents that nothing tells of any more."""
    at = now()
    day = at.date() - timedelta(days=limits.use_days)
    old = [query.execute(engine.dialect, day=day) for query in _FORGET]
    statements = (*old, _FORGET_DOCUMENTS.execute(engine.dialect))
    batch = Batch(timestamp(at), new_id(), Cause(None, "upkeep"), None, statements=statements)
    await engine.apply(namespace, batch)


async def read_uses(engine: Engine, namespace: str, limits: Limits) -> Sequence[Use]:
    """All use in the days that are kept, most frequent first."""
    day = now().date() - timedelta(days=limits.use_days)
    return tuple(map(_use_of, await _READ.rows(engine, namespace, day=day)))


def summed(uses: Iterable[tuple[K, Use]]) -> Mapping[K, tuple[int, datetime]]:
    """How often and when last, by key, most frequent first.

    Shapes of variables, and runs before and after a rename, are uses of their own and mostly one client's.
    """
    found: dict[K, tuple[int, datetime]] = {}
    for key, use in uses:
        count, last = found.get(key, (0, use.last_at))
        found[key] = count + use.count, max(last, use.last_at)
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


async def _named(engine: Engine, namespace: str, at: datetime) -> set[tuple[str, str]]:
    """The pairs of form and document that are told apart at present."""
    day = at.date() - timedelta(days=_FORM_DAYS)
    return {(str(row["form"]), str(row["document"])) for row in await _NAMED.rows(engine, namespace, day=day)}


def _use_of(row: Mapping[str, Any]) -> Use:
    names = row["names"]
    document = UsedDocument(
        row["id"], row["document"], row["name"], "", tuple(names["coordinates"]), dict(names["aliases"])
    )
    return Use(document, row["token"] or None, row["form"] or None, int(row["count"]), row["last_at"])


def _insert_document(document: UsedDocument, dialect: Dialect) -> Execute:
    row = {
        "id": document.id,
        "document": document.document,
        "name": document.name,
        "text": document.text,
        "names": {"coordinates": list(document.coordinates), "aliases": dict(document.aliases)},
    }
    return _upsert(_DOCUMENT, row, "(id) DO NOTHING", dialect)


def _add(at: datetime, form: str, token: str, document: str, count: int, dialect: Dialect) -> Execute:
    day: date = at.date()
    row = {"day": day, "token": token, "document": document, "count": count, "last_at": at}
    table, row = (_FORM_USE, {"form": form, **row}) if form else (_USE, row)
    then = f"SET count = {table.name}.count + excluded.count, last_at = excluded.last_at"
    return _upsert(table, row, f"({', '.join(_keys(table))}) DO UPDATE {then}", dialect)


def _upsert(table: Table, row: Mapping[str, Any], conflict: str, dialect: Dialect) -> Execute:
    names, _, values = table.encoded(row, dialect)
    places = ", ".join("?" if dialect == "sqlite" else f"${number}" for number in range(1, len(names) + 1))
    text = f"INSERT INTO __ns__.{table.name} ({', '.join(names)}) VALUES ({places}) ON CONFLICT {conflict}"
    return Execute(Sql(text), values)
