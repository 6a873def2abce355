"""A small run of the campaign against publishes under kill -9: the whole is `make campaign-publish`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.budget import Budget
from tests.campaigns.publish import siege
from tests.engines import ENGINES, place_of

KILLS = 1


@pytest.mark.parametrize("engine", ENGINES)
async def test_kills_leave_nothing_half_published(engine: str, tmp_path: Path) -> None:
    place_of(engine, tmp_path)  # skips where no server answers
    budget = Budget(seed=7, seconds=0, engines=(engine,))
    await siege(budget, engine, tmp_path, KILLS, servers=2)
    assert budget.checked > 0
    assert budget.faults == 0
