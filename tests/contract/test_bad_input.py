"""Bad input gets a clear error with a stable code; nothing is half done, and no answer tells what we are made of.

`Site.post` holds every answer of this file to that: never a 5xx, INTERNAL, a trace, SQL or a path.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from metadata.fields.registry import FIELD_TYPES
from metadata.operators.registry import OPERATORS
from tests.contract.site import CODES, PART, WIDE, Site, codes, opened_site
from tests.engines import ENGINES, place_of
from tests.houses import found_company

pytestmark = pytest.mark.asyncio(loop_scope="module")

INJECTION = "' or 1=1--"
ERRORS = "userErrors { path code message }"
CREATE = f"mutation($i: WideCreateInput!) {{ createWide(input: $i) {{ wide {{ id }} {ERRORS} }} }}"
PUBLISH = f"mutation($d: [JSON!]!) {{ publish(documents: $d) {{ version {ERRORS} }} }}"
HOSTILE: tuple[Any, ...] = (
    INJECTION, [INJECTION], {"from": INJECTION, "to": INJECTION}, {"path": [INJECTION], "eq": INJECTION},
    "%", "_", "\\", "\";--", "", "a" * 1_001, "[]", "NaN", "1e999", "0x10", "1" * 5_000, "2020-13-45",
    "9999-12-31T23:59:59+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "24:00:00",
    1e308, -0.0, 10**300, 2**31, 2**53, 2**64,
    True, None, [], {}, [["x"]], [None], {"days": 10**9}, {"days": -5}, {"months": 2**31 - 1}, {"weeks": 10**7},
    {"path": ["a"] * 1_000, "eq": 1}, {"path": ["a"], "eq": 10**300}, {"path": [], "eq": None},
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=ENGINES)
async def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A company with a field of every type."""
    async with opened_site(place_of(request.param, tmp_path_factory.mktemp("bad"))) as opened:
        yield opened


async def count(site: Site) -> int:
    """How many records there are."""
    found: int = (await site.ask("{ wides(deleted: INCLUDE) { totalCount } }"))["data"]["wides"]["totalCount"]
    return found


async def test_every_field_type_is_attacked() -> None:
    used = {item.get("x-type") for item in WIDE["properties"].values()}
    plain = {
        "text",
        "integer",
        "decimal",
        "float",
        "boolean",
        "date",
        "dateTime",
        "time",
        "choice",
        "email",
        "uuid",
        "json",
    }
    assert {item.name for item in FIELD_TYPES} <= used | plain


FIELDS = [name for name in WIDE["properties"] if name not in ("references", "children")]


@pytest.mark.parametrize("field", FIELDS)
async def test_hostile_values_in_every_operator(site: Site, field: str) -> None:
    name = f"{field}Id" if field in ("reference", "person", "crew") else field
    text = "query($f: WideFilter) { wides(filter: $f) { totalCount } }"
    for operator in OPERATORS:
        for value in HOSTILE:
            answer = await site.ask(text, {"f": {name: {operator.name: value}}})
            assert codes(answer) <= {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}
            if (
                "errors" not in answer
                and value == INJECTION
                and operator.name not in ("neq", "notIn", "gt", "gte", "lt", "lte")
            ):
                assert answer["data"]["wides"]["totalCount"] == 0, operator.name


async def test_percent_and_underscore_are_letters_in_contains(site: Site) -> None:
    text = "query($f: WideFilter) { wides(filter: $f) { nodes { text } } }"
    for operator in ("contains", "startsWith", "endsWith"):
        for letter, found in (("%", {"50%"}), ("_", {"5_0"}), ("\\", set()), ("5_0", {"5_0"})):
            answer = await site.ask(text, {"f": {"text": {operator: letter}}})
            assert {node["text"] for node in answer["data"]["wides"]["nodes"]} <= found
    for operator, pattern, matched in (
        ("like", "5\\_0", {"5_0"}),
        ("like", "5_%", {"5_0", "50%"}),
        ("iLike", "50\\%", {"50%"}),
    ):
        answer = await site.ask(text, {"f": {"text": {operator: pattern}}})
        assert {node["text"] for node in answer["data"]["wides"]["nodes"]} == matched


