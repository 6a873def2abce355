"""A selection written as a GraphQL document: literals or variables, fragments, directives, merged fields at random.

What the document asks for is exactly the selection, so its answer is known without reading the document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull, GraphQLSchema

from metadata.catalog import Catalog, Entity
from records import selection as ask
from records.selection import Constant, Listing, Order, Variable

PAGE = ("first", "last", "after", "before", "offset", "search")


@dataclass
class Request:
    """A document and its variables."""

    text: str = ""
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass
class Renderer:
    """Writes one selection. `terms` are the values of the selection's own variables."""

    schema: GraphQLSchema
    catalog: Catalog
    random: Random
    terms: Mapping[str, Any]
    written: set[str] = field(default_factory=set)
    """The selection's variables whose values stand in the document itself."""
    _declared: list[str] = field(default_factory=list)
    _given: dict[str, Any] = field(default_factory=dict)
    _fragments: list[str] = field(default_factory=list)
    _count: int = 0

    def request(self, selection: ask.Selection) -> Request:
        """The whole document."""
        body = self._set("Query", [self._root(root) for root in selection.roots])
        head = (
            f"query Q({', '.join(self._declared)})" if self._declared else self.random.choice(["query", "query Q", ""])
        )
        return Request("\n".join([f"{head} {body}", *self._fragments]), self.variables())

    # -- values ------------------------------------------------------------------------------------------------------

    def plain(self, tree: Any) -> Any:
        """A tree of terms as the JSON that it stands for."""
        match tree:
            case Mapping():
                return {key: self.plain(item) for key, item in tree.items()}
            case tuple():
                return [self.plain(item) for item in tree]
            case Constant():
                return tree.value
        value: Any = self.terms
        for step in tree.path:
            value = value[step]
        return value

    def variables(self) -> dict[str, Any]:
        """The variables of the document for what the selection's own variables are now."""
        return {name: self.plain(tree) for name, tree in self._given.items()}

    def _variable(self, type_: Any, tree: Any, default: str | None = None) -> str:
        self._count += 1
        name = f"v{self._count}"
        self._declared.append(f"${name}: {type_}" + ("" if default is None else f" = {default}"))
        if default is None:
            self._given[name] = tree
        return f"${name}"

    def _value(self, type_: Any, tree: Any, chance: float = 0.3) -> str:
        """A value as a literal with variables in it, or as a variable."""
        if tree != Constant(None) and self.random.random() < chance:
            if self.random.random() < 0.1:
                return self._variable(type_, None, self._literal(type_, tree, 0))
            return self._variable(type_, tree)
        return self._literal(type_, tree, chance / 2)

    def _literal(self, type_: Any, tree: Any, chance: float) -> str:
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(tree, Variable):
            self.written.add(str(tree.path[0]))
            tree = Constant(self.plain(tree))
        if tree == Constant(None):
            return "null"
        if isinstance(bare, GraphQLList):
            return self._list(bare, tree, chance)
        if isinstance(bare, GraphQLInputObjectType):
            parts = []
            for key, item in _entries(tree).items():
                inner_type = bare.fields[key].type
                if bare.is_one_of:
                    inner_type = GraphQLNonNull(inner_type)
                parts.append(f"{key}: {self._value(inner_type, item, chance)}")
            return "{" + ", ".join(parts) + "}"
        return str(tree.value) if isinstance(bare, GraphQLEnumType) else _json_literal(tree.value)

    def _list(self, type_: Any, tree: Any, chance: float) -> str:
        # a variable inside a list is right, but no plan holds it: now and then
        inner = chance if isinstance(_named(type_), GraphQLInputObjectType) else chance / 10
        items = tree if isinstance(tree, tuple) else [Constant(item) for item in tree.value]
        if len(items) == 1 and self.random.random() < 0.1:
            return self._value(type_.of_type, items[0], 0)  # one value stands for a list of it
        return f"[{', '.join(self._value(type_.of_type, item, inner) for item in items)}]"

    # -- selection sets ----------------------------------------------------------------------------------------------

    def _set(self, type_name: str, items: Iterable[str]) -> str:
        """Items between braces, some of them inside fragments; now and then something that is skipped."""
        random = self.random
        parts: list[str] = []
        for item in items:
            match random.randint(0, 19):
                case 0:
                    parts.append(f"... on {type_name} {{ {item} }}")
                case 1:
                    parts.append(f"... {self._directive(True)} {{ {item} }}")
                case 2:
                    parts.append(f"...{self._fragment(type_name, item)}")
                case 3:
                    parts.append(f"{item} ...{self._fragment(type_name, item)}")  # the same once more
                case _:
                    parts.append(item)
        if random.random() < 0.1:
            parts.insert(random.randint(0, len(parts)), f"gone: __typename {self._directive(False)}")
        return "{ " + " ".join(parts) + " }"

    def _fragment(self, type_name: str, item: str) -> str:
        name = f"F{len(self._fragments)}"
        self._fragments.append(f"fragment {name} on {type_name} {{ {item} }}")
        return name

    def _directive(self, kept: bool) -> str:
        word, value = self.random.choice([("include", kept), ("skip", not kept)])
        given = self._variable("Boolean!", Constant(value)) if self.random.random() < 0.5 else str(value).lower()
        return f"@{word}(if: {given})"

    # -- roots -------------------------------------------------------------------------------------------------------

    def _root(self, root: ask.Root) -> str:
        match root:
            case ask.RootRecord():
                wanted = self._value(self._argument(root.entity, "id"), root.id)
                return f"{root.key}: {root.entity}(id: {wanted}) {self._record(root.selection)}"
            case ask.RootNode():
                wanted = self._value(self._argument("node", "id"), root.id, 0.5)
                return f"{root.key}: node(id: {wanted}) {self._node(root.selections)}"
            case ask.RootNodes():
                wanted = self._value(self._argument("nodes", "ids"), root.ids, 0.5)
                return f"{root.key}: nodes(ids: {wanted}) {self._node(root.selections)}"
            case ask.RootListing():
                entity = self.catalog.entities[root.listing.entity]
                return f"{root.key}: {entity.plural}{self._listing(root.listing)}"
            case ask.RootMeta():
                return f"{root.key}: meta {{ {' '.join(f'{key}: {name}' for key, name in root.items)} }}"  # type: ignore[misc]
            case _:
                return f"{root.key}: __typename"

    def _argument(self, root: str, name: str) -> Any:
        return self.schema.query_type.fields[root].args[name].type  # type: ignore[union-attr]

    def _node(self, selections: Mapping[str, ask.Record]) -> str:
        """The items that all entities share, then those of single entities."""
        common: list[str] = []
        shared = 0
        for items in zip(*(record.items for record in selections.values()), strict=False):
            if not all(item.key == items[0].key and _is_of_nodes(item) for item in items):
                break
            name = "__typename" if isinstance(items[0], ask.TypeName) else items[0].field
            common.append(f"{items[0].key}: {name}")
            shared += 1
        own = []
        for name, record in selections.items():
            if len(record.items) > shared:
                type_name = self.catalog.entities[name].type_name
                inner = self._record(replace(record, items=record.items[shared:]))
                own.append(f"... on {type_name} {inner}")
        return "{ " + " ".join([*common, *own]) + " }"

    # -- records -----------------------------------------------------------------------------------------------------

    def _record(self, record: ask.Record) -> str:
        entity = self.catalog.entities[record.entity]
        items: list[str] = []
        for item in record.items:
            if isinstance(item, ask.ToOne) and len(item.selection.items) > 1 and self.random.random() < 0.2:
                inner = item.selection
                for half in (inner.items[:1], inner.items[1:]):  # the same key twice: the two are merged
                    items.append(self._item(entity, replace(item, selection=replace(inner, items=half))))
            else:
                items.append(self._item(entity, item))
        return self._set(entity.type_name, items)

    def _item(self, entity: Entity, item: Any) -> str:
        match item:
            case ask.Scalar():
                return f"{item.key}: {item.field}"
            case ask.TypeName():
                return f"{item.key}: __typename"
            case ask.ToOne():
                return f"{item.key}: {item.relation} {self._record(item.selection)}"
            case _:
                return f"{item.key}: {item.relation}{self._listing(item.listing)}"

    # -- connections -------------------------------------------------------------------------------------------------

    def _listing(self, listing: Listing) -> str:
        entity = self.catalog.entities[listing.entity]
        given = self._arguments(entity, listing)
        parts = [self._part(entity, part) for part in listing.parts]
        arguments = f"({', '.join(given)})" if given else ""
        return f"{arguments} {self._set(f'{entity.type_name}Connection', parts)}"

    def _arguments(self, entity: Entity, listing: Listing) -> list[str]:
        types = {name: self._argument(entity.plural, name) for name in ("filter", "orderBy", "deleted", *PAGE)}
        given: list[str] = []
        if listing.filter is not None:
            given.append(f"filter: {self._value(types['filter'], listing.filter)}")
        if listing.order:
            given.append(
                f"orderBy: {self._value(types['orderBy'], Constant([_order(order) for order in listing.order]))}"
            )
        for name in PAGE:
            term = getattr(listing, name)
            if term is not None and name in ("after", "before") and self.plain(term) is None:
                self._declared.append("$cursor: String")  # sent with each request
                given.append(f"{name}: $cursor")
            elif term is not None:
                given.append(f"{name}: {self._value(types[name], term)}")
            elif self.random.random() < 0.03:
                given.append(f"{name}: null")
        if listing.deleted is not ask.Deleted.EXCLUDE or self.random.random() < 0.05:
            given.append(f"deleted: {self._value(types['deleted'], Constant(listing.deleted.value))}")
        if listing.filter is None and self.random.random() < 0.05:
            self._count += 1
            self._declared.append(f"$v{self._count}: {types['filter']}")  # never sent
            given.append(f"filter: $v{self._count}")
        self.random.shuffle(given)
        return given

    def _part(self, entity: Entity, part: Any) -> str:
        match part:
            case ask.Nodes():
                return f"{part.key}: nodes {self._record(part.selection)}"
            case ask.Edges():
                items = [self._edge(item) for item in part.items]
                return f"{part.key}: edges {self._set(f'{entity.type_name}Edge', items)}"
            case ask.PageInfo():
                return f"{part.key}: pageInfo {self._set('PageInfo', _pairs(part.items))}"
            case ask.TotalCount():
                return f"{part.key}: totalCount"
            case ask.Aggregate():
                return f"{part.key}: aggregate {{ {' '.join(_function(item) for item in part.items)} }}"
            case _:
                return f"{part.key}: __typename"

    def _edge(self, item: Any) -> str:
        match item:
            case ask.NodeItem():
                return f"{item.key}: node {self._record(item.selection)}"
            case ask.TypeName():
                return f"{item.key}: __typename"
            case _:
                return f"{item.key}: cursor"


