"""Mutations of records: payloads, nested writes, versions, plural forms, idempotency."""

from __future__ import annotations

from typing import Any

from tests.contract.conftest import SELLER
from tests.houses import Client

ERRORS = "userErrors { path code message details }"


async def create_account(owner: Client, **input: Any) -> dict[str, Any]:
    """A new account."""
    text = (
        f"mutation($i: AccountCreateInput!) {{ createAccount(input: $i) {{ account {{ id name version }} {ERRORS} }} }}"
    )
    made = (await owner.data(text, i=input))["createAccount"]
    assert made["userErrors"] == []
    found: dict[str, Any] = made["account"]
    return found


async def test_create_answers_with_the_record(owner: Client) -> None:
    text = """mutation($name: String!) {
      made: createAccount(input: {name: $name, sector: TECH, revenue: 12.5, notes: {a: [1, null]}, tags: ["x", "y"]}) {
        __typename
        account { __typename id n: name sector revenue notes tags version createdBy { name } ownerId team { id } }
        userErrors { code }
        details
      }
    }"""
    made = (await owner.data(text, name="Acme"))["made"]
    account = made["account"]
    actor = await owner.actor()
    assert (made["__typename"], made["userErrors"], made["details"]) == ("AccountPayload", [], None)
    assert account.pop("id")[14] == "7"
    assert account == {
        "__typename": "Account",
        "n": "Acme",
        "sector": "TECH",
        "revenue": "12.5000",
        "notes": {"a": [1, None]},
        "tags": ["x", "y"],
        "version": 1,
        "createdBy": {"name": "Owner"},
        "ownerId": actor.member_id,
        "team": None,
    }


async def test_faults_come_with_paths_in_the_readers_language(owner: Client) -> None:
    text = """mutation { createOpportunity(input: {probability: 200, lines: {create: [{quantity: 1}]},
      account: {create: {}}}) {
        opportunity { id } userErrors { path code message __typename }
    } }"""
    english = (await owner.data(text))["createOpportunity"]
    assert english["opportunity"] is None
    found = {(tuple(error["path"]), error["code"]) for error in english["userErrors"]}
    assert {
        (("name",), "REQUIRED"),
        (("probability",), "VALIDATION"),
        (("account", "create", "name"), "REQUIRED"),
    } <= found
    assert {error["__typename"] for error in english["userErrors"]} == {"PliantUserError"}
    chinese = (await Client(owner.house, owner.token, "zh-Hans").data(text))["createOpportunity"]
    assert [error["path"] for error in chinese["userErrors"]] == [error["path"] for error in english["userErrors"]]
    assert all(
        one["message"] != other["message"]
        for one, other in zip(chinese["userErrors"], english["userErrors"], strict=True)
    )
    assert (await owner.data("{ opportunities { totalCount } }")) == {"opportunities": {"totalCount": 0}}


async def test_nested_writes_are_read_back(owner: Client) -> None:
    text = """mutation { createOpportunity(input: {
        name: "Deal", account: {create: {name: "New"}}, products: {connect: []}, lines: {create: [{text: "a",
          quantity: 2}, {text: "b"}]}
      }) { opportunity { number account { name } lines(orderBy: [{text: ASC}]) { totalCount nodes {
        text quantity } } } userErrors { path code } } }"""
    made = (await owner.data(text))["createOpportunity"]
    assert made["userErrors"] == []
    assert made["opportunity"]["account"] == {"name": "New"}
    assert made["opportunity"]["lines"] == {
        "totalCount": 2,
        "nodes": [{"text": "a", "quantity": 2}, {"text": "b", "quantity": None}],
    }
    assert made["opportunity"]["number"].endswith("-0001")


