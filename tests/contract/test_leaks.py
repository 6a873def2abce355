"""Nothing that is hidden may be told: whatever only hidden values change, the answers stay the same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from storage.batch import Sql
from tests.contract.staff import ERRORS, HIDDEN, NOWHERE, STAFF, Staff
from tests.contract.test_escalation import role
from tests.contract.test_paths import by_stock
from tests.houses import Client, found_company, hire


def operands(field: str) -> list[tuple[str, Any]]:
    """Operators with arguments that tell hidden values from other ones."""
    if field == "salary":
        return [("eq", "100"), ("neq", "100"), ("gt", "150"), ("lte", "150"), ("in", ["100", "7"]), ("notIn", ["100"]),
                ("between", {"from": "50", "to": "250"}), ("isNull", True), ("isNull", False)]  # fmt: skip
    if field == "secrets":
        return [("has", "ann"), ("hasAny", ["ann", "bob"]), ("hasAll", ["cat"]), ("isEmpty", True), ("isNull", False)]
    if field == "extra":
        return [("path", {"path": ["k"], "eq": "ann"}), ("isNull", False)]
    value = "ann-alias" if field == "alias" else "b-ann"
    return [("eq", value), ("neq", value), ("gt", "b"), ("contains", value[:3]), ("startsWith", "b-a"),
            ("iLike", "%AN%"), ("notIn", [value]), ("isNull", True)]  # fmt: skip


def filters() -> list[dict[str, Any]]:
    """Filters over hidden cells: direct, negated, combined and through relations."""
    found: list[dict[str, Any]] = []
    for field in HIDDEN:
        for operator, value in operands(field):
            plain = {field: {operator: value}}
            found += [{"not": plain}, {"boss": plain}, {"reports": {"every": plain}}]
            found += [{"or": [{"name": {"eq": "sue"}}, {"not": {"boss": {"reports": {"some": plain}}}}]}]
    return found


QUERIES: tuple[str, ...] = (
    "{ people { totalCount nodes { id name salary alias badge secrets extra ownerId } } }",
    "{ people(orderBy: [{salary: ASC}]) { nodes { name } } }",
    "{ people(orderBy: [{salary: DESC_NULLS_FIRST}, {name: DESC}]) { nodes { name salary } } }",
    "{ people(orderBy: [{boss: {salary: DESC}}, {alias: ASC}]) { nodes { name } } }",
    "{ people { aggregate { count sum { salary } avg { salary } min { salary alias } max { salary "
    "badge } distinctCount { salary alias badge } } } }",
    '{ people(filter: {salary: {gt: "0"}}) { totalCount aggregate { sum { salary } } } }',
    '{ people(search: "ann-alias") { totalCount nodes { name } } }',
    '{ people(search: "alias") { nodes { name } } }',
    '{ a: people(search: "zed") { totalCount } b: people(search: "b-") { totalCount } }',
    "{ people(orderBy: [{name: ASC}]) { nodes { name reports(orderBy: [{salary: DESC}], first: 1) { "
    "totalCount nodes { name salary } aggregate { max { salary } } } } } }",
    "{ people(orderBy: [{name: ASC}]) { nodes { name boss { name salary } notes { totalCount nodes "
    "{ text score } } mentions { totalCount } } } }",
)

NOTE_QUERIES: tuple[str, ...] = (
    "{ notes { totalCount nodes { text score about { name } related { totalCount } } aggregate { "
    "count sum { score } } } }",
    '{ notes(search: "hid") { totalCount } }',
    "{ people(filter: {notes: {some: {score: {gt: 2}}}}) { totalCount } }",
    "{ people(filter: {notes: {none: {score: {gt: 2}}}}) { nodes { name } } }",
    "{ people(filter: {notes: {every: {score: {lt: 2}}}}) { nodes { name } } }",
    "{ people(filter: {mentions: {some: {}}}) { nodes { name mentions { totalCount aggregate { max { score } } } } } }",
    "{ people(filter: {reports: {some: {notes: {some: {}}}}}) { totalCount } }",
)


async def answers(client: Client, *texts: str, ids: dict[str, str]) -> list[bytes]:
    """What a client is answered, by both paths."""
    found = []
    for path in (client, by_stock(client)):
        for text in texts:
            found.append((await path.send(text)).body)
        for chosen in filters()[:: 1 if path is client else 7]:
            text = (
                "query($f: PersonFilter) { people(filter: $f, orderBy: [{name: ASC}]) { totalCount nodes { name } } }"
            )
            found.append((await path.send(text, {"f": chosen})).body)
        for name in ids.values():
            text = (
                "query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } note(id: $id) { "
                "text } person(id: $id) { name salary } }"
            )
            found.append((await path.send(text, {"id": name})).body)
    for body in found:
        assert b'"errors"' not in body, body
    return found


async def test_hidden_cells_change_no_answer(staff: Staff) -> None:
    before = await answers(staff.sue, *QUERIES, *NOTE_QUERIES, ids=staff.ids)
    await staff.change(
        salary=lambda name: {"ann": "9999", "bob": "1", "cat": None}[name],
        alias=lambda name: {"ann": None, "bob": "zed", "cat": "ann-alias"}[name],
        badge=lambda name: {"ann": "b-cat2", "bob": None, "cat": "b-ann2"}[name],
        secrets=lambda name: {"ann": [], "bob": ["ann", "cat"], "cat": None}[name],
        extra=lambda name: {"ann": None, "bob": {"k": "ann"}, "cat": {"k": [1]}}[name],
    )
    after = await answers(staff.sue, *QUERIES, *NOTE_QUERIES, ids=staff.ids)
    for one, other in zip(before, after, strict=True):
        assert one == other


async def test_her_own_cells_are_there(staff: Staff) -> None:
    text = (
        "{ people(orderBy: [{salary: ASC}]) { nodes { name salary alias badge secrets extra } aggregate "
        "{ sum { salary } } } }"
    )
    found = (await staff.sue.data(text))["people"]
    assert found["aggregate"]["sum"]["salary"] == "150"
    assert found["nodes"][0] == {
        "name": "sue", "salary": "150.0000", "alias": "sue-alias", "badge": "b-sue", "secrets": ["sue"],
        "extra": {"k": "sue"},
    }  # fmt: skip
    assert {value for node in found["nodes"][1:] for key, value in node.items() if key != "name"} == {None}


async def test_hidden_rows_change_no_answer(staff: Staff) -> None:
    before = await answers(staff.sue, *QUERIES, *NOTE_QUERIES, ids=staff.ids)
    text = f"mutation($id: ID!, $i: NoteUpdateInput!) {{ updateNote(id: $id, input: $i) {{ {ERRORS} }} }}"
    given = {"text": "else", "score": -9, "about": {"connect": staff.ids["cat"]}, "related": {"set": []}}
    assert (await staff.owner.data(text, id=staff.ids["hidden"], i=given))["updateNote"]["userErrors"] == []
    more = 'mutation($p: ID!) { createNote(input: {text: "more", score: 77, about: {connect: $p}}) { note { id } } }'
    for name in ("ann", "bob", "sue"):
        await staff.owner.data(more, p=staff.ids[name])
    after = await answers(staff.sue, *QUERIES, *NOTE_QUERIES, ids=staff.ids)
    for one, other in zip(before, after, strict=True):
        assert one == other


async def test_cursors_hold_no_hidden_value(staff: Staff) -> None:
    text = (
        "query($a: String) { people(first: 1, after: $a, orderBy: [{salary: DESC}, {badge: ASC}]) { "
        "nodes { name } edges { cursor } pageInfo { endCursor hasNextPage } } }"
    )

    async def walk() -> list[tuple[str, int]]:
        pages, after = [], None
        for _ in range(4):
            page = (await staff.sue.data(text, a=after))["people"]
            after = page["pageInfo"]["endCursor"]
            pages.append((page["nodes"][0]["name"], len(after)))
        return pages

    before = await walk()
    long = "b" * 90
    await staff.change(salary=lambda name: "999999", badge=lambda name: long + name)
    assert await walk() == before


async def test_unknown_hidden_and_foreign_rows_look_the_same_to_writes(staff: Staff) -> None:
    other = await found_company(staff.owner.house, STAFF, "Other")
    foreign = (await other.data('mutation { createNote(input: {text: "x"}) { note { id } } }'))["createNote"]["note"][
        "id"
    ]
    for text in (
        f'mutation($id: ID!) {{ updateNote(id: $id, input: {{text: "x"}}) {{ note {{ id }} {ERRORS} }} }}',
        f'mutation($id: ID!) {{ updateNote(id: $id, input: {{text: "x"}}, expectedVersion: 1) {{ note {{ '
        f"id }} {ERRORS} }} }}",
        f'mutation($id: ID!) {{ updateNote(id: $id, input: {{text: "x"}}, expectedVersion: 7) {{ note {{ '
        f"id }} {ERRORS} }} }}",
        f"mutation($id: ID!) {{ deleteNote(id: $id) {{ {ERRORS} }} }}",
        f"mutation($id: ID!) {{ deleteNote(id: $id, expectedVersion: 9) {{ {ERRORS} }} }}",
        f"mutation($id: ID!) {{ deleteNotes(filter: {{id: {{eq: $id}}}}) {{ count {ERRORS} }} }}",
        f'mutation($id: ID!) {{ updateNotes(filter: {{id: {{in: [$id]}}}}, input: {{text: "x"}}) {{ '
        f"count {ERRORS} }} }}",
        f'mutation($id: ID!) {{ createPerson(input: {{name: "x", boss: {{connect: $id}}}}) {{ person {{ '
        f"id }} {ERRORS} }} }}",
        f'mutation($id: ID!) {{ createPerson(input: {{name: "x", bossId: $id}}) {{ person {{ id }} {ERRORS} }} }}',
        f"mutation($id: ID!) {{ mergePeople(ids: [$id], keep: $id) {{ {ERRORS} }} }}",
    ):
        found = {(await staff.sue.send(text, {"id": name})).body for name in (staff.ids["hidden"], foreign, NOWHERE)}
        assert len(found) == 1, (text, found)
    assert (await staff.owner.data("{ notes { totalCount } }"))["notes"]["totalCount"] == 2


async def test_an_upsert_does_not_find_by_hidden_values(staff: Staff) -> None:
    upsert = f"""mutation($b: String!, $c: PliantOnConflict) {{
      upsertPerson(input: {{name: "x", badge: $b}}, by: [badge], onConflict: $c) {{
      person {{ id name }} {ERRORS} }} }}"""
    create = (
        f'mutation($b: String!) {{ createPerson(input: {{name: "x", badge: $b}}) {{ person {{ id name }} {ERRORS} }} }}'
    )
    told = (await staff.sue.data(create, b="b-ann"))["createPerson"]
    assert told == {
        "person": None,
        "userErrors": [
            {"path": ["badge"], "code": "NOT_UNIQUE", "message": "Another record has this value already",
             "details": {"fields": ["badge"]}}
        ],
    }  # fmt: skip
    for how in ("UPDATE", "IGNORE"):
        assert (await staff.sue.data(upsert, b="b-ann", c=how))["upsertPerson"] == told
    mine = (await staff.sue.data(upsert, b="b-sue", c="IGNORE"))["upsertPerson"]
    assert mine["person"] == {"id": staff.ids["sue"], "name": "sue"}


async def test_a_merge_tells_nothing_of_hidden_rows_and_cells(staff: Staff) -> None:
    dry = f"""mutation($ids: [ID!]!, $k: ID!) {{
      mergePeople(ids: $ids, keep: $k, dryRun: true) {{ details {ERRORS} }} }}"""
    given = {"ids": [staff.ids["ann"], staff.ids["cat"]], "k": staff.ids["cat"]}
    seen = (await staff.sue.data(dry, **given))["mergePeople"]
    assert seen["userErrors"] == []
    assert seen["details"]["moves"] == {"note.about": 1, "person.boss": 3}
    assert set(seen["details"]["fills"]) <= {"bossId"}
    whole = (await staff.owner.data(dry, **given))["mergePeople"]
    assert whole["details"]["moves"] == {"note.about": 2, "person.boss": 3, "vault.keeper": 1}


async def test_what_stands_in_the_way_of_a_deletion_is_not_named_when_hidden(staff: Staff) -> None:
    text = f"mutation($id: ID!) {{ deletePerson(id: $id) {{ {ERRORS} }} }}"
    body = (await staff.sue.send(text, {"id": staff.ids["ann"]})).body
    told = orjson.loads(body)["data"]["deletePerson"]["userErrors"]
    assert {error["code"] for error in told} == {"REFERENCED"}
    assert staff.ids["shown"].encode() in body
    assert staff.ids["hidden"].encode() not in body
    assert b"vault" not in body.lower()


async def test_faults_name_no_hidden_field(staff: Staff) -> None:
    clerk = await hire(staff.owner, "Cleo", "clerk")
    text = f"mutation($id: ID!, $i: PersonUpdateInput!) {{ updatePerson(id: $id, input: $i) {{ {ERRORS} }} }}"
    alias = {"alias": "ann-alias"}
    assert (await staff.owner.data(text, id=staff.ids["bob"], i=alias))["updatePerson"]["userErrors"] == []
    told = (await clerk.data(text, id=staff.ids["bob"], i={"name": "ann"}))["updatePerson"]["userErrors"]
    assert told == [
        {
            "path": ["name"],
            "code": "NOT_UNIQUE",
            "message": "Another record has this value already",
            "details": {"fields": ["name"]},
        }
    ]


async def test_hidden_names_are_in_no_answer(staff: Staff) -> None:
    clerk = await hire(staff.owner, "Cleo", "clerk")
    words = re.compile(rb"salary|badge|secrets|vault|keeper", re.IGNORECASE)
    texts = [
        "{ __schema { types { name description fields { name description args { name } } inputFields { "
        "name } enumValues { name } } } }",
        '{ viewer { can(entity: "vault") { entity read } } }',
        "{ viewer { can { entity read create update delete } } }",
        "{ people { nodes { __typename salry: name } } }",
        f"mutation {{ createPerson(input: {{}}) {{ {ERRORS} }} }}",
        '{ __type(name: "Vault") { name fields { name } } }',
    ]
    for text in texts:
        reply = await clerk.send(text)
        assert not words.search(reply.body), (text, words.search(reply.body))
    assert not words.search((await clerk.house.desk.sdl(await clerk.actor())).text)
    for entity in ("person", "note"):
        assert not words.search(orjson.dumps(await clerk.house.desk.entity_schema(await clerk.actor(), entity)))
    assert await clerk.house.desk.entity_schema(await clerk.actor(), "vault") is None


async def test_suggestions_are_made_of_visible_names_only(staff: Staff) -> None:
    clerk = await hire(staff.owner, "Cleo", "clerk")
    for text in (
        "{ people { nodes { salari } } }",
        "{ vaul { id } }",
        "{ people(filter: {badg: {eq: 1}}) { totalCount } }",
    ):
        reply = await clerk.send(text)
        assert b"did you mean" not in reply.body.lower()
        assert reply.code == "BAD_USER_INPUT"


async def test_a_token_asked_for_tells_nothing_of_roles(staff: Staff) -> None:
    """A role that is unknown, one that is nearly so, and those that give more get one answer."""
    reader = role("reader", person={"read": {"rows": ["all"], "fields": {"name": True}}})
    keeper = role("vaultkeeper", vault={"read": True})
    watcher = role("watcher", ("documents.read",))
    publish = f"mutation($d: [JSON!]!) {{ publish(documents: $d) {{ {ERRORS} }} }}"
    assert (await staff.owner.administer(publish, d=[reader, keeper, watcher]))["publish"]["userErrors"] == []
    text = f'mutation($r: [String!]!) {{ createToken(name: "x", roles: $r) {{ token {ERRORS} }} }}'
    eve, wat = await hire(staff.owner, "Eve", "reader"), await hire(staff.owner, "Wat", "watcher")
    for client in (eve, Client(eve.house, eve.token, "zh-Hans")):
        told = set()
        for name in ("vaultkeeper", "vaultkeepe", "owner", "nothing"):
            made = (await client.administer(text, r=[name]))["createToken"]
            assert made["token"] is None
            told.add(orjson.dumps(made).replace(name.encode(), b"?"))
        assert len(told) == 1, told
    assert (await eve.administer(text, r=["reader"]))["createToken"]["userErrors"] == []
    messages = [
        (await wat.administer(text, r=[name]))["createToken"]["userErrors"][0]["message"]
        for name in ("vaultkeepe", "vaultkeeper")
    ]
    assert messages == [
        "Unknown role 'vaultkeepe'; did you mean 'vaultkeeper'?",
        "Role 'vaultkeeper' gives what you do not have yourself: vault.read",
    ]


async def test_an_idempotency_key_is_its_members_own(staff: Staff) -> None:
    text = (
        f'mutation($k: String) {{ createNote(input: {{text: "once"}}, idempotencyKey: $k) {{ note {{ id '
        f"}} {ERRORS} }} }}"
    )
    hers = (await staff.sue.data(text, k="same"))["createNote"]["note"]["id"]
    cleo = await hire(staff.owner, "Cleo", "clerk")
    made = (await cleo.data(text, k="same"))["createNote"]["note"]["id"]
    assert made != hers
    assert (await staff.sue.data(text, k="same"))["createNote"]["note"]["id"] == hers


async def test_answers_have_no_class_of_time(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hidden and unknown ids are one statement each, the same one: no path of its own that could be timed."""
    statements: list[str] = []
    engine = staff.sue.house.engine
    fetch = engine.fetch_row

    async def noted(namespace: str, sql: Sql, params: Sequence[Any]) -> Sequence[Any]:
        statements.append(sql.text)
        return await fetch(namespace, sql, params)

    monkeypatch.setattr(engine, "fetch_row", noted)
    for name in (staff.ids["hidden"], NOWHERE, staff.ids["hidden"]):
        await staff.sue.send("query($id: ID!) { note(id: $id) { text } }", {"id": name})
    assert len(statements) == 3
    assert len(set(statements)) == 1


def test_filters_are_many() -> None:
    assert len(filters()) == 4 * sum(len(operands(field)) for field in HIDDEN)
    assert len({orjson.dumps(item) for item in filters()}) == len(filters())
