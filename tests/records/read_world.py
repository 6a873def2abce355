"""A small company to read: members, teams, shares and four related entities with every kind of scalar, at random."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from access.actor import Actor
from access.migrations import CONTROL_MIGRATIONS
from access.migrations import MIGRATIONS as ACCESS
from access.resolve import resolve, roles_of
from base.clock import now, timestamp
from base.ids import new_id, public_id
from base.limits import DEFAULTS, Limits
from metadata.catalog import Catalog, Entity
from metadata.migrations import MIGRATIONS as METADATA
from metadata.publishing.publish import publish
from records.reading.cursor import Sealer
from records.shares import MIGRATIONS as RECORDS
from records.shares import SHARE, SHARE_COLUMNS
from records.snapshot import Snapshot
from storage.batch import Applied, Batch, Cause, Insert
from storage.engine import Engine
from storage.types import UUID, ColumnType
from tests.engines import opened
from tests.records.naive_data import Data, load

ACCOUNT = {
    "kind": "entity", "name": "account", "title": "Account", "type": "object", "x-display": "name",
    "x-search": ["name", "sector"],
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "sector": {"type": "string", "maxLength": 200},
        "revenue": {"type": "string", "format": "decimal"},
        "parent": {"x-type": "reference", "x-entity": "account", "x-inverse": "branches", "x-onDelete": "keep"},
    },
}  # fmt: skip
DEAL = {
    "kind": "entity", "name": "deal", "title": "Deal", "type": "object", "x-display": "name",
    "x-index": [["stage", "amount"]],
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "deals", "x-onDelete": "keep"},
        "stage": {"enum": ["OPEN", "WON", "LOST"]},
        "amount": {"type": "string", "format": "decimal"},
        "probability": {"type": "integer"},
        "views": {"x-type": "long"},
        "score": {"type": "number"},
        "closeOn": {"type": "string", "format": "date"},
        "seenAt": {"type": "string", "format": "date-time"},
        "callAt": {"type": "string", "format": "time"},
        "hot": {"type": "boolean"},
        "tags": {"x-type": "tags"},
        "notes": {"x-type": "longText"},
        "extra": {"x-type": "json"},
        "watchers": {"x-type": "references", "x-entity": "contact", "x-inverse": "watched"},
    },
}  # fmt: skip
CONTACT = {
    "kind": "entity", "name": "contact", "title": "Contact", "type": "object", "x-display": "name",
    "properties": {
        "name": {"type": "string", "maxLength": 200},
        "email": {"x-type": "email"},
        "account": {"x-type": "reference", "x-entity": "account", "x-inverse": "contacts", "x-onDelete": "keep"},
        "lines": {"x-type": "children", "x-entity": "line", "x-inverse": "contact"},
    },
}  # fmt: skip
LINE = {
    "kind": "entity", "name": "line", "title": "Line", "type": "object", "x-display": "label",
    "properties": {"label": {"type": "string", "maxLength": 200}, "rate": {"x-type": "percent"}},
}  # fmt: skip


def _role(name: str, **entities: Any) -> dict[str, Any]:
    return {"kind": "role", "name": name, "title": name, "entities": entities}


ROLES = (
    _role("everything", **{"*": {"read": True}}),
    _role(
        "seller",
        account={"read": {"rows": ["own", "team+"], "fields": {"*": True, "revenue": False}}},
        deal={"read": {"rows": ["team+", "shared"], "fields": {"*": True, "score": False}}},
        contact={"read": {"rows": ["parent(account)"]}},
        line={"read": {"rows": ["parent(contact)"]}},
        member={"read": True},
    ),
    _role(
        "clerk",
        account={"read": {"rows": ["all"], "fields": {"*": False, "name": True}}},
        deal={
            "read": {
                "rows": ["reports+", "account.sector == 'Retail'"],
                "fields": {"*": True, "amount": {"when": "stage != 'WON'"}, "account": {"when": "hot == true"}},
            }
        },
        contact={"read": {"rows": ["own"], "fields": {"*": True, "email": {"when": "ownerId == actor.id"}}}},
        line={"read": {"rows": ["all"]}},
        member={"read": {"rows": ["all"], "fields": {"*": True, "email": False}}},
        team={"read": True},
    ),
    _role("auditor", deal={"read": {"rows": ["team", "account.parent.name != null"], "fields": {"*": False,
          "name": True, "amount": True, "watchers": True}}}, contact={"read": {"rows": ["teamId in actor.teamIds"]}}),
)  # fmt: skip

WORDS = (
    "Acme", "acme", "Straße", "STRASSE", "北京公司", "海淀", "100%", "a_b", "Ärger", "x", "", "A\nB", "quote\"'", "é",
)  # fmt: skip
SETS = (("everything",), ("seller",), ("clerk",), ("seller", "clerk"), ("auditor",), ("clerk", "auditor"))
"""Sets of roles that actors hold."""


@dataclass
class ReadWorld:
    """An open company with rows, and everything that reading them takes."""

    engine: Engine
    namespace: str
    catalog: Catalog
    version: int
    data: Data
    members: list[str]
    teams: list[str]
    sealer: Sealer

    def actor(self, roles: tuple[str, ...], index: int = 0) -> Actor:
        """A member with these roles and two of the teams."""
        teams = (self.teams[index % len(self.teams)], self.teams[(index + 3) % len(self.teams)])
        return Actor(
            company="test",
            namespace=self.namespace,
            member_id=self.members[index],
            name="Reader",
            email=None,
            team_ids=teams,
            roles=roles,
            grants=resolve(roles_of(self.catalog), roles),
            default_team_id=teams[0],
        )

    def snapshot(self, actor: Actor, limits: Limits = DEFAULTS) -> Snapshot:
        """What a request of the actor sees."""
        return Snapshot(self.engine, self.namespace, self.catalog, self.version, actor, limits, self.sealer)


@asynccontextmanager
async def read_world(place: str, seed: int, size: int = 30) -> AsyncIterator[ReadWorld]:
    """A company whose rows depend on the seed alone."""
    async with opened(place, (*ACCESS, *METADATA, *RECORDS), CONTROL_MIGRATIONS) as engine:
        namespace = f"c_{public_id()}"
        await engine.create(namespace)
        try:
            every: tuple[Mapping[str, Any], ...] = (ACCOUNT, DEAL, CONTACT, LINE, *ROLES)
            documents = {(str(item["kind"]), str(item["name"])): item for item in every}
            published = await publish(engine, namespace, None, documents)
            filler = _Filler(engine, namespace, published.catalog, Random(seed), size)
            await filler.fill(published.version)
            data = await load(engine, namespace, published.catalog)
            yield ReadWorld(
                engine, namespace, published.catalog, published.version, data,
                filler.members, filler.teams, Sealer(["reading"]),
            )  # fmt: skip
        finally:
            await engine.drop(namespace)


class _Filler:
    """Fills every table at random, past the door: reading must stand any row."""

    def __init__(self, engine: Engine, namespace: str, catalog: Catalog, random: Random, size: int) -> None:
        self._engine, self._namespace, self._catalog = engine, namespace, catalog
        self._random, self._size = random, size
        self._inserts: list[Insert] = []
        self.ids: dict[str, list[str]] = {}
        self.members: list[str] = []
        self.teams: list[str] = []

    async def fill(self, version: int) -> None:
        """All rows in one Batch."""
        counts = {"member": 5, "team": 6, "account": self._size // 2, "deal": self._size * 2}
        for name, entity in self._catalog.entities.items():
            self.ids[name] = [new_id(entity.number) for _ in range(counts.get(name, self._size))]
        self.members, self.teams = self.ids["member"], self.ids["team"]
        for entity in self._catalog.entities.values():
            self._rows(entity)
        self._trees()
        self._shares()
        self._links()
        instant = timestamp(now())
        batch = Batch(instant, new_id(), Cause(None, "test"), version, statements=tuple(self._inserts))
        assert await self._engine.apply(self._namespace, batch) == Applied()

    def _insert(self, table: str, columns: Mapping[str, ColumnType], rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        encoders = [kind.encoder(self._engine.dialect) for kind in columns.values()]
        values = tuple(
            tuple(encode(row.get(name)) for encode, name in zip(encoders, columns, strict=True)) for row in rows
        )
        self._inserts.append(Insert(table, tuple(columns), tuple(kind.kind for kind in columns.values()), values))

    def _rows(self, entity: Entity) -> None:
        columns = {item.column.name: item.column.type for item in entity.by_api_name.values()}
        rows = []
        for record_id in self.ids[entity.name]:
            row: dict[str, Any] = {}
            for item in entity.by_api_name.values():
                target = item.relation.target if item.relation is not None else None
                row[item.column.name] = self._value(item.column.type, target, [c.value for c in item.choices])
            deleted = self._random.random() < 0.15
            stamp = datetime(2026, 3, 1, tzinfo=UTC)
            row |= {
                "id": record_id,
                "version": self._random.randint(1, 5),
                "created_at": stamp + timedelta(microseconds=self._random.choice([0, 10, 500_000, 1_000_000])),
                "updated_at": stamp,
                "deleted_at": stamp if deleted else None,
                "deletion_id": None,
            }
            if entity.name in ("member", "team"):
                row["name"] = self._random.choice(WORDS) or "x"
                row["deleted_at"] = None
            if entity.name == "member":
                row["email"] = f"{record_id}@example.com"
                row["status"] = "ACTIVE"
            rows.append(row)
        self._insert(entity.table_name, columns, rows)

    def _value(self, kind: ColumnType, target: str | None, choices: list[str]) -> Any:
        random = self._random
        if random.random() < 0.2:
            return None
        if target is not None:
            return random.choice(self.ids[target]) if random.random() < 0.95 else new_id(1)
        if choices:
            return random.choice(choices)
        match kind.kind:
            case "text":
                return random.choice(WORDS)
            case "integer":
                return random.choice([0, 1, 2, 50, 100, -7, 2**31 - 1])
            case "bigint":
                return random.choice([0, 1, -1, 2**53 - 1, -(2**53) + 1, 10])
            case "float":
                return random.choice([0.0, 0.1, 0.1 + 0.2, -1.5, 1e22, 1e-7, 100000.0])
            case "decimal":
                edge = Decimal(10 ** (18 - kind.scale) - 1)
                values = [Decimal(0), Decimal("12.5"), Decimal("-0.01"), Decimal(100), edge, -edge, Decimal("3.3333")]
                return random.choice(values).quantize(Decimal(1).scaleb(-kind.scale))
            case "boolean":
                return random.random() < 0.5
            case "date":
                return random.choice([date(2026, 1, 31), date(1, 1, 1), date(9999, 12, 31), now().date()])
            case "time":
                return random.choice([time(0, 0), time(9, 30), time(9, 30, 0, 500_000), time(23, 59, 59, 999_999)])
            case "timestamp":
                return random.choice([now(), datetime(2026, 1, 1, tzinfo=UTC), datetime(1999, 12, 31, 1, tzinfo=UTC)])
            case "uuid":
                return new_id()
            case "texts":
                return random.sample(["vip", "new", "北", 'a"b'], random.randint(0, 3))
            case _:
                return random.choice([{"a": [1, None, "x"]}, [], "text", 1.5, {"z": {"y": True}}, None])

    def _trees(self) -> None:
        for table, upper, lower, nodes in (
            ("_team_closure", "ancestor", "descendant", self.teams),
            ("_report_closure", "manager", "report", self.members),
        ):
            pairs = {(node, node) for node in nodes}
            for index in range(1, len(nodes)):  # node i hangs below node (i - 1) // 2
                above = index
                while above:
                    above = (above - 1) // 2
                    pairs.add((nodes[above], nodes[index]))
            rows = [{upper: high, lower: low} for high, low in sorted(pairs)]
            self._insert(table, {upper: UUID, lower: UUID}, rows)

    def _shares(self) -> None:
        number = self._catalog.entities["deal"].number
        rows = []
        for record_id in self._random.sample(self.ids["deal"], self._size // 2):
            kind = self._random.choice(["member", "team", "role"])
            principal = {"member": self.members, "team": self.teams, "role": ["seller", "clerk"]}[kind]
            rows.append(
                {
                    "entity": number,
                    "record_id": record_id,
                    "principal_kind": kind,
                    "principal": self._random.choice(principal),
                    "level": self._random.choice(["READ", "WRITE"]),
                    "fields": self._random.choice([None, ["name"], ["name", "amount", "account_id", "watchers"]]),
                    "source": "manual",
                    "until": self._random.choice([None, None, now() - timedelta(days=1), now() + timedelta(days=1)]),
                }
            )
        self._insert(SHARE, SHARE_COLUMNS, rows)

    def _links(self) -> None:
        relation = self._catalog.entities["deal"].relations["watchers"]
        here, there = str(relation.here), str(relation.there)
        pairs = {
            (self._random.choice(self.ids["deal"]), self._random.choice(self.ids["contact"]))
            for _ in range(self._size * 3)
        }
        rows = [{here: one, there: other} for one, other in sorted(pairs)]
        self._insert(str(relation.link), {here: UUID, there: UUID}, rows)
