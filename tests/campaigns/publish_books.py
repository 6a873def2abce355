"""What a company must be after a round of publishes, kills and writes: its log, its rows, its servers' answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from events.log import Event, read_head, read_page
from metadata.build import build_catalog
from metadata.catalog import Catalog, Entity
from metadata.field import Field
from metadata.store import Catalogs, list_versions
from pliant.house import House
from resolvers.renamed import current_name
from storage.engine import Engine
from tests.campaigns.budget import Budget
from tests.campaigns.clients import Caller, Ledger, Own
from tests.campaigns.history import History
from tests.campaigns.tables import entity_rows
from tests.records.naive_data import load

_PAGE = 500
_VERSIONS = 100_000
_RECORDS = 1_000


async def check_history(
    budget: Budget, engine: Engine, namespace: str, ledger: Ledger, allowed: Mapping[int, set[str]]
) -> int:
    """Versions and log give the rows, and hold what was acknowledged; the head's version. Nobody may write."""
    while (await engine.sequence(namespace)) != (await read_head(engine, namespace)).position:
        pass
    events: list[Event] = []
    while page := await read_page(engine, namespace, events[-1].position if events else 0, _PAGE):
        events += page
    if [event.position for event in events] != list(range(1, len(events) + 1)):
        budget.fault("positions are not dense", [event.position for event in events][-20:])
    numbers = sorted(item.version for item in await list_versions(engine, namespace, _VERSIONS))
    kept = Catalogs(engine)
    catalogs = {number: await kept.get(namespace, number) for number in numbers}
    history = History(budget, catalogs, allowed)
    history.tell(events)
    budget.notes["pieces of trash dropped"] = history.purged
    if history.version != numbers[-1] or numbers != list(range(1, numbers[-1] + 1)):
        budget.fault("versions are not those that the log tells of", numbers, history.version)
    head = catalogs[numbers[-1]]
    data = await load(engine, namespace, head)
    for entity in head.entities.values():
        if entity.system:
            continue
        rows, told = entity_rows(entity, data.rows[entity.name]), history.rows[entity.table_name]
        budget.checked += len(rows)
        if rows.keys() != told.keys():
            budget.fault(f"{entity.name}: records and events differ", rows.keys() ^ told.keys())
        for key in rows.keys() & told.keys():
            wrong = {
                name: (value, told[key].get(name)) for name, value in rows[key].items() if told[key].get(name) != value
            }
            if wrong:
                fields = {item.column.name: item for item in entity.fields.values() if item.column.name in wrong}
                budget.fault(f"{entity.name}: a row is not what log and versions say (found, told)", key, wrong, fields)
    _check_ledger(budget, catalogs, events, ledger)
    return numbers[-1]


def _check_ledger(budget: Budget, catalogs: Mapping[int, Catalog], events: list[Event], ledger: Ledger) -> None:
    """Each acknowledged write is in the log with its values, and no record is there of which nobody knows."""
    written = {(event.record_id, event.record_version): event for event in events}
    for own in ledger.records.values():
        for version, given in own.writes.items():
            event = written.get((own.id, version))
            if event is None:
                budget.fault("a write that was acknowledged is not in the log", own, version, given)
            else:
                _check_write(budget, catalogs, own, event, given)
        if own.name not in ledger.maybe and (own.id, own.version + 1) in written:
            budget.fault("a record was written more often than acknowledged", own, written[own.id, own.version + 1])
    for event in events:
        if event.op != "CREATED" or event.record_id in ledger.records or event.catalog_version is None:
            continue
        found = _entity(catalogs, event)
        name = None if found is None else (event.after or {}).get(found.fields["name"].column.name)
        if found is not None and not found.system and name not in ledger.maybe:
            budget.fault("a record that nobody knows", event)


def _check_write(
    budget: Budget, catalogs: Mapping[int, Catalog], own: Own, event: Event, given: Mapping[str, Any]
) -> None:
    entity = _entity(catalogs, event)
    after = event.after or {}
    for name, value in given.items():
        item = None if entity is None else entity.by_api_name.get(current_name(entity, name))
        if item is None:
            budget.fault("a write was done by a version that has not its names", own, name, event)
            continue
        meant = _today(item, value)
        image = None if meant is None else item.type.image(item.options, item.type.logical(item.options, meant))
        if after.get(item.column.name) != image:
            budget.fault("the log tells another value than was acknowledged", own, name, value, event)


def _today(item: Field, value: Any) -> Any:
    """What a value is called by the version that wrote it: a former name of a choice is taken for the present one."""
    values = {choice.value for choice in item.choices}
    former = {was: choice.value for choice in item.choices for was in choice.was if was not in values}
    return former.get(value, value) if isinstance(value, str) else value


def _entity(catalogs: Mapping[int, Catalog], event: Event) -> Entity | None:
    """The entity of a record's event, in the version by which it was written."""
    catalog = catalogs.get(event.catalog_version or 0)
    entities = catalog.entities.values() if catalog is not None else ()
    return next((item for item in entities if item.table_name == event.entity), None)


async def check_answers(budget: Budget, house: House, company: str, token: str, callers: list[Caller]) -> None:
    """GraphQL = documents, on every server: the same schema, and every record with every field."""
    head = await house.head(company)
    actor = await house.authenticate(token)
    wanted = (await house.desk.sdl(actor)).text.decode()
    if build_catalog(head.catalog.documents, head.catalog.physical).hash != head.catalog.hash:
        budget.fault("the catalog is not what its documents give", head.version)
    data = await load(house.engine, actor.namespace, head.catalog)
    for caller in callers:
        if await caller.sdl() != wanted:
            budget.fault("a server's schema is not what the documents say", head.version)
        for entity in head.catalog.entities.values():
            if not entity.system:
                await _check_entity(budget, caller, entity, entity_rows(entity, data.rows[entity.name]))


async def _check_entity(budget: Budget, caller: Caller, entity: Entity, rows: Mapping[str, Mapping[str, Any]]) -> None:
    fields = {item.api_name: item.column.name for item in entity.fields.values() if item.columns and not item.system}
    shown: dict[str, Mapping[str, Any]] = {}
    after: str | None = None
    while True:
        query = (
            f"query($after: String) {{ {entity.plural}(first: {_RECORDS}, after: $after, deleted: INCLUDE) "
            f"{{ nodes {{ id {' '.join(fields)} }} pageInfo {{ endCursor hasNextPage }} }} }}"
        )
        page = (await caller.ask(query, {"after": after}))[entity.plural]
        shown.update({node["id"]: node for node in page["nodes"]})
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    budget.checked += len(shown)
    if shown.keys() != rows.keys():
        budget.fault(f"{entity.name}: a server does not show all records", shown.keys() ^ rows.keys())
    for key in shown.keys() & rows.keys():
        wrong = {name: (shown[key][name], rows[key][column]) for name, column in fields.items()}
        wrong = {name: pair for name, pair in wrong.items() if pair[0] != pair[1]}
        if wrong:
            budget.fault(f"{entity.name}: a server shows another value than the row holds", key, wrong)
    await asyncio.sleep(0)
