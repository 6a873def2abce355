"""Rows of a company at random: extremes, nulls, many scripts, deleted ones, links, trees of teams and members, shares.

They are logical values (`storage.types`), so the same rows go into every engine, and the naive reader takes them
without asking any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from base.clock import now, timestamp
from base.ids import new_id
from metadata.catalog import Catalog, Entity
from metadata.field import Field, GraphQLKind, RelationKind
from records.shares import SHARE, SHARE_COLUMNS, field_key
from storage.batch import NAMESPACE, Applied, Batch, Cause, Execute, Insert, Sql, Statement
from storage.engine import Engine
from storage.names import quoted
from storage.types import UUID, ColumnType
from tests.records.naive_data import Data

TEXTS = (
    "Acme", "acme", "ACME", "Straße", "STRASSE", "北京公司", "海淀", "赢单 100%", "a_b", "a%b", "a\\b", "Ärger", "x",
    "", "A\nB", "quote\"'", "é", "e\u0301", "ﬁn", "İstanbul", "😀 deal", " padded ", "zz\x7f", "' or 1=1--", "Σς",
)  # fmt: skip

_INTEGERS = (0, 1, 2, 50, 100, -7, 2**31 - 1, -(2**31))
_LONGS = (0, 1, -1, 2**53 - 1, -(2**53) + 1, 10)
_FLOATS = (0.0, 0.1, 0.1 + 0.2, -1.5, 1e22, 1e-7, 100000.0, 5e-324, 1e300, -2.5e-10)
_JSONS: tuple[Any, ...] = (
    {"a": [1, None, "x"]}, [], "text", 1.5, {"z": {"y": True}}, {"a": {"b": 1}}, False, {"a": [1.0, None, "x"]}, {},
)  # fmt: skip


@dataclass
class Company:
    """All rows of one company. `rows` and `links` are by table, keyed by column; trees and shares beside them."""

    catalog: Catalog
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    links: dict[str, tuple[str, str, set[tuple[str, str]]]] = field(default_factory=dict)
    trees: dict[str, tuple[str, str, set[tuple[str, str]]]] = field(default_factory=dict)
    shares: list[dict[str, Any]] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)

    def data(self) -> Data:
        """The rows as the naive reader takes them."""
        data = Data({})
        for entity in self.catalog.entities.values():
            names = [(item.column.name, item.api_name) for item in entity.by_api_name.values()]
            rows = ({api: row[column] for column, api in names} for row in self.rows[entity.table_name])
            data.rows[entity.name] = {row["id"]: row for row in rows}
        data.links = {table: set(pairs) for table, (_, _, pairs) in self.links.items()}
        data.below = self.trees["_team_closure"][2]
        data.reports = self.trees["_report_closure"][2]
        data.shares = [
            {
                "record": share["record_id"], "principal": share["principal"], "level": share["level"],
                "fields": None if share["fields"] is None else set(share["fields"]), "until": share["until"],
            }
            for share in self.shares
        ]  # fmt: skip
        return data


class Filler:
    """Makes the rows of one company."""

    def __init__(self, random: Random, catalog: Catalog, size: int) -> None:
        self._random = random
        self._size = size
        self._now = now()
        self._ids: dict[str, list[str]] = {}
        self.company = Company(catalog)

    def fill(self) -> Company:
        """All rows."""
        company, entities = self.company, self.company.catalog.entities
        for name, entity in entities.items():
            count = {"member": 5, "team": 6}.get(name, self._random.randint(self._size // 2, self._size * 3 // 2))
            self._ids[name] = [self._id(entity.number) for _ in range(count)]
        company.members, company.teams = self._ids["member"], self._ids["team"]
        for entity in entities.values():
            rows = [self._row(entity, record_id, index) for index, record_id in enumerate(self._ids[entity.name])]
            company.rows[entity.table_name] = rows
            self._links(entity)
        self._tree("_team_closure", "ancestor", "descendant", company.teams)
        self._tree("_report_closure", "manager", "report", company.members)
        self._shares()
        return company

    def adopt(self, company: Company) -> None:
        """Go on from rows that are there."""
        self.company = company
        for name, entity in company.catalog.entities.items():
            self._ids[name] = [row["id"] for row in company.rows[entity.table_name]]

    def row(self, entity: Entity) -> dict[str, Any]:
        """One more row."""
        return self._row(entity, self._id(entity.number), self._random.randrange(10**6, 10**7))

    def _id(self, number: int) -> str:
        """An id from the seed alone."""
        random = self._random
        high = (0x01931F2E7000 + random.randrange(4)) << 16 | 0x7 << 12 | number
        text = f"{high:016x}{0x8 << 60 | random.getrandbits(60):016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _row(self, entity: Entity, record_id: str, index: int) -> dict[str, Any]:
        random = self._random
        row = {item.column.name: self.value(item) for item in entity.by_api_name.values()}
        stamp = datetime(2026, 3, 1, tzinfo=UTC)
        deleted = random.random() < 0.15
        row |= {
            "id": record_id,
            "version": random.randint(1, 5),
            "created_at": stamp + timedelta(microseconds=random.choice([0, 10, 500_000, 1_000_000])),
            "updated_at": stamp + timedelta(seconds=random.randint(0, 2)),
            "deleted_at": stamp if deleted else None,
            "deletion_id": None,
        }
        if "code" in entity.fields:
            row[entity.fields["code"].column.name] = f"{random.choice(TEXTS)}{index:04d}"
        if entity.name in ("member", "team"):
            row |= {"name": random.choice(TEXTS) or "x", "deleted_at": None}
        if entity.name == "member":
            row |= {"email": f"{record_id}@example.com", "status": "ACTIVE"}
        return row

    def value(self, item: Field) -> Any:
        """A logical value of a field."""
        random = self._random
        if random.random() < 0.2:
            return None
        if item.relation is not None:
            return random.choice(self._ids[item.relation.target]) if random.random() < 0.95 else self._id(1)
        values = [choice.value for choice in item.choices]
        if values:
            many = item.type.graphql is GraphQLKind.ENUM_LIST
            return random.sample(values, random.randint(0, 3)) if many else random.choice(values)
        if item.type.examples and not item.system and random.random() < 0.3:
            try:
                return item.type.logical(item.options, random.choice(item.type.examples))
            except ValueError:
                return None
        made = self._of_kind(item.column.type)
        if item.column.type.kind == "text" and item.type.examples and not item.system:
            try:  # a filter that asks for this value must be right: texts of a form keep to it
                item.type.argument(item.options, made)
            except ValueError:
                return item.type.logical(item.options, random.choice(item.type.examples))
        return made

    def _of_kind(self, kind: ColumnType) -> Any:
        random = self._random
        match kind.kind:
            case "text":
                return random.choice(TEXTS)
            case "integer":
                return random.choice(_INTEGERS)
            case "bigint":
                return random.choice(_LONGS)
            case "float":
                return random.choice(_FLOATS)
            case "decimal":
                edge = Decimal(10**18 - 1).scaleb(-kind.scale)
                values = [Decimal(0), Decimal("12.5"), Decimal("-0.01"), Decimal(100), edge, -edge, Decimal("3.3333")]
                return random.choice(values).quantize(Decimal(1).scaleb(-kind.scale)) + 0
            case "boolean":
                return random.random() < 0.5
            case "date":
                today = self._now.date()
                return random.choice(
                    [date(2026, 1, 31), date(1, 1, 1), date(9999, 12, 31), today, today.replace(day=1)]
                )
            case "time":
                return random.choice([time(0, 0), time(9, 30), time(9, 30, 0, 500_000), time(23, 59, 59, 999_999)])
            case "timestamp":
                ago = timedelta(days=random.choice([0, 1, 7, 31, -7]))
                old = datetime(1999, 12, 31, 1, 2, 3, 4, UTC)
                return random.choice([self._now - ago, datetime(2026, 1, 1, tzinfo=UTC), old])
            case "uuid":
                return self._id(0)
            case "texts":
                return random.sample(["vip", "new", "北", 'a"b', "100%"], random.randint(0, 3))
            case _:
                return random.choice(_JSONS)

    def _links(self, entity: Entity) -> None:
        for relation in entity.relations.values():
            if relation.kind is RelationKind.MANY and relation.field is not None:
                here, there = self._ids[entity.name], self._ids[relation.target]
                pairs = {(self._random.choice(here), self._random.choice(there)) for _ in range(self._size * 2)}
                self.company.links[str(relation.link)] = (str(relation.here), str(relation.there), pairs)

    def _tree(self, table: str, upper: str, lower: str, nodes: list[str]) -> None:
        pairs = {(node, node) for node in nodes}
        for index in range(1, len(nodes)):  # node i hangs below node (i - 1) // 2
            above = index
            while above:
                above = (above - 1) // 2
                pairs.add((nodes[above], nodes[index]))
        self.company.trees[table] = (upper, lower, pairs)

    def _shares(self) -> None:
        random, company = self._random, self.company
        for entity in company.catalog.entities.values():
            if entity.system:
                continue
            keys = [field_key(item) for item in entity.fields.values()]
            for record_id in random.sample(self._ids[entity.name], len(self._ids[entity.name]) // 3):
                kind = random.choice(["member", "team", "role"])
                principals = {"member": company.members, "team": company.teams, "role": ["role1", "role2", "role3"]}
                until = random.choice([None, None, timedelta(days=-1), timedelta(days=1)])
                company.shares.append(
                    {
                        "entity": entity.number, "record_id": record_id, "principal_kind": kind,
                        "principal": random.choice(principals[kind]), "level": random.choice(["READ", "WRITE"]),
                        "fields": random.choice([None, random.sample(keys, 2), random.sample(keys, len(keys) // 2)]),
                        "source": "manual", "until": None if until is None else self._now + until,
                    }
                )  # fmt: skip


async def write(engine: Engine, namespace: str, company: Company, version: int) -> None:
    """Put the rows into an engine past the door (reading must stand any row); what was there before is gone."""
    tables: list[tuple[str, Mapping[str, ColumnType], list[dict[str, Any]]]] = []
    for entity in company.catalog.entities.values():
        own = {item.column.name: item.column.type for item in entity.by_api_name.values()}
        tables.append((entity.table_name, own, company.rows[entity.table_name]))
    for table, (one, other, pairs) in (company.links | company.trees).items():
        tables.append((table, {one: UUID, other: UUID}, [{one: a, other: b} for a, b in sorted(pairs)]))
    tables.append((SHARE, SHARE_COLUMNS, company.shares))
    statements: list[Statement] = []
    for table, columns, rows in tables:
        statements.append(Execute(Sql(f"DELETE FROM {NAMESPACE}.{quoted(table)}"), ()))
        if rows:
            statements.append(_insert(engine, table, columns, rows))
    batch = Batch(timestamp(now()), new_id(), Cause(None, "campaign"), version, statements=tuple(statements))
    outcome = await engine.apply(namespace, batch)
    if outcome != Applied():
        raise AssertionError(outcome)


def _insert(engine: Engine, table: str, columns: Mapping[str, ColumnType], rows: list[dict[str, Any]]) -> Insert:
    encoders = [kind.encoder(engine.dialect) for kind in columns.values()]
    values = tuple(tuple(encode(row[name]) for encode, name in zip(encoders, columns, strict=True)) for row in rows)
    return Insert(table, tuple(columns), tuple(kind.kind for kind in columns.values()), values)
