"""Every run says which engines it ran on, at its head and at its end; no example is held to a time."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import HealthCheck, settings

from tests.engines import POSTGRES, REQUIRED, reachable
from tests.examples import examples

# A busy machine is slow at random: Hypothesis would report that as a fault of the test.
settings.register_profile(
    "pliant", settings(), deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("pliant")


def _engines() -> str:
    server = POSTGRES.rpartition("@")[2]
    if reachable():
        postgres = f"PostgreSQL at {server}"
    elif "postgresql" in REQUIRED:
        postgres = f"PostgreSQL REQUIRED BUT NOT REACHABLE at {server}"
    else:
        postgres = f"PostgreSQL NOT RUN: no server at {server} (PLIANT_TEST_DATABASE_URL)"
    return f"engines: SQLite {sqlite3.sqlite_version}, {postgres}"


def pytest_report_header() -> str:
    """The engines, before the tests."""
    return _engines()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The engines again, after the tests: also when the head is long gone or was not shown."""
    terminalreporter.write_line(_engines())
