"""constraints.txt: one release of everything that is installed, so that a fresh environment is the tested one."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.architecture.sources import ROOT


def pins() -> dict[NormalizedName, str]:
    """The release of each package."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): release for name, release in pairs}


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, extras and build included."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    lists = (project["dependencies"], *project["optional-dependencies"].values(), settings["build-system"]["requires"])
    return [Requirement(line) for lines in lists for line in lines]


@pytest.mark.parametrize("requirement", wanted(), ids=lambda item: item.name)
def test_what_is_asked_for_is_pinned_within_its_bounds(requirement: Requirement) -> None:
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_what_that_asks_for_in_turn_is_pinned_too() -> None:
    """Followed through the packages of this environment, with this interpreter's markers."""
    known, seen = pins(), set()
    waiting = wanted()
    while waiting:
        found = waiting.pop()
        name = canonicalize_name(found.name)
        key = (name, *sorted(found.extras))
        if key in seen:
            continue
        seen.add(key)
        assert name in known, name
        for line in requires(name) or ():
            needed = Requirement(line)
            if any(needed.marker is None or needed.marker.evaluate({"extra": one}) for one in ("", *found.extras)):
                waiting.append(needed)
    assert len(seen) >= len(known)


def test_releases_only() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line), line
