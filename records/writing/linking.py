"""Links: the rows of link tables that `references` inputs connect and disconnect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from base.ids import canonical_id
from base.json import Json
from metadata.field import Field, Relation
from records.shares import field_key
from records.writing.draft import Draft
from records.writing.probe import Probe, flag
from records.writing.references import require_target
from records.writing.refusals import Path, invalid, not_found, too_many_rows
from records.writing.writeplan import WritePlan
from storage.batch import NAMESPACE, Insert
from storage.sql import InList, InQuery, column
from storage.types import UUID


async def write_links(
    draft: Draft, plan: WritePlan, item: Field, asked: Mapping[str, Json], record_id: str, path: Path, *, created: bool
) -> None:
    """connect, disconnect and set of one `references` field.

    The record's own event names the field, and its version moves, so writers of one list follow one another. `set`
    leaves links to records that the actor may not read as they are.
    """
    relation = item.relation
    assert relation is not None
    target = plan.plans.of(relation.target)
    now = {} if created else await _linked(draft, target, relation, record_id)
    wanted: dict[str, Path] = {}
    gone: set[str] = set()
    for verb, part in asked.items():
        ids = _read_ids(draft, part, (*path, verb))
        if verb == "disconnect":
            for found, where in ids.items():
                if now.get(found):
                    gone.add(found)
                else:
                    draft.faults.append(not_found(where))
            continue
        wanted.update(ids)
        if verb == "set":
            gone |= {found for found, readable in now.items() if readable and found not in ids}
    made = {found: where for found, where in wanted.items() if not now.get(found)}
    limit = draft.snapshot.limits.relation_rows
    if len(made) + len(gone) > limit:
        draft.faults.append(too_many_rows(path, limit))
        return
    for found, where in made.items():
        require_target(draft, target, found, where)
    # one that is linked already, but hidden, is refused by the guard like any other hidden record
    _write(draft, plan, relation, record_id, [found for found in made if found not in now], sorted(gone - set(wanted)))
    if (made or gone) and record_id in draft.staged:
        draft.staged[record_id].linked.add(field_key(item))


def _write(
    draft: Draft, plan: WritePlan, relation: Relation, record_id: str, made: Sequence[str], gone: Sequence[str]
) -> None:
    here, there = str(relation.here), str(relation.there)
    if gone:
        values = {"id": record_id, "ids": gone}
        draft.statements.append(_unlink_probe(plan, relation).execute(draft.snapshot, values))
    link = str(relation.link)
    # an earlier part of the write may make the same link
    rows = tuple((record_id, other) for other in made if (link, record_id, other) not in draft.links)
    if rows:
        draft.links.update(((link, *row), None) for row in rows)
        draft.statements.append(Insert(link, (here, there), ("uuid", "uuid"), rows))


async def _linked(draft: Draft, target: WritePlan, relation: Relation, record_id: str) -> dict[str, bool]:
    """The live records linked now, and which of them the actor may read."""
    decode = target.slots["id"].decode
    found = await _linked_probe(target, relation).rows(draft.snapshot, {"id": record_id})
    return {str(decode(row[0])): bool(row[1]) for row in found}


def _linked_probe(target: WritePlan, relation: Relation) -> Probe:
    link = sa.table(str(relation.link), schema=NAMESPACE).alias("l1")
    here, there = (column("l1", str(name), UUID.sqlalchemy()) for name in (relation.here, relation.there))
    return target.probe(
        ("linked", relation.link, relation.here),
        lambda values, alias: (
            sa.select(alias.field("id"), flag(target.plans.gate.rows(alias), "readable"))
            .select_from(alias.table)
            .where(
                InQuery(alias.field("id"), sa.select(there).select_from(link).where(here == values.given("id", UUID))),
                alias.live(),
            )
        ),
    )


def _unlink_probe(plan: WritePlan, relation: Relation) -> Probe:
    here, there = str(relation.here), str(relation.there)
    table = sa.table(str(relation.link), sa.column(here), sa.column(there), schema=NAMESPACE)
    return plan.probe(
        ("unlink", relation.link, here),
        lambda values, _: sa.delete(table).where(
            table.c[here] == values.given("id", UUID), InList(table.c[there], values.ids())
        ),
    )


def _read_ids(draft: Draft, value: Json, path: Path) -> dict[str, Path]:
    ids: dict[str, Path] = {}
    for number, item in enumerate(items_of(value)):
        where = (*path, str(number))
        found = canonical_id(item)
        if found is None:
            draft.faults.append(invalid(where, "must be a UUID", "必须是 UUID"))
        else:
            ids.setdefault(found, where)
    return ids


def items_of(value: Json) -> Sequence[Json]:
    """A list; GraphQL takes one value for a list of it, and null for none."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else [value]
