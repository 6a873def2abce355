"""Rows and change rows as parameters of PostgreSQL statements: one row as typed values, several as arrays of text.

Arrays of text work for every column type (each element is cast), and asyncpg knows them without asking the server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from base.json import dump
from storage.batch import Batch, Value
from storage.fixed import CHANGE_COLUMNS
from storage.late import finished_image
from storage.names import quoted
from storage.types import postgres_name

_COMMON = ("transaction_id", "at", "actor_id", "cause", "catalog_version")
_EACH = tuple(name for name in CHANGE_COLUMNS if name not in _COMMON)
_PLACEHOLDER = re.compile(r"\$(\d+)")
_HEAD_VERSION = "(SELECT catalog_version FROM __ns__._head WHERE id = 1)"


class Places:
    """The placeholders of one statement, in the order in which its arguments will stand."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> str:
        """The next placeholder."""
        self._count += 1
        return f"${self._count}"

    def moved(self, text: str) -> str:
        """A text with placeholders of its own, numbered on from here."""
        start = self._count
        self._count += max((int(number) for number in _PLACEHOLDER.findall(text)), default=0)
        return _PLACEHOLDER.sub(lambda match: f"${int(match[1]) + start}", text)


def select_rows(types: Sequence[str], many: bool, source: str, place: Places) -> str:
    """`SELECT …` of the rows' values; `place` gives the next placeholder, `source` is what they depend on or empty."""
    if not many:
        values = ", ".join(f"{place()}::{postgres_name(kind)}" for kind in types)
        return f"SELECT {values}{f' FROM {source}' if source else ''}"
    names = [f"c{number}" for number in range(len(types))]
    values = ", ".join(_element(f"c.{name}", kind) for name, kind in zip(names, types, strict=True))
    arrays = ", ".join(f"{place()}::text[]" for _ in types)
    comma = f"{source}, " if source else ""
    return f"SELECT {values} FROM {comma}unnest({arrays}) WITH ORDINALITY AS c({', '.join(names)}, n) ORDER BY c.n"


def row_arguments(types: Sequence[str], rows: Sequence[Sequence[Value]], many: bool) -> list[Value]:
    """The parameters that `select_rows` asks for."""
    if not many:
        return list(rows[0])
    columns = zip(*rows, strict=True)
    return [[_text(value, kind) for value in column] for kind, column in zip(types, columns, strict=True)]


def insert_changes(many: bool, source: str, place: Places, *, known: bool = False) -> str:
    """The statement that puts a Batch's change rows before the sequencer, in their order.

    `known`: the parameter for the catalog's version is never null; else the head's stands in for it.
    """
    common = {name: f"{place()}::{postgres_name(CHANGE_COLUMNS[name].kind)}" for name in _COMMON}
    if not known:
        common["catalog_version"] = f"coalesce({common['catalog_version']}, {_HEAD_VERSION})"
    if many:
        each = {name: f"c.{quoted(name)}::{postgres_name(CHANGE_COLUMNS[name].kind)}" for name in _EACH}
        arrays = ", ".join(f"{place()}::text[]" for _ in _EACH)
        names = ", ".join(map(quoted, _EACH))
        comma = f"{source}, " if source else ""
        tail = f" FROM {comma}unnest({arrays}) WITH ORDINALITY AS c({names}, n) ORDER BY c.n"
    else:
        each = {name: f"{place()}::{postgres_name(CHANGE_COLUMNS[name].kind)}" for name in _EACH}
        tail = f" FROM {source}" if source else ""
    values = {**common, **each}
    return f"INSERT INTO __ns__._pending ({', '.join(map(quoted, values))}) SELECT {', '.join(values.values())}{tail}"


def change_arguments(batch: Batch, numbers: Mapping[str, int]) -> list[Value]:
    """The parameters that `insert_changes` asks for."""
    version = batch.catalog_version if batch.new_catalog_version is None else batch.new_catalog_version
    cause = dump({"kind": batch.cause.kind, **batch.cause.detail})
    common: list[Value] = [
        batch.transaction_id,
        datetime.fromisoformat(batch.at),
        batch.cause.actor_id,
        cause,
        version,
    ]
    rows = [
        (
            change.id,
            change.entity,
            change.record_id,
            change.op,
            change.record_version,
            dump(change.changed),
            None if change.before is None else dump(finished_image(change.before, numbers)),
            None if change.after is None else dump(finished_image(change.after, numbers)),
        )
        for change in batch.changes
    ]
    kinds = [CHANGE_COLUMNS[name].kind for name in _EACH]
    return common + row_arguments(kinds, rows, len(rows) > 1)


def _element(name: str, kind: str) -> str:
    if kind == "texts":
        return f"CASE WHEN {name} IS NOT NULL THEN ARRAY(SELECT json_array_elements_text({name}::json)) END"
    return name if kind == "text" else f"{name}::{postgres_name(kind)}"


def _text(value: Value, kind: str) -> str | None:
    match value:
        case None | str():
            return value
        case bytes():
            return value.decode()
        case bool():
            return "true" if value else "false"
        case date() | time():
            return value.isoformat()
        case list() | tuple() if kind == "texts":
            return dump(value).decode()
        case _:
            return str(value)
