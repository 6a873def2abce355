"""Arguments as terms: what a plan may know of them (structure, enums, booleans), and what only a request knows.

A literal of the document and a variable of equal shape give equal trees, so a plan does not care which one it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    value_from_ast,
)

from records.selection import Constant, Term, Tree, Variable
from resolvers.variables import check_nul

NULL: Final = Constant(None)
"""A null that was written or sent."""


class NotPlanned(Exception):
    """The operation is right, but no plan can express it: the stock executor answers."""


class Terms:
    """Turns the arguments of one operation into trees of terms.

    `variables` are coerced values: those that belong to the shape are read here, of the others only the place.
    `structural` names the enums whose values are part of the shape.
    """

    def __init__(self, variables: Mapping[str, Any], structural: frozenset[str]) -> None:
        self._variables = variables
        self._structural = structural

    def arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Tree]:
        """The arguments that are given or have a default; absent variables count as absent."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        found: dict[str, Tree] = {}
        for name, definition in field.args.items():
            tree = self._tree(given[name], definition.type) if name in given else None
            tree = _default(definition) if tree is None else tree
            if tree is not None:
                found[name] = tree
        return found

    def flag(self, node: ValueNode) -> bool:
        """The value of a Boolean! argument of a directive: always part of the shape."""
        value = self._variables[node.name.value] if isinstance(node, VariableNode) else getattr(node, "value", False)
        return bool(value)

    def value(self, term: Term) -> Any:
        """What a term stands for in the request that is planned with."""
        if isinstance(term, Constant):
            return term.value
        found: Any = self._variables
        for step in term.path:
            found = found[step]
        return found

    def _tree(self, node: ValueNode, type_: Any) -> Tree | None:
        """The tree of a literal; None for a variable that was not sent."""
        if isinstance(node, VariableNode):
            name = node.name.value
            return self._sent(self._variables[name], type_, (name,)) if name in self._variables else None
        if isinstance(node, NullValueNode):
            return NULL
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(bare, GraphQLList):
            return self._list(node, bare)
        if isinstance(bare, GraphQLInputObjectType):
            return self._object(node, bare)
        return _constant(node, bare)

    def _list(self, node: ValueNode, type_: Any) -> Tree:
        if self._collapses(type_.of_type):
            return _constant(node, type_)
        items: Sequence[ValueNode] = node.values if isinstance(node, ListValueNode) else (node,)
        trees = (self._tree(item, type_.of_type) for item in items)
        return tuple(NULL if tree is None else tree for tree in trees)

    def _object(self, node: ValueNode, type_: GraphQLInputObjectType) -> Tree:
        assert isinstance(node, ObjectValueNode)  # validated
        found: dict[str, Tree] = {}
        for field in node.fields:
            name = field.name.value
            tree = self._tree(field.value, type_.fields[name].type)
            if tree is not None:
                found[name] = tree
        return found

    def _sent(self, value: Any, type_: Any, path: tuple[str | int, ...]) -> Tree:
        """The tree of a variable's value, or of a part of it, at its place among the variables."""
        if value is None:
            return NULL
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(bare, GraphQLList) and not self._collapses(bare.of_type):
            return tuple(self._sent(item, bare.of_type, (*path, place)) for place, item in enumerate(value))
        if isinstance(bare, GraphQLInputObjectType):
            return {name: self._sent(item, bare.fields[name].type, (*path, name)) for name, item in value.items()}
        if bare is GraphQLBoolean or (isinstance(bare, GraphQLEnumType) and bare.name in self._structural):
            return Constant(value)
        return Variable(path)

    def _collapses(self, type_: Any) -> bool:
        """Whether a list of this type is one run-time value, whatever its length."""
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return not isinstance(bare, GraphQLInputObjectType | GraphQLList) and bare.name not in self._structural


def _default(definition: GraphQLArgument) -> Constant | None:
    if definition.default is not None:
        return Constant(definition.default.value)
    return None if definition.default_value is Undefined else Constant(definition.default_value)


def _constant(node: ValueNode, type_: Any) -> Term:
    """A leaf, or a list of leaves, as it stands in the document."""
    _inspect(node)
    return Constant(value_from_ast(node, type_))


def _inspect(node: Node) -> None:
    # a variable inside a list or a JSON value would freeze one request's value into the plan
    if isinstance(node, VariableNode):
        raise NotPlanned
    if isinstance(node, StringValueNode):
        check_nul(node.value)
    elif isinstance(node, ListValueNode):
        for item in node.values:
            _inspect(item)
    elif isinstance(node, ObjectValueNode):
        for field in node.fields:
            _inspect(field.value)
