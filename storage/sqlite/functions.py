"""The SQL functions that Pliant registers on every SQLite connection, so that both engines answer alike."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final

from base import decimals, text
from storage.json_path import json_at
from storage.sums import SUM_FUNCTIONS
from storage.types import float_text

SQLITE_FUNCTIONS: Final[tuple[tuple[str, int, Callable[..., Any]], ...]] = (
    *text.SQLITE_FUNCTIONS,
    *decimals.SQLITE_FUNCTIONS,  # with those of doubles
    ("pliant_float", 1, float_text),
    ("pliant_json_at", 2, json_at),
    *SUM_FUNCTIONS,
)
"""(name in SQL, number of arguments, function): all are deterministic."""


def register(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for name, arguments, function in SQLITE_FUNCTIONS:
        connection.create_function(name, arguments, function, deterministic=True)
