"""Introspection without the executor: the selection projected over graphql-core's own type objects.

Any selection under `__schema` and `__type` works, and the answer equals stock execution. Equal (object, selection)
pairs are projected once: most of an introspection answer is the same few type references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    Undefined,
    VariableNode,
    print_ast,
)
from graphql.utilities.get_default_value_ast import get_default_value_ast

_TYPE: Final = "__Type"
_KINDS: Final = (
    (GraphQLScalarType, "SCALAR"),
    (GraphQLObjectType, "OBJECT"),
    (GraphQLInterfaceType, "INTERFACE"),
    (GraphQLUnionType, "UNION"),
    (GraphQLEnumType, "ENUM"),
    (GraphQLInputObjectType, "INPUT_OBJECT"),
    (GraphQLList, "LIST"),
    (GraphQLNonNull, "NON_NULL"),
)

_CHILD: Final[Mapping[tuple[str, str], str]] = {
    ("Query", "__schema"): "__Schema",
    ("Query", "__type"): _TYPE,
    **dict.fromkeys([("__Schema", name) for name in ("types", "queryType", "mutationType", "subscriptionType")], _TYPE),
    ("__Schema", "directives"): "__Directive",
    (_TYPE, "fields"): "__Field",
    (_TYPE, "inputFields"): "__InputValue",
    (_TYPE, "enumValues"): "__EnumValue",
    **dict.fromkeys([(_TYPE, name) for name in ("ofType", "interfaces", "possibleTypes")], _TYPE),
    ("__Field", "args"): "__InputValue",
    ("__Field", "type"): _TYPE,
    ("__InputValue", "type"): _TYPE,
    ("__Directive", "args"): "__InputValue",
}
"""(type, field) -> the type of introspection that the field leads to."""


class _Wanted(NamedTuple):
    """One field of an introspection object under its response key."""

    key: str
    field: str
    argument: Any
    inner: tuple[Any, ...]


_Plan: TypeAlias = tuple[_Wanted, ...]


def is_introspection(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether an operation asks for nothing but introspection, so that `introspect` answers it."""
    if operation.operation is not OperationType.QUERY:
        return False
    names = set(_root_names(operation.selection_set, fragments, set()))
    return names <= {"__schema", "__type", "__typename"} and bool(names & {"__schema", "__type"})


