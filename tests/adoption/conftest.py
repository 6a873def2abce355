"""A house on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pliant.house import House
from tests.engines import ENGINES, place_of
from tests.houses import opened_house


@pytest.fixture(params=ENGINES)
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    """A running house."""
    async with opened_house(place_of(request.param, tmp_path)) as opened:
        yield opened
