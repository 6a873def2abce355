"""A small run of the oracle: the whole is `make campaign-oracle`."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.budget import Budget
from tests.campaigns.oracle import campaign
from tests.engines import ENGINES, reachable

SECONDS = 12.0


async def test_all_ways_to_an_answer_agree(tmp_path: Path) -> None:
    engines = ENGINES if reachable() else ENGINES[:1]
    budget = Budget(seed=4, seconds=SECONDS, engines=engines)
    await campaign(budget, tmp_path, operations=8)
    assert budget.checked > 0
    assert budget.faults == 0
