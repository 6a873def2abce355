"""The fields of Query and Mutation: one per root operation, with its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from graphql import GraphQLBoolean, GraphQLFieldResolver, GraphQLID, GraphQLInt, GraphQLString

from resolvers.renamed import renamed_to
from resolvers.roots import MANY, RootKind, RootOperation
from schema.flat import Argument, OutputField
from schema.pool import TypePool
from schema.scalars import DATE_TIME
from schema.shared import LIST, NODE, NON_NULL, ON_CONFLICT, SHARE_LEVEL, SHARE_WITH
from schema.types_output import listing_arguments

ResolverOf = Callable[[RootOperation], GraphQLFieldResolver | None]
"""Gives each root field the resolver that the stock executor calls."""

_ID: Final = Argument(NON_NULL[GraphQLID])
_IDS: Final = Argument(NON_NULL[LIST[NON_NULL[GraphQLID]]])
_VERSION: Final = Argument(GraphQLInt, description="The version that was read; another one is a conflict.")
_KEY: Final = {
    "idempotencyKey": Argument(GraphQLString, description="The same key again within 24 hours answers, writes nothing.")
}
_MANY_ROWS: Final = {
    "atMost": Argument(NON_NULL[GraphQLInt], 1, "More records than this match: nothing is done."),
    "all": Argument(GraphQLBoolean, False, "Must be true for an empty filter."),
}


def query_field(pool: TypePool, operation: RootOperation, resolver_of: ResolverOf) -> OutputField:
    """The field of a root operation of Query. `viewer` and `meta` belong to the static schema."""
    resolve = resolver_of(operation)
    match operation.kind:
        case RootKind.NODE:
            return OutputField(NODE, {"id": _ID}, "The record with that id, of whatever entity.", resolve)
        case RootKind.NODES:
            many = NON_NULL[LIST[NODE]]
            title = "Records in the order of their ids, null where there is none."
            return OutputField(many, {"ids": _IDS}, title, resolve)
    view = pool.views[operation.entity or ""]
    title = pool.title(view.entity.title, view.entity.titles)
    old = _deprecation(operation)
    if operation.kind is RootKind.RECORD:
        return OutputField(pool.get(view.type_name), {"id": _ID}, title, resolve, old)
    connection = pool.non_null[pool.get(f"{view.type_name}Connection")]
    return OutputField(connection, listing_arguments(pool, view), title, resolve, old)


def mutation_field(pool: TypePool, operation: RootOperation, resolver_of: ResolverOf) -> OutputField:
    """The field of a root operation of Mutation."""
    view = pool.views[operation.entity or ""]
    payload = f"{view.entity.plural_type_name if operation.kind in MANY else view.type_name}Payload"
    arguments = {**_ARGUMENTS[operation.kind](pool, view.type_name), **_KEY}
    resolve, old = resolver_of(operation), _deprecation(operation)
    return OutputField(pool.non_null[pool.get(payload)], arguments, _TITLES[operation.kind], resolve, old)


def _deprecation(operation: RootOperation) -> str | None:
    return None if operation.current is None else renamed_to(operation.current)


def _required(pool: TypePool, name: str) -> Argument:
    return Argument(pool.non_null[pool.get(name)])


def _by_id(_pool: TypePool, _name: str) -> dict[str, Any]:
    return {"id": _ID}


_ARGUMENTS: Final[dict[RootKind, Callable[[TypePool, str], dict[str, Any]]]] = {
    RootKind.CREATE: lambda pool, name: {"input": _required(pool, f"{name}CreateInput")},
    RootKind.CREATE_MANY: lambda pool, name: {
        "input": Argument(pool.all_of(pool.get(f"{name}CreateInput"))),
        "atomic": Argument(GraphQLBoolean, True, "False: rows that hold are written though others do not."),
    },
    RootKind.UPDATE: lambda pool, name: {
        "id": _ID,
        "input": _required(pool, f"{name}UpdateInput"),
        "expectedVersion": _VERSION,
    },
    RootKind.UPDATE_MANY: lambda pool, name: {
        "filter": _required(pool, f"{name}Filter"),
        "input": _required(pool, f"{name}UpdateInput"),
        **_MANY_ROWS,
    },
    RootKind.UPSERT: lambda pool, name: {
        "input": _required(pool, f"{name}CreateInput"),
        "by": Argument(pool.all_of(pool.get(f"{name}ConflictKey"))),
        "onConflict": Argument(ON_CONFLICT, "UPDATE"),
    },
    RootKind.DELETE: lambda pool, name: {"id": _ID, "expectedVersion": _VERSION},
    RootKind.DELETE_MANY: lambda pool, name: {"filter": _required(pool, f"{name}Filter"), **_MANY_ROWS},
    RootKind.RESTORE: _by_id,
    RootKind.PURGE: _by_id,
    RootKind.MERGE: lambda pool, name: {
        "ids": _IDS,
        "keep": _ID,
        "dryRun": Argument(GraphQLBoolean, False, "Only tell in `details` what would happen."),
    },
    RootKind.SHARE: lambda pool, name: {
        "id": _ID,
        "with": Argument(NON_NULL[SHARE_WITH]),
        "level": Argument(SHARE_LEVEL, "READ"),
        "fields": Argument(LIST[NON_NULL[GraphQLString]], description="Only these fields; all when absent."),
        "until": Argument(DATE_TIME, description="When the share ends."),
    },
    RootKind.UNSHARE: lambda pool, name: {"id": _ID, "with": Argument(NON_NULL[SHARE_WITH])},
}

_TITLES: Final = {
    RootKind.CREATE: "Create one record.",
    RootKind.CREATE_MANY: "Create up to 1,000 records, all or none unless told otherwise.",
    RootKind.UPDATE: "Change one record: absent fields stay, null clears.",
    RootKind.UPDATE_MANY: "Change all records that the filter matches, or none.",
    RootKind.UPSERT: "Create a record, or change the one that has the same key.",
    RootKind.DELETE: "Delete one record; it can be restored.",
    RootKind.DELETE_MANY: "Delete all records that the filter matches, or none; they can be restored.",
    RootKind.RESTORE: "Bring a deleted record back, with what was deleted with it.",
    RootKind.PURGE: "Remove one record for ever, from its history too.",
    RootKind.MERGE: "Make one record of several; what refers to the others then refers to the one kept.",
    RootKind.SHARE: "Let a member, a team or a role see or change one record.",
    RootKind.UNSHARE: "End a share.",
}
"""What each mutation does, the same words for every entity: they are in every schema."""
