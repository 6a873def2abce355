"""Payloads of mutations: what a document asks of one, and its JSON around the records that the database writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from graphql import FieldNode

from base.errors import Fault
from base.json import dump
from metadata.catalog import Entity
from records.command import Saved
from records.selection import Record, TypeName
from resolvers.plan import Planner
from resolvers.roots import MANY, RootKind, RootOperation

USER_ERROR: Final = "PliantUserError"


@dataclass(frozen=True, slots=True)
class RecordPart:
    """The record under its response key; `index` counts the records that the payload asks for."""

    key: str
    index: int


@dataclass(frozen=True, slots=True)
class ErrorsPart:
    """`userErrors`: (response key, name) of what is wanted of each."""

    key: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DetailsPart:
    """`details`."""

    key: str


@dataclass(frozen=True, slots=True)
class CountPart:
    """`count` of a plural payload: records that were written."""

    key: str


@dataclass(frozen=True, slots=True)
class ResultsPart:
    """`results` of a plural payload, each with the parts of a singular one."""

    key: str
    parts: tuple[Part, ...]


Part: TypeAlias = RecordPart | ErrorsPart | DetailsPart | CountPart | ResultsPart | TypeName


@dataclass(frozen=True, slots=True)
class Payload:
    """What is asked of one mutation field's payload. `records` are the selections that record parts count."""

    parts: tuple[Part, ...]
    records: tuple[Record, ...]


def plan_payload(planner: Planner, operation: RootOperation, entity: Entity, nodes: list[FieldNode]) -> Payload:
    """Read the selection of a payload. Raises what the planner raises for the records in it."""
    records: list[Record] = []
    parts = _parts(planner, operation.kind in MANY, entity, nodes, records)
    return Payload(parts, tuple(records))


def _parts(
    planner: Planner, many: bool, entity: Entity, nodes: list[FieldNode], records: list[Record]
) -> tuple[Part, ...]:
    type_name = f"{entity.plural_type_name if many else entity.type_name}Payload"
    parts: list[Part] = []
    for key, inner in planner.fields([node.selection_set for node in nodes], type_name).items():
        # an entity may be named like a part: the plural payload has no record, the singular no results
        match inner[0].name.value:
            case "__typename":
                parts.append(TypeName(key, type_name))
            case "userErrors":
                parts.append(ErrorsPart(key, _names(planner, inner)))
            case "results" if many:
                parts.append(ResultsPart(key, _parts(planner, False, entity, inner, records)))
            case "count" if many:
                parts.append(CountPart(key))
            case "details" if entity.name != "details":
                parts.append(DetailsPart(key))
            case _:
                parts.append(RecordPart(key, len(records)))
                records.append(planner.record(entity, inner))
    return tuple(parts)


def _names(planner: Planner, nodes: list[FieldNode]) -> tuple[tuple[str, str], ...]:
    found = planner.fields([node.selection_set for node in nodes], USER_ERROR)
    return tuple((key, inner[0].name.value) for key, inner in found.items())


def frame(
    parts: Sequence[Part],
    locale: str,
    faults: Iterable[Fault] = (),
    details: Mapping[str, Any] | None = None,
    results: bytes = b"[]",
    count: int = 0,
) -> tuple[bytes, ...]:
    """The bytes of a payload before each of its records, and after the last."""
    pieces = [b"{"]
    for place, part in enumerate(parts):
        pieces[-1] += (b"," if place else b"") + dump(part.key) + b":"
        match part:
            case RecordPart():
                pieces.append(b"")
            case ErrorsPart():
                pieces[-1] += dump([user_error(fault, locale, part.names) for fault in faults])
            case DetailsPart():
                pieces[-1] += dump(details)
            case ResultsPart():
                pieces[-1] += results
            case CountPart():
                pieces[-1] += dump(count)
            case TypeName():
                pieces[-1] += dump(part.value)
    pieces[-1] += b"}"
    return tuple(pieces)


def join(pieces: Sequence[bytes], records: Sequence[bytes]) -> bytes:
    """A payload's bytes around those of its records."""
    whole = [pieces[0]]
    for record, piece in zip(records, pieces[1:], strict=True):
        whole += (record, piece)
    return b"".join(whole)


def empty(pieces: Sequence[bytes]) -> bytes:
    """A payload whose records are null."""
    return b"null".join(pieces)


def shown_fault(fault: Fault, locale: str) -> dict[str, Any]:
    """A fault as `PliantUserError` shows it."""
    return {
        "path": list(fault.path),
        "code": fault.code,
        "message": fault.text.localized(locale),
        "details": dict(fault.details) or None,
        "__typename": USER_ERROR,
    }


def user_error(fault: Fault, locale: str, names: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """What is asked of a fault, under its response keys."""
    shown = shown_fault(fault, locale)
    return {key: shown[name] for key, name in names}


_BY_FILTER: Final = frozenset({RootKind.UPDATE_MANY, RootKind.DELETE_MANY})


def settled(saved: Saved, kind: RootKind, *, atomic: bool) -> Saved:
    """A write as its payload tells it.

    What stops a change by filter is no matter of one record. What stops one row of an atomic plural create stops them
    all: it is told of the row and, with the row's place in the input, of the whole.
    """
    if kind in _BY_FILTER:
        faults = tuple(fault for result in saved.results for fault in result.faults)
        return Saved((), (*saved.faults, *faults), saved.details) if faults else saved
    if kind is not RootKind.CREATE_MANY or not atomic:
        return saved
    placed = tuple(
        replace(fault, path=(str(place), *fault.path))
        for place, result in enumerate(saved.results)
        for fault in result.faults
    )
    return replace(saved, faults=(*saved.faults, *placed)) if placed else saved


def written(saved: Saved, *, atomic: bool) -> list[str]:
    """The ids of the records that a write is about and that it has not refused, each once, in their order."""
    if saved.faults or (atomic and any(result.faults for result in saved.results)):
        return []
    return list(dict.fromkeys(item.id for item in saved.results if item.id is not None and not item.faults))
