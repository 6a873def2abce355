"""Imports that are stopped: by an error between batches, and by a kill in the middle of one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from base.errors import Conflict
from base.json import parse, pretty
from sources import NO_MAPPING, Options, Step, import_file, survey
from sources.landing import stored
from sources.rows import Planned
from tests.engines import ENGINES, clear, place_of
from tests.sources.world import World, crm, seat_of

ROWS = 1_500


class Stopped(Exception):
    """Ends an import between two batches."""


def accounts(folder: Path, rows: int = ROWS, bad: int = 0) -> Path:
    """A file of accounts; every `bad`th row is refused."""
    path = folder / "accounts.csv"
    lines = [f"A{n},{-1 if bad and n % bad == 0 else n}" for n in range(rows)]
    path.write_text("name,employees\n" + "\n".join(lines) + "\n")
    return path


async def stop_after(world: World, path: Path, options: Options, batches: int) -> None:
    """Begin an import and end it after some batches."""
    seen = 0

    def count(step: Step) -> None:
        nonlocal seen
        seen += 1
        if seen == batches:
            raise Stopped

    with pytest.raises(Stopped):
        await import_file(world.seat, "account", survey(path), NO_MAPPING, options, count)


async def total(world: World) -> int:
    """How many accounts there are."""
    data = await world.ask("{ accounts { totalCount } }")
    return int(data["accounts"]["totalCount"])


def options_of(world: World, **changes: object) -> Options:
    """Small batches, a state file and a fault file."""
    return Options(batch=100, state=world.folder / "state.json", faults=world.folder / "faults.csv", **changes)  # type: ignore[arg-type]


async def test_a_stopped_import_goes_on(world: World) -> None:
    path = accounts(world.folder, bad=150)
    await stop_after(world, path, options_of(world), 4)
    assert await total(world) == 397
    summary = await import_file(world.seat, "account", survey(path), NO_MAPPING, options_of(world, resume=True))
    assert (summary.counts.rows, summary.counts.created, summary.counts.failed) == (ROWS, 1_490, 10)
    assert summary.resumed == 401
    assert await total(world) == 1_490
    assert (world.folder / "faults.csv").read_text(encoding="utf-8-sig").count("\n") == 11
    assert not (world.folder / "state.json").exists()


async def test_a_batch_whose_end_nobody_heard_of_is_not_written_twice(world: World) -> None:
    """What a kill between the commit and the next note leaves behind, at each of the two places."""
    path = accounts(world.folder, 300, bad=7)
    state = world.folder / "state.json"
    await stop_after(world, path, options_of(world), 1)
    after_first = state.read_bytes()
    faults = (world.folder / "faults.csv").stat().st_size
    await stop_after(world, path, options_of(world), 1)
    written = await total(world)
    # The state as it was noted before the second batch: with the very inputs that were sent.
    noted = parse(after_first)
    assert isinstance(noted, dict)
    rows: list[tuple[int, Any]] = [
        (n + 2, {"name": f"A{n}", "employees": -1 if n % 7 == 0 else n}) for n in range(100, 200)
    ]
    noted["pending"] = stored(Planned(tuple(rows)))
    state.write_text(pretty(noted))
    assert noted["faults"] == faults
    summary = await import_file(world.seat, "account", survey(path), NO_MAPPING, options_of(world))
    assert await total(world) == summary.counts.created == 300 - 43
    assert written < summary.counts.created
    assert (world.folder / "faults.csv").read_text(encoding="utf-8-sig").count("\n") == 44


async def test_what_has_changed_is_refused(world: World) -> None:
    path = accounts(world.folder)
    await stop_after(world, path, options_of(world), 2)
    for options, words in (
        (Options(batch=50, state=world.folder / "state.json"), "batch size was 100"),
        (options_of(world), "file has changed"),
    ):
        with pytest.raises(Conflict, match=words):
            await import_file(world.seat, "account", survey(path), NO_MAPPING, options)
        path.write_text(path.read_text() + "more,1\n")
    found = survey(accounts(world.folder))
    with pytest.raises(Conflict, match="mapping or the key"):
        await import_file(world.seat, "account", found, NO_MAPPING.keyed(("name",)), options_of(world))
    counts = (
        await import_file(world.seat, "account", found, NO_MAPPING.keyed(("name",)), options_of(world, restart=True))
    ).counts
    assert (counts.created, counts.unchanged) == (ROWS - 200, 200)


async def test_there_must_be_something_to_resume(world: World) -> None:
    with pytest.raises(Conflict, match="no unfinished import"):
        await import_file(
            world.seat, "account", survey(accounts(world.folder, 1)), NO_MAPPING, options_of(world, resume=True)
        )
    (world.folder / "state.json").write_text("{}")
    with pytest.raises(Conflict, match="--restart"):
        await import_file(world.seat, "account", survey(accounts(world.folder, 1)), NO_MAPPING, options_of(world))


_CHILD = """
import asyncio, sys
from pathlib import Path
from access.migrations import CONTROL_MIGRATIONS
from pliant.house import COMPANY_MIGRATIONS, House
from pliant.settings import Settings
from sources import NO_MAPPING, Options, import_file, survey
from tests.engines import unopened
from tests.sources.world import seat_of

async def main(place, company, member, folder):
    house = await House.open(Settings(secret_keys=("test",)), unopened(place, COMPANY_MIGRATIONS, CONTROL_MIGRATIONS))
    seat = seat_of(house, await house.company(company), member)
    options = Options(batch=20, state=Path(folder) / "state.json")
    await import_file(seat, "account", survey(Path(folder) / "accounts.csv"), NO_MAPPING, options)
    await house.close()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_killed_import_makes_every_row_once(engine: str, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    rows.mkdir()
    place = place_of(engine, rows)
    try:
        async with crm(engine, tmp_path, keep=True) as world:
            company, member = world.seat.company, world.seat.member_id
        accounts(tmp_path, 2_000)
        command = [sys.executable, "-c", _CHILD, place, company.id, member, str(tmp_path)]
        await asyncio.to_thread(kill_at_work, command, tmp_path / "state.json")
        async with crm(engine, tmp_path, found=company.id) as world:
            seat = seat_of(world.house, company, member)
            options = Options(batch=20, state=tmp_path / "state.json", resume=True)
            found = survey(tmp_path / "accounts.csv")
            counts = (await import_file(seat, "account", found, NO_MAPPING, options)).counts
            assert (counts.rows, counts.created, counts.failed) == (2_000, 2_000, 0)
            assert await total(world) == 2_000
    finally:
        if "#" in place:
            await clear(place)


def kill_at_work(command: list[str], state: Path) -> None:
    """Start an import and kill it some batches after it was seen at work."""
    child = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    begun = state.read_bytes() if state.exists() else b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and child.poll() is None:
        if state.exists() and state.read_bytes() not in (b"", begun):
            time.sleep(0.12)
            break
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the child was done before it could be killed"
