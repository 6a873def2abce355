"""GraphQL documents, compiled once per schema: parsed, measured, validated; their operations made ready to run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    Visitor,
    parse,
    validate,
    visit,
)

from base.errors import BadInput, LimitExceeded, NotFound, Text
from base.limits import Limits
from metadata.catalog import Catalog
from records.selection import Selection
from resolvers.plan import Planner, entities_of, node_variables
from resolvers.roots import Roots
from resolvers.variables import Coerced, Coercers, Shape, Variables, check_nul
from schema.bounded import Bounded
from schema.errors import DocumentInvalid
from schema.introspection import is_introspection
from schema.limits import Cost, exceeded, measure
from schema.shared import STRUCTURAL_ENUMS

MAX_ERRORS: Final = 5
"""Validation stops here: a document of misspelt fields must not cost seconds."""

_ABORTED: Final = "Validation aborted."
"""What graphql-core says when comparing equal response keys would take too long."""

_TOO_COMPLEX: Final = Text(
    "The document is too complex to be validated: select fields of one name less often.",
    "文档过于复杂，无法校验：请减少同名字段的重复选择。",
)
_ID_PREFIX: Final = "sha256:"
_NO_SUCH_OPERATION: Final = Text("The document has no such operation.", "文档中没有该操作。")
_LEVELS: Final = Text("nested levels", "嵌套层级")
_WHICH_OPERATION: Final = Text(
    "Give operationName: the document does not have exactly one operation.",
    "文档中的操作不止一个或没有操作，请指定 operationName。",
)


@dataclass(frozen=True, slots=True)
class Binding:
    """What documents are compiled against."""

    schema: GraphQLSchema
    catalog: Catalog
    roots: Roots
    coercers: Coercers
    limits: Limits


class _Unplanned:
    """Stands for 'no plan' among kept selections."""


class CompiledOperation:
    """One operation of a document. `plans` is for whoever compiles selections further; keys should hold the shape."""

    __slots__ = (
        "_binding",
        "_node_variables",
        "_selections",
        "_variables",
        "cost",
        "document",
        "fragments",
        "introspection",
        "node",
        "plans",
    )

    def __init__(self, binding: Binding, document: DocumentNode, node: OperationDefinitionNode, cost: Cost) -> None:
        self._binding = binding
        self.document = document
        self.node = node
        self.fragments: Mapping[str, FragmentDefinitionNode] = {
            item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)
        }
        self.cost = cost
        self.introspection = is_introspection(node, self.fragments)
        self._variables = Variables(binding.schema, node, binding.coercers)
        self._node_variables = node_variables(node, self.fragments)
        shapes = binding.limits.variable_shapes
        self._selections: Bounded[Shape, Selection | _Unplanned] = Bounded(shapes)
        self.plans: Bounded[Any, Any] = Bounded(shapes)

    @property
    def name(self) -> str | None:
        """The operation's name, or None."""
        return self.node.name.value if self.node.name else None

    @property
    def is_query(self) -> bool:
        """Whether it reads only."""
        return self.node.operation is OperationType.QUERY

    def coerce(self, raw: Mapping[str, Any]) -> Coerced:
        """The variables of a request, within the cost that is allowed.

        Raises `VariablesInvalid` and `LimitExceeded`.
        """
        coerced = self._variables.coerce(raw)
        self.cost(coerced.values)
        if self._node_variables:
            shape = coerced.shape + entities_of(coerced.values, self._node_variables)
            return Coerced(coerced.values, shape)
        return coerced

    def selection(self, coerced: Coerced) -> Selection | None:
        """What a query of records asks for, kept per variable shape; None: the stock executor answers.

        Raises `BadInput` and `LimitExceeded` for arguments that no run could accept.
        """
        kept = self._selections.get(coerced.shape)
        if kept is None:
            found = self.planner(coerced).plan(self.node)
            kept = self._selections.put(coerced.shape, _Unplanned() if found is None else found)
        return None if isinstance(kept, _Unplanned) else kept

    def planner(self, coerced: Coerced) -> Planner:
        """The planner of this operation, for the payloads of mutations."""
        binding = self._binding
        return Planner(
            binding.schema,
            binding.catalog,
            binding.roots,
            self.fragments,
            coerced.values,
            STRUCTURAL_ENUMS,
        )


@dataclass(frozen=True, slots=True)
class CompiledDocument:
    """A document that holds in its schema."""

    text: str
    node: DocumentNode
    operations: Mapping[str | None, CompiledOperation]

    def operation(self, name: str | None) -> CompiledOperation:
        """The operation of that name; without a name the only one. Raises `BadInput`."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name) if name is not None else None
        if found is None:
            raise BadInput(_NO_SUCH_OPERATION if name is not None else _WHICH_OPERATION)
        return found


def compile_document(text: str, binding: Binding) -> CompiledDocument:
    """Parse, measure and validate. Raises `LimitExceeded` and `DocumentInvalid`."""
    limits = binding.limits
    if len(text) > limits.document_chars:
        raise exceeded(Text("characters", "字符"), limits.document_chars)
    node = _parse(text, limits, located=False)
    if "\\u" in text:
        visit(node, _Texts())
    costs = measure(node, binding.schema, limits)
    errors = validate(binding.schema, node, max_errors=MAX_ERRORS, hide_suggestions=True)
    if any(error.message == _ABORTED for error in errors):
        raise LimitExceeded(_TOO_COMPLEX)
    if errors:
        # positions are kept only for documents that need them: they weigh more than the document
        located = _parse(text, limits, located=True)
        raise DocumentInvalid(validate(binding.schema, located, max_errors=MAX_ERRORS, hide_suggestions=True))
    operations = [item for item in node.definitions if isinstance(item, OperationDefinitionNode)]
    compiled = (
        CompiledOperation(binding, node, item, costs[item.name.value if item.name else None]) for item in operations
    )
    return CompiledDocument(text, node, {item.name: item for item in compiled})


class _Texts(Visitor):
    """Refuses literals with a NUL, which JSON and the lexer let through as an escape."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Called by `visit`."""
        check_nul(node.value)


def _parse(text: str, limits: Limits, *, located: bool) -> DocumentNode:
    tokens = limits.document_tokens
    try:
        return parse(text, max_lexical_tokens=tokens, max_comments=tokens, no_location=not located)
    except GraphQLSyntaxError as error:
        if "nested too deeply" in error.message:
            raise exceeded(_LEVELS, limits.document_depth) from None
        if "Parsing aborted" in error.message:
            raise exceeded(Text("tokens", "词法单元"), tokens) from None
        raise DocumentInvalid([error]) from None
    except RecursionError:
        raise exceeded(_LEVELS, limits.document_depth) from None


class DocumentStore(Protocol):
    """Where a company's persisted documents are registered."""

    async def get(self, company: str, document_id: str) -> str | None:
        """The text of a company's document by its id, or None."""


def id_of(text: str) -> str:
    """The id of a persisted document: `sha256:` and the hash of its text in UTF-8, in hexadecimal."""
    return _ID_PREFIX + hashlib.sha256(text.encode()).hexdigest()


async def persisted_text(store: DocumentStore, company: str, document_id: str) -> str:
    """The text behind a `documentId`. Raises `NotFound` for ids that this company has not registered."""
    digest = document_id.removeprefix(_ID_PREFIX).lower()
    text = await store.get(company, _ID_PREFIX + digest) if len(digest) == 64 else None
    if text is None:
        raise NotFound(Text("No persisted document has this id.", "没有该 id 对应的持久化文档。"))
    return text
