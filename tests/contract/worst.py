"""The worst requests that we know: small, or as large as may be, and made to cost much. One row each."""

# ruff: noqa: E501 (a row of the table is a line)
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.contract.site import WIDE

SCALARS = " ".join(
    name for name in WIDE["properties"] if name not in ("reference", "references", "children", "person", "crew")
)


@dataclass(frozen=True)
class Worst:
    """A request: what it is, its bytes, and where it goes."""

    name: str
    body: Callable[[], bytes]
    path: str = "/graphql"


def query(text: str, **variables: Any) -> bytes:
    """A request's bytes."""
    return json.dumps({"query": text, "variables": variables}).encode()


def publish(*documents: Any) -> bytes:
    """The bytes of a publish."""
    return query("mutation($d: [JSON!]!) { publish(documents: $d) { version userErrors { code } } }", d=documents)


def nested(inner: str, wrap: str, times: int) -> str:
    """A text wrapped so many times; `@` stands for what is inside."""
    for _ in range(times):
        inner = wrap.replace("@", inner)
    return inner


def fan_out(levels: int) -> str:
    """Each fragment spreads the next one twice."""
    spreads = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return f"{{ ...f0 }} {spreads} fragment f{levels} on Query {{ __typename }}"


def thing(**properties: Any) -> dict[str, Any]:
    """An entity document."""
    return {"kind": "entity", "name": "thing", "title": "Thing", "type": "object", "properties": properties}


def doubling(levels: int) -> dict[str, Any]:
    """`allOf` of two references to the next definition, that many times."""
    definitions: dict[str, Any] = {"d0": {"type": "object"}}
    for number in range(1, levels):
        definitions[f"d{number}"] = {"allOf": [{"$ref": f"#/$defs/d{number - 1}"}] * 2}
    return {**thing(a={"type": "object", "allOf": [{"$ref": f"#/$defs/d{levels - 1}"}]}), "$defs": definitions}


def every(levels: int) -> dict[str, Any]:
    """A filter through a to-many relation, that deep."""
    found: dict[str, Any] = {"text": {"eq": "x"}}
    for _ in range(levels):
        found = {"referrers": {"every": found}}
    return found


def of_none(roots: int, fields: str) -> str:
    """So many root lists that read nothing, each with a list; `fields` are those of both levels."""
    inner = "{ nodes { ...F reference { referrers(first: 0) { nodes { ...F } } } } }"
    lists = " ".join(f'a{n}: wides(first: 0, filter: {{text: {{eq: "{n}"}}}}) {inner}' for n in range(roots))
    return f"{{ {lists} }} fragment F on Wide {{ {fields} }}"


FILTER = "query($f: WideFilter) { wides(filter: $f) { totalCount nodes { id } } }"
LISTS = f'{SCALARS} referrers(first: 2, filter: {{reference: {{text: {{eq: "x"}}}}}}) {{ totalCount nodes {{ @ }} }}'

