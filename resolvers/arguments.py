"""Arguments of mutation fields: read once from the document, filled from each request's variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    ListValueNode,
    Node,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    value_from_ast,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from base.errors import BadInput, Text
from resolvers.variables import check_nul

Arguments: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Coerced variables -> the field's arguments; absent ones without a default are absent. Raises `BadInput`."""

_Read: TypeAlias = Callable[[Mapping[str, Any]], Any]


def compile_arguments(field: GraphQLField, node: FieldNode) -> Arguments:
    """A function that gives the arguments of a validated field."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    reads = tuple((name, _reader(name, given.get(name), item)) for name, item in field.args.items())

    def read(variables: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of one request."""
        found = {}
        for name, one in reads:
            value = one(variables)
            if value is not Undefined:
                found[name] = value
        return found

    return read


def _reader(name: str, node: ValueNode | None, definition: GraphQLArgument) -> _Read:
    default = coerce_default_value(definition)
    if node is None:
        return lambda _: default
    type_ = definition.type
    if isinstance(node, VariableNode):
        variable, required = node.name.value, isinstance(type_, GraphQLNonNull)

        def from_variable(variables: Mapping[str, Any]) -> Any:
            """The whole value of a variable."""
            value = variables.get(variable, default)
            if required and (value is None or value is Undefined):
                raise _missing(name)
            return value

        return from_variable
    if not _inspect(node):
        constant = value_from_ast(node, type_)
        if constant is Undefined:
            raise BadInput(
                Text(f"'{name}' holds a value that its type cannot have", f"“{name}”含有其类型不允许的值"),
                {"argument": name},
            )
        return lambda _: constant

    def from_literal(variables: Mapping[str, Any]) -> Any:
        """A literal with variables inside."""
        value = value_from_ast(node, type_, dict(variables))
        if value is Undefined:
            raise _missing(name)
        return value

    return from_literal


def _inspect(node: Node) -> bool:
    """Whether a literal holds variables; its texts are checked on the way."""
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, StringValueNode):
        check_nul(node.value)
    if isinstance(node, ListValueNode):
        return True in [_inspect(item) for item in node.values]  # all are visited: texts are checked
    if isinstance(node, ObjectValueNode):
        return True in [_inspect(item.value) for item in node.fields]
    return False


def _missing(name: str) -> BadInput:
    return BadInput(
        Text(
            f"'{name}' needs a value: a variable inside it is missing or null", f"“{name}”缺少值：其中的变量缺失或为空"
        ),
        {"argument": name},
    )
