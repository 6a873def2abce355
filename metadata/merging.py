"""Three-way merge of documents: what two authors made of one base, put together where they do not meet.

Pure functions over JSON. Mappings are merged key by key. Lists that are sets by their meaning (`enum`, `required` ...)
are merged as sets that keep their order, lists of named things (`x-choices`, `x-rules`) by name; every other list,
like every other value, is one thing: changed on both sides in different ways it is a conflict. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import orjson

from base.json import Json, dump

Document = Mapping[str, Json]

SETS: Final = frozenset(
    ["required", "enum", "x-was", "x-pluralWas", "x-search", "x-unique", "x-index", "x-include", "includes", "platform"]
)
"""Keywords whose lists are sets. The `rows` of a grant is none: a union could let in more than either side."""

KEYED: Final[Mapping[str, str]] = {"x-choices": "value", "x-rules": "name"}
"""Keywords whose lists hold objects with a name of their own, and the key of that name."""

NAMED: Final = frozenset(["properties", "$defs", "x-titles", "x-messages", "entities"])
"""Keywords that map names to things: what is below a name is no keyword, and both sides may begin such a map."""

OPAQUE: Final = frozenset(["default", "const", "examples", "x-source"])
"""Keywords whose values are the author's data: they are taken whole."""

MOST_PATHS: Final = 100
"""So many differing paths of a document are told; a person needs no more to see that two texts differ everywhere."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A place that both sides changed in different ways. None stands for null and for what is not there."""

    path: tuple[str, ...]
    base: Json
    theirs: Json
    yours: Json


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge gives: the document (None: both want it gone) when `meetings` is empty, else where sides meet."""

    document: Document | None
    meetings: tuple[Meeting, ...] = ()


class _Absent:
    """What stands where nothing stands."""


_ABSENT: Final = _Absent()
_Value: TypeAlias = "Json | _Absent"


def merge_documents(base: Document | None, theirs: Document | None, yours: Document | None) -> Merged:
    """The merge of two documents that came from one base; None is a document that is not there.

    `merge(base, a, base) = a`, `merge(base, a, b) = merge(base, b, a)`, and merging one side again changes nothing.
    A document that one side removed and the other changed is a meeting, and so is one that both added.
    """
    meetings: list[Meeting] = []
    sides = [_ABSENT if side is None else side for side in (base, theirs, yours)]
    merged = _merge(sides[0], sides[1], sides[2], (), None, meetings)
    if meetings:
        return Merged(None, tuple(meetings))
    return Merged(None if isinstance(merged, _Absent) else cast(Document, merged))


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON; the order of keys means nothing, `1` and `true` differ."""
    return _canonical(one) == _canonical(other)


def differing_paths(one: Document | None, other: Document | None) -> tuple[tuple[str, ...], ...]:
    """The JSON paths on which two documents differ, at most `MOST_PATHS`; the empty path when one is not there."""
    if one is None or other is None:
        return () if one is other else ((),)
    found: list[tuple[str, ...]] = []
    for path in _paths(one, other, ()):
        found.append(path)
        if len(found) == MOST_PATHS:
            break
    return tuple(found)


