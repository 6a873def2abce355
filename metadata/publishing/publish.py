"""Publishing: new documents over the current ones become tables, a catalog version and events.

What small tables need is done in one transaction. For the rest a publication is put down, which a job prepares beside
the version that is served (`metadata.publishing.prepare`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from base.clock import now, timestamp
from base.errors import Conflict, DocumentsInvalid, Text
from base.ids import new_id
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.build import Documents
from metadata.catalog import Catalog
from metadata.changesets import Seen, mark_published
from metadata.publishing import publication as publications
from metadata.publishing.checks import no_rows
from metadata.publishing.diff import Change
from metadata.publishing.fills import fill_default, map_choice
from metadata.publishing.plan import Plan, migration_ddl
from metadata.publishing.planning import Planned, plan_publish
from metadata.publishing.publication import Publication, Target, open_publication
from metadata.store import Head, catalog_row, list_versions
from metadata.trash import GONE, lies, put, take
from storage.batch import Applied, Batch, CatalogMoved, Cause, ChangeRow, GuardFailed, NotUnique, Outcome, Statement
from storage.engine import Dialect, Engine
from storage.errors import Busy
from storage.jobs import enqueue

DOCUMENT = "document"
"""The `entity` of change events about documents; their record id is `<kind>/<name>`."""

JOB = "publication"
"""The kind of the job that prepares one; its payload holds the publication's id."""

CONTRACT = "contract"
"""The kind of the job that drops what has been in the trash for long enough; its payload holds the trash's id."""


_IN_USE = Text(
    "somebody keeps the tables in use, a long report perhaps: nothing was changed, publish again when it has ended",
    "表一直被占用（例如长时间运行的报表）：未做任何更改，请在其结束后重新发布",
)


@dataclass(frozen=True, slots=True)
class Published:
    """A publish that was done: the version that the company serves, its catalog, and what changed.

    While a `publication` is still open, version and catalog are those of before.
    """

    version: int
    catalog: Catalog
    changes: tuple[Change, ...]
    publication: Publication | None = None


async def publish(
    engine: Engine,
    namespace: str,
    current: Head | None,
    upserts: Documents,
    removals: Collection[tuple[str, str]] = (),
    *,
    expected_version: int | None = None,
    allow_loss: Collection[str] = (),
    author_id: str | None = None,
    limits: Limits = DEFAULTS,
    change_set: Seen | None = None,
) -> Published:
    """Merge documents over the current ones and make them what the company serves, or begin to.

    The change set whose documents they are is marked as published when they are served.

    Raises `DocumentsInvalid` with every fault found; `Conflict` when the company is at another version than
    `expected_version`, moved while this ran, or has a publication under way. Documents that change nothing publish
    nothing.
    """
    base = current.version if current is not None else 0
    if expected_version is not None and expected_version != base:
        raise await moved(engine, namespace, base)
    await refuse_second(engine, namespace)
    planned = await plan_publish(engine, namespace, current, upserts, removals, allow_loss, limits)
    before, catalog = planned.plan.before, planned.catalog
    if before is not None and catalog.hash == before.hash:
        if change_set is not None:
            await mark_published(engine, namespace, change_set, base, before.documents, author_id)
        return Published(base, before, ())
    if planned.faults:
        raise DocumentsInvalid(planned.faults)
    if planned.at_once:
        await _at_once(engine, namespace, planned, author_id, limits)
        if change_set is not None:
            await mark_published(engine, namespace, change_set, base + 1, catalog.documents, author_id)
        return Published(base + 1, catalog, planned.changes)
    assert before is not None  # a first publish finds no rows
    begun = await _begin(engine, namespace, planned, tuple(allow_loss), author_id, change_set)
    return Published(base, before, planned.changes, begun)


async def refuse_second(engine: Engine, namespace: str) -> None:
    """Raise `Conflict` when a publication is under way: it and its author are named."""
    found = await open_publication(engine, namespace)
    if found is not None:
        raise under_way(found)


async def _at_once(engine: Engine, namespace: str, planned: Planned, author_id: str | None, limits: Limits) -> None:
    plan, dialect = planned.plan, engine.dialect
    ddl = migration_ddl(plan, dialect)
    fills: list[Statement] = [map_choice(renaming, dialect) for renaming in plan.renamings]
    fills += [fill_default(default, dialect) for default in plan.defaults if not default.added]
    batch = head_batch(planned.base_version, plan, fills, author_id, dialect, limits)
    # rows were counted before the transaction: what others wrote meanwhile is looked at again inside it
    checked = [check for check in planned.checks if planned.rows.get(check.entity.table_name)]
    guards = [
        publications.none_open(dialect),
        *(lies(item, dialect) for item in plan.returned),
        *(
            no_rows(entity, dialect)
            for entity in (*planned.emptied, *plan.retyped_where_they_are, *(move.entity for move in plan.moves))
        ),
        *(check.guard(dialect) for check in checked),
    ]
    try:
        outcome = await engine.migrate(namespace, ddl, replace(batch, guards=tuple(guards)))
    except Busy as error:
        raise Conflict(_IN_USE) from error
    await _refused(engine, namespace, outcome)


