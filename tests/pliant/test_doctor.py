"""`pliant doctor`: it finds what is wrong, not only what is right."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from storage.description import resets_its_log_well
from tests.programs import Ran, pliant, program


def verdicts(ran: Ran) -> dict[str, str]:
    return {finding["check"]: finding["verdict"] for finding in ran.json["findings"]}


def test_all_is_well(tmp_path: Path) -> None:
    pliant(tmp_path, "company", "create", "Acme")
    ran = pliant(tmp_path, "doctor", "--json", PLIANT_SECRET_KEY="k" * 32)
    assert ran.code == 0, ran.out
    assert set(verdicts(ran)) == {"python", "packages", "rooms", "folder", "key", "database", "companies", "explore"}
    assert {verdict for check, verdict in verdicts(ran).items() if check not in ("explore", "database")} == {"ok"}
    database, *notes = [item for item in ran.json["findings"] if item["check"] == "database"]
    assert database["verdict"] == "ok"
    assert [item["verdict"] for item in notes] == ([] if resets_its_log_well(sqlite3.sqlite_version) else ["note"])
    assert "SQLite 3." in database["message"]
    assert "companies: 1" in database["message"]


@pytest.mark.parametrize(
    ("version", "well"),
    [("3.40.1", False), ("3.44.5", False), ("3.44.6", True), ("3.45.0", False), ("3.50.6", False), ("3.50.7", True),
     ("3.50.12", True), ("3.51.2", False), ("3.51.3", True), ("3.52.0", True), ("4.0.0", True)],
)  # fmt: skip
def test_versions_of_sqlite_that_several_processes_may_share(version: str, well: bool) -> None:
    assert resets_its_log_well(version) is well


def test_a_package_that_hides_ours_is_found(tmp_path: Path) -> None:
    """PyPI has a package `schema`; installed beside ours it would win or lose by the order of folders."""
    foreign = tmp_path / "foreign"
    (foreign / "templates").mkdir(parents=True)
    (foreign / "templates" / "__init__.py").write_text("", encoding="utf-8")
    own = Path(__file__).parent.parent.parent
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, types\nfrom importlib.machinery import ModuleSpec\n"
        f"class Finder:\n    @staticmethod\n    def find_spec(name, path=None, target=None):\n"
        f"        return ModuleSpec(name, None, origin={str(foreign / 'templates' / '__init__.py')!r}) "
        "if name == 'templates' else None\nsys.meta_path.insert(0, Finder)\n",
        encoding="utf-8",
    )
    hidden = program(tmp_path, "doctor", "--json", PYTHONPATH=f"{tmp_path}:{own}")
    assert hidden.code == 1
    assert verdicts(hidden)["rooms"] == "WRONG"


def test_readable_keys_and_unusable_folders_are_found(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("k" * 40, encoding="utf-8")
    (tmp_path / "secret.key").chmod(0o644)
    ran = pliant(tmp_path, "doctor", "--json")
    assert ran.code == 1
    assert verdicts(ran)["key"] == "WRONG"
    assert verdicts(pliant(tmp_path, "doctor", "--json", PLIANT_SECRET_KEY="short"))["key"] == "WRONG"
    file = tmp_path / "file"
    file.write_text("", encoding="utf-8")
    assert verdicts(pliant(tmp_path, "doctor", "--json", PLIANT_DATA_DIR=str(file / "x")))["folder"] == "WRONG"
