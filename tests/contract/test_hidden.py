"""Unknown, forbidden and foreign look the same, byte for byte."""

from __future__ import annotations

import pytest

from base.errors import Unauthenticated
from tests.contract.conftest import SELLER
from tests.houses import Client, found_company
from tests.schema.samples import SALES

NOWHERE = "00000000-0000-7003-8000-000000000000"


async def test_hidden_fields_are_unknown_fields(seller: Client) -> None:
    for text in (
        "{{ accounts {{ nodes {{ {0} }} }} }}",
        "{{ accounts(filter: {{ {0}: {{isNull: true}} }}) {{ totalCount }} }}",
        "{{ accounts(orderBy: [{{ {0}: ASC }}]) {{ totalCount }} }}",
        "{{ accounts {{ aggregate {{ sum {{ {0} }} }} }} }}",
        "{{ accounts {{ aggregate {{ distinctCount {{ {0} }} }} }} }}",
        "{{ opportunities(filter: {{account: {{ {0}: {{isNull: false}} }} }}) {{ totalCount }} }}",
    ):
        hidden = await seller.send(text.format("revenue"))
        unknown = await seller.send(text.format("rubbish"))
        assert hidden.body.replace(b"revenue", b"rubbish") == unknown.body
        assert hidden.code == "BAD_USER_INPUT"


async def test_hidden_entities_and_mutations_are_unknown(seller: Client) -> None:
    for text, hidden, unknown in (
        ("{{ {0} {{ totalCount }} }}", "products", "producks"),
        ("mutation {{ {0}(input: {{}}) {{ userErrors {{ code }} }} }}", "createAccount", "createAccoons"),
        ("{{ accounts {{ nodes {{ ... on {0} {{ id }} }} }} }}", "Product", "Produck"),
    ):
        one, other = await seller.send(text.format(hidden)), await seller.send(text.format(unknown))
        assert one.body.replace(hidden.encode(), unknown.encode()) == other.body


async def test_introspection_and_sdl_show_no_hidden_name(seller: Client) -> None:
    found = await seller.send(
        "{ __schema { types { name fields { name } inputFields { name } enumValues { name } } } }"
    )
    sdl = (await seller.house.desk.sdl(await seller.actor())).text
    for text in (found.body, sdl):
        assert b"revenue" not in text
        assert b"Product" not in text
        assert b"updateAccount" not in text
        assert b"createOpportunity" in text


async def test_viewer_tells_nothing_of_hidden_entities(seller: Client) -> None:
    text = "query($e: String) { viewer { can(entity: $e) { entity read create update delete } } }"
    assert (await seller.data(text, e="product")) == (await seller.data(text, e="rubbish")) == {"viewer": {"can": []}}
    mine = await seller.data(text, e="opportunity")
    assert mine["viewer"]["can"] == [
        {"entity": "opportunity", "read": True, "create": True, "update": True, "delete": False}
    ]


async def test_ids_cursors_and_tokens_of_another_company(owner: Client) -> None:
    other = await found_company(owner.house, (*SALES, SELLER), "Other")
    make = 'mutation { createAccount(input: {name: "A"}) { account { id } } }'
    foreign = (await other.data(make))["createAccount"]["account"]["id"]
    await owner.data(make)
    read = "query($id: ID!) { account(id: $id) { name } node(id: $id) { id } nodes(ids: [$id]) { id } }"
    assert (await owner.send(read, {"id": foreign})).body == (await owner.send(read, {"id": NOWHERE})).body
    write = """mutation($id: ID!) { updateAccount(id: $id, input: {name: "x"}) { account { id } userErrors {
      path code message details } } }"""
    assert (await owner.send(write, {"id": foreign})).body == (await owner.send(write, {"id": NOWHERE})).body
    connect = """mutation($id: ID!) { createOpportunity(input: {name: "x", account: {connect: $id}}) {
      userErrors { path code message details } } }"""
    assert (await owner.send(connect, {"id": foreign})).body == (await owner.send(connect, {"id": NOWHERE})).body
    page = "query($after: String) { accounts(after: $after) { pageInfo { endCursor } } }"
    cursor = (await other.data(page))["accounts"]["pageInfo"]["endCursor"]
    refused = await owner.send(page, {"after": cursor})
    assert refused.body == (await owner.send(page, {"after": "rubbish"})).body
    assert refused.code == "BAD_USER_INPUT"
    _, company, secret = other.token.split("_", 2)
    mine = (await owner.actor()).company
    refusals = set()
    for token in (f"plt_{mine}_{secret}", f"plt_{company}_{'x' * 43}", "rubbish", ""):
        with pytest.raises(Unauthenticated) as error:
            await owner.house.authenticate(token)
        reply = owner.house.desk.refuse(error.value, "en", "r")
        assert (reply.status, reply.code) == (401, "UNAUTHENTICATED")
        refusals.add(reply.body)
    assert len(refusals) == 1
