"""What is installed: every room and its data, no tests, no build tools."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pliant.checks import ROOMS
from tests.programs import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return archive.namelist()


def test_the_wheel_holds_the_rooms_and_nothing_else(wheel: list[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(ROOMS)
    assert not [name for name in wheel if "node_modules" in name or name.startswith("tests")]


def test_the_wheel_holds_every_file_of_a_room_that_is_no_code(wheel: list[str]) -> None:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.json"):
            name = path.relative_to(ROOT).as_posix()
            if "node_modules" not in name and "assets" not in name:
                assert name in wheel


def test_the_rooms_are_the_same_everywhere() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tools = settings["tool"]
    assert set(tools["hatch"]["build"]["targets"]["wheel"]["packages"]) == set(ROOMS)
    assert set(tools["importlinter"]["root_packages"]) == set(ROOMS) - {"templates"}
    assert set(ROOMS) - {"templates"} <= set(tools["mypy"]["files"])


def test_private_names_are_used_of_pinned_packages_only() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pinned = {line.partition("==")[0] for line in settings["project"]["dependencies"] if "==" in line}
    assert pinned == {"strawberry-graphql", "graphql-core"}


def test_lock_files_name_no_addresses() -> None:
    lock = (Path(ROOT) / "server" / "assets" / "explore" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