async def _begin(
    engine: Engine,
    namespace: str,
    planned: Planned,
    allow_loss: tuple[str, ...],
    author_id: str | None,
    change_set: Seen | None,
) -> Publication:
    dialect, catalog = engine.dialect, planned.catalog
    documents = tuple(document for _, document in sorted(catalog.documents.items()))
    marked = None if change_set is None else change_set.image()
    target = Target(documents, catalog.physical, allow_loss, planned.moved, marked)
    begun = publications.begun(planned.base_version, author_id)
    at = now()
    batch = Batch(
        at=timestamp(at),
        transaction_id=new_id(),
        cause=Cause(author_id, "publish", {"publication": begun.id}),
        catalog_version=planned.base_version,
        guards=(publications.none_open(dialect),),
        statements=(
            publications.insert(begun, target, dialect),
            enqueue(dialect, JOB, {"publication": begun.id}, at, f"publication {begun.id}"),
        ),
        changes=(publications.event(None, begun),),
    )
    await _refused(engine, namespace, await engine.apply(namespace, batch))
    return begun


async def _refused(engine: Engine, namespace: str, outcome: Outcome) -> None:
    """Tell why a publish was not done; nothing when it was."""
    match outcome:
        case Applied():
            return
        case CatalogMoved(version):
            raise await moved(engine, namespace, version)
        case GuardFailed(publications.OPEN_GUARD) | NotUnique("_publication_slot"):
            await refuse_second(engine, namespace)
        case GuardFailed(token) if token == GONE:
            raise Conflict(
                Text(
                    "what would come back out of the trash was dropped meanwhile: publish again",
                    "要从回收站恢复的内容已被清除：请重新发布",
                )
            )
    raise Conflict(Text("records changed while publishing: publish again", "发布期间记录发生了变化：请重新发布"))


def head_batch(
    base: int,
    plan: Plan,
    fills: Sequence[Statement],
    author_id: str | None,
    dialect: Dialect,
    limits: Limits,
) -> Batch:
    """The Batch that makes a plan's catalog the head: fills, the version, the trash with its jobs, events."""
    at, version = now(), base + 1
    trashed = plan.trashed(version, at, limits.trash_days)
    return Batch(
        at=timestamp(at),
        transaction_id=new_id(),
        cause=Cause(author_id, "publish", {"version": version}),
        catalog_version=base,
        statements=(
            *fills,
            catalog_row(version, plan.after, at, author_id, bool(trashed or plan.renamings), dialect),
            *(take(item, dialect) for item in plan.returned),
            *put(trashed, dialect),
            *(enqueue(dialect, CONTRACT, {"trash": item.id}, item.drop_after) for item in trashed),
        ),
        changes=tuple(_events(plan.before.documents if plan.before is not None else {}, plan.after.documents, version)),
        new_catalog_version=version,
    )


def _events(before: Documents, after: Documents, version: int) -> Iterator[ChangeRow]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        op = "CREATED" if old is None else "DELETED" if new is None else "UPDATED"
        record = "/".join(key)
        yield ChangeRow(new_id(), DOCUMENT, record, op, version, ("document",), _image(old), _image(new))


def _image(document: Mapping[str, Json] | None) -> Mapping[str, Json] | None:
    return None if document is None else {"document": document}


async def moved(engine: Engine, namespace: str, version: int) -> Conflict:
    """The company is at another version than the caller has read: which one, and who has published it."""
    found = await list_versions(engine, namespace, 1, version + 1)
    author = found[0].author_id if found else None
    who, who_zh = (f"member {author}", f"成员 {author}") if author is not None else ("the system", "系统")
    return Conflict(
        Text(
            f"The company is at version {version} now, published by {who}: "
            "read its documents again and publish over them",
            f"公司当前版本为 {version}，由{who_zh}发布：请重新读取文档后再发布",
        ),
        {"version": version, "authorId": author},
    )


def under_way(found: Publication) -> Conflict:
    """Somebody else's publication is still being prepared."""
    since = timestamp(found.created_at)
    return Conflict(
        Text(
            f"publication {found.id} over version {found.base_version}, begun at {since}, is still being prepared: "
            "wait for it, or cancel it",
            f"发布 {found.id}（基于版本 {found.base_version}，开始于 {since}）仍在准备中：请等待其完成或将其取消",
        ),
        {"publication": found.id, "authorId": found.author_id, "baseVersion": found.base_version},
    )