def _entries(tree: Any) -> Mapping[str, Any]:
    """The entries of an object, each a tree."""
    return tree if isinstance(tree, Mapping) else {key: Constant(item) for key, item in tree.value.items()}


def _is_of_nodes(item: Any) -> bool:
    """Whether every node has it."""
    return isinstance(item, ask.TypeName) or (isinstance(item, ask.Scalar) and item.field == "id")


def _named(type_: Any) -> Any:
    while isinstance(type_, GraphQLNonNull | GraphQLList):
        type_ = type_.of_type
    return type_


def _pairs(items: Iterable[Any]) -> list[str]:
    return [f"{item.key}: __typename" if isinstance(item, ask.TypeName) else f"{item[0]}: {item[1]}" for item in items]


def _function(item: Any) -> str:
    if isinstance(item, ask.TypeName):
        return f"{item.key}: __typename"
    inner = f" {{ {' '.join(_pairs(item.fields))} }}" if item.function != "count" else ""
    return f"{item.key}: {item.function}{inner}"


def _order(order: Order) -> dict[str, Any]:
    word = ("DESC" if order.descending else "ASC") + ("_NULLS_FIRST" if order.nulls_first else "")
    tree: Any = word
    for name in reversed(order.path):
        tree = {name: tree}
    return tree  # type: ignore[no-any-return]


def _json_literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_json_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_json_literal, value))}]"
    return json.dumps(value, ensure_ascii=False)
