"""Rooms stand on floors: the contracts hold, and they are able to fail."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOMS, ROOT, code_files, shown, tree_of

LINTER = Path(sys.executable).parent / "lint-imports"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )


def test_the_contracts_hold() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "planted", "broken"),
    [
        ("storage/sqlite/engine.py", "import records.reading.read\n", "rooms stand on floors"),
        ("expressions/types.py", "import storage.engine\n", "rooms stand on floors"),
        ("records/reading/read.py", "import graphql\n", "GraphQL only in schema"),
        ("schema/cache.py", "import starlette\n", "Starlette only in server"),
        ("records/reading/read.py", "import jsonschema\n", "jsonschema only in metadata"),
        ("resolvers/roots.py", "import sqlalchemy\n", "no SQL above floor 6"),
    ],
)
def test_a_violation_is_found(tmp_path: Path, file: str, planted: str, broken: str) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("assets", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    target = tmp_path / file
    target.write_text(target.read_text(encoding="utf-8") + planted, encoding="utf-8")
    done = lint(tmp_path)
    assert done.returncode != 0
    assert f"{broken}" in done.stdout.partition("Broken contracts")[2], done.stdout


@pytest.mark.parametrize("path", code_files(), ids=shown)
def test_no_import_is_deferred(path: Path) -> None:
    """None inside a function, none under TYPE_CHECKING."""
    tree = tree_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [item for item in ast.walk(node) if isinstance(item, ast.Import | ast.ImportFrom)]
            assert not inner, f"{shown(path)}:{inner[0].lineno}" if inner else ""
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            assert name != "TYPE_CHECKING", f"{shown(path)}:{node.lineno}"


def test_only_the_house_names_every_room() -> None:
    """Siblings on one floor meet in pliant/ alone."""
    siblings = ("storage", "expressions")
    for path in code_files():
        room = path.relative_to(ROOT).parts[0]
        if room not in siblings:
            continue
        other = siblings[1 - siblings.index(room)]
        for node in ast.walk(tree_of(path)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert all(name.partition(".")[0] != other for name in names), shown(path)
