"""Fields and field types: what a field is, and what a kind of field must know of itself.

A new field type is one file in metadata/fields with one `FieldType` subclass, and one line in the registry there;
nothing else in Pliant names it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar, Final

from base.errors import Fault, Text
from base.json import Json
from expressions import Type
from storage.types import ColumnType

Titles = Mapping[str, str]
"""Locale -> text."""


NEVER_NULL: Final = frozenset({"id", "version", "createdAt", "updatedAt"})
"""The system fields that every record has a value in; no grant hides them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a field: its SQL name and how its values are kept."""

    name: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a choice field. A retired one is read but not written; `was` lists older values, newest first."""

    value: str
    title: str
    titles: Titles = field(default_factory=dict)
    color: str | None = None
    retired: bool = False
    was: tuple[str, ...] = ()


class OnDelete(StrEnum):
    """What happens to a reference when its target is deleted."""

    RESTRICT = "restrict"
    CASCADE = "cascade"
    CLEAR = "clear"
    KEEP = "keep"  # the id stays and reads as null


class RelationKind(StrEnum):
    """How two entities are related, seen from one of them."""

    TO_ONE = "to-one"  # a reference field of this entity
    INVERSE = "inverse"  # rows of the target whose reference points here
    MANY = "many"  # a link table: references, or the other side of references
    CHILDREN = "children"  # owned rows of the target


@dataclass(frozen=True, slots=True)
class Relation:
    """A way from one entity's row to rows of `target`.

    TO_ONE: `column` on this table holds the target's id. INVERSE and CHILDREN: `column` on the target's table holds
    this row's id and `inverse` names the target's reference field. MANY: `link` is a table whose `here` and `there`
    columns hold the two ids.
    """

    name: str
    kind: RelationKind
    target: str
    column: str | None = None
    inverse: str | None = None
    on_delete: OnDelete = OnDelete.RESTRICT
    link: str | None = None
    here: str | None = None
    there: str | None = None
    field: str | None = None  # the field of this entity that declares it (None: declared by the other side)


class GraphQLKind(StrEnum):
    """The shape that a field's value has in GraphQL; schema/ makes the types."""

    SCALAR = "scalar"  # `graphql_name` names a scalar
    ENUM = "enum"  # an enum type of the field's own, made from its choices
    LIST = "list"  # a list of the scalar `graphql_name`
    ENUM_LIST = "enum-list"
    RELATION = "relation"  # no scalar value at all: reached through `Field.relation` (references, children)


@dataclass(frozen=True, slots=True)
class FieldContext:
    """What `FieldType.parse` may look at beside the property itself."""

    entity: str
    name: str
    path: tuple[str, ...]  # where the property stands in the document, for faults
    definitions: Mapping[str, Json]  # the document's `$defs`


class ValueRefused(ValueError):
    """A JSON value that its field cannot keep; `text` tells its author why, in both languages."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Where the next value of a generated field comes from: a counter, and the text around its number.

    `pattern` is literal text with one run of zeros in braces (`storage.batch.Late`): `OPP-2026-{0000}`.
    """

    counter: str
    pattern: str


class FieldType(ABC):
    """Everything about one kind of field. Instances are stateless singletons; a field's own settings are `options`."""

    name: ClassVar[str]
    """As in `x-type`, camelCase."""
    keywords: ClassVar[frozenset[str]] = frozenset()
    """JSON Schema and x- keywords that mean something to this type, beside the common ones."""
    graphql: ClassVar[GraphQLKind] = GraphQLKind.SCALAR
    graphql_name: ClassVar[str] = "String"
    """The scalar's name in GraphQL: String, Int, Long, Float, Decimal, Boolean, Date, DateTime, Time, ID, JSON ..."""
    operators: ClassVar[tuple[str, ...]] = ()
    """Names of filter operators (metadata.operators), in the order in which they are shown."""
    filter_name: ClassVar[str] = ""
    """The shared filter input without its `Pliant` prefix and `Filter` ending (`String`, `Decimal`); enums have own."""
    orderable: ClassVar[bool] = True
    aggregates: ClassVar[frozenset[str]] = frozenset({"min", "max", "distinctCount"})
    """Out of sum, avg, min, max, distinctCount."""
    expression: ClassVar[Type | None] = None
    """Its type in expressions; None keeps it out of them."""
    sample: ClassVar[Json] = None
    """An example property of this type, for docs and contract tests: `{"x-type": "percent"}`."""
    examples: ClassVar[tuple[Json, ...]] = ()
    """JSON values that the field `sample` takes, for docs and contract tests."""
    refused: ClassVar[tuple[Json, ...]] = ()
    """JSON values that the field `sample` refuses, by its JSON Schema or by `logical`."""
    generated: ClassVar[bool] = False
    """Whether the platform gives the values (`numbering`): such a field is read-only whatever its property says."""

    @abstractmethod
    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """Whether a plain JSON Schema property without x-type is of this type (asked in registry order)."""

    @abstractmethod
    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """Read the type's own keywords into frozen options; put mistakes into `faults`."""

    @abstractmethod
    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """The columns: (suffix, type), suffix "" for the first. Empty for relations kept elsewhere."""

    @abstractmethod
    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """The JSON Schema that one non-null value must satisfy, x-types expanded, type-specific bounds included."""

    @abstractmethod
    def logical(self, options: object, value: Json) -> Any:
        """The logical value (`storage.types`) of a validated, non-null JSON value: rounded, normalised, folded.

        Raises `ValueError` (mostly `ValueRefused`, with its text in both languages) where JSON Schema could not tell
        (a date that does not exist).
        """

    def argument(self, options: object, value: Json) -> Any:
        """The logical value of a filter's argument: like `logical`, but nothing is rounded and no bounds are set.

        Raises `ValueError` for what can never be a value of this type.
        """
        return self.logical(options, value)

    def image(self, options: object, value: Any) -> Json:
        """The JSON of a non-null logical value, as GraphQL, events and exports show it: mostly the value itself."""
        itself: Json = value
        return itself

    def relation(self, options: object, context: FieldContext) -> RelationSpec | None:
        """What a relational type asks of the catalog; None for scalars."""
        return None

    def numbering(self, options: object, key: str, day: date) -> Numbering | None:
        """For a generated type: how the next value of the field `key` (entity and field) is made on that day."""
        return None


@dataclass(frozen=True, slots=True)
class RelationSpec:
    """A relational field's wish, before the catalog resolves it to tables."""

    kind: RelationKind
    target: str
    inverse: str | None = None  # API name on the target's side (for CHILDREN: the to-one field made on the child)
    on_delete: OnDelete = OnDelete.RESTRICT


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity: scalar, or the reference behind a relation.

    `options` is the field type's own parsed configuration (a frozen dataclass that only its file in
    metadata/fields reads, and what the type's methods tell of it).
    """

    name: str
    type: FieldType
    options: object
    title: str
    titles: Titles = field(default_factory=dict)
    description: str | None = None
    required: bool = False
    default: Json = None
    has_default: bool = False
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    system: bool = False
    was: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    choices: tuple[Choice, ...] = ()
    relation: Relation | None = None
    schema: Mapping[str, Json] = field(default_factory=dict)  # JSON Schema of one value, x-types expanded

    @property
    def column(self) -> Column:
        """The one column of a field that has one."""
        return self.columns[0]

    @property
    def api_name(self) -> str:
        """The name under which the scalar is read and written: `accountId` for the reference `account`."""
        to_one = self.relation is not None and self.relation.kind is RelationKind.TO_ONE
        return f"{self.name}Id" if to_one else self.name
