"""What changes inside documents, as JSON: per document the paths, with what stood there and what will.

Lists whose items have names (rules, described choices) are compared by name, lists that are sets (`enum`, `required`,
`x-unique`) as sets; where only the order differs, that is told as such. The answer is bounded: a rewritten document
is told by its first changes and how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from base.json import Json, dump
from metadata.build import Documents

MAX_CHANGES: Final = 100
"""Changes told of one document: who rewrites more reads the two documents side by side."""

MAX_VALUE_CHARS: Final = 200
"""Characters of one value that are shown; the rest is cut."""

_NAMED: Final = ("name", "value")
"""Keys that name an item of a list: rules have a name, described choices a value."""


class Difference(StrEnum):
    """What happens at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    REORDERED = "reordered"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class JsonChange:
    """One difference inside a document. `before` and `after` are shown values: long ones are cut."""

    path: tuple[str, ...]
    kind: Difference
    before: Json = None
    after: Json = None


@dataclass(frozen=True, slots=True)
class DocumentDifference:
    """One changed document: what becomes of it, its first changes, and how many more there are.

    `was` is the former name of a document that takes another one's place by x-was.
    """

    document: tuple[str, str]
    kind: Difference
    changes: tuple[JsonChange, ...] = ()
    more: int = 0
    was: str | None = None


def diff_documents(before: Documents, after: Documents) -> tuple[DocumentDifference, ...]:
    """Every document that differs, by kind and name. One that is new under its name is compared with what it was."""
    found: list[DocumentDifference] = []
    replaced: set[tuple[str, str]] = set()
    for key, document in sorted(after.items()):
        old, was = before.get(key), None
        if old is None:
            was = _was(key, document, before, after)
            if was is not None:
                old = before[key[0], was]
                replaced.add((key[0], was))
        if old is None:
            found.append(DocumentDifference(key, Difference.ADDED))
        elif old != document:
            changes = list(islice(diff_json(old, document), MAX_CHANGES + 1))
            more = 0 if len(changes) <= MAX_CHANGES else sum(1 for _ in diff_json(old, document)) - MAX_CHANGES
            # RFC 8785 knows 1 and 1.0 as one number: what changes nothing is not told
            if changes:
                found.append(DocumentDifference(key, Difference.CHANGED, tuple(changes[:MAX_CHANGES]), more, was))
    gone = sorted(key for key in before if key not in after and key not in replaced)
    return (*found, *(DocumentDifference(key, Difference.REMOVED) for key in gone))


def _was(key: tuple[str, str], document: Mapping[str, Json], before: Documents, after: Documents) -> str | None:
    listed = document.get("x-was")
    names = listed if isinstance(listed, list | tuple) else ()
    kind = key[0]
    return next((str(old) for old in names if (kind, old) in before and (kind, old) not in after), None)


def diff_json(before: Json, after: Json, path: tuple[str, ...] = ()) -> Iterator[JsonChange]:
    """The differences of two JSON values, outermost first."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _diff_objects(before, after, path)
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _diff_lists(before, after, path)
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield JsonChange(path, Difference.CHANGED, shown(before), shown(after))


def _diff_objects(before: Mapping[str, Json], after: Mapping[str, Json], path: tuple[str, ...]) -> Iterator[JsonChange]:
    renamed = _renamed(before, after) if path[-1:] == ("properties",) else {}
    for key, value in before.items():
        if key in renamed:
            yield JsonChange((*path, renamed[key]), Difference.RENAMED, key, renamed[key])
            yield from diff_json(value, after[renamed[key]], (*path, renamed[key]))
        elif key not in after:
            yield JsonChange((*path, key), Difference.REMOVED, shown(value))
        else:
            yield from diff_json(value, after[key], (*path, key))
    for key, value in after.items():
        if key not in before and key not in renamed.values():
            yield JsonChange((*path, key), Difference.ADDED, after=shown(value))


def _renamed(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, str]:
    """Old name -> new name of properties that say by x-was what they were."""
    found: dict[str, str] = {}
    for name, prop in after.items():
        listed = prop.get("x-was") if isinstance(prop, Mapping) and name not in before else None
        for old in listed if isinstance(listed, list | tuple) else ():
            if isinstance(old, str) and old in before and old not in after:
                found.setdefault(old, name)
                break
    return found


def _diff_lists(before: Sequence[Json], after: Sequence[Json], path: tuple[str, ...]) -> Iterator[JsonChange]:
    old, new = _keyed(before), _keyed(after)
    if old is None or new is None:
        if list(before) != list(after):
            yield JsonChange(path, Difference.CHANGED, shown(before), shown(after))
        return
    yield from _diff_objects(old, new, path)
    kept = [key for key in old if key in new]
    if kept != [key for key in new if key in old]:
        yield JsonChange(path, Difference.REORDERED, shown(list(old)), shown(list(new)))


def _keyed(items: Sequence[Json]) -> dict[str, Json] | None:
    """The items by what names them; None for lists with repeated items, which are compared as a whole."""
    found = {_key(item): item for item in items}
    return found if len(found) == len(items) else None


def _key(item: Json) -> str:
    if isinstance(item, Mapping):
        named = next((item[name] for name in _NAMED if isinstance(item.get(name), str)), None)
        if isinstance(named, str):
            return named
    if isinstance(item, str):
        return item
    if isinstance(item, list | tuple) and all(isinstance(part, str) for part in item):
        return "+".join(map(str, item))
    return dump(item).decode()


def shown(value: Json) -> Json:
    """A value as a preview shows it: long texts, lists and objects are cut, and become text by it."""
    text = value if isinstance(value, str) else dump(value).decode()
    return value if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"