async def test_fields_of_one_mutation_run_in_order(owner: Client) -> None:
    text = """mutation {
      one: createAccount(input: {name: "A"}) { userErrors { code } }
      two: createAccount(input: {name: "A"}) { account { id } userErrors { code path } }
      __typename
      three: createAccount(input: {name: "B"}) { account { name } }
    }"""
    found = await owner.data(text)
    assert list(found) == ["one", "two", "__typename", "three"]
    assert found["two"] == {"account": None, "userErrors": [{"code": "NOT_UNIQUE", "path": ["name"]}]}
    assert (found["__typename"], found["three"]) == ("Mutation", {"account": {"name": "B"}})


async def test_update_checks_the_version(owner: Client) -> None:
    account = await create_account(owner, name="Acme")
    text = f"""mutation($id: ID!, $v: Int, $i: AccountUpdateInput!) {{
      updateAccount(id: $id, input: $i, expectedVersion: $v) {{ account {{ name sector version }} {ERRORS} }} }}"""
    done = (await owner.data(text, id=account["id"], v=1, i={"sector": "RETAIL"}))["updateAccount"]
    assert done["account"] == {"name": "Acme", "sector": "RETAIL", "version": 2}
    late = (await owner.data(text, id=account["id"], v=1, i={"sector": None}))["updateAccount"]
    assert (late["account"], late["userErrors"][0]["code"]) == (None, "CONFLICT")
    cleared = (await owner.data(text, id=account["id"], i={"sector": None}))["updateAccount"]
    assert cleared["account"] == {"name": "Acme", "sector": None, "version": 3}
    gone = (await owner.data(text, id="00000000-0000-7003-8000-000000000000", i={}))["updateAccount"]
    assert gone["userErrors"][0]["code"] == "NOT_FOUND"


async def test_delete_restore_purge(owner: Client) -> None:
    account = await create_account(owner, name="Acme")
    deleted = await owner.data(
        """mutation($id: ID!) { deleteAccount(id: $id) { account { id name deletedAt deletedBy { name } }
          userErrors { code } } }""",
        id=account["id"],
    )
    assert deleted["deleteAccount"]["account"]["deletedBy"] == {"name": "Owner"}
    assert await owner.data("query($id: ID!) { account(id: $id) { id } }", id=account["id"]) == {"account": None}
    only = await owner.data("{ accounts(deleted: ONLY) { nodes { name } } }")
    assert only == {"accounts": {"nodes": [{"name": "Acme"}]}}
    back = await owner.data(
        "mutation($id: ID!) { restoreAccount(id: $id) { account { name deletedAt } userErrors { code } } }",
        id=account["id"],
    )
    assert back["restoreAccount"] == {"account": {"name": "Acme", "deletedAt": None}, "userErrors": []}
    purged = await owner.data(
        "mutation($id: ID!) { purgeAccount(id: $id) { account { name } userErrors { code } } }", id=account["id"]
    )
    assert purged["purgeAccount"] == {"account": None, "userErrors": []}
    assert await owner.data("{ accounts(deleted: INCLUDE) { totalCount } }") == {"accounts": {"totalCount": 0}}


async def test_plural_creates(owner: Client) -> None:
    text = f"""mutation($i: [AccountCreateInput!]!, $a: Boolean) {{ createAccounts(input: $i, atomic: $a) {{
      __typename count results {{ account {{ name subsidiaries(first: 1) {{ totalCount }} }} {ERRORS} }}
        userErrors {{ code path }} }} }}"""
    rows = [{"name": "A"}, {"name": "A"}, {"name": "B"}]
    refused = (await owner.data(text, i=rows))["createAccounts"]
    assert (refused["count"], [item["account"] for item in refused["results"]]) == (0, [None, None, None])
    told = [{"code": item["code"], "path": [str(row), *item["path"]]}
            for row, result in enumerate(refused["results"]) for item in result["userErrors"]]  # fmt: skip
    assert refused["userErrors"] == told != []
    assert await owner.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 0}}
    some = (await owner.data(text, i=rows, a=False))["createAccounts"]
    assert (some["count"], some["__typename"]) == (2, "AccountsPayload")
    assert [item["account"] and item["account"]["name"] for item in some["results"]] in (
        ["A", None, "B"],
        [None, "A", "B"],
    )
    none = (await owner.data(text, i=[]))["createAccounts"]
    assert none == {"__typename": "AccountsPayload", "count": 0, "results": [], "userErrors": []}


