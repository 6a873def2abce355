"""Registries: explicit tuples of named things, never filled by an import's side effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from base.errors import Text


class Named(Protocol):
    """Anything with a stable name."""

    @property
    def name(self) -> str:
        """The stable name."""


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """An ordered, immutable collection looked up by name. Two entries of one name are a programming error."""

    def __init__(self, *entries: T) -> None:
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError("two entries of one name")

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def get(self, name: str) -> T | None:
        """The entry of that name, or None."""
        return self._entries.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in order."""
        return tuple(self._entries)


def hint(word: str, known: Iterable[str]) -> Text:
    """What is put behind a message about a name that does not exist: the closest one that does, or nothing."""
    close = did_you_mean(word, known)
    return Text(f"; did you mean '{close}'?", f"，是否应为“{close}”？") if close else Text("", "")


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known name that is closest to a misspelt one, or None when none is close."""
    lowered = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return lowered[close[0]] if close else None
