"""What adopting did with each part of a foreign JSON Schema, for people and programs to look through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from base.errors import Text
from metadata.keywords import ENFORCED, KEPT, MAPPED

MAPPED_NOTE = "mapped"
ENFORCED_NOTE = "enforced"
KEPT_NOTE = "kept"
REFUSED_NOTE = "refused"
RENAMED = "renamed"
DROPPED = "dropped"

WHAT = (MAPPED_NOTE, ENFORCED_NOTE, KEPT_NOTE, REFUSED_NOTE, RENAMED, DROPPED)
"""Everything that a note can say."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that adopting did: where in the source, what, and why. `name` is the new name of what was renamed."""

    path: tuple[str, ...]
    what: str
    text: Text
    name: str | None = None


class Notes:
    """The notes of one adoption, in order, each once."""

    def __init__(self) -> None:
        self._notes: dict[Note, None] = {}

    def add(self, path: tuple[str, ...], what: str, en: str, zh: str) -> None:
        """Note something."""
        self._notes[Note(path, what, Text(en, zh))] = None

    def renamed(self, path: tuple[str, ...], old: str, new: str) -> None:
        """Note a new name."""
        self._notes[Note(path, RENAMED, Text(f"{old!r} became {new!r}", f"“{old}”改名为“{new}”"), new)] = None

    def refused(self, path: tuple[str, ...], text: Text) -> None:
        """Note what could not be published, and why; its original is in `x-source` where it was a property."""
        self._notes[Note(path, REFUSED_NOTE, text)] = None

    def extend(self, notes: Iterable[Note]) -> None:
        """Note several."""
        self._notes.update(dict.fromkeys(notes))

    def finished(self) -> tuple[Note, ...]:
        """All notes."""
        return tuple(self._notes)


def keyword_notes(path: tuple[str, ...], *keywords: str) -> list[Note]:
    """What becomes of keywords that can be published: mapped, enforced or kept."""
    texts = (
        (MAPPED, MAPPED_NOTE, Text("becomes part of the field", "成为字段的一部分")),
        (ENFORCED, ENFORCED_NOTE, Text("is enforced on every write", "每次写入时强制校验")),
        (KEPT, KEPT_NOTE, Text("is kept as it is", "原样保留")),
    )
    return [
        Note((*path, keyword), what, text) for keyword in keywords for known, what, text in texts if keyword in known
    ]
