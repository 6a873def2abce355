"""Non-interference: what an actor may not read can change as it likes, and no answer of his changes by a byte.

Values of hidden cells and hidden rows are changed, hidden rows come, go and are deleted, links between them too. A
change that alters what the actor sees (a rule may read what he may not) is taken back; then all his questions, with
filters, orders, aggregates, search and cursors, are asked once more.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from random import Random
from typing import Any

from access.actor import Actor
from metadata.catalog import Entity
from metadata.field import RelationKind
from records.binds import clock_of
from tests.campaigns.budget import Budget
from tests.campaigns.meaning import Reader
from tests.campaigns.questions import Questioner
from tests.campaigns.rendering import Renderer, Request
from tests.campaigns.rows import Company, Filler, write
from tests.campaigns.worlds import World

QUESTIONS = 20
"""Operations asked before and after."""

_GROUPS = 12
_CHANGES = 4  # changed together, and taken back together when the actor would notice


async def check_interference(budget: Budget, here: World, random: Random) -> None:
    """Let two actors ask, change what they do not see, let them ask again."""
    limited = [roles for roles in here.role_sets if "role0" not in roles]
    for roles in random.sample(limited, min(2, len(limited))):
        actor = here.actor(roles, random.randrange(5))
        if here.surface(actor).entities and budget.left:
            await _check(budget, here, actor, random)


async def _check(budget: Budget, here: World, actor: Actor, random: Random) -> None:
    asker = Questioner(here.catalog, here.surface(actor), here.company.data(), random)
    requests: list[Request] = []
    for _ in range(QUESTIONS):
        selection = asker.selection()
        requests.append(Renderer(here.schema(actor), here.catalog, random, asker.variables).request(selection))
    before = [await here.answers(actor, request) for request in requests]
    changed = _Hidden(here, actor, random)
    company = changed.changed()
    budget.note("hidden values changed", changed.count)
    for seat in here.seats:
        await write(seat.engine, here.namespace, company, here.version)
    for request, old in zip(requests, before, strict=True):
        new = await here.answers(actor, request)
        budget.checked += 1
        for name, reply in new.items():
            if reply.body != old[name].body:
                texts = (request.text, request.variables, old[name].body.decode(), reply.body.decode())
                budget.fault(f"{name} tells of what is hidden", here.namespace, actor.roles, actor.member_id, *texts)
    here.company = company


class _Hidden:
    """A company's rows with changes that one actor cannot see."""

    def __init__(self, here: World, actor: Actor, random: Random) -> None:
        self._catalog = here.catalog
        self._actor = actor
        self._random = random
        self._company = deepcopy(here.company)
        self._filler = Filler(random, here.catalog, 0)
        self._filler.adopt(self._company)
        self.count = 0

    def changed(self) -> Company:
        """The rows after some groups of changes."""
        seen = self._view(self._company)
        for _ in range(_GROUPS):
            kept = deepcopy(self._company)
            for _ in range(_CHANGES):
                self._change()
            if self._view(self._company) == seen:
                self.count += _CHANGES
            else:
                self._company = kept
        return self._company

    def _reader(self, company: Company) -> Reader:
        return Reader(self._catalog, self._actor, company.data(), clock_of(self._catalog.app))

    def _view(self, company: Company) -> Any:
        """Everything that the actor sees: cells, and where relations lead."""
        reader = self._reader(company)
        found: dict[str, Any] = {}
        for entity in self._catalog.entities.values():
            for row in reader.visible(entity.name):
                cells = {name: reader.value(entity, row, name) for name in entity.by_api_name if name != "deletionId"}
                ways = {name: _led(reader, entity, row, name) for name in entity.relations}
                found[row["id"]] = (cells, ways)
        return found

    def _change(self) -> None:
        random = self._random
        entity = random.choice([item for item in self._catalog.entities.values() if not item.system])
        ways: list[Callable[[Entity], None]] = [self._cell, self._cell, self._cell, self._row, self._link]
        random.choice(ways)(entity)

    def _cell(self, entity: Entity) -> None:
        """Another value in a cell that is hidden."""
        reader = self._reader(self._company)
        rows = {row["id"]: row for row in self._company.rows[entity.table_name]}
        hidden = [
            (rows[record_id], item)
            for record_id, row in reader.data.rows[entity.name].items()
            for item in entity.by_api_name.values()
            if item.name not in ("id", "code", "deletedAt", "version", "createdAt", "updatedAt", "deletionId")
            and not (reader.readable(entity, row) and reader.covered(entity, row, item))
        ]
        if hidden:
            row, item = self._random.choice(hidden)
            row[item.column.name] = self._filler.value(item)

    def _row(self, entity: Entity) -> None:
        """A hidden row that comes, goes, or is deleted or restored."""
        reader, rows = self._reader(self._company), self._company.rows[entity.table_name]
        data = reader.data.rows[entity.name]
        hidden = [row for row in rows if not reader.readable(entity, data[row["id"]])]
        if self._random.random() < 0.3 or not hidden:
            rows.append(self._filler.row(entity))  # perhaps he sees it: then it is taken back
            return
        row = self._random.choice(hidden)
        if self._random.random() < 0.5:
            rows.remove(row)
        else:
            row["deleted_at"] = None if row["deleted_at"] else datetime(2026, 3, 1, tzinfo=UTC)

    def _link(self, entity: Entity) -> None:
        """A link more or less between two rows."""
        ways = [way for way in entity.relations.values() if way.kind is RelationKind.MANY and way.field is not None]
        if not ways:
            return
        way = self._random.choice(ways)
        pairs = self._company.links[str(way.link)][2]
        if pairs and self._random.random() < 0.5:
            pairs.remove(self._random.choice(sorted(pairs)))
        else:
            target = self._catalog.entities[way.target]
            ends = (self._company.rows[item.table_name] for item in (entity, target))
            one, other = (self._random.choice(rows)["id"] if rows else "" for rows in ends)
            if one and other:
                pairs.add((one, other))


def _led(reader: Reader, entity: Entity, row: dict[str, Any], name: str) -> Any:
    """Where a relation of a row leads, for the reader."""
    relation = entity.relations[name]
    if relation.kind is RelationKind.TO_ONE:
        target = reader.behind(entity, row, name)
        return None if target is None else target["id"]
    return {other["id"] for other in reader.related(entity, row, relation)}
