"""Numbered, expand-only changes of fixed tables, run when a namespace is created or first touched.

Each engine runs what is missing in one transaction under the company's exclusive lock and notes it in `_migration`,
so a half-migrated namespace does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from storage.engine import Dialect

CREATE_TABLE = "CREATE TABLE IF NOT EXISTS __ns__._migration (number integer NOT NULL PRIMARY KEY, name text NOT NULL)"
"""The table of what was run; the only one that no migration makes."""

NUMBERS = "SELECT number FROM __ns__._migration"
"""Reads the numbers of what was run."""

_NOTE = "in migration "


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number for ever, its name, and its statements (one per text, tables under `__ns__.`)."""

    number: int
    name: str
    statements: Callable[[Dialect], list[str]]

    @property
    def label(self) -> str:
        """Number and name, for people."""
        return f"{self.number} {self.name}"


def join(*groups: Iterable[Migration]) -> tuple[Migration, ...]:
    """All migrations by number; the same one may come from two groups. Raises `ValueError` for two of one number."""
    found: dict[int, Migration] = {}
    for migration in (item for group in groups for item in group):
        if found.setdefault(migration.number, migration) is not migration:
            raise ValueError(f"two migrations have the number {migration.number}")
    return tuple(found[number] for number in sorted(found))


def missing(migrations: Iterable[Migration], done: Collection[int]) -> list[Migration]:
    """What is still to be run, in order."""
    return [migration for migration in migrations if migration.number not in done]


def record(migration: Migration) -> str:
    """The statement that notes a migration as run."""
    name = migration.name.replace("'", "''")
    return f"INSERT INTO __ns__._migration (number, name) VALUES ({migration.number:d}, '{name}')"


@contextmanager
def told(migration: Migration) -> Iterator[None]:
    """Errors inside name the migration: whoever reads them, or asks `failed_migration`, learns which one it was."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{_NOTE}{migration.label}")
        raise


def failed_migration(error: BaseException) -> str | None:
    """Number and name of the migration that an error, or what caused it, is about."""
    found: BaseException | None = error
    while found is not None:
        for note in getattr(found, "__notes__", ()):
            if note.startswith(_NOTE):
                return str(note).removeprefix(_NOTE)
        found = found.__cause__
    return None
