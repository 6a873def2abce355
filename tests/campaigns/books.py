"""What a company's tables and log must be after any number of kills."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from events.log import Event, read_head, read_page
from metadata.catalog import Catalog, Entity
from storage.engine import Engine
from tests.campaigns.budget import Budget
from tests.campaigns.writers import LINES, Ledger
from tests.records.naive_data import Data, load

_PAGE = 500


async def check_books(budget: Budget, engine: Engine, namespace: str, catalog: Catalog, ledger: Ledger) -> None:
    """Acknowledged writes are there once, records are what the log says, and the log has no hole."""
    while (await engine.sequence(namespace)) != (await read_head(engine, namespace)).position:
        pass
    data = await load(engine, namespace, catalog)
    events = await _events(engine, namespace)
    head = await read_head(engine, namespace)
    _check_log(budget, events, head.position)
    _check_replay(budget, catalog, data, events)
    _check_ledger(budget, data, ledger)
    budget.note("events", len(events))


async def _events(engine: Engine, namespace: str) -> list[Event]:
    found: list[Event] = []
    while page := await read_page(engine, namespace, found[-1].position if found else 0, _PAGE):
        found += page
    return found


def _check_log(budget: Budget, events: list[Event], head: int) -> None:
    """Positions are dense, each transaction stands in one piece and ends with its last event."""
    if [event.position for event in events] != list(range(1, head + 1)):
        budget.fault("positions are not dense", head, [event.position for event in events][-20:])
    if len({event.id for event in events}) != len(events):
        budget.fault("an event stands twice in the log")
    closed: set[str] = set()
    for event, following in zip(events, [*events[1:], None], strict=True):
        ends = following is None or following.transaction_id != event.transaction_id
        if event.last is not ends or event.transaction_id in closed:
            budget.fault("a transaction is in pieces", event)
        if ends:
            closed.add(event.transaction_id)


def _check_replay(budget: Budget, catalog: Catalog, data: Data, events: list[Event]) -> None:
    """The last images of the log are the rows, and versions count the events."""
    images: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    counts: Counter[str] = Counter()
    for event in events:
        if event.after is None:
            images[event.entity].pop(event.record_id, None)
            continue
        counts[event.record_id] += 1
        images[event.entity][event.record_id] = event.after
        if event.entity in catalog.entities and event.record_version != counts[event.record_id]:
            budget.fault("versions of a record jump", event)
    for entity in catalog.entities.values():
        rows = {record_id: _image(entity, row) for record_id, row in data.rows[entity.name].items()}
        if rows.keys() != images[entity.table_name].keys():
            budget.fault(f"{entity.name}: records and events differ", rows.keys() ^ images[entity.table_name].keys())
            continue
        for record_id, row in rows.items():
            image = images[entity.table_name][record_id]
            wrong = {name: (value, image.get(name)) for name, value in row.items() if image.get(name) != value}
            if wrong and not entity.system:
                budget.fault(f"{entity.name}: a row is not what its last event says", record_id, wrong)


def _image(entity: Entity, row: Mapping[str, Any]) -> dict[str, Any]:
    fields = [item for item in entity.by_api_name.values() if not item.write_only]
    return {
        item.column.name: None if row[item.api_name] is None else item.type.image(item.options, row[item.api_name])
        for item in fields
    }


def _check_ledger(budget: Budget, data: Data, ledger: Ledger) -> None:
    """Each acknowledged write is there exactly once, and nothing else is."""
    deals = data.rows["deal"]
    if deals.keys() != ledger.deals.keys():
        budget.fault("deals that nobody knows, or that are gone", deals.keys() ^ ledger.deals.keys())
    for deal in ledger.deals.values():
        row = deals.get(deal.id)
        if row is None:
            continue
        wanted = (deal.name, deal.number, deal.version, deal.stage, deal.deleted)
        found = (row["name"], row["number"], row["version"], row["stage"], row["deletedAt"] is not None)
        amount = None if row["amount"] is None else format(row["amount"], "f")
        if (*wanted, deal.amount) != (*found, amount):
            budget.fault("a deal is not what was acknowledged", deal, found, amount)
        lines = [line for line in data.rows["line"].values() if line["dealId"] == deal.id]
        live = [line for line in lines if line["deletedAt"] is None]
        if len(lines) != LINES or len(live) != (0 if deal.deleted else LINES):
            budget.fault("a deal has lost its lines", deal, lines)
    numbers = sorted(int(row["number"].removeprefix("D-")) for row in deals.values())
    if numbers != list(range(1, len(numbers) + 1)):
        budget.fault("the numbers of deals have gaps", numbers[-20:])
    versions = {row["name"]: row["version"] for row in data.rows["account"].values()}
    if versions != ledger.upserts:
        budget.fault("accounts were written more or less often than acknowledged", versions, ledger.upserts)
