"""The stock executor: graphql-core over a company's schema, answers as replies.

Introspection beside other fields is taken out and rendered: the executor would hold the event loop for seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import orjson
from graphql import DocumentNode, ExecutionResult, FieldNode, OperationDefinitionNode, SelectionSetNode, execute

from resolvers.context import Context
from resolvers.stock import resolve_field
from resolvers.variables import Coerced
from schema.cache import CompiledSchema
from schema.document import CompiledDocument, CompiledOperation
from schema.errors import formatted
from schema.rendering import Rendering
from schema.reply import log_unexpected, refusal, result_reply
from schema.request import GraphQLRequest, Reply
from storage.errors import StatementTooDeep, TooSlow

_INTROSPECTION: Final = frozenset({"__schema", "__type"})


class StockExecutor:
    """Answers validated operations field by field."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    async def answer(
        self,
        schema: CompiledSchema,
        document: CompiledDocument,
        operation: CompiledOperation,
        coerced: Coerced,
        context: Context,
        request: GraphQLRequest,
    ) -> Reply:
        """The reply to a request, errors of single fields included."""
        if not operation.is_query:
            return self._reply(await _execute(schema, document.node, operation.name, context, request), context)
        fields = operation.planner(coerced).fields([operation.node.selection_set], "Query")
        asked = {key: nodes for key, nodes in fields.items() if nodes[0].name.value in _INTROSPECTION}
        if not asked:
            return self._reply(await _execute(schema, document.node, operation.name, context, request), context)
        shown = await self._rendering.introspection(schema, document, _only(operation.node, asked.values()), coerced)
        others = [nodes for key, nodes in fields.items() if key not in asked]
        rest = DocumentNode(definitions=(_only(operation.node, others), *operation.fragments.values()))
        result = await _execute(schema, rest, operation.name, context, request)
        if result.data is not None:
            found = {**orjson.loads(shown), **result.data}
            result = ExecutionResult({key: found[key] for key in fields}, result.errors)
        return self._reply(result, context)

    def _reply(self, result: ExecutionResult, context: Context) -> Reply:
        return execution_reply(result, context.locale, context.request_id)


async def _execute(
    schema: CompiledSchema, document: DocumentNode, name: str | None, context: Context, request: GraphQLRequest
) -> ExecutionResult:
    going: Any = execute(
        schema.core,
        document,
        context_value=context,
        variable_values=dict(request.variables or {}),
        operation_name=name,
        field_resolver=resolve_field,
        hide_suggestions=True,
    )
    return going if isinstance(going, ExecutionResult) else await going


def _only(operation: OperationDefinitionNode, fields: Iterable[list[FieldNode]]) -> OperationDefinitionNode:
    """The operation with only these root fields."""
    selections = tuple(node for nodes in fields for node in nodes)
    return OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=operation.directives,
        selection_set=SelectionSetNode(selections=selections),
    )


def execution_reply(result: ExecutionResult, locale: str, request_id: str) -> Reply:
    """The response for what graphql-core has executed; what is our mistake goes to the log.

    Where one field is too much for the database, nothing is answered: which others failed beside it is a matter of
    chance.
    """
    errors = result.errors or []
    for error in errors:
        if isinstance(error.original_error, StatementTooDeep | TooSlow):
            return refusal(error.original_error, locale, request_id)
        if error.original_error is not None:
            log_unexpected(error.original_error, request_id)
    cause = errors[0].original_error if errors else None
    return result_reply(result.data, [formatted(error, locale, request_id) for error in errors], cause)
