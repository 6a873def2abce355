"""The pool of one company's types: names to makers, made types by name, and shared field objects.

`types_*.py` say which types an entity has; the pool makes each when its name is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from graphql import GraphQLID, GraphQLNamedType

from access.grant import Operation
from metadata.catalog import Catalog, Entity
from metadata.field import Field, GraphQLKind, Relation, RelationKind, Titles
from metadata.names import pascal
from records.surface import EntitySurface, Surface
from resolvers.renamed import renamed_to
from schema.flat import InputField, Lists, NonNulls, OutputField
from schema.shared import SharedTypes

Maker: TypeAlias = "Callable[[], GraphQLNamedType]"
"""Makes one type."""


@dataclass(frozen=True)
class View:
    """An entity as the actor may see it."""

    entity: Entity
    surface: EntitySurface

    @property
    def type_name(self) -> str:
        """The entity's type in GraphQL."""
        return self.entity.type_name

    @cached_property
    def readable(self) -> tuple[Field, ...]:
        """Readable fields in the entity's order."""
        return tuple(item for name, item in self.entity.fields.items() if name in self.surface.readable)

    @cached_property
    def scalars(self) -> tuple[Field, ...]:
        """Readable fields that have a value of their own."""
        return tuple(item for item in self.readable if item.type.graphql is not GraphQLKind.RELATION)

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """Relations that may be followed, in the entity's order."""
        return tuple(way for name, way in self.entity.relations.items() if name in self.surface.relations)

    @property
    def to_one(self) -> Iterator[Relation]:
        """Relations to at most one record."""
        return (way for way in self.relations if way.kind is RelationKind.TO_ONE)

    @property
    def to_many(self) -> Iterator[Relation]:
        """Relations to any number of records."""
        return (way for way in self.relations if way.kind is not RelationKind.TO_ONE)

    def may(self, operation: Operation) -> bool:
        """Whether an operation exists on the entity."""
        return operation in self.surface.operations


class TypePool:
    """Types of one catalog and surface by name. `register` fills the table of names, `get` makes types."""

    def __init__(self, catalog: Catalog, surface: Surface, shared: SharedTypes, fixed: Mapping[str, Any]) -> None:
        self.catalog = catalog
        self.shared = shared
        self.fixed: dict[str, Any] = {**shared.types, **fixed}
        self.views = {name: View(catalog.entities[name], seen) for name, seen in surface.entities.items()}
        self.makers: dict[str, Maker] = {}
        self.non_null = NonNulls()
        self.list = Lists()
        self._made: dict[str, Any] = {}
        self._fields: dict[Any, Any] = {}

    def register(self, name: str, maker: Maker) -> None:
        """Let a type exist. A name that two makers claim is a fault of publishing, not of a request."""
        if name in self.makers or name in self.fixed:
            raise ValueError(f"two types named {name}")
        self.makers[name] = maker

    def has(self, name: str) -> bool:
        """Whether a type of that name exists."""
        return name in self.makers or name in self.fixed

    def get(self, name: str) -> Any:
        """The type of that name, one object for the pool's life."""
        made = self._made.get(name) or self.fixed.get(name)
        if made is None:
            made = self._made[name] = self.makers[name]()
        return made

    def all_of(self, item: Any) -> Any:
        """`[item!]!`"""
        return self.non_null[self.list[self.non_null[item]]]

    def some_of(self, item: Any) -> Any:
        """`[item!]`"""
        return self.list[self.non_null[item]]

    def output(self, type_: Any, description: str | None = None, deprecated: str | None = None) -> OutputField:
        """A field without arguments; equal ones are one object."""
        key = (type_, description, deprecated)
        made = self._fields.get(key)
        if made is None:
            made = self._fields[key] = OutputField(type_, None, description, None, deprecated)
        return made

    def aliases(self, view: View, fields: dict[str, InputField]) -> dict[str, InputField]:
        """Input fields with those that are known under former names too, deprecated, behind them."""
        for old, current in view.entity.aliases.items():
            if current in fields:
                field = fields[current]
                fields.setdefault(old, self.input(field.type, field.description, renamed_to(current)))
        return fields

    def input(self, type_: Any, description: str | None = None, deprecated: str | None = None) -> InputField:
        """A field of an input; equal ones are one object."""
        key = (InputField, type_, description, deprecated)
        made = self._fields.get(key)
        if made is None:
            made = self._fields[key] = InputField(type_, description, deprecated)
        return made

    def once(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A dict of arguments that many fields share, made once."""
        made = self._fields.get(key)
        if made is None:
            made = self._fields[key] = make()
        return made

    def target(self, relation: Relation) -> View:
        """The entity that a relation of the surface leads to."""
        return self.views[relation.target]

    def value_type(self, view: View, item: Field) -> Any:
        """The type of a field's value, for reading and for writing."""
        if item.name == "id":
            return GraphQLID  # kept as a uuid, shown as what clients cache by
        match item.type.graphql:
            case GraphQLKind.ENUM:
                return self.get(enum_name(view, item))
            case GraphQLKind.ENUM_LIST:
                return self.some_of(self.get(enum_name(view, item)))
            case GraphQLKind.LIST:
                return self.some_of(self.get(item.type.graphql_name))
            case _:
                return self.get(item.type.graphql_name)

    def title(self, title: str, titles: Titles, description: str | None = None) -> str:
        """A description in the company's default locale: the title, and below it what the document adds."""
        text = titles.get(self.catalog.app.locale, title)
        return f"{text}\n\n{description}" if description else text

    def field_title(self, item: Field) -> str:
        """The description of a field."""
        return self.title(item.title, item.titles, item.description)


def enum_name(view: View, item: Field) -> str:
    """The enum of a choice field: `OpportunityStage`."""
    return view.type_name + pascal(item.name)


def is_enum(item: Field) -> bool:
    """Whether a field has an enum of its own."""
    return item.type.graphql in (GraphQLKind.ENUM, GraphQLKind.ENUM_LIST)


def deprecation(item: Field) -> str | None:
    """The deprecation reason of a field whose document says `deprecated`."""
    return "Deprecated by the entity's document." if item.deprecated else None


def filter_name(view: View, item: Field) -> str:
    """The filter input of a field's tests; there may be no type of that name."""
    if is_enum(item):
        return f"{enum_name(view, item)}Filter"
    return "PliantIDFilter" if item.name == "id" else f"Pliant{item.type.filter_name}Filter"
