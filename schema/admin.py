"""The desk of the administration: requests to `/graphql/admin` under the same limits as records."""

from __future__ import annotations

from typing import Any, Final

import orjson
from graphql import ExecutionResult, execute

from access.actor import Actor
from base.errors import Text, Unauthenticated
from metadata.catalog import App, Catalog
from resolvers.administration import AdminContext
from resolvers.roots import Roots
from resolvers.runtime import Runtime
from resolvers.variables import Coercers
from schema.admin_schema import admin_schema
from schema.bounded import Bounded
from schema.document import Binding, CompiledDocument, compile_document
from schema.executor import execution_reply
from schema.introspection import introspect
from schema.reply import ReadOnly, data_reply
from schema.request import GraphQLRequest, Reply, request_text

_NO_RECORDS: Final = Catalog("", App(), {}, {}, {}, {})
_NO_CREDENTIALS: Final = Text("Send credentials: Authorization: Bearer …", "请提供凭据：Authorization: Bearer …")
_KEPT = 200
"""Documents kept: the console and the command line send a few dozen."""


class AdminDesk:
    """Answers for all companies: the schema is one, what may be done is asked in every operation."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        limits = runtime.limits
        coercers = Coercers(frozenset(), limits.input_objects)
        self._binding = Binding(admin_schema(), _NO_RECORDS, Roots({}, {}), coercers, limits)
        self._documents: Bounded[str, CompiledDocument] = Bounded(_KEPT)

    async def answer(self, actor: Actor | None, request: GraphQLRequest) -> Reply:
        """Answer a request. Raises for whatever ends it before execution."""
        if actor is None:
            raise Unauthenticated(_NO_CREDENTIALS)
        text = await request_text(self._runtime.persisted, actor.namespace, request)
        document = self._documents.get(text)
        if document is None:
            document = self._documents.put(text, compile_document(text, self._binding))
        operation = document.operation(request.operation_name)
        if request.read_only and not operation.is_query:
            raise ReadOnly()
        coerced = operation.coerce(request.variables or {})
        schema = self._binding.schema
        if operation.introspection:
            return data_reply(orjson.dumps(introspect(schema, document.node, operation.node, coerced.values)))
        context = await self._context(actor, request)
        going: Any = execute(
            schema,
            document.node,
            context_value=context,
            variable_values=dict(request.variables or {}),
            operation_name=operation.name,
            hide_suggestions=True,
        )
        result: ExecutionResult = going if isinstance(going, ExecutionResult) else await going
        return execution_reply(result, context.locale, context.request_id)

    async def _context(self, actor: Actor, request: GraphQLRequest) -> AdminContext:
        runtime = self._runtime
        # configuration is read as it is, not as it was when this process last heard of it
        await runtime.companies.refresh(actor.namespace)
        head = await runtime.companies.head(actor.namespace)
        fitting = runtime.fitting(actor, head.catalog)
        return AdminContext(runtime, fitting, head, request.locale or actor.locale, request.request_id)
