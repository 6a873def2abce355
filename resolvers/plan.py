"""From a validated operation to a `Selection`: fragments spread, equal response keys merged, arguments made terms.

A plan holds for every request with the same document, operation and variable shape; the entities that node ids belong
to count as shape (`entities_of`). Operations with a root that is no record (viewer, introspection, mutations) have no
plan: the stock executor answers them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from base.ids import entity_number
from metadata.catalog import Catalog, Entity
from metadata.field import RelationKind
from records.reading.listing import check_together
from records.selection import (
    Aggregate,
    AggregateItem,
    Constant,
    CursorItem,
    Deleted,
    Edges,
    Listing,
    NodeItem,
    Nodes,
    PageInfo,
    Record,
    Root,
    RootListing,
    RootMeta,
    RootNode,
    RootNodes,
    RootRecord,
    RootTypeName,
    Scalar,
    Selection,
    Term,
    ToMany,
    ToOne,
    TotalCount,
    Tree,
    TypeName,
)
from resolvers.orders import orders
from resolvers.renamed import current_name
from resolvers.roots import RootKind, Roots
from resolvers.terms import NULL, NotPlanned, Terms
from resolvers.variables import Shape

Fields: TypeAlias = Mapping[str, list[FieldNode]]
"""Response key -> the fields that are merged under it; the first one tells name and arguments."""

_NODE: Final = "Node"


class Planner:
    """Plans one operation. The methods that read parts of an answer serve mutations' payloads too.

    `fragments` are the document's, `variables` coerced values; `structural` names the enums whose values belong to
    the shape.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        catalog: Catalog,
        roots: Roots,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        structural: frozenset[str],
    ) -> None:
        self._schema = schema
        self._catalog = catalog
        self._roots = roots
        self._fragments = fragments
        self._terms = Terms(variables, structural)

    @property
    def mutation_type(self) -> GraphQLObjectType:
        """The root type of mutations; only for operations that are mutations."""
        assert self._schema.mutation_type is not None
        return self._schema.mutation_type

    def plan(self, operation: OperationDefinitionNode) -> Selection | None:
        """The selection of a query whose roots are all records, else None.

        Raises `BadInput` for arguments that contradict each other.
        """
        if operation.operation is not OperationType.QUERY:
            return None
        try:
            found = [self._root(key, nodes) for key, nodes in self.fields([operation.selection_set], "Query").items()]
        except NotPlanned:
            return None
        return Selection(tuple(found))

    def fields(self, sets: Iterable[SelectionSetNode | None], type_name: str) -> dict[str, list[FieldNode]]:
        """The fields that selection sets ask of an object type: CollectFields of the specification."""
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for selection_set in sets:
            if selection_set is not None:
                self._collect(selection_set, type_name, found, spread)
        return found

    def _collect(
        self, selection_set: SelectionSetNode, type_name: str, found: dict[str, list[FieldNode]], spread: set[str]
    ) -> None:
        for node in selection_set.selections:
            if node.directives and not self._included(node):
                continue
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
                continue
            inner: Any = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                inner = self._fragments[node.name.value]
            condition = inner.type_condition
            if condition is None or self._applies(condition.name.value, type_name):
                self._collect(inner.selection_set, type_name, found, spread)

    def _applies(self, condition: str, type_name: str) -> bool:
        if condition == type_name:
            return True
        return condition == _NODE and bool(getattr(self._schema.type_map[type_name], "interfaces", ()))

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            name = directive.name.value
            for argument in directive.arguments or ():  # validated: exactly `if`
                if name in ("skip", "include") and self._terms.flag(argument.value) is (name == "skip"):
                    return False
        return True

    def _root(self, key: str, nodes: list[FieldNode]) -> Root:
        operation = self._roots.query.get(nodes[0].name.value)
        if operation is None:
            raise NotPlanned
        match operation.kind:
            case RootKind.TYPENAME:
                return RootTypeName(key, "Query")
            case RootKind.META:
                return RootMeta(key, self._names(nodes, "PliantMeta"))
            case RootKind.RECORD:
                entity = self._catalog.entities[operation.entity or ""]
                identity = self._root_arguments(nodes)["id"]
                return RootRecord(key, entity.name, _term(identity), self.record(entity, nodes))
            case RootKind.LISTING:
                entity = self._catalog.entities[operation.entity or ""]
                return RootListing(key, self.listing(entity, self._root_type(nodes), nodes))
            case RootKind.NODE:
                one = _term(self._root_arguments(nodes)["id"])
                return RootNode(key, one, self._by_entity(nodes, [self._terms.value(one)]))
            case RootKind.NODES:
                many = _term(self._root_arguments(nodes)["ids"])
                return RootNodes(key, many, self._by_entity(nodes, self._terms.value(many)))
            case _:
                raise NotPlanned

    def _root_type(self, nodes: list[FieldNode]) -> GraphQLField:
        assert self._schema.query_type is not None
        field: GraphQLField = self._schema.query_type.fields[nodes[0].name.value]
        return field

    def _root_arguments(self, nodes: list[FieldNode]) -> dict[str, Tree]:
        return self._terms.arguments(self._root_type(nodes), nodes[0])

    def _by_entity(self, nodes: list[FieldNode], ids: Sequence[str]) -> dict[str, Record]:
        """What is wanted of a node, for the entities that its ids belong to (their numbers are part of the shape)."""
        seen = {item.entity for item in self._roots.query.values() if item.kind is RootKind.RECORD}
        found: dict[str, Record] = {}
        for number in sorted(set(map(entity_number, ids))):
            entity = self._catalog.by_number.get(number)
            if entity is not None and entity.name in seen:
                found[entity.name] = self.record(entity, nodes)
        return found

    def record(self, entity: Entity, nodes: list[FieldNode]) -> Record:
        """What fields ask of one record of an entity."""
        items: list[Scalar | TypeName | ToOne | ToMany] = []
        for key, inner in self.fields(_sets(nodes), entity.type_name).items():
            name = inner[0].name.value
            if name == "__typename":
                items.append(TypeName(key, entity.type_name))
                continue
            field = self._field(entity.type_name, name)
            name = current_name(entity, name)
            relation = entity.relations.get(name)
            if relation is None:
                items.append(Scalar(key, name))
            elif relation.kind is RelationKind.TO_ONE:
                items.append(ToOne(key, name, self.record(self._catalog.entities[relation.target], inner)))
            else:
                target = self._catalog.entities[relation.target]
                items.append(ToMany(key, name, self.listing(target, field, inner)))
        return Record(entity.name, tuple(items))

    def _field(self, type_name: str, name: str) -> GraphQLField:
        type_ = self._schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        field: GraphQLField = type_.fields[name]
        return field

    def listing(self, entity: Entity, field: GraphQLField, nodes: list[FieldNode]) -> Listing:
        """A connection with its arguments: `field` is its definition, `nodes` the merged fields that ask for it."""
        trees = self._terms.arguments(field, nodes[0])
        page = {name: _page_term(trees, name) for name in ("search", "first", "last", "after", "before", "offset")}
        deleted = trees.get("deleted", NULL)
        assert isinstance(deleted, Constant)
        listing = Listing(
            entity.name,
            self._parts(entity, nodes),
            None if trees.get("filter", NULL) == NULL else trees["filter"],
            orders(trees["orderBy"]) if "orderBy" in trees else (),
            deleted=Deleted(deleted.value or "EXCLUDE"),
            **page,
        )
        check_together(listing)
        return listing

    def _parts(
        self, entity: Entity, nodes: list[FieldNode]
    ) -> tuple[Edges | Nodes | PageInfo | TotalCount | Aggregate | TypeName, ...]:
        connection = f"{entity.type_name}Connection"
        parts: list[Edges | Nodes | PageInfo | TotalCount | Aggregate | TypeName] = []
        for key, inner in self.fields(_sets(nodes), connection).items():
            match inner[0].name.value:
                case "edges":
                    parts.append(Edges(key, self._edge(entity, inner)))
                case "nodes":
                    parts.append(Nodes(key, self.record(entity, inner)))
                case "pageInfo":
                    parts.append(PageInfo(key, self._names(inner, "PageInfo")))
                case "totalCount":
                    parts.append(TotalCount(key))
                case "aggregate":
                    parts.append(Aggregate(key, self._aggregate(entity, inner)))
                case _:
                    parts.append(TypeName(key, connection))
        return tuple(parts)

    def _edge(self, entity: Entity, nodes: list[FieldNode]) -> tuple[CursorItem | NodeItem | TypeName, ...]:
        edge = f"{entity.type_name}Edge"
        items: list[CursorItem | NodeItem | TypeName] = []
        for key, inner in self.fields(_sets(nodes), edge).items():
            match inner[0].name.value:
                case "cursor":
                    items.append(CursorItem(key))
                case "node":
                    items.append(NodeItem(key, self.record(entity, inner)))
                case _:
                    items.append(TypeName(key, edge))
        return tuple(items)

    def _aggregate(self, entity: Entity, nodes: list[FieldNode]) -> tuple[AggregateItem | TypeName, ...]:
        whole = f"{entity.type_name}Aggregate"
        items: list[AggregateItem | TypeName] = []
        for key, inner in self.fields(_sets(nodes), whole).items():
            function = inner[0].name.value
            if function == "__typename":
                items.append(TypeName(key, whole))
            elif function == "count":
                items.append(AggregateItem(key, function))
            else:
                part = f"{entity.type_name}{function[0].upper()}{function[1:]}Aggregate"
                items.append(AggregateItem(key, function, self._fields_of(entity, inner, part)))
        return tuple(items)

    def _fields_of(
        self, entity: Entity, nodes: list[FieldNode], type_name: str
    ) -> tuple[tuple[str, str] | TypeName, ...]:
        """(response key, current name) of the fields that one aggregate function is asked of."""
        return tuple(
            item if isinstance(item, TypeName) else (item[0], current_name(entity, item[1]))
            for item in self._names(nodes, type_name)
        )

    def _names(self, nodes: list[FieldNode], type_name: str) -> tuple[tuple[str, str] | TypeName, ...]:
        """(response key, field name) of an object whose fields are all leaves."""
        return tuple(
            TypeName(key, type_name) if inner[0].name.value == "__typename" else (key, inner[0].name.value)
            for key, inner in self.fields(_sets(nodes), type_name).items()
        )