def _paths(one: _Value, other: _Value, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in [*one, *(key for key in other if key not in one)]:
            yield from _paths(one.get(key, _ABSENT), other.get(key, _ABSENT), (*path, key))
    elif _text(one) != _text(other):
        yield path


def _merge(
    base: _Value, theirs: _Value, yours: _Value, path: tuple[str, ...], word: str | None, meetings: list[Meeting]
) -> _Value:
    """The merge of one value; `word` is the keyword that it stands under, None under a name."""
    was, one, other = _text(base), _text(theirs), _text(yours)
    if one == other or other == was:
        return theirs
    if one == was:
        return yours
    if word not in OPAQUE:
        if isinstance(theirs, Mapping) and isinstance(yours, Mapping):
            if isinstance(base, Mapping):
                return _merge_mapping(base, theirs, yours, path, word, meetings)
            if base is _ABSENT and word in NAMED:
                return _merge_mapping({}, theirs, yours, path, word, meetings)
        lists = [[] if side is _ABSENT else side for side in (base, theirs, yours)]
        merged = _merge_lists(lists, path, word, meetings)
        if merged is not None:
            return merged
    means = [_meaning(side) for side in (base, theirs, yours)]
    if means[1] == means[2]:
        return min(theirs, yours, key=_text)
    if means[0] in means[1:]:  # that side has only put keys into another order
        return theirs if means[0] == means[2] else yours
    meetings.append(Meeting(path, *(None if side is _ABSENT else cast(Json, side) for side in (base, theirs, yours))))
    return yours


def _merge_mapping(
    base: Mapping[str, Json],
    theirs: Mapping[str, Json],
    yours: Mapping[str, Json],
    path: tuple[str, ...],
    word: str | None,
    meetings: list[Meeting],
) -> Json:
    merged: dict[str, Json] = {}
    order = _merged_order(list(base), list(theirs), list(yours), ordered=False) or []
    for key in [*order, *_gone(base, theirs, yours)]:
        below = None if word in NAMED else key
        sides = [side.get(key, _ABSENT) for side in (base, theirs, yours)]
        value = _merge(sides[0], sides[1], sides[2], (*path, key), below, meetings)
        if not isinstance(value, _Absent):
            merged[key] = value
    return merged


def _merge_lists(
    sides: Sequence[_Value], path: tuple[str, ...], word: str | None, meetings: list[Meeting]
) -> Json | None:
    """The merge of lists that have a meaning; None for others, and where both sides changed the order."""
    if not all(isinstance(side, list | tuple) for side in sides):
        return None
    base, theirs, yours = (cast(Sequence[Json], side) for side in sides)
    if word in SETS:
        names = {_text(item): item for side in (yours, theirs, base) for item in side}
        listed = [[_text(item) for item in side] for side in (base, theirs, yours)]
        order = _merged_order(*listed) if all(map(_distinct, listed)) else None
        return None if order is None else [names[name] for name in order]
    key = KEYED.get(word or "")
    if key is None:
        return None
    things = [_by_name(side, key) for side in (base, theirs, yours)]
    if any(found is None for found in things):
        return None
    was, one, other = (cast(Mapping[str, Document], found) for found in things)
    order = _merged_order(list(was), list(one), list(other))
    if order is None:
        return None
    result = []
    for name in [*order, *_gone(was, one, other)]:
        parts = [found.get(name, _ABSENT) for found in (was, one, other)]
        value = _merge(parts[0], parts[1], parts[2], (*path, name), None, meetings)
        if not isinstance(value, _Absent):
            result.append(value)
    return result


def _gone(base: Mapping[str, Json], one: Mapping[str, Json], other: Mapping[str, Json]) -> list[str]:
    """Names that a side removed: they are in no merge, but one that the other side changed is a meeting."""
    return [name for name in base if name not in one or name not in other]


def _by_name(items: Sequence[Json], key: str) -> Mapping[str, Document] | None:
    """Objects by the text under `key`; None when they are not all objects with names of their own."""
    found: dict[str, Document] = {}
    for item in items:
        name = item.get(key) if isinstance(item, Mapping) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = cast(Document, item)
    return found


def _merged_order(base: list[str], theirs: list[str], yours: list[str], *, ordered: bool = True) -> list[str] | None:
    """What both sides left and what either added, in one order; None when both changed the order, in different ways.

    An addition stands behind the same neighbour as in its own list. Which side is called which makes no difference.
    Where the order means nothing (not `ordered`) two changed orders give the lesser of them.
    """
    staying = set(base) & set(theirs) & set(yours)
    orders = [[name for name in side if name in staying] for side in (base, theirs, yours)]
    if orders[1] == orders[0] or orders[1] == orders[2]:
        spine = orders[2]
    elif orders[2] == orders[0]:
        spine = orders[1]
    elif ordered:
        return None
    else:
        spine = min(orders[1], orders[2])
    known, gone = set(spine), set(base) - staying
    places = [_additions(side, staying, gone) for side in (theirs, yours)]
    anchors = [None, *spine]
    first = {
        name: min(anchors.index(place[name]) for place in places if name in place) for name in {*places[0], *places[1]}
    }
    result: list[str] = []
    for index, anchor in enumerate(anchors):
        if anchor is not None:
            result.append(anchor)
        chunks = sorted([name for name in place if place[name] == anchor] for place in places)
        for name in (name for chunk in chunks for name in chunk):
            if name not in known and first[name] == index:
                known.add(name)
                result.append(name)
    return result


def _additions(side: list[str], staying: set[str], gone: set[str]) -> dict[str, str | None]:
    """Each added name with the staying one that it stands behind."""
    found: dict[str, str | None] = {}
    anchor: str | None = None
    for name in side:
        if name in staying:
            anchor = name
        elif name not in gone:
            found[name] = anchor
    return found


def _distinct(names: list[str]) -> bool:
    return len(set(names)) == len(names)


def _text(value: _Value) -> str:
    """A value as text with its order of keys; the empty text for what is not there."""
    return "" if isinstance(value, _Absent) else dump(value).decode()


def _meaning(value: _Value) -> bytes:
    return b"" if isinstance(value, _Absent) else _canonical(value)


def _canonical(value: Json) -> bytes:
    return orjson.dumps(orjson.loads(dump(value)), option=orjson.OPT_SORT_KEYS)
