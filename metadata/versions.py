"""Versions as they were published: their documents, and what differs between two sets of documents.

Documents are read as they were authored, key by key; a catalog may be shared by companies whose documents mean the
same and are written differently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from access.table import Query, Table, parameter
from base.errors import NotFound, Text
from base.json import Json
from metadata.build import Documents
from metadata.merging import differing_paths, same
from metadata.publishing.diff import ChangeKind
from storage.engine import Engine
from storage.types import INTEGER, JSON

_own = Table("_catalog", {"version": INTEGER, "body": JSON}).clause
_BODIES = Query(
    sa.select(_own.c["version"], _own.c["body"]).where(
        sa.or_(
            _own.c["version"] == parameter("version", INTEGER),
            _own.c["version"] == parameter("other", INTEGER),
        )
    ),
    {"version": INTEGER, "other": INTEGER},
    {"version": INTEGER, "body": JSON},
)


@dataclass(frozen=True, slots=True)
class Body:
    """What a version consists of: its documents as authored, and its physical map."""

    documents: Documents
    physical: Mapping[str, Any]


EMPTY = Body({}, {"numbers": 0, "entities": {}, "retired": []})
"""What a company has before its first publish: version 0."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One document that is not the same on two sides; `was` is the name that it had before, where it has a new one."""

    kind: str
    name: str
    change: ChangeKind
    was: str | None
    before: Mapping[str, Json] | None
    after: Mapping[str, Json] | None

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """JSON paths on which the document differs; the empty path when it is on one side only."""
        return differing_paths(self.before, self.after)


async def read_bodies(engine: Engine, namespace: str, *versions: int) -> tuple[Body, ...]:
    """One or two versions, in the order asked for; version 0 is empty. Raises `NotFound`."""
    rows = await _BODIES.rows(engine, namespace, version=versions[0], other=versions[-1])
    found = {row["version"]: _body(row["body"]) for row in rows} | {0: EMPTY}
    for version in versions:
        if version not in found:
            raise NotFound(Text(f"There is no version {version}", f"不存在版本 {version}"))
    return tuple(found[version] for version in versions)


def differences(before: Documents, after: Documents) -> tuple[Difference, ...]:
    """Every document that differs, by kind and name. One that took the place of another by `x-was` is a rename."""
    found: list[Difference] = []
    renamed: set[tuple[str, str]] = set()
    for key, document in sorted(after.items()):
        kind, name = key
        if key in before:
            if not same(before[key], document):
                found.append(Difference(kind, name, ChangeKind.ALTERED, None, before[key], document))
            continue
        old = next(((kind, was) for was in former_names(document) if _gone((kind, was), before, after)), None)
        if old is None or old in renamed:
            found.append(Difference(kind, name, ChangeKind.ADDED, None, None, document))
        else:
            renamed.add(old)
            found.append(Difference(kind, name, ChangeKind.RENAMED, old[1], before[old], document))
    removed = sorted(before.keys() - after.keys() - renamed)
    found += [Difference(kind, name, ChangeKind.REMOVED, None, before[kind, name], None) for kind, name in removed]
    return tuple(found)


def former_names(document: Mapping[str, Json]) -> Iterable[str]:
    """The names in a document's `x-was`, newest first; nothing where it is not a list of texts."""
    return listed_names(document, "x-was")


def listed_names(document: Mapping[str, Json], keyword: str) -> Sequence[str]:
    """The texts in a list of a document; nothing where it is none."""
    listed = document.get(keyword)
    return [item for item in listed if isinstance(item, str)] if isinstance(listed, list | tuple) else ()


def _gone(key: tuple[str, str], before: Documents, after: Documents) -> bool:
    return key in before and key not in after


def _body(body: Mapping[str, Any]) -> Body:
    documents = {(str(item["kind"]), str(item["name"])): item for item in body["documents"]}
    return Body(documents, body["physical"])
