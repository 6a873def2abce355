"""Old names of renamed fields, as both executors read them off a document (`metadata.aliases`)."""

from __future__ import annotations

from typing import Final

from metadata.catalog import Entity

_RENAMED: Final = "Renamed to "


def current_name(entity: Entity, name: str) -> str:
    """The current API name behind a name of the entity's type; current names stand for themselves."""
    return entity.aliases.get(name, name)


def renamed_to(current: str) -> str:
    """The deprecation reason of an alias."""
    return f"{_RENAMED}{current}."


def current_of(reason: str | None) -> str | None:
    """The current name that the deprecation reason of an alias tells; None for other reasons."""
    if reason is None or not reason.startswith(_RENAMED):
        return None
    return reason.removeprefix(_RENAMED).removesuffix(".")
