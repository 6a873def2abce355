"""Reading back what a mutation has written: shown from its image where that is sure, else read by the record's id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from base.json import Json
from records.binds import Run, Variables
from records.reading.echo import Echo, compile_echo
from records.reading.read import Plan, compile_selection, run
from records.selection import (
    Constant,
    Deleted,
    Listing,
    Nodes,
    Order,
    Record,
    Root,
    RootListing,
    RootNodes,
    RootRecord,
    Scalar,
    Selection,
    ToMany,
    ToOne,
    Variable,
)
from records.snapshot import Snapshot

# no name of GraphQL begins with $, so these can stand beside the operation's own variables
_ID: Final = "$id"
_IDS: Final = "$ids"
_MARK: Final = "id"  # response key of the ids beside the records of a listing; record keys are numbers

_scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How the records of one payload are read."""

    plan: Plan
    records: int
    deleted: bool
    lists: bool
    echoes: tuple[Echo, ...] | None = None  # of one live record, where its selections hold plain fields only

    def echoed(self, snapshot: Snapshot, image: Mapping[str, Json] | None) -> list[bytes] | None:
        """The record's selections, shown from the image of a write; None: they have to be read."""
        if image is None or self.echoes is None:
            return None
        shown: list[bytes] = []
        for echo in self.echoes:
            found = echo.show(image, snapshot.actor)
            if found is None:
                return None
            shown.append(found)
        return shown

    def check(self, snapshot: Snapshot, variables: Variables) -> None:
        """Raise now what reading would raise: nothing may be written for a payload that cannot be read."""
        if self.lists:  # only their arguments can be wrong
            going = Run({**variables, _ID: None, _IDS: []}, snapshot)
            for get in self.plan.prepared(going).getters:
                get(going)


def compile_read_back(
    entity: str,
    records: Sequence[Record],
    snapshot: Snapshot,
    *,
    many: bool,
    deleted: bool,
    pieces: tuple[bytes, ...] | None = None,
) -> ReadBack:
    """The statement for the records of a payload. `deleted`: what was just deleted is read all the same.

    With `pieces`, the bytes of a payload around its live records, the answer of the statement is the whole payload.
    """
    if deleted:
        roots: tuple[Root, ...] = (_listing(entity, records, snapshot.limits.page_size_max),)
    elif many:
        roots = tuple(RootNodes(str(place), Variable((_IDS,)), {entity: item}) for place, item in enumerate(records))
    else:
        roots = tuple(RootRecord(str(place), entity, Variable((_ID,)), item) for place, item in enumerate(records))
    plan = compile_selection(
        Selection(roots), snapshot.catalog, snapshot.actor.grants, snapshot.engine.dialect, snapshot.limits
    )
    lists = any(_has_list(record) for record in records)
    echoes = None if many or deleted else _echoes(records, snapshot)
    return ReadBack(plan if pieces is None else replace(plan, pieces=pieces), len(records), deleted, lists, echoes)


def _echoes(records: Sequence[Record], snapshot: Snapshot) -> tuple[Echo, ...] | None:
    made = [compile_echo(record, snapshot.catalog, snapshot.actor.grants) for record in records]
    known = tuple(echo for echo in made if echo is not None)
    return known if len(known) == len(made) else None


def _has_list(record: Record) -> bool:
    return any(
        isinstance(item, ToMany) or (isinstance(item, ToOne) and _has_list(item.selection)) for item in record.items
    )


def _listing(entity: str, records: Sequence[Record], size: int) -> RootListing:
    parts = [Nodes(_MARK, Record(entity, (Scalar("id", "id"),)))]
    parts += [Nodes(str(place), item) for place, item in enumerate(records)]
    return RootListing(
        "0",
        Listing(
            entity,
            tuple(parts),
            {"id": {"in": Variable((_IDS,))}},
            (Order(("id",)),),
            first=Constant(size),
            deleted=Deleted.INCLUDE,
        ),
    )


async def read_one(
    back: ReadBack, snapshot: Snapshot, variables: Variables, record_id: str, pieces: tuple[bytes, ...] | None = None
) -> bytes:
    """The payload around one live record, with its own pieces or with others."""
    plan = back.plan if pieces is None else replace(back.plan, pieces=pieces)
    answer = await run(plan, snapshot, {**variables, _ID: record_id})
    return answer.data


async def read_many(
    back: ReadBack, snapshot: Snapshot, variables: Variables, ids: Sequence[str]
) -> dict[str, tuple[bytes, ...]]:
    """Record id -> the bytes of its selections, in their order. Ids that cannot be read are absent or null."""
    if not ids:
        return {}
    answer = await run(back.plan, snapshot, {**variables, _ID: ids[0], _IDS: list(ids)})
    text = answer.data.decode()
    if back.deleted:
        lists = _members(text, text.index("{", 1))
        order = [json.loads(item)["id"] for item in lists.pop(_MARK)]
    else:
        lists, order = _members(text, 0), list(ids)
    columns = [[item.encode() for item in lists[str(place)]] for place in range(back.records)]
    return dict(zip(order, zip(*columns, strict=True), strict=True))


def _members(text: str, start: int) -> dict[str, list[str]]:
    """An object of lists, its elements left as the text that they are."""
    found: dict[str, list[str]] = {}
    place = _skip(text, start + 1)
    while text[place] != "}":
        key, place = _scan(text, place)
        place = _skip(text, _skip(text, place) + 1)
        found[key], place = _elements(text, place)
        place = _skip(text, place)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return found


def _elements(text: str, start: int) -> tuple[list[str], int]:
    """The elements of a list, and where it ends."""
    found: list[str] = []
    place = _skip(text, start + 1)
    while text[place] != "]":
        _, end = _scan(text, place)
        found.append(text[place:end])
        place = _skip(text, end)
        if text[place] == ",":
            place = _skip(text, place + 1)
    return found, place + 1


def _skip(text: str, place: int) -> int:
    while text[place] in " \n\r\t":
        place += 1
    return place
