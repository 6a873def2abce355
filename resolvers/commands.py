"""From a mutation field and its arguments to the commands that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from records.command import (
    Command,
    Commands,
    Create,
    Delete,
    DeleteWhere,
    Merge,
    Purge,
    Restore,
    Share,
    Unshare,
    Update,
    UpdateWhere,
    Upsert,
)
from resolvers.roots import RootKind, RootOperation

_Arguments = Mapping[str, Any]


def commands_of(operation: RootOperation, arguments: _Arguments) -> Commands:
    """The commands of one mutation field; `arguments` are coerced."""
    atomic = arguments.get("atomic")
    return Commands(
        _MADE[operation.kind](operation.entity or "", arguments),
        atomic=True if atomic is None else atomic,
        operation=operation.name,
        idempotency_key=arguments.get("idempotencyKey"),
    )


def _upsert(entity: str, arguments: _Arguments) -> Sequence[Command]:
    ignore = arguments.get("onConflict") == "IGNORE"
    return (Upsert(entity, arguments["input"], tuple(arguments["by"]), ignore),)


def _update_where(entity: str, arguments: _Arguments) -> Sequence[Command]:
    at_most, everything = arguments["atMost"], bool(arguments.get("all"))
    return (UpdateWhere(entity, arguments["filter"], arguments["input"], at_most, everything),)


def _delete_where(entity: str, arguments: _Arguments) -> Sequence[Command]:
    return (DeleteWhere(entity, arguments["filter"], arguments["atMost"], bool(arguments.get("all"))),)


def _merge(entity: str, arguments: _Arguments) -> Sequence[Command]:
    return (Merge(entity, tuple(arguments["ids"]), arguments["keep"], bool(arguments.get("dryRun"))),)


def _share(entity: str, arguments: _Arguments) -> Sequence[Command]:
    ((kind, principal),) = arguments["with"].items()
    fields = arguments.get("fields")
    level = arguments.get("level") or "READ"
    until = arguments.get("until")
    only = None if fields is None else tuple(fields)
    return (Share(entity, arguments["id"], kind, principal, level, only, until),)


def _unshare(entity: str, arguments: _Arguments) -> Sequence[Command]:
    ((kind, principal),) = arguments["with"].items()
    return (Unshare(entity, arguments["id"], kind, principal),)


_MADE: Final[Mapping[RootKind, Callable[[str, _Arguments], Sequence[Command]]]] = {
    RootKind.CREATE: lambda entity, given: (Create(entity, given["input"]),),
    RootKind.CREATE_MANY: lambda entity, given: tuple(Create(entity, item) for item in given["input"]),
    RootKind.UPDATE: lambda entity, given: (Update(entity, given["id"], given["input"], given.get("expectedVersion")),),
    RootKind.UPDATE_MANY: _update_where,
    RootKind.UPSERT: _upsert,
    RootKind.DELETE: lambda entity, given: (Delete(entity, given["id"], given.get("expectedVersion")),),
    RootKind.DELETE_MANY: _delete_where,
    RootKind.RESTORE: lambda entity, given: (Restore(entity, given["id"]),),
    RootKind.PURGE: lambda entity, given: (Purge(entity, given["id"]),),
    RootKind.MERGE: _merge,
    RootKind.SHARE: _share,
    RootKind.UNSHARE: _unshare,
}
