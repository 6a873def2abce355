"""`pliant migrate` and `pliant replicas`, and what doctor and /metrics tell of companies that are behind."""

from __future__ import annotations

import re
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path

from tests.programs import pliant, served, wait_until


def undo(folder: Path, company: str, *, break_it: bool = False) -> None:
    """Take a company back to the release that knew no versions served; or let somebody have made such a table."""
    with closing(sqlite3.connect(folder / "companies" / f"c_{company}.db")) as connection:
        connection.execute("DELETE FROM _migration WHERE number = 440")
        if not break_it:
            connection.execute("DROP TABLE _served")
        connection.commit()


def test_companies_behind_are_told_and_brought_up_to_date(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        assert pliant(tmp_path, "company", "create", name, "--id", name).code == 0
    undo(tmp_path, "one")
    undo(tmp_path, "two", break_it=True)
    told = pliant(tmp_path, "doctor")
    assert told.code == 0
    assert re.search(r"NOTE|note +companies: 2 are behind .*440 versions served \(2\)", told.out), told.out
    done = pliant(tmp_path, "migrate", "--json")
    assert done.code == 1
    (failed,) = done.json["failed"]
    assert (failed["namespace"], failed["migration"]) == ("c_two", "440 versions served")
    assert {name: done.json[name] for name in ("companies", "behind", "migrated")} == {
        "companies": 3, "behind": 2, "migrated": 1,
    }  # fmt: skip
    told = pliant(tmp_path, "doctor")
    assert told.code == 1
    assert re.search(r"WRONG +companies: c_two: migration 440 versions served failed", told.out), told.out
    undo(tmp_path, "two")
    again = pliant(tmp_path, "migrate")
    assert (again.code, again.out) == (0, "companies: 3  behind: 1  migrated: 1  failed: 0\n")
    told = pliant(tmp_path, "doctor", LANG="zh_CN.UTF-8")
    assert "companies: 所有公司的表均为当前版本" in told.out


def test_a_server_is_a_replica_while_it_runs(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        (found,) = pliant(tmp_path, "replicas", "--json").json
        assert found["process"] == server.process.pid
        assert re.fullmatch(r"\d+\.\d+.*", found["release"])
        assert (found["version"], found["servedAt"]) == (None, None)
        line = pliant(tmp_path, "replicas").out
        assert f":{server.process.pid}  release: {found['release']}  version: -" in line

        def swept() -> bool:
            with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
                return b"\npliant_companies_behind 0" in answer.read()

        wait_until(swept)
    assert pliant(tmp_path, "replicas", "--json").json == []
