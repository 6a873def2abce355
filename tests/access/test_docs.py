"""docs/access.md keeps up with the registries."""

from __future__ import annotations

from pathlib import Path

from access import PLATFORM_RIGHTS, Operation, Rows
from access.metaschema import KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "access.md").read_text(encoding="utf-8")


def test_every_platform_right_is_named() -> None:
    assert [right.name for right in PLATFORM_RIGHTS if f"| `{right.name}` | " not in PAGE] == []


def test_every_operation_and_row_rule_is_named() -> None:
    assert [rule.value for rule in Rows if f"| `{rule.value}` | " not in PAGE] == []
    assert [name.value for name in Operation if name.value not in PAGE] == []
    assert set(KEYS) == set(Operation)


def test_every_right_speaks_both_languages() -> None:
    assert all(right.title.en and right.title.zh for right in PLATFORM_RIGHTS)
