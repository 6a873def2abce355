"""Types that every company's schema shares: Node, PageInfo, fixed enums, and the filter inputs of scalars.

Filter inputs come from the registries of field types and operators, never from one company's catalog, so they are the
same objects in every schema of the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLString,
)

from base.registry import Registry
from metadata.field import FieldType, GraphQLKind
from metadata.operator import Argument, Operator
from schema.flat import EnumValue, InputField, Lists, NonNulls, OutputField, RecordEnum, RecordInput, RecordObject
from schema.scalars import JSON, SCALARS

NON_NULL = NonNulls()
"""Non-null wrappers of shared types."""

LIST = Lists()
"""List wrappers of shared types."""


def _enum(name: str, description: str, **values: str) -> RecordEnum:
    return RecordEnum(name, lambda: {key: EnumValue(key, text) for key, text in values.items()}, description)


NODE = GraphQLInterfaceType(
    "Node",
    {"id": GraphQLField(NON_NULL[GraphQLID], description="Unique over all entities of the company.")},
    description="Anything with an id: every record.",
)

PAGE_INFO = RecordObject(
    "PageInfo",
    lambda: {
        "hasNextPage": OutputField(NON_NULL[GraphQLBoolean]),
        "hasPreviousPage": OutputField(NON_NULL[GraphQLBoolean]),
        "startCursor": OutputField(GraphQLString),
        "endCursor": OutputField(GraphQLString),
    },
    "Where a page stands in its connection.",
)

ORDER = _enum(
    "PliantOrder",
    "A direction. Nulls stand last unless it says otherwise.",
    ASC="Smallest first, nulls last.",
    DESC="Largest first, nulls last.",
    ASC_NULLS_FIRST="Nulls, then smallest first.",
    DESC_NULLS_FIRST="Nulls, then largest first.",
)

DELETED = _enum(
    "PliantDeletedFilter",
    "Whether deleted records are seen.",
    EXCLUDE="Live records only.",
    INCLUDE="Live and deleted records.",
    ONLY="Deleted records only.",
)

ON_CONFLICT = _enum(
    "PliantOnConflict",
    "What an upsert does when the record exists.",
    UPDATE="Change it to the input.",
    IGNORE="Leave it as it is.",
)

SHARE_LEVEL = _enum(
    "PliantShareLevel", "What a share allows.", READ="Read the record.", WRITE="Read and change the record."
)

SHARE_WITH = RecordInput(
    "PliantShareWith",
    lambda: {
        "member": InputField(GraphQLID, "Id of a member."),
        "team": InputField(GraphQLID, "Id of a team: its members."),
        "role": InputField(GraphQLString, "Name of a role: the members who have it."),
    },
    "Whom a record is shared with.",
    one_of=True,
)

PERIOD = RecordInput(
    "PliantPeriod",
    lambda: {name: InputField(GraphQLInt) for name in ("days", "weeks", "months")},
    "A length of time counted from now.",
    one_of=True,
)

JSON_PATH = RecordInput(
    "PliantJSONPath",
    lambda: {
        "path": InputField(
            NON_NULL[LIST[NON_NULL[GraphQLString]]], "Keys and positions from the outside in; -1 is the last element."
        ),
        "eq": InputField(NON_NULL[JSON], "What must stand there."),
    },
    "A place inside a JSON value, and what must stand there.",
)

STRUCTURAL_ENUMS = frozenset({ORDER.name, DELETED.name, ON_CONFLICT.name})
"""Enums that change what a statement looks like: their values are part of a plan's key."""


class SharedTypes:
    """The shared types by name, filter inputs included. Made once in a process from the two registries."""

    def __init__(self, field_types: Iterable[FieldType], operators: Registry[Operator]) -> None:
        self.operators = operators
        self.types: dict[str, GraphQLNamedType] = {
            made.name: made
            for made in (NODE, PAGE_INFO, ORDER, DELETED, ON_CONFLICT, SHARE_LEVEL, SHARE_WITH, PERIOD, JSON_PATH)
        }
        self.types |= SCALARS
        for scalar, names in _operators_by_filter(field_types).items():
            self._add_filter(*scalar, tuple(names))

    def _add_filter(self, filter_name: str, scalar_name: str, operators: tuple[str, ...]) -> None:
        scalar = SCALARS[scalar_name]
        between = f"Pliant{filter_name}Range"
        if any(self.operators[name].argument is Argument.RANGE for name in operators):
            self.types[between] = RecordInput(
                between,
                lambda: {name: InputField(NON_NULL[scalar]) for name in ("from", "to")},
                "From one value to another, both included.",
            )
        name = f"Pliant{filter_name}Filter"
        self.types[name] = RecordInput(
            name,
            lambda: operator_inputs(self.operators, operators, scalar, LIST[NON_NULL[scalar]], self.types.get(between)),
            f"Tests of {scalar_name}.",
        )

    def filter_input(self, field_type: FieldType) -> GraphQLNamedType | None:
        """The filter input of a scalar field type; None for types that cannot be filtered."""
        return self.types.get(f"Pliant{field_type.filter_name}Filter")


def operator_inputs(
    registry: Registry[Operator], operators: Iterable[str], value: Any, values: Any, between: Any = None
) -> dict[str, InputField]:
    """The fields of a filter input, one per operator: `value` is the type of one value, `values` of a list of them."""
    one, many = InputField(value), InputField(values)
    by_argument: dict[Argument, InputField] = {
        Argument.VALUE: one,
        Argument.ELEMENT: one,
        Argument.VALUES: many,
        Argument.ELEMENTS: many,
        Argument.BOOLEAN: InputField(GraphQLBoolean),
        Argument.TEXT: InputField(GraphQLString),
        Argument.PERIOD: InputField(PERIOD),
        Argument.PATH: InputField(JSON_PATH),
    }
    if between is not None:
        by_argument[Argument.RANGE] = InputField(between)
    return {name: by_argument[registry[name].argument] for name in operators}


def _operators_by_filter(field_types: Iterable[FieldType]) -> dict[tuple[str, str], dict[str, None]]:
    """(filter name, scalar name) -> the operators of all field types that share the filter input, in order."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for kind in field_types:
        if kind.filter_name and kind.graphql in (GraphQLKind.SCALAR, GraphQLKind.LIST):
            found.setdefault((kind.filter_name, kind.graphql_name), {}).update(dict.fromkeys(kind.operators))
    return found
