"""The desk of the admin API."""

from __future__ import annotations

from access.actor import Actor
from base.errors import Text, Unauthenticated
from resolvers.runtime import Runtime
from schema.request import GraphQLRequest, Reply


class AdminDesk:
    """Answers requests to `/graphql/admin`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def answer(self, actor: Actor | None, request: GraphQLRequest) -> Reply:
        """Answer."""
        raise Unauthenticated(Text("Sign in first", "请先登录"))
