"""Which engine: chosen by the address of the database."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from base.errors import BadInput, Text
from base.limits import DEFAULTS, Limits
from storage.engine import Engine
from storage.migrations import Migration
from storage.sqlite.engine import SqliteEngine

try:
    from storage.postgres.engine import PostgresEngine
except ImportError:  # pragma: no cover  # asyncpg comes with the extra `postgres`
    PostgresEngine = None  # type: ignore[assignment, misc]

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


def open_engine(
    place: str | Path, company: Iterable[Migration], control: Iterable[Migration], limits: Limits = DEFAULTS
) -> Engine:
    """The engine for `postgresql://…`, `sqlite:///FOLDER` or a folder's path; it still has to be opened.

    Raises `BadInput` for another kind of address, or when the driver of PostgreSQL is not installed.
    """
    if isinstance(place, Path):
        return SqliteEngine(place, company, control, limits)
    if place.startswith(_POSTGRES):
        if PostgresEngine is None:
            raise BadInput(
                Text(
                    "PostgreSQL needs its driver: pip install 'pliant[postgres]'",
                    "PostgreSQL 需要驱动：pip install 'pliant[postgres]'",
                )
            )
        return PostgresEngine(place, company, control, limits)
    if place.startswith(_SQLITE):
        return SqliteEngine(Path(place.removeprefix(_SQLITE)), company, control, limits)
    if "://" in place:
        raise BadInput(
            Text(
                "A database's address is postgresql://…, sqlite:///FOLDER or the path of a folder",
                "数据库地址应为 postgresql://…、sqlite:///目录 或目录路径",
            )
        )
    return SqliteEngine(Path(place), company, control, limits)
