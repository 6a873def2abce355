"""What a read asks for: a tree of plain data between GraphQL (above) and SQL (below).

Every argument is a `Term`: a constant, or a value that is known only when the operation runs. A selection with the
same shape and different run-time values compiles to the same SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Variable:
    """A run-time value: where a coerced JSON value is in the operation's variables (`("filter", "stage", "eq")`)."""

    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the document itself, already coerced to JSON."""

    value: Any


Term: TypeAlias = Variable | Constant

Tree: TypeAlias = "Term | Mapping[str, Tree] | tuple[Tree, ...]"
"""A filter or order argument whose structure is known and whose leaves are terms. A list variable that collapses to one
array parameter is one `Variable`."""


class Deleted(StrEnum):
    """Whether soft-deleted rows are seen."""

    EXCLUDE = "EXCLUDE"
    INCLUDE = "INCLUDE"
    ONLY = "ONLY"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar under its response key; `field` is the API name (`amount`, `accountId`, `id`)."""

    key: str
    field: str


@dataclass(frozen=True, slots=True)
class TypeName:
    """`__typename` under its response key: a constant."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ToOne:
    """The object behind a to-one relation, or null."""

    key: str
    relation: str
    selection: Record


@dataclass(frozen=True, slots=True)
class ToMany:
    """A connection over a to-many relation."""

    key: str
    relation: str
    listing: Listing


@dataclass(frozen=True, slots=True)
class Record:
    """What is wanted of one row, in response order."""

    entity: str
    items: tuple[Scalar | TypeName | ToOne | ToMany, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order: a path of to-one relations and a scalar's API name, its direction, where nulls go."""

    path: tuple[str, ...]
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class CursorItem:
    """`cursor` of an edge."""

    key: str


@dataclass(frozen=True, slots=True)
class NodeItem:
    """`node` of an edge."""

    key: str
    selection: Record


@dataclass(frozen=True, slots=True)
class Edges:
    """`edges` of a connection."""

    key: str
    items: tuple[CursorItem | NodeItem | TypeName, ...]


@dataclass(frozen=True, slots=True)
class Nodes:
    """`nodes` of a connection."""

    key: str
    selection: Record


@dataclass(frozen=True, slots=True)
class PageInfo:
    """`pageInfo`: items are (response key, hasNextPage | hasPreviousPage | startCursor | endCursor) or TypeName."""

    key: str
    items: tuple[tuple[str, str] | TypeName, ...]


@dataclass(frozen=True, slots=True)
class TotalCount:
    """`totalCount`: rows that match, whatever the page."""

    key: str


@dataclass(frozen=True, slots=True)
class AggregateItem:
    """One part of an aggregate: `function` is count, sum, avg, min, max or distinctCount; fields: (key, API name)."""

    key: str
    function: str
    fields: tuple[tuple[str, str] | TypeName, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`aggregate` over all rows that match."""

    key: str
    items: tuple[AggregateItem | TypeName, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A connection: which rows, in what order, which page, and which parts of it are wanted.

    Page arguments are terms or None when absent; a present one is a non-null integer or cursor text at run time.
    `filter` keeps GraphQL's form with terms at the leaves; None when absent or null.
    """

    entity: str
    parts: tuple[Edges | Nodes | PageInfo | TotalCount | Aggregate | TypeName, ...]
    filter: Tree | None = None
    order: tuple[Order, ...] = ()
    search: Term | None = None
    first: Term | None = None
    last: Term | None = None
    after: Term | None = None
    before: Term | None = None
    offset: Term | None = None
    deleted: Deleted = Deleted.EXCLUDE


@dataclass(frozen=True, slots=True)
class RootRecord:
    """`opportunity(id:)`: one live row by id, or null."""

    key: str
    entity: str
    id: Term
    selection: Record


@dataclass(frozen=True, slots=True)
class RootListing:
    """`opportunities(...)`."""

    key: str
    listing: Listing


@dataclass(frozen=True, slots=True)
class RootNode:
    """`node(id:)`: the entity is read from the id, so a plan has one selection per entity that the document names.

    `selections` maps entity -> what is wanted of it (inline fragments applied); an id of any other entity gives null.
    """

    key: str
    id: Term
    selections: Mapping[str, Record]


@dataclass(frozen=True, slots=True)
class RootNodes:
    """`nodes(ids:)`: in the order of the ids, null for each that is hidden, deleted or unknown."""

    key: str
    ids: Term
    selections: Mapping[str, Record]


@dataclass(frozen=True, slots=True)
class RootMeta:
    """`meta { position catalogVersion }`, read in the same statement."""

    key: str
    items: tuple[tuple[str, str] | TypeName, ...]


@dataclass(frozen=True, slots=True)
class RootTypeName:
    """`__typename` at the root."""

    key: str
    value: str


Root: TypeAlias = RootRecord | RootListing | RootNode | RootNodes | RootMeta | RootTypeName


@dataclass(frozen=True, slots=True)
class Selection:
    """A whole query whose roots are records: it becomes one statement, hence one snapshot."""

    roots: tuple[Root, ...] = field(default=())
