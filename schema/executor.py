"""The stock executor: graphql-core over a company's schema, answers as replies."""

from __future__ import annotations

from typing import Any

from graphql import ExecutionResult, execute

from resolvers.context import Context
from resolvers.stock import resolve_field
from schema.cache import CompiledSchema
from schema.document import CompiledDocument, CompiledOperation
from schema.errors import formatted
from schema.reply import log_unexpected, result_reply
from schema.request import GraphQLRequest, Reply


async def execute_stock(
    schema: CompiledSchema,
    document: CompiledDocument,
    operation: CompiledOperation,
    context: Context,
    request: GraphQLRequest,
) -> Reply:
    """Answer a validated operation field by field."""
    going: Any = execute(
        schema.core,
        document.node,
        context_value=context,
        variable_values=dict(request.variables or {}),
        operation_name=operation.name,
        field_resolver=resolve_field,
        hide_suggestions=True,
    )
    result: ExecutionResult = going if isinstance(going, ExecutionResult) else await going
    return result_reply(result.data, shown_errors(result, context.locale, context.request_id))


def shown_errors(result: ExecutionResult, locale: str, request_id: str) -> list[dict[str, Any]]:
    """The errors of an execution as the response shows them; what is our mistake goes to the log."""
    for error in result.errors or ():
        if error.original_error is not None:
            log_unexpected(error.original_error, request_id)
    return [formatted(error, locale, request_id) for error in result.errors or ()]
