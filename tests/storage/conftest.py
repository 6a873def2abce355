"""The same small company on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.engine import Engine
from tests.engines import ENGINES, opened, place_of
from tests.storage.shop import MIGRATIONS


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where this test's rows are."""
    return place_of(request.param, tmp_path)


@pytest.fixture
async def engine(place: str) -> AsyncIterator[Engine]:
    """An engine with the company `shop`."""
    async with opened(place, MIGRATIONS) as found:
        await found.create("shop")
        yield found
