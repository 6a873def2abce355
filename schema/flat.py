"""Slim graphql-core types made on demand, and a schema that is never walked.

A company's schema has about 27 types an entity. graphql-core would check every name, keep a dozen attributes on every
object and follow every reference recursively; here names come from a checked catalog, attributes that are never set
stay on the class, and a type is made when its name is first looked up (docs/decisions/0003-graphql-runtime.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar, cast

from graphql import (
    GraphQLArgument,
    GraphQLDefaultInput,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from graphql.type.schema import InterfaceImplementations

_NOTHING: dict[str, Any] = {}

Make = Callable[[], dict[str, Any]]
"""Makes the fields (or values) of a type when they are first asked for."""


class RecordObject(GraphQLObjectType):
    """An object type whose fields are made on first use."""

    is_type_of = None
    extensions = _NOTHING
    ast_node = None
    extension_ast_nodes = ()
    description = None
    interfaces: tuple[GraphQLInterfaceType, ...] = ()

    def __new__(cls, *_: Any, **__: Any) -> RecordObject:
        """Skip the look-up of reserved names: no generated name is one."""
        return object.__new__(cls)

    def __init__(
        self, name: str, make: Make, description: str | None = None, interfaces: tuple[GraphQLInterfaceType, ...] = ()
    ) -> None:
        self.name = name
        self._make = make
        if description:
            self.description = description
        if interfaces:
            self.interfaces = interfaces

    @cached_property
    def fields(self) -> dict[str, GraphQLField]:
        """The fields by name, in order."""
        return self._make()


class RecordInput(GraphQLInputObjectType):
    """An input object type whose fields are made on first use: input types refer to each other in circles."""

    extensions = _NOTHING
    ast_node = None
    extension_ast_nodes = ()
    description = None
    is_one_of = False

    def __new__(cls, *_: Any, **__: Any) -> RecordInput:
        """Skip the look-up of reserved names: no generated name is one."""
        return object.__new__(cls)

    def __init__(self, name: str, make: Make, description: str | None = None, *, one_of: bool = False) -> None:
        self.name = name
        self._make = make
        if one_of:
            self.is_one_of = True
        if description:
            self.description = description

    @cached_property
    def fields(self) -> dict[str, GraphQLInputField]:
        """The input fields by name, in order."""
        return self._make()


class RecordEnum(GraphQLEnumType):
    """An enum type; internal values equal the names, but for aliases, whose value is the current name."""

    extensions = _NOTHING
    ast_node = None
    extension_ast_nodes = ()
    description = None

    def __new__(cls, *_: Any, **__: Any) -> RecordEnum:
        """Skip the look-up of reserved names: no generated name is one."""
        return object.__new__(cls)

    def __init__(self, name: str, make: Make, description: str | None = None) -> None:
        self.name = name
        self._make = make
        if description:
            self.description = description

    @cached_property
    def values(self) -> dict[str, GraphQLEnumValue]:
        """The values by name, in order."""
        return self._make()


class OutputField(GraphQLField):
    """A field of a record type. Equal (type, description) pairs share one object, so it is never written to."""

    resolve = None
    subscribe = None
    deprecation_reason = None
    extensions = _NOTHING
    ast_node = None
    description = None
    args = _NOTHING

    def __init__(
        self,
        type_: Any,
        args: Mapping[str, GraphQLArgument] | None = None,
        description: str | None = None,
        resolve: Any = None,
        deprecation_reason: str | None = None,
    ) -> None:
        self.type = type_
        if args:
            self.args = cast(dict[str, GraphQLArgument], args)
        if description:
            self.description = description
        if resolve:
            self.resolve = resolve
        if deprecation_reason:
            self.deprecation_reason = deprecation_reason


class InputField(GraphQLInputField):
    """A field of an input type; shared like output fields."""

    default_value = Undefined
    default = None
    deprecation_reason = None
    out_name = None
    extensions = _NOTHING
    ast_node = None
    description = None

    def __init__(self, type_: Any, description: str | None = None, deprecation_reason: str | None = None) -> None:
        self.type = type_
        if description:
            self.description = description
        if deprecation_reason:
            self.deprecation_reason = deprecation_reason


class Argument(GraphQLArgument):
    """An argument; `default` is the external value that stands in for an absent one."""

    default_value = Undefined
    default = None
    deprecation_reason = None
    out_name = None
    extensions = _NOTHING
    ast_node = None
    description = None

    def __init__(self, type_: Any, default: Any = None, description: str | None = None) -> None:
        self.type = type_
        if default is not None:
            self.default = GraphQLDefaultInput(value=default)
        if description:
            self.description = description


class EnumValue(GraphQLEnumValue):
    """A value of an enum."""

    deprecation_reason = None
    extensions = _NOTHING
    ast_node = None
    description = None

    def __init__(self, value: str, description: str | None = None, deprecation_reason: str | None = None) -> None:
        self.value = value
        if description:
            self.description = description
        if deprecation_reason:
            self.deprecation_reason = deprecation_reason


class NonNulls(dict[Any, Any]):
    """type -> its non-null wrapper, one object each, so that projections of types can be memoised by identity."""

    def __missing__(self, inner: Any) -> Any:
        made = self[inner] = GraphQLNonNull(inner)
        return made


class Lists(dict[Any, Any]):
    """type -> the list of it, one object each."""

    def __missing__(self, inner: Any) -> Any:
        made = self[inner] = GraphQLList(inner)
        return made


V = TypeVar("V")


class LazyMap(dict[str, V]):
    """A dict whose entries are made on first look-up; whatever iterates makes all, in the order of `names`."""

    __slots__ = ("_full", "_make", "_names")

    def __init__(self, names: Mapping[str, Any], make: Callable[[str], V]) -> None:
        super().__init__()
        self._names = names
        self._make = make
        self._full = False

    def __missing__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        made = self[name] = self._make(name)
        return made

    def get(self, name: str, default: Any = None) -> Any:
        """The entry, made now if need be, or the default for a name that cannot be made."""
        return self[name] if name in self._names else default

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    def __bool__(self) -> bool:
        return bool(self._names)

    def _fill(self) -> None:
        if self._full:
            return
        made = {name: self[name] for name in self._names}
        dict.clear(self)  # entries made before stand in the order of their look-up
        dict.update(self, made)
        self._full = True

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return dict.__iter__(self)

    def keys(self) -> Any:
        """All names; makes all entries."""
        self._fill()
        return dict.keys(self)

    def values(self) -> Any:
        """All entries; makes them."""
        self._fill()
        return dict.values(self)

    def items(self) -> Any:
        """All names and entries; makes them."""
        self._fill()
        return dict.items(self)

    def copy(self) -> dict[str, V]:
        """A plain dict with all entries."""
        return dict(self.items())

    @property
    def made(self) -> int:
        """How many entries exist by now."""
        return dict.__len__(self)


class FlatSchema(GraphQLSchema):
    """A schema whose maker knows all named types: graphql-core's recursive walk is left out.

    `types` maps every type name to its type and may be a `LazyMap`; `node_types` are the implementations of the one
    interface. Documents are validated as against any schema; `validate_schema` runs in tests, over all types.
    """

    def __init__(
        self,
        roots: tuple[GraphQLObjectType, GraphQLObjectType | None, GraphQLObjectType | None],
        types: dict[str, Any],
        interface: GraphQLInterfaceType,
        node_types: Iterable[str],
        directives: Iterable[GraphQLDirective],
        extensions: dict[str, Any] | None = None,
    ) -> None:
        self.assume_valid = True
        self._validation_errors = []
        self.description = None
        self.extensions = extensions or {}
        self.ast_node = None
        self.extension_ast_nodes = ()
        self.query_type, self.mutation_type, self.subscription_type = roots
        self.directives = tuple(directives)
        self.type_map = types
        self._sub_type_map = {}
        names = tuple(node_types)

        def implementations(_: str) -> InterfaceImplementations:
            """The types that implement the interface, made now."""
            objects = [cast(GraphQLObjectType, types[name]) for name in names]
            return InterfaceImplementations(objects=objects, interfaces=[])

        self._implementations_map = LazyMap({interface.name: None}, implementations)