WORST: tuple[Worst, ...] = (
    Worst("5,000 aliases", lambda: query("{" + " ".join(f"a{n}: __typename" for n in range(5_000)) + "}")),
    Worst("fragment fan-out 2^20", lambda: query(fan_out(20))),
    Worst("first: 1000000", lambda: query("{ wides(first: 1000000) { nodes { id } } }")),
    Worst(
        "first: 1000 in first: 1000",
        lambda: query("{ wides(first: 1000) { nodes { referrers(first: 1000) { nodes { id } } } } }"),
    ),
    Worst("600 unknown fields", lambda: query("{" + " ".join(f"accounst{n}" for n in range(90)) + " wides { nodes {"
          + " ".join(f"txet{n}" for n in range(510)) + "} } }")),
    Worst("5 MB of comment", lambda: query("{ __typename } #" + "x" * 5_000_000)),
    Worst("1 MB of comment", lambda: query("{ __typename } #" + "x" * 1_000_000)),
    Worst("60,000 comments", lambda: query("{ __typename }" + "#\n" * 60_000)),
    Worst("100,000 variable objects", lambda: query(FILTER, f={"and": [{}] * 100_000})),
    Worst("100,000 objects in a variable of no use", lambda: query("{ __typename }", x=[{}] * 100_000)),
    Worst("20,000 brackets", lambda: b"[" * 20_000),
    Worst("20,000 brackets in a document", lambda: query("{ wides(filter: {and: " + "[" * 20_000 + "]" * 20_000 + "}) { totalCount } }")),
    Worst("20,000 braces in a document", lambda: query("{a" * 20_000)),
    Worst("an integer of 5,000 digits", lambda: query("{ __typename }", x=1).replace(b"1}", b"1" * 5_000 + b"}")),
    Worst("1e999 as a literal", lambda: query("mutation { createWide(input: {float: 1e999}) { userErrors { code } } }")),
    Worst("21 operations", lambda: query(" ".join(f"query q{n} {{ __typename }}" for n in range(21)))),
    Worst("200 directives", lambda: query("{ __typename " + "@skip(if: false) " * 200 + "}")),
    Worst("introspection five rounds deep", lambda: query("{ __schema { types { " + nested("name", "fields { type { @ } }", 5) + " } } }")),
    Worst("90 introspections", lambda: query("{" + " ".join(f"a{n}: __schema {{ types {{ name fields {{ name }} }} }}" for n in range(90)) + "}")),
    Worst("a filter 50 deep", lambda: query(FILTER, f=json.loads(nested('{"text": {"eq": "x"}}', '{"not": @}', 50)))),
    Worst("a filter through nine lists", lambda: query(FILTER, f=every(9))),
    Worst("a filter of 600 conditions", lambda: query(FILTER, f={"or": [{"text": {"contains": "x"}}] * 600})),
    Worst("in: 10,000 texts", lambda: query(FILTER, f={"text": {"in": [f"x{n}" for n in range(10_000)]}})),
    Worst("in: 10,001 texts", lambda: query(FILTER, f={"text": {"in": [f"x{n}" for n in range(10_001)]}})),
    Worst("like of 500 wildcards", lambda: query(FILTER, f={"text": {"like": "%a" * 500}})),
    Worst("a search of 100,000 terms", lambda: query("query($s: String) { wides(search: $s) { totalCount } }", s="a " * 100_000)),
    Worst("a search for one term that folds to 18 times its length", lambda: query("query($s: String) { wides(search: $s) { totalCount } }", s="\ufdfa" * 100_000)),
    Worst("1,000 orders", lambda: query("query($o: [WideOrderBy!]) { wides(orderBy: $o) { totalCount } }", o=[{"integer": "ASC"}] * 1_000)),
    Worst("240 aliased relations", lambda: query("{ wides { nodes {" + " ".join(f"a{n}: reference {{ text }}" for n in range(240)) + "} } }")),
    Worst("100 root lists", lambda: query("{" + " ".join(f"a{n}: wides(first: 1) {{ totalCount nodes {{ text }} }}" for n in range(100)) + "}")),
    Worst("20 root lists of no records, each with a list and five relations", lambda: query(of_none(20, SCALARS + " reference { text } person { name }"))),
    Worst("100 root lists of no records, each with a list and nine relations", lambda: query(of_none(100, "text integer person { name } crew { name } owner { name } createdBy { name }"))),
    Worst("six wide lists in each other", lambda: query("{ wides(first: 2) { nodes { " + nested("id", LISTS, 6) + " } } }")),
    Worst("eleven lists in each other", lambda: query("{ wides(first: 1) { nodes { " + nested("id", "referrers(first: 1) { nodes { @ } }", 11) + " } } }")),
    Worst("500 times the same field with the same fields", lambda: query("{ wides { nodes {" + " reference { id reference { id } }" * 500 + "} } }")),
    Worst("100 creates in one request", lambda: query("mutation {" + " ".join(f"a{n}: createPart(input: {{}}) {{ userErrors {{ code }} }}" for n in range(100)) + "}")),
    Worst("1,000 creates in one field", lambda: query("mutation($i: [PartCreateInput!]!) { createParts(input: $i) { count userErrors { code } } }", i=[{"name": "x"}] * 1_000)),
    Worst("1,001 creates in one field", lambda: query("mutation($i: [PartCreateInput!]!) { createParts(input: $i) { count userErrors { code } } }", i=[{}] * 1_001)),
    Worst("nested creates, 20 deep", lambda: query("mutation($i: WideCreateInput!) { createWide(input: $i) { userErrors { code } } }", i=json.loads(nested("{}", '{"reference": {"create": @}}', 20)))),
    Worst("a text of 900,000 characters", lambda: query("mutation($i: WideCreateInput!) { createWide(input: $i) { userErrors { code } } }", i={"longText": "x" * 900_000})),
    Worst("a json value of 30,000 keys", lambda: query("mutation($i: WideCreateInput!) { createWide(input: $i) { userErrors { code } } }", i={"json": {f"k{n}": n for n in range(30_000)}})),
    Worst("nodes of 50,000 ids", lambda: query("query($i: [ID!]!) { nodes(ids: $i) { id } }", i=["x"] * 50_000)),
    Worst("a cursor of 500,000 characters", lambda: query("query($a: String) { wides(after: $a) { totalCount } }", a="A" * 500_000)),
    Worst("a document of 15,000 properties", lambda: publish(thing(**{f"f{n}": {"type": "string"} for n in range(15_000)})), "/graphql/admin"),
    Worst("a pattern (a+)+$", lambda: publish(thing(a={"type": "string", "pattern": "(a+)+$"})), "/graphql/admin"),
    Worst("doubling allOf, 24 levels", lambda: publish(doubling(24)), "/graphql/admin"),
    Worst("$ref to a web address", lambda: publish(thing(a={"$ref": "http://127.0.0.1:1/x.json"})), "/graphql/admin"),
    Worst("$ref to a file", lambda: publish(thing(a={"$ref": "file:///etc/passwd"})), "/graphql/admin"),
    Worst("4,001 entities", lambda: publish(*[{**thing(), "name": f"thing{n}"} for n in range(4_001)]), "/graphql/admin"),
    Worst("a rule of 3,000 brackets", lambda: publish({**thing(), "x-rules": [{"name": "r", "check": "(" * 1_500 + "true" + ")" * 1_500, "message": "x"}]}), "/graphql/admin"),
)  # fmt: skip
"""All of them; docs/worst-requests.md is their table."""
