"""Fixed tables only ever grow, and what was released never changes: two releases serve one database side by side.

`migrations.json` beside this file knows every migration that there is: number, name, and a hash of its statements for
each dialect. A new one is added to it with PLIANT_WRITE_MIGRATIONS=1; one that is there is never written again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from typing import Any, get_args

import pytest

from access.migrations import CONTROL_MIGRATIONS
from pliant.house import COMPANY_MIGRATIONS
from storage import fixed
from storage.engine import Dialect
from storage.migrations import Migration, join
from tests.architecture.sources import ROOT

KNOWN = ROOT / "tests" / "architecture" / "migrations.json"
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
ALL = {
    "company": join(fixed.MIGRATIONS, COMPANY_MIGRATIONS),
    "control": join(fixed.MIGRATIONS, CONTROL_MIGRATIONS),
}

_TABLE = r"__ns__\.(?P<table>\w+)"
CREATE_TABLE = re.compile(rf"CREATE TABLE {_TABLE} \(")
CREATE_INDEX = re.compile(r"CREATE (?P<unique>UNIQUE )?INDEX (?:__ns__\.)?\w+ ON (?:__ns__\.)?(?P<table>\w+) ")
ADD_COLUMN = re.compile(rf"ALTER TABLE {_TABLE} ADD COLUMN \w+ [a-zA-Z ()0-9]+")
NOT_ADDED = re.compile(r"NOT NULL|DEFAULT|UNIQUE|PRIMARY|CHECK|REFERENCES|GENERATED")
CREATE_FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION __ns__\.(?P<function>\w+)\(")
OF_A_NEW_TABLE = re.compile(rf"(ALTER TABLE|INSERT INTO) {_TABLE} ")
"""What may be done to a table that the same migration makes: nobody else knows it yet."""


def breaks(statements: Iterable[str]) -> list[str]:
    """The statements that a release before would notice."""
    made: set[str] = set()
    found: list[str] = []
    for text in (" ".join(statement.split()) for statement in statements):
        if match := CREATE_TABLE.match(text):
            made.add(match["table"])
        elif match := CREATE_INDEX.match(text):
            # it might write what a unique index of ours refuses
            if match["unique"] and match["table"] not in made:
                found.append(text)
        elif ADD_COLUMN.fullmatch(text):
            if NOT_ADDED.search(text):
                found.append(text)
        elif not CREATE_FUNCTION.match(text):
            match = OF_A_NEW_TABLE.match(text)
            if match is None or match["table"] not in made:
                found.append(text)
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("place", ALL)
def test_every_migration_only_adds(place: str, dialect: Dialect) -> None:
    for migration in ALL[place]:
        assert breaks(migration.statements(dialect)) == [], migration.label


@pytest.mark.parametrize("place", ALL)
def test_no_function_is_replaced_by_another_migration(place: str) -> None:
    found = [
        match["function"]
        for migration in ALL[place]
        for text in migration.statements("postgresql")
        if (match := CREATE_FUNCTION.match(text))
    ]
    assert len(found) == len(set(found)) > 0


MADE = "CREATE TABLE __ns__.new (id text NOT NULL)"


@pytest.mark.parametrize("statement", [
    "DROP TABLE __ns__._log",
    "DROP INDEX __ns__._log_record",
    "ALTER TABLE __ns__._log DROP COLUMN at",
    "ALTER TABLE __ns__._log RENAME COLUMN at TO moment",
    "ALTER TABLE __ns__._log RENAME TO _events",
    "ALTER TABLE __ns__._log ALTER COLUMN at TYPE text",
    "ALTER TABLE __ns__._log ALTER COLUMN before SET NOT NULL",
    "ALTER TABLE __ns__._log ADD COLUMN why text NOT NULL",
    "ALTER TABLE __ns__._log ADD COLUMN why text DEFAULT 'x'",
    "ALTER TABLE __ns__._log ADD CONSTRAINT c CHECK (position > 0)",
    "CREATE UNIQUE INDEX u ON __ns__._log (at)",
    "UPDATE __ns__._head SET epoch = 'x'",
    "DELETE FROM __ns__._log",
    "INSERT INTO __ns__._counter (name) VALUES ('x')",
    "CREATE TRIGGER t AFTER INSERT ON __ns__._log BEGIN SELECT 1; END",
])  # fmt: skip
def test_what_a_release_before_would_notice_is_found(statement: str) -> None:
    assert breaks([MADE, statement]) == [statement]


def test_what_only_adds_is_none_of_it() -> None:
    assert not breaks([
        MADE, "CREATE UNIQUE INDEX u ON __ns__.new (id)", "CREATE INDEX i ON __ns__._log (at)",
        "ALTER TABLE __ns__._log ADD COLUMN why text", "ALTER TABLE __ns__.new SET (fillfactor = 10)",
        "INSERT INTO __ns__.new (id) VALUES ('x')",
    ])  # fmt: skip


def shown(migration: Migration) -> dict[str, str]:
    """What is kept of a migration."""
    hashes = {
        dialect: hashlib.sha256("\n".join(" ".join(text.split()) for text in migration.statements(dialect)).encode())
        for dialect in DIALECTS
    }
    return {"name": migration.name, **{dialect: found.hexdigest() for dialect, found in hashes.items()}}


@pytest.mark.parametrize("place", ALL)
def test_no_migration_changes(place: str) -> None:
    known: dict[str, dict[str, Any]] = json.loads(KNOWN.read_text(encoding="utf-8"))
    now = {str(migration.number): shown(migration) for migration in ALL[place]}
    kept = known.get(place, {})
    changed = {number: now.get(number) for number in kept if now.get(number) != kept[number]}
    assert not changed, "a migration is for ever: write another one with the next number"
    if os.environ.get("PLIANT_WRITE_MIGRATIONS"):
        known[place] = now
        KNOWN.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    else:
        new = [number for number in now if number not in kept]
        assert not new, f"PLIANT_WRITE_MIGRATIONS=1 pytest {__file__} writes down those that are new"
