"""How changes of documents are told: for people a line each, for programs JSON."""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import DocumentsInvalid
from base.json import Json
from metadata.build import Documents
from metadata.folder import Folder
from metadata.publishing.diff import Change

_SIGNS = {"added": "+", "removed": "-", "renamed": "~", "altered": "~", "retyped": "!"}


def pruned(current: Documents, wanted: Documents, prune: bool) -> tuple[tuple[str, str], ...]:
    """The documents that an apply removes: with `prune` those that the folder no longer holds."""
    return tuple(sorted(current.keys() - wanted.keys())) if prune else ()


def placed(folder: Folder, error: DocumentsInvalid) -> DocumentsInvalid:
    """The same faults with file, line and column."""
    return DocumentsInvalid(folder.placed(error.faults))


def change_json(change: Change) -> Mapping[str, Json]:
    """A change for programs."""
    told: dict[str, Json] = {"change": change.kind.value, "subject": change.subject, "path": list(change.path)}
    if change.was is not None:
        told["was"] = change.was
    if change.loss is not None:
        told["allowLoss"] = change.loss
    return told


def change_line(change: Change) -> str:
    """A change for people."""
    was = f" (was {change.was})" if change.was is not None else ""
    loss = f"  [needs --allow-loss {change.loss} when records hold values]" if change.loss is not None else ""
    return f"{_SIGNS[change.kind.value]} {change.subject} {'.'.join(change.path)} {change.kind.value}{was}{loss}"
