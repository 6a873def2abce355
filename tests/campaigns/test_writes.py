"""A small run of the campaign against kills: the whole is `make campaign-writes`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns.budget import Budget
from tests.campaigns.writes import siege
from tests.engines import ENGINES, place_of

KILLS = 2


@pytest.mark.parametrize("engine", ENGINES)
async def test_kills_lose_nothing_that_was_acknowledged(engine: str, tmp_path: Path) -> None:
    place_of(engine, tmp_path)  # skips where no server answers
    budget = Budget(seed=9, seconds=0, engines=(engine,))
    await siege(budget, engine, tmp_path, KILLS)
    assert budget.checked > 0
    assert budget.faults == 0
