"""A small company to write: accounts, contacts, deals with owned lines, products linked to deals; and some roles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from access.actor import Actor
from access.migrations import CONTROL_MIGRATIONS
from access.migrations import MIGRATIONS as ACCESS
from access.resolve import resolve, roles_of
from base.clock import now, timestamp
from base.errors import Fault
from base.ids import new_id, public_id
from base.limits import DEFAULTS, Limits
from metadata.catalog import Catalog
from metadata.migrations import MIGRATIONS as METADATA
from metadata.publishing.publish import publish
from records.command import Command, Commands, Create, Saved
from records.reading.cursor import Sealer
from records.shares import MIGRATIONS as RECORDS
from records.snapshot import Snapshot
from records.writing.prepare import WriteRule
from records.writing.save import save
from storage.batch import NAMESPACE, Applied, Batch, Cause, Insert, Sql
from storage.engine import Engine
from storage.fixed import LOG_COLUMNS
from tests.engines import opened

ACCOUNT: Mapping[str, Any] = {
    "kind": "entity", "name": "account", "title": "Account", "type": "object", "x-display": "name",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 50},
        "sector": {"type": "string", "maxLength": 50},
        "revenue": {"type": "string", "format": "decimal"},
        "blocked": {"type": "boolean", "default": False},
        "parent": {"x-type": "reference", "x-entity": "account", "x-inverse": "branches", "x-onDelete": "clear"},
    },
    "required": ["name"],
    "x-unique": [{"fields": ["name"], "ignoreCase": True}],
}  # fmt: skip
CONTACT: Mapping[str, Any] = {
    "kind": "entity", "name": "contact", "title": "Contact", "type": "object", "x-display": "email",
    "properties": {
        "email": {"x-type": "email"},
        "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "contacts", "x-onDelete": "clear"},
        "secret": {"type": "string"},
    },
    "x-unique": [["email"]],
}  # fmt: skip
PRODUCT: Mapping[str, Any] = {
    "kind": "entity", "name": "product", "title": "Product", "type": "object", "x-display": "code",
    "properties": {"code": {"type": "string", "maxLength": 20}, "price": {"type": "number"}},
    "required": ["code"],
    "x-unique": [["code"]],
}  # fmt: skip
DEAL: Mapping[str, Any] = {
    "kind": "entity", "name": "deal", "title": "Deal", "type": "object", "x-display": "name",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 100},
        "number": {"x-type": "sequence", "x-pattern": "D-{0000}"},
        "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "deals", "x-onDelete": "restrict"},
        "stage": {"enum": ["OPEN", "WON", "LOST"], "default": "OPEN"},
        "amount": {"type": "string", "format": "decimal"},
        "closeOn": {"type": "string", "format": "date"},
        "tags": {"x-type": "tags"},
        "extra": {"x-type": "json"},
        "products": {"x-type": "references", "x-entity": "product", "x-inverse": "deals"},
        "lines": {"x-type": "children", "x-entity": "line", "x-inverse": "deal"},
        "pin": {"type": "string", "writeOnly": True},
    },
    "required": ["name", "stage"],
    "x-unique": [["account", "name"]],
    "x-rules": [
        {"name": "won-needs-date", "when": "stage == 'WON'", "check": "closeOn != null",
         "message": "A won deal needs its close date", "path": "closeOn"},
        {"name": "not-blocked", "check": "account.blocked != true", "message": "The account is blocked",
         "path": "account"},
    ],
}  # fmt: skip
LINE: Mapping[str, Any] = {
    "kind": "entity", "name": "line", "title": "Line", "type": "object", "x-display": "label",
    "properties": {
        "label": {"type": "string", "maxLength": 50},
        "price": {"type": "string", "format": "decimal", "minimum": 0},
        "product": {"x-type": "reference", "x-entity": "product", "x-inverse": "lines", "x-onDelete": "restrict"},
        "notes": {"x-type": "children", "x-entity": "note", "x-inverse": "line"},
    },
    "required": ["label"],
}  # fmt: skip
NOTE: Mapping[str, Any] = {
    "kind": "entity", "name": "note", "title": "Note", "type": "object", "x-display": "text",
    "properties": {"text": {"type": "string", "maxLength": 50}},
}  # fmt: skip


def _role(name: str, **entities: Any) -> dict[str, Any]:
    return {"kind": "role", "name": name, "title": name, "entities": entities}


ROLES: Sequence[Mapping[str, Any]] = (
    _role(
        "seller",
        account={
            "read": {"rows": ["own", "shared"], "fields": {"*": True, "revenue": False}},
            "create": {"fields": {"*": True, "revenue": False}}, "update": {"rows": ["own"]},
            "delete": {"rows": ["own"]}, "share": {"rows": ["own"]}, "transfer": {"rows": ["own"]},
        },
        contact={"read": {"rows": ["all"], "fields": {"*": True, "secret": False}}, "create": True,
                 "update": {"rows": ["own", "shared"]}},
        product={"read": True},
        deal={
            "read": {"rows": ["own"]},
            "create": {"check": "ownerId == actor.id"},
            "update": {"rows": ["own"], "check": "amount == null || amount < 1000",
                       "fields": {"*": True, "stage": {"when": "stage != 'WON'"}}},
            "delete": {"rows": ["stage != 'WON'"]},
        },
        line={"read": {"rows": ["parent(deal)"]}, "create": True, "update": True, "delete": True},
        member={"read": True},
    ),
    _role("reader", account={"read": True}, deal={"read": True}, product={"read": True}),
)  # fmt: skip

CAUSE_KIND = "request"


@dataclass
class WriteWorld:
    """An open company, and short ways to write it and look at what is there."""

    engine: Engine
    namespace: str
    catalog: Catalog
    version: int
    members: list[str]
    limits: Limits = DEFAULTS

    def actor(self, *roles: str, index: int = 0) -> Actor:
        """A member with these roles; the owner's without any."""
        names = roles or ("owner",)
        return Actor(
            company="test", namespace=self.namespace, member_id=self.members[index], name="Writer", email=None,
            team_ids=(), roles=names, grants=resolve(roles_of(self.catalog), names),
        )  # fmt: skip

    def snapshot(self, actor: Actor | None = None) -> Snapshot:
        """What a request of the actor sees."""
        who = actor or self.actor()
        return Snapshot(self.engine, self.namespace, self.catalog, self.version, who, self.limits, Sealer(["writing"]))

    async def save(
        self, *commands: Command, actor: Actor | None = None, atomic: bool = True, key: str | None = None,
        rules: Sequence[WriteRule] = (), operation: str = "test",
    ) -> Saved:  # fmt: skip
        """Save the commands as one mutation field."""
        snapshot = self.snapshot(actor)
        cause = Cause(snapshot.actor.member_id, CAUSE_KIND)
        return await save(snapshot, Commands(commands, atomic, operation, key), cause, rules)

    async def create(self, entity: str, actor: Actor | None = None, **values: Any) -> str:
        """A new record that must be accepted."""
        saved = await self.save(Create(entity, values), actor=actor)
        assert faults_of(saved) == []
        assert saved.results[0].id is not None
        return saved.results[0].id

    async def rows(self, entity: str, *, deleted: bool = False) -> dict[str, dict[str, Any]]:
        """Live rows of an entity (or all) by id, as logical values by API name."""
        item = self.catalog.entities[entity]
        fields = list(item.by_api_name.values())
        clause = f"SELECT {', '.join(quote(f.column.name) for f in fields)} FROM {NAMESPACE}.{quote(item.table_name)}"
        found = {}
        for values in await self.engine.fetch(self.namespace, Sql(clause)):
            row = {
                f.api_name: f.column.type.decoder(self.engine.dialect)(value)
                for f, value in zip(fields, values, strict=True)
            }
            if deleted or row["deletedAt"] is None:
                found[row["id"]] = row
        return found

    async def row(self, entity: str, record_id: str) -> dict[str, Any]:
        """One row, deleted or not."""
        return (await self.rows(entity, deleted=True))[record_id]

    async def links(self, entity: str, relation: str) -> set[tuple[str, str]]:
        """All pairs of a link table."""
        way = self.catalog.entities[entity].relations[relation]
        text = f"SELECT {way.here}, {way.there} FROM {NAMESPACE}.{quote(str(way.link))}"
        return {(str(one), str(other)) for one, other in await self.engine.fetch(self.namespace, Sql(text))}

    async def log(self) -> list[dict[str, Any]]:
        """All events in order of their positions."""
        await self.engine.sequence(self.namespace)
        names = ["position", "last", *_LOGGED]
        text = f"SELECT {', '.join(quote(name) for name in names)} FROM {NAMESPACE}._log ORDER BY position"
        decoders = [LOG_COLUMNS[name].decoder(self.engine.dialect) for name in names]
        found = await self.engine.fetch(self.namespace, Sql(text))
        rows = [
            {name: decode(value) for name, decode, value in zip(names, decoders, row, strict=True)} for row in found
        ]
        return [row for row in rows if row["entity"] != "document"]


