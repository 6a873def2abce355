"""`pliant demo`: what it prints, when, and that it goes on with what it has made."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import started


@contextmanager
def demo(folder: Path) -> Iterator[tuple[dict[str, str], list[str], subprocess.Popen[bytes]]]:
    """A running demo: what it said by name, its curl lines, its process."""
    with started(folder, "demo", "--rows", "60", PLIANT_PORT="0") as process:
        assert process.stdout is not None
        lines: list[str] = []
        for raw in process.stdout:
            lines.append(raw.decode().rstrip("\n"))
            if lines[-1].startswith("stop with"):
                break
        said = dict(line.split(": ", 1) for line in lines if re.match(r"^(url|token|\w+ token): ", line))
        yield said, [line for line in lines if line.startswith("curl ")], process


def ask(url: str, token: str, query: str) -> object:
    request = urllib.request.Request(
        f"{url}/graphql",
        json.dumps({"query": query}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def test_the_demo_prints_what_one_needs_and_continues(tmp_path: Path) -> None:
    with demo(tmp_path) as (said, queries, process):
        assert list(said) == ["url", "token", "manager token", "seller token"]
        assert all(re.fullmatch(r"[A-Za-z0-9._~-]+", text) for name, text in said.items() if name != "url")
        with urllib.request.urlopen(f"{said['url']}/readyz", timeout=60) as answer:
            assert answer.status == 200
        assert len(queries) == 3
        for line in queries:
            answered = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=60, check=True)
            assert "errors" not in json.loads(answered.stdout), answered.stdout
        everything = ask(said["url"], said["token"], "{ opportunities { totalCount } }")
        assert everything == {"opportunities": {"totalCount": 60}}
        theirs = ask(said["url"], said["seller token"], "{ viewer { roles } }")
        assert theirs == {"viewer": {"roles": ["seller"]}}
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert (tmp_path / "stderr").read_text(encoding="utf-8") == ""
    for name in ("demo.json", "secret.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    with demo(tmp_path) as (again, _, process):
        assert {name: text for name, text in again.items() if name != "url"} == {
            name: text for name, text in said.items() if name != "url"
        }
        assert ask(again["url"], again["token"], "{ opportunities { totalCount } }") == everything


def test_a_demo_that_was_killed_half_way_begins_again(tmp_path: Path) -> None:
    with demo(tmp_path) as (said, _, process):
        process.kill()
    state = json.loads((tmp_path / "demo.json").read_text(encoding="utf-8"))
    (tmp_path / "demo.json").write_text(json.dumps({**state, "filled": False}), encoding="utf-8")
    with demo(tmp_path) as (again, _, process):
        assert again["token"] != said["token"]
        assert ask(again["url"], again["token"], "{ opportunities { totalCount } }") == {
            "opportunities": {"totalCount": 60}
        }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with started(tmp_path, "demo") as process:
        assert process.wait(60) == 1
