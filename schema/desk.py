"""The desk: where a request to `/graphql` becomes an answer. The one object that a server needs of a running Pliant.

The usual way is short: the document is known by its text, its plan by the shape of the variables, and the bytes of
the answer come from the database. Whatever is new, refused or not compiled takes the longer ways below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLSyntaxError

from access.actor import Actor
from access.company import Company
from base.errors import BadInput, PliantError, SchemaChanged, Text
from base.immutable import immutable
from metadata.catalog import Catalog
from metadata.store import Head, load_head, moved_since
from records.reading.read import Plan, PlanTooDeep, compile_selection, run
from records.snapshot import Snapshot
from resolvers.context import Context
from resolvers.mutations import FieldFailed, MutationPlan, MutationRun, plan_mutation
from resolvers.runtime import Runtime
from resolvers.stock import resolver_of
from resolvers.variables import Coerced
from schema.admin import AdminDesk
from schema.bounded import Bounded
from schema.cache import CompiledSchema, SchemaCache
from schema.coordinates import used_document
from schema.document import CompiledDocument, CompiledOperation
from schema.errors import DocumentInvalid, response_errors
from schema.executor import StockExecutor
from schema.rendering import Rendering
from schema.reply import ReadOnly, data_reply, log_unexpected, refusal, result_reply
from schema.request import GraphQLRequest, Reply, request_text
from schema.sdl import Sdl
from storage.engine import CONTROL
from storage.errors import StatementRefused

_ATTEMPTS = 4
"""A query is run so often while publishes move what it reads; one publish makes two runs."""

_REMOVED = Text("What you ask for was removed or renamed meanwhile", "所查询的内容已被删除或重命名")
_AGAIN = Text("The model was changed again and again meanwhile; try again", "期间模型被多次修改，请重试")


_WARM_ROLES = 8
"""Sets of roles of a company for which a new version is made ready; others wait some milliseconds for theirs."""

_WARM_DOCUMENTS = 50
"""Documents of each that are compiled beforehand: about 3 ms each, in a thread."""


class _Overtaken(Exception):
    """A read whose values were somewhere else by the time it ran: it is done again at the head."""


class _Stock:
    """Stands for 'the stock executor answers' among plans."""


_STOCK = _Stock()


@immutable
class _Entry:
    """A request made ready against one version: what runs it is known, nothing has been read or written."""

    head: Head
    actor: Actor
    schema: CompiledSchema
    document: CompiledDocument
    operation: CompiledOperation
    coerced: Coerced
    plan: Plan | MutationPlan | _Stock | None  # None: introspection


class Desk:
    """Authenticates and answers. One for each process and event loop; everything that it keeps is bounded."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.admin = AdminDesk(runtime)
        self._schemas = SchemaCache(resolver_of, runtime.limits)
        self._rendering = Rendering(resolver_of, runtime.limits)
        self._stock = StockExecutor(self._rendering)
        self._asking: Bounded[str, Bounded[tuple[str, ...], bool]] = Bounded(runtime.limits.cached_schemas)
        runtime.companies.warm = self._warm

    async def authenticate(self, token: str) -> Actor:
        """The actor behind a token. Raises `Unauthenticated`."""
        return await self.runtime.credentials.authenticate(token, self._catalog_of)

    async def execute(self, actor: Actor, request: GraphQLRequest) -> Reply:
        """Answer a request to `/graphql`; what a client causes is an error in the reply, never an exception."""
        try:
            return await self._answer(actor, request)
        except Exception as error:
            return self.refuse(error, request.locale or actor.locale, request.request_id)

    async def execute_admin(self, actor: Actor | None, request: GraphQLRequest) -> Reply:
        """Answer a request to `/graphql/admin`. Without an actor nothing is answered but UNAUTHENTICATED."""
        try:
            return await self.admin.answer(actor, request)
        except Exception as error:
            locale = request.locale or ("en" if actor is None else actor.locale)
            return self.refuse(error, locale, request.request_id)

    def refuse(self, error: Exception, locale: str, request_id: str) -> Reply:
        """The GraphQL response for an error before execution: credentials, limits, documents, variables."""
        return refusal(error, locale, request_id)

    async def sdl(self, actor: Actor) -> Sdl:
        """The schema as the actor may see it, in the schema definition language."""
        head, actor = await self._seen(actor)
        return await self._rendering.sdl(head.catalog, self._schemas.surface(head.catalog, actor.grants))

    async def entity_schema(self, actor: Actor, entity: str) -> Mapping[str, Any] | None:
        """The derived JSON Schema of an entity, cut to the fields that the actor may read; None when there is none."""
        head, actor = await self._seen(actor)
        seen = self._schemas.surface(head.catalog, actor.grants).entities.get(entity)
        return None if seen is None else _cut_schema(head.catalog, entity, seen.readable)

    def cached(self) -> Mapping[str, int]:
        """How much is kept: actors, catalogs, compiled schemas."""
        runtime = self.runtime
        return {"actors": len(runtime.credentials), "catalogs": len(runtime.catalogs), "schemas": len(self._schemas)}

    async def ready(self) -> bool:
        """Whether the database answers."""
        try:
            await load_head(self.runtime.engine, CONTROL)
        except PliantError:
            return False
        return True

    async def _catalog_of(self, company: Company) -> Catalog:
        return (await self.runtime.companies.head(company.namespace)).catalog

    async def _seen(self, actor: Actor) -> tuple[Head, Actor]:
        head = await self.runtime.companies.head(actor.namespace)
        return head, self.runtime.fitting(actor, head.catalog)

    async def _answer(self, actor: Actor, request: GraphQLRequest) -> Reply:
        text = await request_text(self.runtime.persisted, actor.namespace, request)
        try:
            entry = await self._enter(actor, request, text)
        except BadInput as error:
            # what was published on another replica is answered at the first request
            if _is_syntax(error) or not await self.runtime.companies.refresh(actor.namespace):
                raise
            entry = await self._enter(actor, request, text)
        for _ in range(_ATTEMPTS):
            try:
                return await self._run(entry, request)
            except StatementRefused:
                if not entry.operation.is_query or not await self._has_moved(entry):
                    raise
            except _Overtaken:
                await self.runtime.companies.refresh(actor.namespace)
            try:
                entry = await self._enter(actor, request, text)
            except BadInput as error:
                raise SchemaChanged(_REMOVED, {"cause": error.text.en}) from error
        raise SchemaChanged(_AGAIN)

    async def _has_moved(self, entry: _Entry) -> bool:
        """Whether the company serves another version than a request was made ready for."""
        namespace = entry.actor.namespace
        if await self.runtime.companies.refresh(namespace):
            return True
        # another request may have seen the new head first
        return (await self.runtime.companies.head(namespace)).version != entry.head.version

    async def _enter(self, actor: Actor, request: GraphQLRequest, text: str) -> _Entry:
        """Find or make everything that the run needs. Raises for whatever is wrong with the request."""
        head, actor = await self._seen(actor)
        schema = self._schemas.get(head.catalog, actor.grants)
        document = schema.document(text)
        operation = document.operation(request.operation_name)
        if request.read_only and not operation.is_query:
            raise ReadOnly()
        coerced = operation.coerce(request.variables or {})
        if operation.introspection:
            return _Entry(head, actor, schema, document, operation, coerced, None)
        key = (coerced.shape, actor.grants.hash)
        known = operation.plans.get(key)
        if known is None:
            used = used_document(schema.core, document, operation, request.variables or {}, self.runtime.limits)
            plan = self._plan(head, actor, schema, operation, coerced)
            known = operation.plans.put(key, (plan, used))
            self._note(actor)
        plan, used = known
        if self.runtime.usage is not None:
            self.runtime.usage.saw(actor.namespace, actor.token_id, request.form, used)
        return _Entry(head, actor, schema, document, operation, coerced, plan)

    def _note(self, actor: Actor) -> None:
        """Remember with which roles a company is asked: for these the next version is made ready."""
        asking = self._asking.get(actor.namespace) or self._asking.put(actor.namespace, Bounded(_WARM_ROLES))
        asking.put(tuple(actor.roles), True)

    async def _warm(self, namespace: str, before: Catalog, after: Catalog, hurried: bool) -> None:
        """Make ready the schemas of a new version while the old one is served; with time, also the documents asked."""
        asking = self._asking.get(namespace)
        documents = 0 if hurried else _WARM_DOCUMENTS
        for roles in asking.newest(_WARM_ROLES) if asking is not None else ():
            grants = self.runtime.resolver.grants
            await self._schemas.follow(before, grants(before, roles), after, grants(after, roles), documents)

    def _plan(
        self, head: Head, actor: Actor, schema: CompiledSchema, operation: CompiledOperation, coerced: Coerced
    ) -> Plan | MutationPlan | _Stock:
        if not self.runtime.compiled:
            return _STOCK
        runtime = self.runtime
        try:
            if not operation.is_query:
                context = self._context(head, actor, schema, operation, GraphQLRequest())
                planner = operation.planner(coerced)
                return plan_mutation(planner, schema.roots, head.catalog, operation.node, context) or _STOCK
            selection = operation.selection(coerced)
            if selection is None:
                return _STOCK
            return compile_selection(selection, head.catalog, actor.grants, runtime.engine.dialect, runtime.limits)
        except PlanTooDeep:
            return _STOCK

    async def _run(self, entry: _Entry, request: GraphQLRequest) -> Reply:
        plan = entry.plan
        if isinstance(plan, Plan):
            try:
                return await self._read(entry, plan)
            except PlanTooDeep:  # of the form for cursors with nulls, which is written at its first use
                plan = _STOCK
        if plan is None:
            return data_reply(
                await self._rendering.introspection(entry.schema, entry.document, entry.operation.node, entry.coerced)
            )
        if isinstance(plan, MutationPlan):
            return await self._mutate(entry, plan, request)
        context = self._context(entry.head, entry.actor, entry.schema, entry.operation, request)
        return await self._stock.answer(entry.schema, entry.document, entry.operation, entry.coerced, context, request)

    async def _read(self, entry: _Entry, plan: Plan) -> Reply:
        runtime, head, actor = self.runtime, entry.head, entry.actor
        snapshot = Snapshot(
            runtime.engine, actor.namespace, head.catalog, head.version, actor, runtime.limits, runtime.sealer
        )
        answer = await run(plan, snapshot, entry.coerced.values)
        if answer.head_version != head.version:
            if await moved_since(runtime.engine, actor.namespace, head.version):
                raise _Overtaken()
            runtime.companies.moved(actor.namespace, answer.head_version)
        return data_reply(answer.data)

    async def _mutate(self, entry: _Entry, plan: MutationPlan, request: GraphQLRequest) -> Reply:
        context = self._context(entry.head, entry.actor, entry.schema, entry.operation, request)
        going = MutationRun(entry.coerced.values)
        try:
            return data_reply(await going.run(plan, context))
        except FieldFailed as error:
            failed = error
        overtaken = isinstance(failed.cause, SchemaChanged | StatementRefused)
        again = await self._again(entry, request) if overtaken else None
        if again is not None:
            try:
                return data_reply(await going.run(*again))
            except FieldFailed as error:
                failed = error
        log_unexpected(failed.cause, request.request_id)
        errors = response_errors(failed.cause, context.locale, request.request_id)
        return result_reply(None, [{**item, "path": [failed.key]} for item in errors], failed.cause)

    async def _again(self, entry: _Entry, request: GraphQLRequest) -> tuple[MutationPlan, Context] | None:
        """A mutation planned on the version that came between; None when it no longer holds there."""
        if not await self._has_moved(entry):
            return None
        try:
            now = await self._enter(entry.actor, request, entry.document.text)
        except PliantError:
            return None
        if not isinstance(now.plan, MutationPlan):
            return None
        return now.plan, self._context(now.head, now.actor, now.schema, now.operation, request)

    def _context(
        self,
        head: Head,
        actor: Actor,
        schema: CompiledSchema,
        operation: CompiledOperation,
        request: GraphQLRequest,
    ) -> Context:
        locale = request.locale or actor.locale
        return Context(self.runtime, head, actor, schema.surface, locale, request.request_id, operation.name)


def _is_syntax(error: BadInput) -> bool:
    return isinstance(error, DocumentInvalid) and isinstance(error.errors[0], GraphQLSyntaxError)


def _cut_schema(catalog: Catalog, entity: str, readable: frozenset[str]) -> dict[str, Any]:
    """An entity's derived JSON Schema without the properties that are not there for the reader."""
    found = catalog.entities[entity]
    properties = found.schema.get("properties")
    names = {item.api_name for item in found.fields.values() if item.name in readable} | readable
    kept = {name: item for name, item in properties.items() if name in names} if isinstance(properties, Mapping) else {}
    required = found.schema.get("required")
    asked = [name for name in required if name in kept] if isinstance(required, list | tuple) else []
    plain = ("$schema", "title", "description", "type", "additionalProperties")
    return {
        **{key: found.schema[key] for key in plain if key in found.schema},
        "properties": kept,
        "required": asked,
    }