def _root_names(
    node: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> Iterable[str]:
    for selection in node.selections:
        inner: Any = selection
        if isinstance(selection, FieldNode):
            yield selection.name.value
            continue
        if isinstance(selection, FragmentSpreadNode):
            if selection.name.value in seen:
                continue
            seen.add(selection.name.value)
            inner = fragments[selection.name.value]
        yield from _root_names(inner.selection_set, fragments, seen)


def introspect(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The `data` of an operation for which `is_introspection` holds. Makes the types of a lazy schema that it shows."""
    return _Projection(schema, document, variables).root(operation)


class _Projection:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._variables = variables
        self._plans: dict[Any, _Plan] = {}
        # keys hold id(): the schema keeps its objects alive, and wrappers are one object per type
        self._memo: dict[Any, Any] = {}
        self._readers: Mapping[str, Callable[[Any, str, _Plan], Any]] = {
            "__Field": self._field,
            "__InputValue": self._input,
            "__EnumValue": self._enum_value,
        }

    def root(self, operation: OperationDefinitionNode) -> dict[str, Any]:
        """The whole answer."""
        found: dict[str, Any] = {}
        for key, field, argument, inner in self._plan([operation.selection_set], "Query"):
            if field == "__schema":
                found[key] = self._whole(inner)
            else:
                found[key] = self._type(self._schema.get_type(argument), inner) if field == "__type" else "Query"
        return found

    def _plan(self, sets: list[SelectionSetNode], type_name: str) -> _Plan:
        """Selections merged and ordered as CollectFields does."""
        cached = (tuple(map(id, sets)), type_name)
        plan = self._plans.get(cached)
        if plan is not None:
            return plan
        found: dict[str, list[FieldNode]] = {}
        for node in sets:
            self._collect(node, type_name, found, set())
        plan = tuple(self._wanted(key, nodes, type_name) for key, nodes in found.items())
        self._plans[cached] = plan
        return plan

    def _wanted(self, key: str, nodes: list[FieldNode], type_name: str) -> _Wanted:
        first = nodes[0]
        argument = None
        for given in first.arguments or ():
            argument = self._value(given.value)
        child = _CHILD.get((type_name, first.name.value))
        sets = [node.selection_set for node in nodes if node.selection_set is not None]
        return _Wanted(key, first.name.value, argument, self._plan(sets, child) if child else ())

    def _value(self, node: Any) -> Any:
        return self._variables.get(node.name.value) if isinstance(node, VariableNode) else getattr(node, "value", None)

    def _collect(
        self, node: SelectionSetNode, type_name: str, found: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for selection in node.selections:
            inner: Any = selection
            if any(self._leaves_out(directive) for directive in selection.directives or ()):
                continue
            if isinstance(selection, FieldNode):
                found.setdefault((selection.alias or selection.name).value, []).append(selection)
                continue
            if isinstance(selection, FragmentSpreadNode):
                if selection.name.value in seen:
                    continue
                seen.add(selection.name.value)
                inner = self._fragments[selection.name.value]
            if inner.type_condition is None or inner.type_condition.name.value == type_name:
                self._collect(inner.selection_set, type_name, found, seen)

    def _leaves_out(self, directive: Any) -> bool:
        name = directive.name.value
        return name in ("skip", "include") and bool(self._value(directive.arguments[0].value)) is (name == "skip")

    def _whole(self, plan: _Plan) -> dict[str, Any]:
        schema = self._schema
        found: dict[str, Any] = {}
        for key, field, _, inner in plan:
            match field:
                case "types":
                    found[key] = [self._type(type_, inner) for type_ in schema.type_map.values()]
                case "queryType" | "mutationType" | "subscriptionType":
                    found[key] = self._type(getattr(schema, f"{field[:-4]}_type"), inner)
                case "directives":
                    found[key] = [self._directive(directive, inner) for directive in schema.directives]
                case "description":
                    found[key] = schema.description
                case _:
                    found[key] = "__Schema"
        return found

    def _type(self, type_: Any, plan: _Plan) -> dict[str, Any] | None:
        if type_ is None:
            return None
        memo = (id(type_), id(plan))
        found: dict[str, Any] | None = self._memo.get(memo)
        if found is None:
            kind = next(name for class_, name in _KINDS if isinstance(type_, class_))
            found = self._memo[memo] = {
                key: self._type_part(type_, kind, field, argument, inner) for key, field, argument, inner in plan
            }
        return found

    def _type_part(self, type_: Any, kind: str, field: str, argument: Any, inner: _Plan) -> Any:
        match field:
            case "kind":
                return kind
            case "name" | "description":
                return getattr(type_, field, None)
            case "ofType":
                return self._type(getattr(type_, "of_type", None), inner)
            case "fields":
                return self._members(type_.fields, "__Field", argument, inner) if kind in _WITH_FIELDS else None
            case "inputFields":
                return self._members(type_.fields, "__InputValue", argument, inner) if kind == "INPUT_OBJECT" else None
            case "enumValues":
                return self._members(type_.values, "__EnumValue", argument, inner) if kind == "ENUM" else None
            case "interfaces":
                return [self._type(item, inner) for item in type_.interfaces] if kind in _WITH_FIELDS else None
            case "possibleTypes":
                if kind not in ("INTERFACE", "UNION"):
                    return None
                return [self._type(item, inner) for item in self._schema.get_possible_types(type_)]
            case "isOneOf":
                return type_.is_one_of if kind == "INPUT_OBJECT" else None
            case "specifiedByURL":
                return getattr(type_, "specified_by_url", None)
            case _:
                return _TYPE

    def _members(self, members: Mapping[str, Any], type_name: str, deprecated: Any, plan: _Plan) -> list[Any]:
        whole = (id(members), bool(deprecated), id(plan))  # connections to one entity share their arguments
        known: list[Any] | None = self._memo.get(whole)
        if known is not None:
            return known
        read = self._readers[type_name]
        found: list[Any] = []
        for name, member in members.items():
            if not deprecated and member.deprecation_reason is not None:
                continue
            memo = (name, id(member), id(plan))  # field objects are shared, so they are projected once too
            made = self._memo.get(memo)
            if made is None:
                made = self._memo[memo] = read(member, name, plan)
            found.append(made)
        if members:  # empty ones may be short-lived objects
            self._memo[whole] = found
        return found

    def _field(self, member: Any, name: str, plan: _Plan) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, field, argument, inner in plan:
            if field == "type":
                found[key] = self._type(member.type, inner)
            elif field == "args":
                found[key] = self._members(member.args, "__InputValue", argument, inner)
            else:
                found[key] = _common(member, name, field, "__Field")
        return found

    def _input(self, member: Any, name: str, plan: _Plan) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, field, _, inner in plan:
            if field == "type":
                found[key] = self._type(member.type, inner)
            elif field == "defaultValue":
                found[key] = _default(member)
            else:
                found[key] = _common(member, name, field, "__InputValue")
        return found

    def _enum_value(self, member: Any, name: str, plan: _Plan) -> dict[str, Any]:
        return {key: _common(member, name, field, "__EnumValue") for key, field, _, _ in plan}

    def _directive(self, directive: Any, plan: _Plan) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, field, argument, inner in plan:
            match field:
                case "locations":
                    found[key] = [location.name for location in directive.locations]
                case "isRepeatable":
                    found[key] = directive.is_repeatable
                case "args":
                    found[key] = self._members(directive.args, "__InputValue", argument, inner)
                case _:
                    found[key] = _common(directive, directive.name, field, "__Directive")
        return found


_WITH_FIELDS: Final = frozenset({"OBJECT", "INTERFACE"})


def _common(member: Any, name: str, field: str, type_name: str) -> Any:
    """What all members have: name, description, deprecation, __typename."""
    match field:
        case "name":
            return name
        case "description":
            return member.description
        case "isDeprecated":
            return getattr(member, "deprecation_reason", None) is not None
        case "deprecationReason":
            return getattr(member, "deprecation_reason", None)
        case _:
            return type_name


def _default(member: Any) -> str | None:
    if member.default is None and member.default_value is Undefined:
        return None  # the common case
    node = get_default_value_ast(member)
    return print_ast(node) if node else None
