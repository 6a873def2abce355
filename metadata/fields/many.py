"""Relations to many records: what owned and linked ones share. They have no column and no scalar value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from metadata.field import FieldContext, FieldType, GraphQLKind, RelationKind, RelationSpec, ValueRefused
from metadata.fields.shapes import read_entity, read_name
from storage.types import ColumnType


class ManyShape(FieldType):
    """A relation to many; options are the `RelationSpec`. Written by nested inputs, read as a connection."""

    keywords = frozenset({"x-entity", "x-inverse"})
    graphql = GraphQLKind.RELATION
    graphql_name = ""
    orderable = False
    aggregates = frozenset()
    kind: ClassVar[RelationKind]
    """Linked or owned."""

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The relation, from x-entity and x-inverse."""
        target = read_entity(prop, context, faults)
        return RelationSpec(self.kind, target, read_name(prop, "x-inverse", context, faults))

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """None: the rows stand in other tables."""
        return ()

    def logical(self, options: object, value: Json) -> Any:
        """Never: there is no scalar value."""
        raise ValueRefused(Text("is a relation, not a value", "是关系字段，没有标量值"))

    def image(self, options: object, value: Any) -> Json:
        """Never: there is no scalar value."""
        raise ValueRefused(Text("is a relation, not a value", "是关系字段，没有标量值"))

    def relation(self, options: object, context: FieldContext) -> RelationSpec | None:
        """The relation."""
        return options if isinstance(options, RelationSpec) else None
