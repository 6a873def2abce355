"""A company with the CRM template on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engines import ENGINES
from tests.sources.world import World, crm


@pytest.fixture
async def sqlite_world(tmp_path: Path) -> AsyncIterator[World]:
    """The company on SQLite: for what no engine has a say in."""
    async with crm("sqlite", tmp_path) as made:
        yield made


@pytest.fixture(params=ENGINES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """The company, on each engine."""
    async with crm(str(request.param), tmp_path) as made:
        yield made