async def test_changes_by_filter_are_bounded(owner: Client) -> None:
    for name in ("A", "B", "C"):
        await create_account(owner, name=name)
    update = f"""mutation($f: AccountFilter!, $n: Int! = 1, $all: Boolean) {{
      updateAccounts(filter: $f, input: {{sector: TECH}}, atMost: $n, all: $all) {{ count results {{ account {{
        name sector }} }} {ERRORS} }} }}"""
    many = (await owner.data(update, f={"name": {"in": ["A", "B"]}}))["updateAccounts"]
    assert (many["count"], many["results"], many["userErrors"][0]["code"]) == (0, [], "LIMIT")
    two = (await owner.data(update, f={"name": {"in": ["A", "B"]}}, n=2))["updateAccounts"]
    assert two["count"] == 2
    assert {item["account"]["name"] for item in two["results"]} == {"A", "B"}
    delete = """mutation { deleteAccounts(filter: {sector: {eq: TECH}}, atMost: 5) { count results { account {
      name deletedAt } } userErrors { code } } }"""
    gone = (await owner.data(delete))["deleteAccounts"]
    assert (gone["count"], {item["account"]["name"] for item in gone["results"]}) == (2, {"A", "B"})
    assert all(item["account"]["deletedAt"] for item in gone["results"])


async def test_upsert(owner: Client) -> None:
    text = """mutation($i: AccountCreateInput!, $c: PliantOnConflict) {
      upsertAccount(input: $i, by: [name], onConflict: $c) { account { name sector version } userErrors {
        code path } } }"""
    first = (await owner.data(text, i={"name": "A"}))["upsertAccount"]
    again = (await owner.data(text, i={"name": "A", "sector": "TECH"}))["upsertAccount"]
    left = (await owner.data(text, i={"name": "A", "sector": "RETAIL"}, c="IGNORE"))["upsertAccount"]
    assert [first["account"], again["account"], left["account"]] == [
        {"name": "A", "sector": None, "version": 1},
        {"name": "A", "sector": "TECH", "version": 2},
        {"name": "A", "sector": "TECH", "version": 2},
    ]


async def test_texts_that_are_no_ids_are_ids_of_nothing(owner: Client) -> None:
    text = f"""mutation {{
      merge: mergeAccounts(ids: ["", "5", "é"], keep: "-1") {{ {ERRORS} }}
      update: updateAccount(id: "1 OR 1=1", input: {{}}) {{ {ERRORS} }}
      delete: deleteAccount(id: "") {{ {ERRORS} }}
      restore: restoreAccount(id: "x") {{ {ERRORS} }}
      purge: purgeAccount(id: "x") {{ {ERRORS} }}
    }}"""
    for name, done in (await owner.data(text)).items():
        assert {fault["code"] for fault in done["userErrors"]} == {"NOT_FOUND"}, name


async def test_merge_tells_before_it_does(owner: Client) -> None:
    keep, other = await create_account(owner, name="A"), await create_account(owner, name="B", sector="TECH")
    text = """mutation($ids: [ID!]!, $keep: ID!, $dry: Boolean) { mergeAccounts(ids: $ids, keep: $keep, dryRun: $dry) {
      account { name sector } details userErrors { code path } } }"""
    ids = {"ids": [keep["id"], other["id"]], "keep": keep["id"]}
    dry = (await owner.data(text, **ids, dry=True))["mergeAccounts"]
    assert dry["details"] is not None
    assert await owner.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 2}}
    done = (await owner.data(text, **ids))["mergeAccounts"]
    assert (done["account"], done["userErrors"]) == ({"name": "A", "sector": "TECH"}, [])
    assert await owner.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 1}}


