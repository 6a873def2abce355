"""The SQL functions that Pliant registers on every SQLite connection, so that both engines answer alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from storage.types import float_text


@dataclass(frozen=True, slots=True)
class SqliteFunction:
    """A deterministic function: its name in SQL, how many arguments it takes, and what it does."""

    name: str
    arguments: int
    function: Callable[..., Any]


SQLITE_FUNCTIONS: Final = (SqliteFunction("pliant_float", 1, float_text),)
"""All of them, in no particular order."""


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for item in SQLITE_FUNCTIONS:
        connection.create_function(item.name, item.arguments, item.function, deterministic=True)
