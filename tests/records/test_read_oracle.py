"""Compiled reads against the naive reader, at random, on every engine."""

from __future__ import annotations

from pathlib import Path
from random import Random

import orjson
import pytest

from base.limits import DEFAULTS
from records.binds import clock_of
from records.reading.read import PlanTooDeep, compile_selection, run
from records.surface import surface_of
from tests.engines import ENGINES, place_of
from tests.records.asking import Asker
from tests.records.naive import Naive
from tests.records.naive_values import rounded, without_cursors
from tests.records.read_world import SETS, read_world


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seed", range(2))
async def test_equals_the_naive_reader(engine: str, seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    deep = 0
    async with read_world(place_of(engine, tmp_path), seed) as world:
        for index, roles in enumerate(SETS):
            actor = world.actor(roles, index % 3)
            asker = Asker(world.catalog, surface_of(world.catalog, actor.grants), world.data, random)
            for _ in range(25):
                selection = asker.selection()
                try:
                    plan = compile_selection(selection, world.catalog, actor.grants, world.engine.dialect, DEFAULTS)
                except PlanTooDeep:
                    deep += 1
                    continue
                answer = await run(plan, world.snapshot(actor), asker.variables)
                naive = Naive(world.catalog, actor, world.data, clock_of(world.catalog.app))
                expected = naive.answer(selection, asker.variables)
                assert answer.head_version == world.version
                assert rounded(without_cursors(orjson.loads(answer.data))) == rounded(
                    without_cursors(orjson.loads(orjson.dumps(expected)))
                ), (selection, asker.variables, plan.sql.text)
    assert deep < (10 if engine == "sqlite" else 1)
