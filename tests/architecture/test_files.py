"""What every file keeps to: length, docstrings, nothing left open, nothing named that is not ours to name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from metadata.fields.registry import FIELD_TYPES
from tests.architecture.sources import ROOT, code_files, kept_files, public_definitions, shown, tree_of

MAX_LINES = 400
OPEN_ENDS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
JUNK_DRAWERS = {"utils", "helpers", "common", "manager", "service", "misc"}
WORD_IN_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]*")

SHARED_WORDS = frozenset(
    {
        *("boolean", "choice", "choices", "children", "date", "dateTime", "decimal", "email", "float", "integer"),
        *("json", "member", "reference", "team", "text", "time", "uuid"),
    }
)
"""Names that are words of other vocabularies too (JSON Schema, formulas, columns, access): only their classes count."""


@pytest.mark.parametrize("path", code_files(), ids=shown)
def test_a_file_is_short_named_and_documented(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert not OPEN_ENDS.search(text)
    assert path.stem not in JUNK_DRAWERS
    tree = tree_of(path)
    if path.name != "__init__.py" or text.strip():
        assert ast.get_docstring(tree), "the file does not say what it is"
    without = [item.name for item in public_definitions(tree) if not ast.get_docstring(item)]
    without = [name for name in without if not _is_overload(tree, name)]
    assert not without


def _is_overload(tree: ast.Module, name: str) -> bool:
    found = [item for item in ast.walk(tree) if isinstance(item, ast.FunctionDef) and item.name == name]
    return any("overload" in ast.unparse(decorator) for item in found for decorator in item.decorator_list)


def test_nothing_is_commented_out() -> None:
    code = re.compile(r"^\s*#\s*(def |class |import |from \w+ import |return\b.*[()=]|if .*:$|for .* in .*:$)")
    for path in code_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert not code.match(line), f"{shown(path)}:{number}"


@pytest.mark.parametrize("name", [item.name for item in FIELD_TYPES if item.name not in SHARED_WORDS])
def test_a_field_type_is_named_in_its_file_and_the_registry(name: str) -> None:
    """The name stands as a text in one file; the registry names its object."""
    stated = [
        shown(path)
        for path in code_files()
        if any(isinstance(node, ast.Constant) and node.value == name for node in ast.walk(tree_of(path)))
    ]
    assert len(stated) <= 1, stated


@pytest.mark.parametrize("field_type", list(FIELD_TYPES), ids=lambda item: item.name)
def test_a_field_types_class_is_used_by_the_registry_alone(field_type: object) -> None:
    home = type(field_type).__module__
    users = []
    for path in code_files():
        if shown(path) == f"{home.replace('.', '/')}.py":
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and node.module == home:
                users.append(shown(path))
    classes = {type(item).__module__ for item in FIELD_TYPES}
    users = [user for user in users if user.removesuffix(".py").replace("/", ".") not in classes]
    assert set(users) <= {"metadata/fields/registry.py"}, users


def test_the_desk_where_this_was_written_is_not_named() -> None:
    words = ["/wo" + "rk/", "sha" + "red/", "issues sh" + "ow"]
    allowed = {".ci/run", "tests/architecture/test_files.py"}
    for path in kept_files():
        if shown(path) in allowed or path.suffix in {".gz", ".png", ".woff2"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for word in words:
            assert word not in text, f"{shown(path)} names {word}"
    assert ROOT.is_dir()
