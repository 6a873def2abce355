"""Natural keys: which records have these values, asked for many rows at once and remembered while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from base.errors import Text
from base.json import Json
from base.registry import hint
from metadata.field import Field
from records.reading.rows import Row, Rows
from records.selection import Constant, Listing, Order
from records.snapshot import Snapshot

CACHED_VALUES: Final = 50_000
"""Values remembered for each key, found or not; about 10 MB."""

CHUNK_VALUES: Final = 500
"""Values asked for by one statement."""

HINTS: Final = 1_000
"""Values that a did-you-mean is chosen from."""


@dataclass(frozen=True, slots=True)
class Key:
    """A field (API name) of an entity by whose value records are found."""

    entity: str
    field: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a value leads to: one id, none, or several records (`many`)."""

    id: str | None
    many: bool = False


NOTHING: Final = Found(None)


async def read_by(snapshot: Snapshot, entity: str, filter: Mapping[str, Json]) -> list[Row]:
    """Every live, readable row that matches, with all its fields."""
    rows: list[Row] = []
    after: str | None = None
    while True:
        listing = Listing(
            entity,
            (),
            filter=Constant(filter),
            order=(Order(("id",)),),
            first=Constant(snapshot.limits.page_size_max),
            after=None if after is None else Constant(after),
        )
        page = (await Rows(snapshot, {}).pages(listing))[None]
        rows += page.rows
        if not page.has_next:
            return rows
        after = page.cursors[-1]


class Lookups:
    """Finds records by natural keys. Values are in the JSON form that the API shows."""

    def __init__(self) -> None:
        self._known: dict[Key, OrderedDict[Any, Found]] = {}
        self._hints: dict[Key, list[str]] = {}

    async def find(self, snapshot: Snapshot, wanted: Mapping[Key, Collection[Any]]) -> dict[Key, dict[Any, Found]]:
        """What each wanted value leads to."""
        found: dict[Key, dict[Any, Found]] = {}
        for key, values in wanted.items():
            known = self._known.setdefault(key, OrderedDict())
            found[key] = {value: known[value] for value in values if value in known}
            missing = [value for value in dict.fromkeys(values) if value not in known]
            for start in range(0, len(missing), CHUNK_VALUES):
                chunk = missing[start : start + CHUNK_VALUES]
                found[key].update(await _read(snapshot, key, chunk))
            self._remember(known, found[key])
        return found

    async def hint(self, snapshot: Snapshot, key: Key, value: str) -> Text:
        """What tells of the existing value that is closest to one that was not found."""
        if key not in self._hints:
            listing = Listing(key.entity, (), order=(Order(("id",)),), first=Constant(HINTS))
            page = (await Rows(snapshot, {}).pages(listing))[None]
            self._hints[key] = [str(row[key.field]) for row in page.rows if row[key.field] is not None]
        return hint(value, self._hints[key])

    def forget(self) -> None:
        """Drop everything: rows were written that values may lead to now."""
        self._known.clear()
        self._hints.clear()

    def _remember(self, known: OrderedDict[Any, Found], found: Mapping[Any, Found]) -> None:
        for value, answer in found.items():
            known[value] = answer
            known.move_to_end(value)
        while len(known) > CACHED_VALUES:
            known.popitem(last=False)


async def _read(snapshot: Snapshot, key: Key, values: list[Any]) -> dict[Any, Found]:
    found: dict[Any, Found] = dict.fromkeys(values, NOTHING)
    for row in await read_by(snapshot, key.entity, {key.field: {"in": values}}):
        value = row[key.field]
        if value in found:
            found[value] = Found(str(row["id"]), many=found[value].id is not None)
    return found


def shown(field: Field, value: Json) -> Json:
    """A JSON value as the API shows it once the field has kept it. Raises `ValueError` when the field refuses it."""
    return None if value is None else field.type.image(field.options, field.type.logical(field.options, value))


def differing(fields: Mapping[str, Field], input: Mapping[str, Json], row: Row) -> dict[str, Json]:
    """The part of an input that would change a row; what its field refuses is in it, so that it is told of."""
    return {api: value for api, value in input.items() if _differs(fields[api], value, row.get(api))}


def _differs(field: Field, value: Json, held: Json) -> bool:
    if field.write_only:
        return True
    try:
        return shown(field, value) != held
    except (ValueError, ArithmeticError, TypeError):
        return True


def distinct(values: Iterable[Any]) -> list[Any]:
    """Values without nulls and repetitions, in order."""
    return [value for value in dict.fromkeys(values) if value is not None]
