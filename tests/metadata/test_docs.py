"""The pages about documents and names say what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from metadata import keywords, names
from metadata.adopting.notes import WHAT
from metadata.faults import CODES

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENTS = (DOCS / "documents.md").read_text(encoding="utf-8")
NAMES = (DOCS / "names.md").read_text(encoding="utf-8")


def row(text: str, title: str) -> str:
    """The row of a table that begins with a word."""
    return next(line for line in text.splitlines() if line.startswith(f"| {title} |"))


@pytest.mark.parametrize("title, listed", [
    ("mapped", keywords.MAPPED), ("enforced", keywords.ENFORCED), ("kept", keywords.KEPT),
    ("refused", keywords.REFUSED),
])  # fmt: skip
def test_the_four_lists(title: str, listed: frozenset[str]) -> None:
    assert {word for word in listed if f"`{word}`" not in row(DOCUMENTS, title)} == set()


def test_words_codes_and_notes() -> None:
    told = (*keywords.ENTITY_KEYWORDS, *keywords.PROPERTY_KEYWORDS, *CODES, *WHAT)
    assert [word for word in told if f"`{word}`" not in DOCUMENTS] == []


def test_reserved_and_generated_names() -> None:
    base = {name for name in names.RESERVED_FIELDS if not (name.endswith("Id") and name[:-2] in names.RESERVED_FIELDS)}
    told = {*base, *names.ROOT_FIELDS, *names.FIXED_TYPES, *(suffix for suffix in names.TYPE_SUFFIXES if suffix)}
    assert sorted(word for word in told if f"`{word}`" not in NAMES) == []
