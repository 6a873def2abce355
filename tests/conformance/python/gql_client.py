"""The Python client `gql`: it fetches our schema, checks documents against it, and speaks over HTTP.

Runs in an environment of its own (requirements.txt), so it imports nothing of Pliant.
"""

from __future__ import annotations

import asyncio
import json
import os
import traceback
from collections.abc import Awaitable, Callable

from gql import Client, gql
from gql.dsl import DSLQuery, DSLSchema, DSLVariableDefinitions, dsl_gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from graphql import GraphQLError

URL = os.environ["PLIANT_URL"] + "/graphql"


def client(token: str | None) -> Client:
    """A client that validates documents by the schema it has fetched."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Client(
        transport=HTTPXAsyncTransport(url=URL, headers=headers), fetch_schema_from_transport=token is not None
    )


async def refusal(asked: Awaitable[object]) -> Exception | None:
    """What a request was refused with, or None when it was answered."""
    try:
        await asked
    except Exception as error:
        return error
    return None


async def variables_and_fragments() -> None:
    """A page by variables, with a fragment."""
    query = gql(
        """
        query Offers($filter: OfferFilter, $first: Int) {
          offers(filter: $filter, first: $first, orderBy: [{amount: DESC}]) { totalCount nodes { ...parts } }
        }
        fragment parts on Offer { id name amount account { name } lines { nodes { title } } }
        """
    )
    query.variable_values = {"filter": {"amount": {"between": {"from": "100", "to": "2000.5"}}}, "first": 3}
    async with client(os.environ["PLIANT_TOKEN"]) as session:
        found = (await session.execute(query))["offers"]
    amounts = [float(node["amount"]) for node in found["nodes"]]
    assert len(amounts) == 3, found
    assert found["totalCount"] > 3, found
    assert amounts == sorted(amounts, reverse=True), amounts


async def queries_built_from_the_schema() -> None:
    """The DSL builds a query with variables from our types."""
    async with client(os.environ["PLIANT_TOKEN"]) as session:
        schema = session.client.schema
        assert schema is not None
        types, variables = DSLSchema(schema), DSLVariableDefinitions()
        offers = types.Query.offers(filter=variables.filter, first=2).select(
            types.OfferConnection.nodes.select(types.Offer.name, types.Offer.stage)
        )
        query = DSLQuery(offers)
        query.variable_definitions = variables
        document = dsl_gql(query)
        document.variable_values = {"filter": {"stage": {"eq": "WON"}}}
        found = await session.execute(document)
    assert [node["stage"] for node in found["offers"]["nodes"]] == ["WON", "WON"], found


async def documents_are_checked_before_they_are_sent() -> None:
    """The fetched schema refuses what the server would refuse."""
    async with client(os.environ["PLIANT_TOKEN"]) as session:
        found = await refusal(session.execute(gql("{ offers { nodes { nothing } } }")))
    assert isinstance(found, GraphQLError), found
    assert "nothing" in str(found), found


async def errors_have_codes() -> None:
    """A refused request is an exception with the code."""
    async with client(os.environ["PLIANT_TOKEN"]) as session:
        found = await refusal(session.execute(gql("{ offers(first: 5000) { totalCount } }")))
    assert isinstance(found, TransportQueryError), found
    assert found.errors is not None
    assert found.errors[0]["extensions"]["code"] == "LIMIT_EXCEEDED", found.errors


async def main() -> None:
    """Run every check and print what came of it."""
    checks: tuple[Callable[[], Awaitable[None]], ...] = (
        variables_and_fragments,
        queries_built_from_the_schema,
        documents_are_checked_before_they_are_sent,
        errors_have_codes,
    )
    for check in checks:
        outcome: dict[str, object] = {"name": f"gql: {check.__name__.replace('_', ' ')}", "passed": True}
        try:
            await check()
        except Exception:
            outcome |= {"passed": False, "detail": traceback.format_exc()}
        print(json.dumps(outcome), flush=True)


asyncio.run(main())
