"""The stock executor's resolvers: records as plain dicts, read field by field through loaders.

The second, slow path: the oracle of compiled plans, the answer when compiling is switched off, and what answers
operations that ask for records beside something else. Record types carry no resolvers; `resolve_field` is what the
executor calls for them, and knows by the source what it looks at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLFieldResolver, GraphQLResolveInfo

from base.errors import LimitExceeded, Text
from base.ids import canonical_id, entity_number
from metadata.catalog import Entity
from metadata.field import RelationKind
from records.reading.listing import check_together
from records.selection import Constant, Deleted, Listing, Term, Tree
from resolvers.context import Context
from resolvers.loaders import ENTITY, ListLoader, Way, as_record, find_record, loaders_of
from resolvers.orders import orders
from resolvers.renamed import current_name
from resolvers.roots import RootKind, RootOperation
from resolvers.stock_mutations import mutation_resolver
from resolvers.terms import NULL

_PAGE = ("search", "first", "last", "after", "before", "offset")


def resolver_of(operation: RootOperation) -> GraphQLFieldResolver | None:
    """The resolver of a root field; None for those that the static schema answers."""
    match operation.kind:
        case RootKind.RECORD:
            return _record_resolver(operation.entity or "")
        case RootKind.LISTING:
            return _listing_resolver(operation.entity or "")
        case RootKind.NODE:
            return _resolve_node
        case RootKind.NODES:
            return _resolve_nodes
        case RootKind.META | RootKind.VIEWER | RootKind.TYPENAME:
            return None
        case _:
            return mutation_resolver(operation)


def resolve_field(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
    """A field of a record, a connection, an aggregate or a plain object. The executor's default resolver."""
    name = info.field_name
    if isinstance(source, Connection):
        return source.part(name)
    if isinstance(source, Aggregate):
        return source.part(name)
    if isinstance(source, Aggregated):
        return source.loader.aggregate(source.owner, source.function, current_name(source.entity, name))
    if not isinstance(source, Mapping):
        return getattr(source, name, None)
    if name in source:
        return source[name]
    entity: Entity | None = source.get(ENTITY)
    if entity is None:
        return None
    name = current_name(entity, name)
    return source[name] if name in source else _follow(source, entity, name, info, arguments)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection whose parts are read as they are asked for."""

    loader: ListLoader
    entity: Entity
    owner: str | None = None

    def part(self, name: str) -> Any:
        """A field of the connection, perhaps awaitable."""
        match name:
            case "totalCount":
                return self.loader.count(self.owner)
            case "aggregate":
                return Aggregate(self.loader, self.entity, self.owner)
            case "nodes":
                return self._nodes()
            case "edges":
                return self._edges()
            case _:
                return self._page_info()

    async def _nodes(self) -> list[dict[str, Any]]:
        page = await self.loader.page(self.owner)
        return [as_record(row, self.entity) for row in page.rows]

    async def _edges(self) -> list[dict[str, Any]]:
        page = await self.loader.page(self.owner)
        pairs = zip(page.rows, page.cursors, strict=True)
        return [{"cursor": cursor, "node": as_record(row, self.entity)} for row, cursor in pairs]

    async def _page_info(self) -> dict[str, Any]:
        page = await self.loader.page(self.owner)
        cursors = page.cursors
        return {
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        }


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`aggregate` of a connection."""

    loader: ListLoader
    entity: Entity
    owner: str | None

    def part(self, name: str) -> Any:
        """`count`, or the fields of one function."""
        if name == "count":
            return self.loader.count(self.owner)
        return Aggregated(self.loader, self.entity, self.owner, name)


@dataclass(frozen=True, slots=True)
class Aggregated:
    """One aggregate function, before a field is named."""

    loader: ListLoader
    entity: Entity
    owner: str | None
    function: str


def _record_resolver(entity: str) -> GraphQLFieldResolver:
    async def resolve(_source: Any, info: GraphQLResolveInfo[Any], id: str) -> Any:
        """One record by its id."""
        context: Context = info.context
        return await find_record(context, context.catalog.entities[entity], id)

    return resolve


def _listing_resolver(entity: str) -> GraphQLFieldResolver:
    def resolve(_source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        """A connection over all records."""
        context: Context = info.context
        return _connection(context, context.catalog.entities[entity], info, arguments, None, None)

    return resolve


async def _resolve_node(_source: Any, info: GraphQLResolveInfo[Any], id: str) -> Any:
    return await _find_node(info.context, id)


def _resolve_nodes(_source: Any, info: GraphQLResolveInfo[Any], ids: Sequence[str]) -> Any:
    context: Context = info.context
    longest = context.runtime.limits.page_size_max
    if len(ids) > longest:
        raise LimitExceeded(Text(f"'ids' is at most {longest}", f"“ids”最大为 {longest}"))
    return [_find_node(context, item) for item in ids]


async def _find_node(context: Context, record_id: str) -> dict[str, Any] | None:
    wanted = canonical_id(record_id)
    entity = context.catalog.by_number.get(entity_number(wanted)) if wanted is not None else None
    if entity is None or entity.name not in context.surface.entities:
        return None
    return await find_record(context, entity, wanted)


def _follow(
    source: Mapping[str, Any], entity: Entity, name: str, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
) -> Any:
    context: Context = info.context
    relation = entity.relations[name]
    target = context.catalog.entities[relation.target]
    if relation.kind is RelationKind.TO_ONE:
        reference = source[entity.fields[relation.name].api_name]
        return None if reference is None else find_record(context, target, reference)
    return _connection(context, target, info, arguments, Way(entity.name, relation.name), source["id"])


def _connection(
    context: Context,
    target: Entity,
    info: GraphQLResolveInfo[Any],
    arguments: Mapping[str, Any],
    way: Way | None,
    owner: str | None,
) -> Connection:
    # equal arguments stand where equal nodes of the document stand
    key = id(info.field_nodes[0])
    loader = loaders_of(context).listing(key, lambda: listing_of(target, arguments), way)
    return Connection(loader, target, owner)


def listing_of(entity: Entity, arguments: Mapping[str, Any]) -> Listing:
    """A listing from coerced arguments, every value a constant. Raises `BadInput` as planning the same field does."""
    page: dict[str, Term | None] = {
        name: None if arguments.get(name) is None else Constant(arguments[name]) for name in _PAGE
    }
    given, order = arguments.get("filter"), arguments.get("orderBy")
    listing = Listing(
        entity.name,
        (),
        None if given is None else tree_of(given),
        () if order is None else orders(tree_of(order)),
        deleted=Deleted(arguments.get("deleted") or "EXCLUDE"),
        **page,
    )
    check_together(listing)
    return listing


def tree_of(value: Any) -> Tree:
    """A coerced input as a tree: objects and lists of objects are structure, all else is a constant."""
    if value is None:
        return NULL
    if isinstance(value, Mapping):
        return {name: tree_of(item) for name, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) or item is None for item in value):
        return tuple(tree_of(item) for item in value)
    return Constant(value)
