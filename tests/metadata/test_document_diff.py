"""What changes inside documents, told by path; sets and orders are told as what they are."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.publishing.cost import TableWork, cost_of
from metadata.publishing.document_diff import MAX_CHANGES, Difference, diff_documents, diff_json


def told(before: Any, after: Any) -> list[tuple[str, str]]:
    """(path, kind) of each change."""
    return [(".".join(change.path), change.kind.value) for change in diff_json(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"enum": ["A", "B"]}, {"enum": ["B", "C"]}, [("enum.A", "removed"), ("enum.C", "added")]),
        ({"enum": ["A", "B"]}, {"enum": ["B", "A"]}, [("enum", "reordered")]),
        ({"x-unique": [["a", "b"]]}, {"x-unique": [["a", "b"], ["c"]]}, [("x-unique.c", "added")]),
        (
            {"x-rules": [{"name": "r", "check": "1"}]},
            {"x-rules": [{"name": "r", "check": "2"}]},
            [("x-rules.r.check", "changed")],
        ),
        ({"examples": [1, 1]}, {"examples": [1, 2]}, [("examples", "changed")]),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {}}, [("properties.a", "removed")]),
        (
            {"properties": {"a": {"type": "string"}}},
            {"properties": {"b": {"type": "string", "x-was": ["a"]}}},
            [("properties.b", "renamed"), ("properties.b.x-was", "added")],
        ),
        ({"default": True}, {"default": 1}, [("default", "changed")]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", "changed")]),
    ],
)
def test_paths_and_kinds(before: Any, after: Any, wanted: list[tuple[str, str]]) -> None:
    assert told(before, after) == wanted


def test_a_rewritten_document_is_told_by_its_first_changes() -> None:
    before = {("entity", "a"): {"properties": {f"f{n}": n for n in range(500)}}}
    after = {("entity", "a"): {"properties": {f"g{n}": "x" * 1000 for n in range(500)}}}
    (found,) = diff_documents(before, after)
    assert (len(found.changes), found.more) == (MAX_CHANGES, 1000 - MAX_CHANGES)


def test_a_document_that_takes_anothers_place_is_compared_with_it() -> None:
    before = {("entity", "deal"): {"name": "deal", "title": "D"}}
    after = {("entity", "order"): {"name": "order", "title": "D", "x-was": ["deal"]}}
    (found,) = diff_documents(before, after)
    assert (found.kind, found.was) == (Difference.CHANGED, "deal")
    assert [change.path for change in found.changes] == [("name",), ("x-was",)]


def test_a_prepared_publish_keeps_readers_out_for_its_short_steps_only() -> None:
    work = TableWork("a", "a", 2_000_000, columns=1, indexes=1)
    two_million = cost_of([work], prepared=True)
    assert cost_of([work], prepared=False).blocked_ms > two_million.blocked_ms
    assert two_million.blocked_ms < 300
    assert 3 < two_million.seconds < 6
    assert cost_of([], prepared=False).blocked_ms == 0
