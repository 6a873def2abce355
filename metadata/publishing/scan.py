"""Reading records one by one, as they will be, and testing them (`metadata.publishing.record_tests`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from base.errors import Text
from metadata.publishing.census import READ_ROWS
from metadata.publishing.checks import column_of, live, table_of
from metadata.publishing.foreseen import Foreseen
from metadata.publishing.record_tests import Failure, RecordTest
from storage.engine import Engine
from storage.sql import compile_with_constants, constant
from storage.types import UUID

MAX_IDS: Final = 20
"""Ids kept of one kind of failure: an actor who may not read all of them is still shown some."""

_FIRST: Final = "00000000-0000-0000-0000-000000000000"


@dataclass
class Found:
    """Records of which one thing was said."""

    text: Text
    blocks: bool
    count: int = 0
    ids: list[str] = field(default_factory=list)


@dataclass
class Scanned:
    """What a scan found: rows that it looked at, whether these were all, and failures by test and place."""

    rows: int = 0
    complete: bool = False
    failures: dict[tuple[int, tuple[str, ...]], Found] = field(default_factory=dict)

    def add(self, test: int, failure: Failure) -> None:
        """Count one failure; of those with one place the first one's text is kept."""
        found = self.failures.setdefault((test, failure.place), Found(failure.text, failure.blocks))
        found.count += 1
        if len(found.ids) < MAX_IDS:
            found.ids.append(failure.record)


async def scan(engine: Engine, namespace: str, foreseen: Foreseen, tests: Sequence[RecordTest], budget: int) -> Scanned:
    """Test live records in the order of their ids, at most `budget` of them."""
    dialect, scanned = engine.dialect, Scanned()
    recipes = {path: foreseen.recipe(path) for path in sorted({path for test in tests for path in test.reads})}
    clauses = [clause for recipe in recipes.values() for clause in recipe.clauses]
    key = column_of("id", UUID)
    query: sa.Select[Any] = sa.select(key, *(clause.label(f"c{n}") for n, clause in enumerate(clauses)))
    query = query.select_from(table_of(foreseen.entity)).where(
        live(), key > sa.bindparam("after", type_=UUID.sqlalchemy())
    )
    made = compile_with_constants(query.order_by(key).limit(constant(READ_ROWS)), dialect)
    encode, decode, last = UUID.encoder(dialect), UUID.decoder(dialect), _FIRST
    while True:
        rows = await engine.fetch(namespace, made.sql, made.params(after=encode(last)))
        looked = rows[: budget - scanned.rows]
        for record, *read in looked:
            last, held = str(decode(record)), iter(read)
            values = {path: recipe.made([next(held) for _ in recipe.clauses]) for path, recipe in recipes.items()}
            for number, test in enumerate(tests):
                for failure in test.failures(last, values.__getitem__):
                    scanned.add(number, failure)
        scanned.rows += len(looked)
        scanned.complete = len(looked) == len(rows) < READ_ROWS
        if scanned.complete or len(looked) < len(rows):
            return scanned
