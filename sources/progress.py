"""How far an import is, and what became of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from base.json import Json


@dataclass(slots=True)
class Counts:
    """Rows by what became of them. `linked` are records whose references to their own kind were set afterwards."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    linked: int = 0
    failed: int = 0

    def as_json(self) -> dict[str, Json]:
        """The counts as JSON."""
        return {
            "rows": self.rows,
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "linked": self.linked,
            "failed": self.failed,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, int]) -> Counts:
        """Counts that were kept as JSON."""
        return cls(**{name: int(value.get(name, 0)) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Step:
    """One report: rows done in this pass, rows in all, and the counts so far."""

    name: str  # rows | links
    done: int
    total: int
    counts: Counts


Progress = Callable[[Step], None]
"""Told after each batch."""


def silent(step: Step) -> None:
    """Tells nobody."""