WRITTEN: tuple[Any, ...] = (
    *HOSTILE, {"a": 10**300}, {"a": 2**63}, {"": 1}, {"connect": INJECTION}, {"connect": None},
    {"connect": [INJECTION]},
    {"create": {}, "connect": "x"}, {"set": [INJECTION]}, {"update": [{"id": INJECTION, "input": {}}]},
    {"delete": [INJECTION]}, {"create": [{}] * 1_001}, "x" * 200_000,
)  # fmt: skip


@pytest.mark.parametrize("field", [*FIELDS, "references", "children"])
async def test_hostile_values_are_written_whole_or_not_at_all(site: Site, field: str) -> None:
    for value in WRITTEN:
        before = await count(site)
        answer = await site.ask(CREATE, {"i": {"text": "x", field: value}})
        made = (answer.get("data") or {}).get("createWide") or {"wide": None, "userErrors": []}
        assert codes(answer) <= CODES | {"VALIDATION", "NOT_FOUND", "LIMIT", "NOT_UNIQUE", "REQUIRED"}
        assert (made["wide"] is None) == bool(codes(answer))
        for error in made["userErrors"]:
            assert error["path"][0] in (field, f"{field}Id")
            assert error["message"]
        assert await count(site) - before == (made["wide"] is not None)


NUL, LONE = "\\u0000", "\\ud800"


@pytest.mark.parametrize("bad", [NUL, LONE])
async def test_nul_and_half_a_pair(site: Site, bad: str) -> None:
    before = await count(site)
    literals = (
        '{ wides(filter: {text: {eq: "@"}}) { totalCount } }',
        '{ wides(filter: {tags: {has: "@"}}) { totalCount } }',
        '{ wides(filter: {json: {path: {path: ["@"], eq: "@"}}}) { totalCount } }',
        '{ wides(search: "@") { totalCount } }',
        '{ wides(after: "@") { totalCount } }',
        '{ wide(id: "@") { id } }',
        '{ node(id: "@") { id } nodes(ids: ["@"]) { id } }',
        'mutation { createWide(input: {text: "@"}) { wide { id } } }',
        'mutation { createWide(input: {json: {a: ["@"]}}) { wide { id } } }',
        'mutation { createWide(input: {text: "x"}, idempotencyKey: "@") { wide { id } } }',
        'mutation { upsertWide(input: {email: "@"}, by: [email]) { wide { id } } }',
    )
    for text in literals:
        answer = await site.ask(text.replace("@", bad))
        assert codes(answer) == {"BAD_USER_INPUT"}, text
    inside = (
        b'{"query": "query($t: String) { wides(search: $t) { totalCount } }", "variables": {"t": "'
        + bad.encode()
        + b'"}}'
    )
    assert (await site.post(inside)).status_code == 400
    assert (await site.post(b'{"query": "{ __typename } #' + bad.encode() + b'"}')).status_code == 400
    assert await count(site) == before


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 5_000, "1e400"])
async def test_numbers_that_nothing_holds(site: Site, number: str) -> None:
    for text in (
        "{ wides(filter: {float: {eq: @}}) { totalCount } }",
        "{ wides(filter: {decimal: {eq: @}}) { totalCount } }",
        "{ wides(filter: {long: {eq: @}}) { totalCount } }",
        '{ wides(filter: {json: {path: {path: ["a"], eq: @}}}) { totalCount } }',
        "query($n: Float = @) { wides(filter: {float: {gt: $n}}) { totalCount } }",
        "{ wides(first: @) { totalCount } }",
        "mutation { createWide(input: {float: @}) { wide { id } } }",
        "mutation { createWide(input: {json: {a: @}}) { wide { id } } }",
    ):
        found = codes(await site.ask(text.replace("@", number)))
        assert found <= {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}
        assert found, text