def _sets(nodes: list[FieldNode]) -> list[SelectionSetNode | None]:
    return [node.selection_set for node in nodes]


def _term(tree: Tree) -> Term:
    assert not isinstance(tree, Mapping | tuple)  # the argument's type is a leaf or a list of leaves
    return tree


def _page_term(trees: Mapping[str, Tree], name: str) -> Term | None:
    tree = trees.get(name)
    return None if tree is None or tree == NULL else _term(tree)


def node_variables(
    operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> tuple[str, ...]:
    """Names of the variables that `node` and `nodes` take their ids from: a plan depends on the entities in them."""
    found: dict[str, None] = {}
    waiting: list[Any] = [operation.selection_set]
    spread: set[str] = set()
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                if node.name.value in ("node", "nodes"):
                    values = (argument.value for argument in node.arguments or ())
                    found.update((value.name.value, None) for value in values if isinstance(value, VariableNode))
            elif not isinstance(node, FragmentSpreadNode):
                waiting.append(node.selection_set)
            elif node.name.value not in spread:
                spread.add(node.name.value)
                waiting.append(fragments[node.name.value].selection_set)
    return tuple(found)


def entities_of(values: Mapping[str, Any], names: Iterable[str]) -> Shape:
    """The numbers of the entities that ids in these variables belong to, as a part of a shape."""
    ids = (value if isinstance(value, list) else [value] for value in (values.get(name) for name in names))
    return tuple(frozenset(entity_number(item) for item in each if isinstance(item, str)) for each in ids)
