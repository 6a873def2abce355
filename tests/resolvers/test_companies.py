"""Heads as a process knows them: what was read from the database is never taken back by somebody who read earlier."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from base.limits import DEFAULTS
from resolvers import companies as heads
from resolvers.companies import Companies


class SlowCatalogs:
    """Catalogs that are made when the test says so."""

    def __init__(self) -> None:
        self.made = {version: asyncio.Event() for version in range(1, 5)}

    async def get(self, namespace: str, version: int) -> Any:
        """Anything: only its moment counts."""
        await self.made[version].wait()
        return f"catalog {version}"


@pytest.mark.parametrize("order", [(2, 3), (3, 2)])
async def test_of_two_who_ask_for_the_head_the_later_answer_stays(
    order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: Iterator[int] = iter((1, 2, 3))

    async def load_head(engine: Any, namespace: str) -> int:
        return next(answers)

    monkeypatch.setattr(heads, "load_head", load_head)
    catalogs: Any = SlowCatalogs()
    engine: Any = None
    companies = Companies(engine, catalogs, DEFAULTS)
    catalogs.made[1].set()
    assert (await companies.head("c")).version == 1
    asking = [asyncio.create_task(companies.refresh("c")) for _ in range(2)]
    for version in order:
        await asyncio.sleep(0)
        catalogs.made[version].set()
        await asyncio.wait(asking, timeout=0.01)
    assert await asyncio.gather(*asking) == [True, True]
    assert (await companies.head("c")).version == 3