BODIES = (
    b"", b"{", b"\xff\xfe", b"{\x00}", b'{"query": NaN}', b'{"query": 1e999}', b'{"a": 1, "a": 2}', b"[" * 20_000,
    '{"query": "{ __typename }"}'.encode("utf-16"), b'{"query": "\xff"}',
    gzip.compress(b'{"query": "{ __typename }"}', mtime=0),
    gzip.compress(b"x" * 10_000_000, mtime=0), b'{"query": "{ __typename }"} x', b"'",
    b'{"variables": {"a": ' + b"9" * 5_000 + b"}}",
)  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:16]))
async def test_bytes_that_are_no_json(site: Site, body: bytes) -> None:
    for path in ("/graphql", "/graphql/admin"):
        assert (await site.post(body, path)).status_code == 400


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        ({"Content-Encoding": "gzip"}, {415}),
        ({"Content-Encoding": "identity, br"}, {415}),
        ({"Content-Type": "application/json; charset=utf-16"}, {415}),
        ({"Content-Type": "application/x-www-form-urlencoded"}, {415}),
        ({"Content-Type": "multipart/form-data; boundary=x"}, {415}),
        ({"Content-Type": "application/json;" * 500}, {200, 415}),
        ({"Accept": "application/json;q=zz," * 500}, {200, 406}),
        ({"Accept": "text/html"}, {406}),
        ({"Accept-Language": "zh;q=NaN," * 500}, {200}),
        ({"Authorization": "Bearer " + "x" * 10_000}, {401}),
        ({"Authorization": "Bearer plt_../../etc_" + "x" * 43}, {401}),
        ({"Authorization": "Bearer plt_' or 1=1--_" + "x" * 43}, {401}),
        ({"X-Request-Id": "<script>" * 100}, {200}),
        ({"Content-Length": "-1"}, {200, 400}),
        ({f"X-{number}": "x" for number in range(300)}, {200}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_headers_of_all_kinds(site: Site, headers: dict[str, str], statuses: set[int]) -> None:
    response = await site.post(b'{"query": "{ __typename }"}', **headers)
    assert response.status_code in statuses
    assert "<script>" not in response.headers["x-request-id"]


def entity(name: str = "thing", **properties: Any) -> dict[str, Any]:
    """A small entity document."""
    return {"kind": "entity", "name": name, "title": "Thing", "type": "object", "properties": properties}


TEXT = {"type": "string"}


def many(count: int) -> dict[str, Any]:
    """An entity of so many fields."""
    return {**entity(), "properties": {f"f{number}": TEXT for number in range(count)}}


DOCUMENTS: tuple[tuple[Any, str], ...] = (
    (1, "DOCUMENT_INVALID"),
    ("x", "DOCUMENT_INVALID"),
    ([], "DOCUMENT_INVALID"),
    ({"kind": "entity"}, "DOCUMENT_INVALID"),
    ({"kind": "nothing", "name": "x"}, "DOCUMENT_UNKNOWN_NAME"),
    (entity("__proto__"), "DOCUMENT_INVALID"),
    (entity("x\n"), "DOCUMENT_INVALID"),
    (entity("query"), "DOCUMENT_NAME_RESERVED"),
    (entity("pliantThing"), "DOCUMENT_NAME_RESERVED"),
    (entity("nodes"), "DOCUMENT_NAME_RESERVED"),
    (entity(id=TEXT), "DOCUMENT_NAME_RESERVED"),
    (entity(ownerId=TEXT), "DOCUMENT_NAME_RESERVED"),
    (entity(true=TEXT), "DOCUMENT_NAME_RESERVED"),
    (entity("wides"), "DOCUMENT_NAME_CLASH"),
    (entity("wideFilter"), "DOCUMENT_NAME_CLASH"),
    ({**entity(), "x-plural": "wides"}, "DOCUMENT_NAME_CLASH"),
    (entity(a={"x-type": "reference", "x-entity": "wide", "x-inverse": "text"}), "DOCUMENT_NAME_CLASH"),
    (entity(a={"x-type": "reference", "x-entity": "wide"}, aId=TEXT), "DOCUMENT_NAME_CLASH"),
    (entity(a={"x-type": "reference", "x-entity": "wiide"}), "DOCUMENT_UNKNOWN_NAME"),
    (entity(a={"type": "string", "minLenght": 1}), "DOCUMENT_UNKNOWN_NAME"),
    (entity(a={"$ref": "http://127.0.0.1:1/x.json"}), "DOCUMENT_REFUSED"),
    (entity(a={"$ref": "file:///etc/passwd"}), "DOCUMENT_REFUSED"),
    (entity(a={"type": "object", "not": {"$ref": "HTTP://127.0.0.1:1/"}}), "DOCUMENT_REFUSED"),
    (entity(a={"type": "string", "pattern": "(a+)+$"}), "DOCUMENT_REFUSED"),
    (entity(a={"type": "string", "pattern": "(?=a)"}), "DOCUMENT_REFUSED"),
    (entity(a={"$dynamicRef": "#x"}), "DOCUMENT_REFUSED"),
    (many(15_000), "DOCUMENT_LIMIT"),
    (many(501), "DOCUMENT_LIMIT"),
    (entity(a={"type": "integer", "default": "x"}), "DOCUMENT_INVALID"),
    (entity(a={"enum": ["true"]}), "DOCUMENT_NAME_RESERVED"),
    (entity(a={"enum": ["A", "A"]}), "DOCUMENT_INVALID"),
    ({**entity(a=TEXT), "x-unique": [["b"]]}, "DOCUMENT_UNKNOWN_NAME"),
    ({**entity(), "x-rules": [{"name": "r", "check": "__import__('os')", "message": "x"}]}, "DOCUMENT_EXPRESSION"),
    ({**entity(), "x-rules": [{"name": "r", "check": "!" * 3_000 + "true", "message": "x"}]}, "DOCUMENT_EXPRESSION"),
    ({"kind": "role", "name": "r", "entities": {"nothing": {"read": True}}}, "DOCUMENT_UNKNOWN_NAME"),
    ({"kind": "role", "name": "r", "platform": ["root"]}, "DOCUMENT_INVALID"),
    ({"kind": "role", "name": "owner", "entities": {}}, "DOCUMENT_NAME_CLASH"),
    ({"kind": "role", "name": "r", "includes": ["r"]}, "DOCUMENT_INVALID"),
)


@pytest.mark.parametrize(("document", "code"), DOCUMENTS, ids=lambda value: str(value)[:60])
async def test_documents_that_cannot_be(site: Site, document: Any, code: str) -> None:
    before = (await site.ask("{ catalogVersion }", path="/graphql/admin"))["data"]
    answer = await site.ask(PUBLISH, {"d": [entity("fine", a=TEXT), document]}, "/graphql/admin")
    told = answer["data"]["publish"]
    assert told["version"] is None
    assert code in {error["code"] for error in told["userErrors"]}
    for error in told["userErrors"]:
        assert error["path"]
        assert error["message"]
    assert (await site.ask("{ catalogVersion }", path="/graphql/admin"))["data"] == before


async def test_an_integer_of_many_digits_is_no_json_value(site: Site) -> None:
    answer = await site.ask(PUBLISH, {"d": [entity(a={"type": "integer", "maximum": 10**300})]}, "/graphql/admin")
    assert codes(answer) == {"BAD_USER_INPUT"}


async def test_stale_versions_and_reused_keys(site: Site) -> None:
    made = (await site.ask(CREATE, {"i": {"text": "v"}}))["data"]["createWide"]["wide"]["id"]
    update = (
        f'mutation($id: ID!, $v: Int) {{ updateWide(id: $id, input: {{text: "w"}}, expectedVersion: $v) '
        f"{{ {ERRORS} }} }}"
    )
    for version in (0, 2, -1, 2**31 - 1):
        assert codes(await site.ask(update, {"id": made, "v": version})) == {"CONFLICT"}
    assert codes(await site.ask(update, {"id": made, "v": 2**31})) == {"BAD_USER_INPUT"}
    assert codes(await site.ask(update, {"id": made, "v": 1})) == set()
    keyed = (
        f"mutation($t: String, $k: String) {{ createWide(input: {{text: $t}}, idempotencyKey: $k) {{ "
        f"wide {{ id }} {ERRORS} }} }}"
    )
    first = await site.ask(keyed, {"t": "a", "k": "k1"})
    assert await site.ask(keyed, {"t": "a", "k": "k1"}) == first
    before = await count(site)
    assert codes(await site.ask(keyed, {"t": "b", "k": "k1"})) == {"BAD_USER_INPUT"}
    for key in ("", "x" * 256):
        assert codes(await site.ask(keyed, {"t": "a", "k": key})) == {"BAD_USER_INPUT"}
    assert await count(site) == before


async def test_what_belongs_to_another_company_is_unknown(site: Site) -> None:
    other = await found_company(site.owner.house, (WIDE, PART), "Other")
    make = 'mutation { createWide(input: {text: "foreign"}) { wide { id } } }'
    foreign = (await other.data(make))["createWide"]["wide"]["id"]
    nowhere = foreign[:-4] + ("0000" if foreign[-4:] != "0000" else "1111")

    async def told(text: str, value: str) -> bytes:
        response = await site.post(
            json.dumps({"query": text, "variables": {"v": value}}).encode(), **{"X-Request-Id": "r"}
        )
        return response.content

    for text in (
        "query($v: ID!) { wide(id: $v) { id } node(id: $v) { id } nodes(ids: [$v]) { id } }",
        "query($v: ID!) { wides(filter: {or: [{id: {eq: $v}}, {referenceId: {eq: $v}}]}) { totalCount } }",
        f"mutation($v: ID!) {{ deleteWide(id: $v) {{ {ERRORS} }} }}",
        f'mutation($v: ID!) {{ updateWide(id: $v, input: {{text: "x"}}, expectedVersion: 1) {{ {ERRORS} }} }}',
        f"mutation($v: ID!) {{ createWide(input: {{reference: {{connect: $v}}}}) {{ {ERRORS} }} }}",
        f"mutation($v: ID!) {{ createWide(input: {{references: {{connect: [$v]}}}}) {{ {ERRORS} }} }}",
        f"mutation($v: ID!) {{ mergeWides(ids: [$v], keep: $v) {{ {ERRORS} }} }}",
        f"mutation($v: ID!) {{ restoreWide(id: $v) {{ {ERRORS} }} }}",
        f"mutation($v: ID!) {{ purgeWide(id: $v) {{ {ERRORS} }} }}",
    ):
        assert await told(text, foreign) == await told(text, nowhere), text
    cursor = (await other.data("{ wides { pageInfo { endCursor } } }"))["wides"]["pageInfo"]["endCursor"]
    page = "query($v: String) { wides(after: $v) { totalCount } }"
    assert await told(page, cursor) == await told(page, "rubbish") == await told(page, cursor[:-1])
    company, _, secret = other.token.rpartition("_")
    mine = site.owner.token.rpartition("_")[0]
    answers = set()
    for token in (f"{mine}_{secret}", f"{company}_{'x' * 43}", "rubbish", f"plt_nobody_{secret}"):
        headers = {"Authorization": f"Bearer {token}", "X-Request-Id": "r"}
        answers.add((await site.post(b'{"query": "{ __typename }"}', **headers)).content)
    assert len(answers) == 1
    assert (await other.data("{ wides { totalCount } }"))["wides"]["totalCount"] == 1


async def test_the_administration_takes_no_bad_text_either(site: Site) -> None:
    expires = 'mutation { createToken(name: "x", roles: [], expiresAt: "9999-12-31T23:59:59-23:59") { id } }'
    for text in (
        'mutation { registerDocument(text: "\\u0000") { id } }',
        'mutation { registerDocument(text: "{ a }", name: "\\u0000") { id } }',
        'mutation { createToken(name: "\\u0000", roles: []) { id } }',
        'mutation { publish(documents: [], removals: [{kind: "entity", name: "nothing"}]) { version } }',
        'mutation { publish(documents: [], removals: [{kind: "entity", name: "member"}]) { version } }',
        expires,
    ):
        assert codes(await site.ask(text, path="/graphql/admin")) == {"BAD_USER_INPUT"}, text
