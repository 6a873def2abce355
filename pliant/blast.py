"""A preview as text for people (`pliant plan`) and as JSON for programs."""

from __future__ import annotations

from base.json import Json
from pliant.changes import change_json, change_line
from pliant.terminal import fault_json, fault_line
from resolvers.preview import Preview


def lines(preview: Preview, locale: str, *, colour: bool = False) -> list[str]:
    """The preview, grouped, a line each; `colour` adds escapes of the terminal. The last line says what would come."""
    told = [change_line(change) for change in preview.changes]
    return [*told, *(f"! {fault_line(fault, locale)}" for fault in preview.faults)]


def as_json(preview: Preview, locale: str) -> dict[str, Json]:
    """The preview for programs."""
    return {
        "version": preview.version,
        "changes": [change_json(change) for change in preview.changes],
        "faults": [fault_json(fault, locale) for fault in preview.faults],
    }
