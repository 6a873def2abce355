"""Which schema coordinates a document names: fields, arguments, input fields, enum values, types, literal or sent.

Found once per operation and shape of its variables, and kept with the plan. A value of an enum inside variables
belongs to the shape only where it is an alias; others are those of the first request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    NamedTypeNode,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    type_from_ast,
    visit,
)

from base.json import fingerprint
from base.limits import Limits
from metadata.usage import UsedDocument
from resolvers.renamed import current_of
from schema.document import CompiledDocument, CompiledOperation, id_of

MAX_COORDINATES: Final = 2_000
"""Coordinates kept of one document: one that names more is generated, and told by its first ones."""


class Coordinates(Visitor):
    """Gathers coordinates; aliases with the current name that their deprecation tells."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self._fields: list[str | None] = []
        self.found: dict[str, None] = {}
        self.aliases: dict[str, str] = {}

    def note(self, coordinate: str, definition: Any = None) -> None:
        """Something is named."""
        self.found[coordinate] = None
        current = current_of(getattr(definition, "deprecation_reason", None))
        if current is not None:
            self.aliases[coordinate] = current

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Called by `visit`."""
        parent, definition = self._info.get_parent_type(), self._info.get_field_def()
        name = node.name.value
        known = parent is not None and definition is not None and not name.startswith("__")
        self._fields.append(f"{parent.name}.{name}" if known and parent is not None else None)
        if self._fields[-1] is not None:
            self.note(self._fields[-1], definition)

    def leave_field(self, *_: Any) -> None:
        """Called by `visit`."""
        self._fields.pop()

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """Called by `visit`; arguments of directives are nobody's."""
        if self._fields and self._fields[-1] is not None and self._info.get_directive() is None:
            self.note(f"{self._fields[-1]}({node.name.value}:)")

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        """Called by `visit`."""
        type_ = self._info.get_parent_input_type()
        named = get_named_type(type_) if type_ is not None else None
        if isinstance(named, GraphQLInputObjectType):
            self.note(f"{named.name}.{node.name.value}", named.fields.get(node.name.value))

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        """Called by `visit`."""
        named = get_named_type(self._info.get_input_type())
        if isinstance(named, GraphQLEnumType):
            self.note(f"{named.name}.{node.value}", named.values.get(node.value))

    def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
        """Called by `visit`: conditions of fragments and types of variables."""
        self.note(node.name.value)

    def sent(self, value: Any, type_: Any) -> None:
        """A variable's value, as it was sent."""
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(bare, GraphQLList):
            for item in value if isinstance(value, list) else [value]:
                self.sent(item, bare.of_type)
        elif isinstance(bare, GraphQLInputObjectType) and isinstance(value, Mapping):
            for name, item in value.items():
                if name in bare.fields:
                    self.note(f"{bare.name}.{name}", bare.fields[name])
                    self.sent(item, bare.fields[name].type)
        elif isinstance(bare, GraphQLEnumType) and isinstance(value, str):
            self.note(f"{bare.name}.{value}", bare.values.get(value))


def coordinates_of(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> Coordinates:
    """What one operation of a validated document names, with the fragments beside it."""
    info = TypeInfo(schema)
    found = Coordinates(info)
    for node in document.definitions:
        if node is operation or not isinstance(node, OperationDefinitionNode):
            visit(node, TypeInfoVisitor(info, found))
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in variables:
            found.sent(variables[name], type_from_ast(schema, definition.type))
    return found


def used_document(
    schema: GraphQLSchema,
    document: CompiledDocument,
    operation: CompiledOperation,
    variables: Mapping[str, Any],
    limits: Limits,
) -> UsedDocument:
    """What a run of an operation is counted as."""
    found = coordinates_of(schema, document.node, operation.node, variables)
    names = tuple(sorted(found.found))[:MAX_COORDINATES]
    document_id = id_of(document.text)
    # what was run before a rename is another use than the same words after it
    own = fingerprint([document_id, operation.name, list(names), *([found.aliases] if found.aliases else [])])
    return UsedDocument(own, document_id, operation.name, document.text[: limits.use_chars], names, found.aliases)
