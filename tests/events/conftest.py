"""A namespace with nothing but storage's own tables, on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from base.ids import public_id
from storage.engine import Engine
from tests.engines import ENGINES, opened, place_of


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    async with opened(place_of(request.param, tmp_path)) as found:
        yield found


@pytest.fixture
async def namespace(engine: Engine) -> AsyncIterator[str]:
    name = f"e_{public_id()}"
    await engine.create(name)
    yield name
    await engine.drop(name)
