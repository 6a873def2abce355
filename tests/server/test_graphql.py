"""The GraphQL doors as GraphQL over HTTP and docs/http.md describe them."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from base.limits import DEFAULTS
from metadata.usage import read_uses
from server.negotiation import GRAPHQL, JSON
from tests.server.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

TYPENAME = "{ __typename }"


async def post(site: Site, content: bytes, accept: str = JSON, **more: str) -> httpx2.Response:
    headers = {**site.bearer, "Content-Type": JSON, "Accept": accept, **more}
    return await site.client.post("/graphql", content=content, headers=headers)


def code(response: httpx2.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


@pytest.mark.parametrize("media", [JSON, GRAPHQL])
async def test_a_query_is_answered_in_the_type_that_was_asked_for(site: Site, media: str) -> None:
    response = await site.ask("{ viewer { member { name } } }", Accept=media)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{media}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.json() == {"data": {"viewer": {"member": {"name": "Owner"}}}}


async def test_records_are_written_and_read(site: Site) -> None:
    made = await site.ask('mutation { createTask(input: {name: "赢单"}) { task { name } userErrors { code } } }')
    assert made.json()["data"]["createTask"] == {"task": {"name": "赢单"}, "userErrors": []}
    read = await site.ask("{ tasks { nodes { name } } }")
    assert read.json() == {"data": {"tasks": {"nodes": [{"name": "赢单"}]}}}


@pytest.mark.parametrize(("media", "status"), [(JSON, 200), (GRAPHQL, 400)])
@pytest.mark.parametrize("query", ["{", "{ nothing }", "query ($x: Int!) { __typename }"])
async def test_request_errors_have_400_only_in_the_new_type(site: Site, query: str, media: str, status: int) -> None:
    response = await site.ask(query, Accept=media)
    assert response.status_code == status
    assert code(response) == "BAD_USER_INPUT"
    assert "data" not in response.json()


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer plt_x_y", "Bearer é"])
async def test_without_good_credentials_it_is_401_as_graphql(site: Site, authorization: str | None) -> None:
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}
    for path in ("/graphql", "/graphql/admin"):
        response = await site.client.post(path, json={"query": TYPENAME}, headers=headers)
        assert response.status_code == 401
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert code(response) == "UNAUTHENTICATED"


async def test_unknown_and_foreign_tokens_look_the_same(site: Site) -> None:
    def told(response: httpx2.Response) -> Any:
        body = response.json()
        body["errors"][0]["extensions"].pop("requestId")
        return body

    answers = []
    for token in (site.token[:-4] + "AAAA", f"plt_nobody_{'a' * 43}"):
        headers = {"Authorization": f"Bearer {token}"}
        answers.append(told(await site.client.post("/graphql", json={"query": TYPENAME}, headers=headers)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
async def test_other_methods_are_405(site: Site, method: str) -> None:
    for query in ("", "?query=%7B__typename%7D", "?query=%7B__typename%7D&documentId=x"):
        response = await site.client.request(method, f"/graphql{query}", headers=site.bearer)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert response.headers["content-type"] == "application/problem+json"


async def test_a_get_runs_persisted_queries_only(site: Site) -> None:
    unknown = await site.client.get(
        "/graphql", params={"documentId": f"sha256:{'0' * 64}"}, headers={**site.bearer, "Accept": GRAPHQL}
    )
    assert unknown.status_code == 400
    assert code(unknown) == "NOT_FOUND"
    broken = await site.client.get("/graphql?documentId=a&variables=%7B", headers=site.bearer)
    assert broken.status_code == 400


async def registered(site: Site, text: str) -> str:
    """The id of a document that the owner registers."""
    query = "mutation ($text: String!) { registerDocument(text: $text) { id userErrors { message } } }"
    body = {"query": query, "variables": {"text": text}}
    response = await site.client.post("/graphql/admin", json=body, headers=site.bearer)
    payload = response.json()["data"]["registerDocument"]
    assert payload["userErrors"] == []
    found: str = payload["id"]
    return found


async def test_persisted_queries_run_by_get_and_mutations_do_not(site: Site) -> None:
    query = await registered(site, "query Named($n: String) { tasks(filter: {name: {eq: $n}}) { totalCount } }")
    asked = {"documentId": query, "variables": '{"n": "nobody"}', "operationName": "Named"}
    answer = await site.client.get("/graphql", params=asked, headers=site.bearer)
    assert answer.json() == {"data": {"tasks": {"totalCount": 0}}}
    posted = await site.client.post(
        "/graphql", json={"documentId": query, "variables": {"n": "nobody"}}, headers=site.bearer
    )
    assert posted.json() == {"data": {"tasks": {"totalCount": 0}}}
    mutation = await registered(site, 'mutation { createTask(input: {name: "by get"}) { task { name } } }')
    for media in (JSON, GRAPHQL):
        headers = {**site.bearer, "Accept": media}
        refused = await site.client.get("/graphql", params={"documentId": mutation}, headers=headers)
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        assert code(refused) == "BAD_USER_INPUT"


@pytest.mark.parametrize("accept", ["text/event-stream", "text/html", "application/json;q=0"])
async def test_what_cannot_be_answered_is_406(site: Site, accept: str) -> None:
    response = await site.ask(TYPENAME, Accept=accept)
    assert response.status_code == 406


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Content-Type": ""}, {"Content-Encoding": "gzip"}], ids=str
)
async def test_what_is_not_announced_as_json_is_415(site: Site, headers: dict[str, str]) -> None:
    response = await post(site, b'{"query": "{ __typename }"}', **headers)
    assert response.status_code == 415


NOT_JSON = [
    b"", b"{", b"\xff\xfe", b"nope", b'{"query": NaN}', b'{"query": 1e999}', b'{"query": "{a}", "query": "{b}"}',
    b'{"query": "\\u0000"}', b'{"query": "\\ud800"}', b'{"variables": {"a": ' + b"1" * 5_000 + b"}}", b"[" * 20_000,
    b'{"a":' * 5_000, b'"' + b'\\"' * 300_000, b"\x00" * 100,
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:24]))
async def test_bytes_that_are_not_json_are_a_problem_document(site: Site, body: bytes) -> None:
    response = await post(site, body)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b'[{"query": "{ __typename }"}]', b"1", b"null", b'"x"', b"{}", b'{"query": 1}', b'{"query": null}',
        b'{"query": ["{a}"]}', b'{"query": "{a}", "variables": []}', b'{"query": "{a}", "variables": "{}"}',
        b'{"query": "{a}", "operationName": 1}', b'{"query": "{a}", "extensions": 1}', b'{"documentId": 1}',
        b'{"query": "{a}", "documentId": "b"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("media", [JSON, GRAPHQL])
async def test_json_that_is_no_request_is_400_as_graphql(site: Site, body: bytes, media: str) -> None:
    response = await post(site, body, media)
    assert response.status_code == 400
    assert code(response) == "BAD_USER_INPUT"


async def test_nulls_and_unknown_parameters_do_no_harm(site: Site) -> None:
    body = b'{"query": "{ __typename }", "variables": null, "operationName": null, "extensions": null, "more": 1}'
    assert (await post(site, body)).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("announced", [True, False])
async def test_large_bodies_are_refused(site: Site, announced: bool) -> None:
    async def parts() -> Any:
        for _ in range(3):
            yield b" " * (DEFAULTS.body_bytes // 2)

    body: Any = b" " * (DEFAULTS.body_bytes + 1) if announced else parts()
    response = await site.client.post("/graphql", content=body, headers={**site.bearer, "Content-Type": JSON})
    assert response.status_code == 413
    assert code(response) == "LIMIT_EXCEEDED"


async def test_messages_speak_the_language_that_was_asked_for(site: Site) -> None:
    response = await site.client.post("/graphql", json={"query": TYPENAME}, headers={"Accept-Language": "zh-CN"})
    assert "令牌" in response.json()["errors"][0]["message"]
    problem = await site.client.get("/graphql", headers={"Accept-Language": "zh-CN"})
    assert "请使用 POST" in problem.json()["detail"]


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-123", True), ("a" * 100, True), ("a" * 101, False), ("a b", False), ('x"y', False)]
)
async def test_request_ids_are_taken_when_they_are_sane(site: Site, given: str, kept: bool) -> None:
    response = await site.ask(TYPENAME, X_Request_Id=given)
    assert (response.headers["x-request-id"] == given) is kept
    assert site.lines()[-1]["requestId"] == response.headers["x-request-id"]


async def test_one_line_is_logged_without_secrets(site: Site) -> None:
    body = {"query": "query Mine($n: String) { tasks(filter: {name: {eq: $n}}) { totalCount } }",
            "variables": {"n": "hush"}, "operationName": "Mine"}  # fmt: skip
    before = len(site.lines())
    await site.client.post("/graphql", json=body, headers=site.bearer)
    (line,) = site.lines()[before:]
    assert line["status"] == 200
    assert line["operation"] == "Mine"
    assert line["company"] == site.company
    text = site.logged.getvalue().decode()
    assert "hush" not in text
    assert site.token not in text


async def test_cors_is_for_listed_origins_only(site: Site) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    for origin, allowed in (("https://crm.example.com", True), ("https://evil.example", False)):
        for path in ("/graphql", "/schemas/role.json"):
            flight = await site.client.options(path, headers={"Origin": origin, **asked})
            assert flight.status_code == 204
            assert ("access-control-allow-origin" in flight.headers) is allowed
            assert ("access-control-allow-headers" in flight.headers) is allowed
        response = await site.ask(TYPENAME, Origin=origin)
        assert (response.headers.get("access-control-allow-origin") == origin) is allowed
        assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/nowhere"])
async def test_every_answer_has_the_security_headers(site: Site, path: str) -> None:
    response = await site.client.get(path)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["x-request-id"]


async def test_a_request_may_name_its_form_and_use_is_counted_by_it(site: Site) -> None:
    assert site.house.runtime.usage is not None
    query = "query FromForm { tasks { totalCount } }"
    for form in ("lead-capture", "lead-capture", "crm/Web:1.2"):
        assert (await site.ask(query, X_Pliant_Form=form)).status_code == 200
    await site.house.runtime.usage.flush()
    namespace = (await site.house.authenticate(site.token)).namespace
    uses = await read_uses(site.house.engine, namespace, DEFAULTS)
    found = {use.form: use.count for use in uses if use.document.name == "FromForm"}
    assert found == {"lead-capture": 2, "crm/Web:1.2": 1}


@pytest.mark.parametrize("form", ["", " ", "a b", "-a", "a" * 101, "<script>", "表单"])
async def test_what_names_no_form_is_refused(site: Site, form: str) -> None:
    bearer = {name.encode(): value.encode() for name, value in site.bearer.items()}
    given = {**bearer, b"X-Pliant-Form": form.encode()}
    answer = await site.client.post("/graphql", json={"query": TYPENAME}, headers=given)
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "X-Pliant-Form" in error["message"]


async def test_a_request_comes_from_one_form(site: Site) -> None:
    given = [*site.bearer.items(), ("X-Pliant-Form", "a"), ("X-Pliant-Form", "b")]
    answer = await site.client.post("/graphql", json={"query": TYPENAME}, headers=given)
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
