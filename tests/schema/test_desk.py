"""The desk: what is refused and how, persisted documents, introspection, bounds."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import build_client_schema, get_introspection_query, print_schema

from base.limits import DEFAULTS
from schema.request import GraphQLRequest, ReplyKind
from storage.errors import TooSlow
from tests.houses import Client, found_company, opened_house
from tests.schema.samples import SALES

LIMITS = replace(DEFAULTS, cached_documents=3, variable_shapes=2)


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Client]:
    """The owner of a company under small limits."""
    async with opened_house(str(tmp_path), limits=LIMITS) as house:
        yield await found_company(house, SALES)


async def refused(client: Client, query: str | None, variables: Any = None, **more: Any) -> tuple[str, int, Any]:
    """Code, status and first error of a request that is refused before it runs."""
    reply = await client.send(query, variables, **more)
    body = orjson.loads(reply.body)
    assert reply.kind is ReplyKind.REQUEST_ERROR
    assert set(body) == {"errors"}
    error = body["errors"][0]
    assert error["extensions"]["code"] == reply.code
    assert error["extensions"]["requestId"] == "r"
    return error["extensions"]["code"], reply.status, error


async def test_refusals(owner: Client) -> None:
    for query, variables in (
        ("{", None),
        ("", None),
        ("{ nope }", None),
        ("query A { __typename } query B { __typename }", None),
        ("query($id: ID!) { account(id: $id) { id } }", None),
        ("query($id: ID!) { account(id: $id) { id } }", {"id": {"a": 1}}),
        ("{ accounts(first: -1) { totalCount } }", None),
        ("{ accounts(first: 1, last: 1) { totalCount } }", None),
        ("query($n: Int) { accounts(first: $n) { totalCount } }", {"n": -1}),
        ('{ accounts(after: "x") { totalCount } }', None),
        ("{ accounts(filter: {name: {eq: null}}) { totalCount } }", None),
        ('{ accounts(filter: {name: {eq: "\\u0000"}}) { totalCount } }', None),
        ("subscription { changes { id } }", None),
    ):
        code, status, _ = await refused(owner, query, variables)
        assert (code, status) == ("BAD_USER_INPUT", 400), query


async def test_limits(owner: Client) -> None:
    for query, variables in (
        ("{ accounts(first: 1001) { totalCount } }", None),
        ("query($n: Int) { accounts(first: $n) { totalCount } }", {"n": 1_000_000}),
        ("{ accounts(first: 1000) { nodes { opportunities(first: 1000) { nodes { name } } } } }", None),
        ("{ " + " ".join(f"a{n}: accounts {{ totalCount }}" for n in range(101)) + " }", None),
        ("{ a" + " { a" * 200 + " }" * 200 + " }", None),
        ("{a" * 20_000, None),
        ("# " + "x" * 200_000 + "\n{ __typename }", None),
        (
            "mutation($i: [AccountCreateInput!]!) { createAccounts(input: $i) { count } }",
            {"i": [{"name": "x"}] * 6000},
        ),
    ):
        code, status, error = await refused(owner, query, variables)
        assert (code, status) == ("LIMIT_EXCEEDED", 400), (query[:60], error)


async def test_a_get_never_writes(owner: Client) -> None:
    text = 'mutation { createAccount(input: {name: "A"}) { account { id } } }'
    code, status, _ = await refused(owner, text, read_only=True)
    assert (code, status) == ("BAD_USER_INPUT", 405)
    assert (
        await owner.send("{ accounts { totalCount } }", read_only=True)
    ).body == b'{"data":{"accounts":{"totalCount":0}}}'


async def test_only_registered_documents_have_ids(owner: Client) -> None:
    assert (await refused(owner, None))[0] == "BAD_USER_INPUT"
    assert (await refused(owner, None, document_id="sha256:" + "0" * 64))[0] == "NOT_FOUND"
    assert (await refused(owner, "{ __typename }", document_id="x"))[0] == "BAD_USER_INPUT"
    code, _, error = await refused(owner, None, extensions={"persistedQuery": {"version": 1}})
    assert (code, error["message"]) == ("BAD_USER_INPUT", "PersistedQueryNotSupported")


async def test_messages_follow_the_reader(owner: Client) -> None:
    chinese = Client(owner.house, owner.token, "zh-Hans")
    _, _, one = await refused(owner, "{ accounts(first: 1, last: 1) { totalCount } }")
    _, _, other = await refused(chinese, "{ accounts(first: 1, last: 1) { totalCount } }")
    assert one["message"] != other["message"]
    assert one["extensions"] == other["extensions"]


async def test_our_mistakes_tell_nothing(owner: Client, caplog: pytest.LogCaptureFixture) -> None:
    actor = await owner.actor()
    await owner.house.engine.drop(actor.namespace)
    with caplog.at_level(logging.CRITICAL):
        for text in ("{ accounts { totalCount } }", "{ viewer { locale } accounts { totalCount } }"):
            found = await owner.ask(text)
            assert [error["message"] for error in found["errors"]] == ["Something went wrong on our side."]
            assert found["errors"][0]["extensions"] == {"code": "INTERNAL", "requestId": "r"}
        reply = await owner.send("{ accounts { totalCount } }")
        assert reply.status == 500
        written = await owner.ask('mutation { createAccount(input: {name: "A"}) { account { id } } }')
        assert written["data"] is None
        assert written["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert written["errors"][0]["path"] == ["createAccount"]


@pytest.mark.parametrize("compiled", [True, False])
async def test_a_read_that_the_database_gives_up_is_too_much(
    tmp_path: Path, compiled: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any) -> Any:
        raise TooSlow(30.0)

    async with opened_house(str(tmp_path), compiled=compiled) as house:
        owner = await found_company(house, SALES)
        made = await owner.data('mutation { createAccount(input: {name: "A"}) { account { id } } }')
        remove = (
            f'mutation {{ deleteAccount(id: "{made["createAccount"]["account"]["id"]}") {{ userErrors {{ code }} }} }}'
        )
        actor = await owner.actor()
        with monkeypatch.context() as patched:
            for read in ("fetch", "fetch_row"):
                patched.setattr(type(house.engine), read, slow)
            replies = [
                await house.execute(actor, GraphQLRequest(text)) for text in ("{ accounts { totalCount } }", remove)
            ]
    for reply in replies:
        (error,) = orjson.loads(reply.body)["errors"]
        assert (reply.status, reply.code, error["extensions"]["limit"]) == (400, "LIMIT_EXCEEDED", "request_seconds")
        assert "30 s" in error["message"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_introspection_is_the_schema(owner: Client) -> None:
    whole = await owner.data(get_introspection_query())
    sdl = await owner.house.desk.sdl(await owner.actor())
    names = {item["name"] for item in whole["__schema"]["types"]}
    assert {"Account", "Opportunity", "PliantViewer", "AccountCreateInput"} <= names
    assert "type Account implements Node" in print_schema(build_client_schema(whole))
    assert b"type Account implements Node" in sdl.text
    assert (await owner.house.desk.sdl(await owner.actor())).etag == sdl.etag


async def test_introspection_beside_records(owner: Client) -> None:
    await owner.data('mutation { createAccount(input: {name: "A"}) { account { id } } }')
    text = """query($n: String!, $no: Boolean!) { ...Q t: __type(name: $n) { name fields { name } } viewer { locale } }
      fragment Q on Query {
        accounts { nodes { name } } __schema { queryType { name } } meta @include(if: $no) { position }
      }"""
    found = await owner.data(text, n="PageInfo", no=False)
    assert list(found) == ["accounts", "__schema", "t", "viewer"]
    assert found["accounts"] == {"nodes": [{"name": "A"}]}
    assert found["t"]["name"] == "PageInfo"
    assert found["__schema"] == {"queryType": {"name": "Query"}}


async def test_caches_are_bounded(owner: Client) -> None:
    for turn in range(8):
        await owner.data(f"{{ accounts(first: {turn}) {{ totalCount }} }}")
    actor = await owner.actor()
    desk = owner.house.desk
    head = await owner.house.runtime.companies.head(actor.namespace)
    schema = desk._schemas.get(head.catalog, actor.grants)
    assert len(schema._documents) == LIMITS.cached_documents
    text = "query($f: AccountFilter) { accounts(filter: $f) { totalCount } }"
    for given in ({"name": {"eq": "a"}}, {"name": {"neq": "a"}}, {"name": {"in": ["a"]}}, {"sector": {"eq": "TECH"}}):
        await owner.data(text, f=given)
    assert len(schema.document(text).operation(None).plans) == LIMITS.variable_shapes


async def test_values_are_no_part_of_a_plan(owner: Client) -> None:
    await owner.data('mutation { createAccounts(input: [{name: "A"}, {name: "B"}]) { count } }')
    text = "query($n: String!, $l: [String!]) { accounts(filter: {name: {eq: $n, in: $l}}) { nodes { name } } }"
    for name in ("A", "B"):
        found = await owner.data(text, n=name, l=["A", "B", "C"][: 3 if name == "B" else 2])
        assert found == {"accounts": {"nodes": [{"name": name}]}}
    actor = await owner.actor()
    head = await owner.house.runtime.companies.head(actor.namespace)
    schema = owner.house.desk._schemas.get(head.catalog, actor.grants)
    assert len(schema.document(text).operation(None).plans) == 1


async def test_the_desk_is_ready_while_the_database_answers(owner: Client) -> None:
    assert await owner.house.desk.ready()


async def test_an_entitys_json_schema_is_cut(owner: Client) -> None:
    found = await owner.house.desk.entity_schema(await owner.actor(), "account")
    assert found is not None
    properties = found["properties"]
    assert isinstance(properties, dict)
    assert "name" in properties
    assert await owner.house.desk.entity_schema(await owner.actor(), "nope") is None


async def test_a_form_for_nulls_that_is_too_deep_is_answered_all_the_same(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = "mutation($i: AccountCreateInput!) { createAccount(input: $i) { account { id } } }"
    for name, revenue in (("a", "1"), ("b", "2"), ("c", None), ("d", None)):
        await owner.data(make, i={"name": name, "revenue": revenue})
    page = "{ edges { cursor node { name } } }"
    text = f"query($a: String) {{ accounts(orderBy: [{{revenue: ASC}}], first: 1, after: $a) {page} }}"
    first = (await owner.data(text))["accounts"]["edges"][0]["cursor"]
    assert (await owner.data(text, a=first))["accounts"]["edges"][0]["node"]["name"] == "b"
    third = (await owner.data("{ accounts(orderBy: [{revenue: ASC}], first: 3) { pageInfo { endCursor } } }"))[
        "accounts"
    ]
    monkeypatch.setattr("records.reading.read.fits_parser", lambda *_: False)
    last = await owner.data(text, a=third["pageInfo"]["endCursor"])
    assert [edge["node"]["name"] for edge in last["accounts"]["edges"]] == ["d"]