async def test_an_idempotency_key_answers_once(owner: Client) -> None:
    text = """mutation($n: String) { createAccount(input: {name: $n}, idempotencyKey: "k") { account {
      id name } userErrors { code } } }"""
    first, again = await owner.data(text, n="A"), await owner.data(text, n="A")
    assert first == again
    assert await owner.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 1}}
    found = await owner.ask(text, n="B")
    assert (found["data"], found["errors"][0]["path"]) == (None, ["createAccount"])
    assert found["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_sharing_shows_a_row(owner: Client, seller: Client) -> None:
    made = await owner.data('mutation { createOpportunity(input: {name: "Deal"}) { opportunity { id } } }')
    deal = made["createOpportunity"]["opportunity"]["id"]
    read = "query($id: ID!) { opportunity(id: $id) { name } }"
    assert await seller.data(read, id=deal) == {"opportunity": None}
    shared = {**SELLER, "entities": {**SELLER["entities"]}}
    shared["entities"]["opportunity"] = {**shared["entities"]["opportunity"], "read": {"rows": ["own", "shared"]}}
    await owner.administer("mutation($d: [JSON!]!) { publish(documents: $d) { userErrors { message } } }", d=[shared])
    member = (await seller.actor()).member_id
    text = """mutation($id: ID!, $m: ID!) { shareOpportunity(id: $id, with: {member: $m}) { opportunity { id }
      userErrors { code path message } } }"""
    assert (await owner.data(text, id=deal, m=member))["shareOpportunity"]["userErrors"] == []
    assert await seller.data(read, id=deal) == {"opportunity": {"name": "Deal"}}
    undo = "mutation($id: ID!, $m: ID!) { unshareOpportunity(id: $id, with: {member: $m}) { userErrors { code } } }"
    await owner.data(undo, id=deal, m=member)
    assert await seller.data(read, id=deal) == {"opportunity": None}


async def test_what_a_role_forbids_is_an_error_with_a_path(owner: Client, seller: Client) -> None:
    text = 'mutation { made: createOpportunity(input: {name: "Mine"}) { opportunity { id name } userErrors { code } } }'
    mine = (await seller.data(text))["made"]["opportunity"]["id"]
    refused = await seller.ask(
        'mutation($id: ID!) { a: updateOpportunity(id: $id, input: {amount: "1"}) { userErrors { code } } }', id=mine
    )
    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", (
        "a field that he may not write does not exist"
    )
    theirs = await owner.data('mutation { createOpportunity(input: {name: "Theirs"}) { opportunity { id } } }')
    hidden = await seller.data(
        """mutation($id: ID!) { updateOpportunity(id: $id, input: {name: "x"}) { opportunity { id } userErrors {
          code } } }""",
        id=theirs["createOpportunity"]["opportunity"]["id"],
    )
    assert hidden["updateOpportunity"] == {"opportunity": None, "userErrors": [{"code": "NOT_FOUND"}]}


async def test_nothing_is_written_for_a_payload_that_cannot_be_read(owner: Client) -> None:
    text = """mutation($n: Int, $a: String, $f: OpportunityFilter) {
      createAccount(input: {name: "A"}) { account { parent {
        opportunities(first: $n, after: $a, filter: $f) { totalCount } } } } }"""
    for given, code in (
        ({"n": -1}, "BAD_USER_INPUT"),
        ({"n": 5000}, "LIMIT_EXCEEDED"),
        ({"a": "rubbish"}, "BAD_USER_INPUT"),
        ({"f": {"name": {"in": ["x"] * 10_001}}}, "LIMIT_EXCEEDED"),
        ({"f": {"name": {"eq": None}}}, "BAD_USER_INPUT"),
    ):
        assert await owner.code(text, **given) == code, given
    assert await owner.data("{ accounts { totalCount } }") == {"accounts": {"totalCount": 0}}
