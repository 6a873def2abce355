"""The same rows in a company's SQLite file, past the door."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks import rows
from benchmarks.company import TEAMS
from benchmarks.rows import FIRST_INSTANT, Counts, record_id, team_of
from metadata.catalog import Catalog, Entity


def load_company(path: Path, catalog: Catalog, counts: Counts, own_team: str) -> None:
    """Fill the tables; indexes are made after the rows. The company must not be open anywhere."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    names = ("account", "contact", "opportunity")
    found = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (?, ?, ?)", names
    ).fetchall()
    for name, _ in found:
        connection.execute(f'DROP INDEX "{name}"')
    for entity, records in _records(catalog, counts, own_team):
        _insert(connection, catalog.entities[entity], records)
    below = [record_id(number, catalog.entities["team"].number) for number in range(1, TEAMS + 1)]
    pairs = [(team, team) for team in below] + [(own_team, team) for team in below]
    connection.executemany("INSERT INTO _team_closure (ancestor, descendant) VALUES (?, ?)", pairs)
    for _, text in found:
        connection.execute(text)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _records(catalog: Catalog, counts: Counts, own_team: str) -> Iterator[tuple[str, Iterable[Mapping[str, Any]]]]:
    number = {name: entity.number for name, entity in catalog.entities.items()}
    stamps = {"version": 1, "createdAt": FIRST_INSTANT, "updatedAt": FIRST_INSTANT}

    def key(entity: str, row: int) -> str:
        return record_id(row, number[entity])

    yield (
        "team",
        ({**stamps, "id": key("team", i), "name": f"Team {i}", "parent": own_team} for i in range(1, TEAMS + 1)),
    )
    yield (
        "member",
        (
            {**stamps, "id": key("member", row[0]), "name": row[1], "email": row[2], "status": "ACTIVE", "locale": "en"}
            for row in rows.users(counts)
        ),
    )
    yield (
        "account",
        (
            {
                "id": key("account", row[0]),
                "version": 1,
                "name": row[1],
                "industry": row[2],
                "city": row[3],
                "tier": row[4],
                "owner": key("member", row[5]),
                "team": key("team", team_of(row[0])),
                "annualRevenue": row[6],
                "createdAt": row[7],
                "updatedAt": row[7],
            }
            for row in rows.accounts(counts)
        ),
    )
    yield (
        "contact",
        (
            {
                **stamps,
                "id": key("contact", row[0]),
                "account": key("account", row[1]),
                "name": row[2],
                "email": row[3],
                "phone": row[4],
                "title": row[5],
            }
            for row in rows.contacts(counts)
        ),
    )
    yield (
        "opportunity",
        (
            {
                "id": key("opportunity", row[0]),
                "version": 1,
                "account": key("account", row[1]),
                "owner": key("member", row[2]),
                "team": key("team", team_of(row[0])),
                "name": row[3],
                "stage": row[4],
                "amount": row[5],
                "probability": row[6],
                "closeDate": row[7],
                "source": row[8],
                "createdAt": row[9],
                "updatedAt": row[10],
                "margin": (row[5] * 3 / 10).quantize(Decimal("0.01")),
            }
            for row in rows.opportunities(counts)
        ),
    )


def _insert(connection: sqlite3.Connection, entity: Entity, records: Iterable[Mapping[str, Any]]) -> None:
    columns = {name: item.column for name, item in entity.fields.items() if item.columns}
    encoders = {name: column.type.encoder("sqlite") for name, column in columns.items()}
    names: list[str] = []

    def values() -> Iterator[list[Any]]:
        for record in records:
            yield [None if (value := record.get(name)) is None else encoders[name](value) for name in names]

    names += columns
    listed = ", ".join(f'"{columns[name].name}"' for name in names)
    marks = ", ".join("?" for _ in names)
    connection.executemany(f'INSERT INTO "{entity.table_name}" ({listed}) VALUES ({marks})', values())