_LOGGED = ("transaction_id", "actor_id", "entity", "record_id", "op", "record_version", "changed", "before", "after")


def quote(name: str) -> str:
    """A quoted identifier."""
    return f'"{name}"'


def faults_of(saved: Saved) -> list[tuple[str, tuple[str, ...]]]:
    """Code and path of every fault."""
    faults: list[Fault] = [*saved.faults, *(fault for item in saved.results for fault in item.faults)]
    return [(fault.code, fault.path) for fault in faults]


@asynccontextmanager
async def write_world(place: str, limits: Limits = DEFAULTS) -> AsyncIterator[WriteWorld]:
    """A company without records but three members."""
    async with opened(place, (*ACCESS, *METADATA, *RECORDS), CONTROL_MIGRATIONS) as engine:
        namespace = f"c_{public_id()}"
        await engine.create(namespace)
        try:
            listed = (ACCOUNT, CONTACT, PRODUCT, DEAL, LINE, NOTE, *ROLES)
            published = await publish(
                engine, namespace, None, {(str(item["kind"]), str(item["name"])): item for item in listed}
            )
            members = [new_id(1) for _ in range(3)]
            await _add_members(engine, namespace, published.catalog, published.version, members)
            yield WriteWorld(engine, namespace, published.catalog, published.version, members, limits)
        finally:
            await engine.drop(namespace)


async def _add_members(engine: Engine, namespace: str, catalog: Catalog, version: int, members: list[str]) -> None:
    instant = now()
    columns = {item.column.name: item.column.type for item in catalog.entities["member"].by_api_name.values()}
    rows = []
    for record_id in members:
        row = {
            "id": record_id, "version": 1, "created_at": instant, "updated_at": instant, "name": "M",
            "status": "ACTIVE",
        }  # fmt: skip
        rows.append(tuple(kind.encoder(engine.dialect)(row.get(name)) for name, kind in columns.items()))
    insert = Insert("member", tuple(columns), tuple(kind.kind for kind in columns.values()), tuple(rows))
    batch = Batch(timestamp(instant), new_id(), Cause(None, "test"), version, statements=(insert,))
    assert await engine.apply(namespace, batch) == Applied()
