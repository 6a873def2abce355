"""Documents: compiled once, refused with positions and without hints of hidden names."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from base.errors import BadInput, LimitExceeded, NotFound
from base.limits import DEFAULTS
from resolvers.variables import VariablesInvalid
from schema.bounded import Bounded
from schema.cache import CompiledSchema, SchemaCache
from schema.document import id_of, persisted_text
from schema.errors import DocumentInvalid, response_errors
from schema.sdl import sdl_of
from tests.schema.conftest import answer
from tests.schema.samples import everything, generated, granted, read


def test_a_document_is_compiled_once(fresh: CompiledSchema) -> None:
    text = "{ accounts { totalCount } }"
    assert fresh.document(text) is fresh.document(text)


def test_operations_are_found_by_name(fresh: CompiledSchema) -> None:
    document = fresh.document("query A { __typename } query B { meta { position } }")
    assert document.operation("B").name == "B"
    for name in (None, "C", ""):
        with pytest.raises(BadInput):
            document.operation(name)


def test_errors_have_positions_codes_and_no_hints(fresh: CompiledSchema) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        fresh.document("{ acounts { totalCount }\n viewer { compny } }")
    shown = response_errors(caught.value, "en", "r1")
    assert [error["locations"] for error in shown] == [[{"line": 1, "column": 3}], [{"line": 2, "column": 11}]]
    assert all(error["extensions"] == {"code": "BAD_USER_INPUT", "requestId": "r1"} for error in shown)
    assert "Did you mean" not in str(shown)
    assert response_errors(caught.value, "zh-Hans", "r1")[0]["message"].startswith("请求无效")


def test_null_is_called_null(fresh: CompiledSchema) -> None:
    with pytest.raises(DocumentInvalid) as refused:
        fresh.document("{ opportunity(id: null) { id } }")
    (shown,) = response_errors(refused.value, "en", "r")
    assert shown["message"] == "Expected value of non-null type 'ID!' not to be null."


def test_hidden_and_unknown_names_are_refused_alike(fresh: CompiledSchema) -> None:
    compiled = SchemaCache(answer).get(fresh.catalog, granted(account=(read(hide=("revenue",)),)))
    messages = []
    for name in ("revenue", "nothing"):
        with pytest.raises(DocumentInvalid) as caught:
            compiled.document(
                f"{{ account(id: 1) {{ {name} }} accounts(filter: {{ {name}: {{}} }}) {{ totalCount }} }}"
            )
        messages.append([error.message.replace(name, "x") for error in caught.value.errors])
    assert messages[0] == messages[1]


@pytest.mark.parametrize("text", ["", "{", "{ a", "query {", "\0", '{ account(id: "\\uD800") { id } }', "5", "[]"])
def test_what_is_no_graphql(fresh: CompiledSchema, text: str) -> None:
    with pytest.raises(DocumentInvalid):
        fresh.document(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("#" + "x" * 200_000, "characters"),
        ("{" + " a" * 10_001 + "}", "tokens"),
        ("#\n" * 10_001 + "{ __typename }", "tokens"),
        ("{a" * 20_000, "levels"),
        ("{ accounts(filter: " + "[" * 20_000, "levels"),
    ],
)
def test_documents_that_are_too_big(fresh: CompiledSchema, text: str, what: str) -> None:
    with pytest.raises(LimitExceeded, match=what):
        fresh.document(text)


FRAGMENTS = " ".join(f"fragment F{n} on Account {{ a{n}: name }}" for n in range(240))
SPREADS = " ".join(f"...F{n}" for n in range(240))


@pytest.mark.parametrize(
    "text",
    [
        "{ accounts { nodes { " + "name " * 4_900 + "} } }",
        "{ accounts { nodes { " + 'opportunities(filter: { name: { eq: "a" } }) { totalCount } ' * 500 + "} } }",
        f"{{ account(id: 1) {{ {SPREADS} }} }} {FRAGMENTS}",
        "{ accounts(filter: { or: [" + '{ name: { eq: "x" } }' * 1_000 + "] }) { totalCount } }",
        "{ accounts(orderBy: [" + "{ name: ASC }" * 1_500 + "]) { totalCount } }",
        '{ accounts(search: "' + "x" * 120_000 + '") { totalCount } }',
        "{ accounts" + "," * 120_000 + "{ totalCount } }",
        "query(" + " ".join(f"$v{n}: Int" for n in range(1_500)) + ") { __typename }",
    ],
    ids=["equal fields", "equal lists", "spreads", "literals", "orders", "text", "commas", "variables"],
)
def test_the_worst_that_fits_costs_little(fresh: CompiledSchema, text: str) -> None:
    with contextlib.suppress(LimitExceeded, DocumentInvalid):
        operation = fresh.document(text).operation(None)
        operation.selection(operation.coerce({}))


def test_six_hundred_unknown_fields_at_many_entities_cost_little() -> None:
    catalog = generated(200)
    compiled = SchemaCache(answer).get(catalog, everything(catalog))
    text = "{ things1 { nodes { " + " ".join(f"fild{n}" for n in range(600)) + " } } }"
    with pytest.raises(DocumentInvalid):
        compiled.document(text)


def test_variables_are_refused_with_their_place(fresh: CompiledSchema) -> None:
    operation = fresh.document("query($f: AccountFilter) { accounts(filter: $f) { totalCount } }").operation(None)
    with pytest.raises(VariablesInvalid) as caught:
        operation.coerce({"f": {"name": {"eqq": 1}}})
    (error,) = response_errors(caught.value, "en", "r")
    assert "'$f'" in error["message"]
    assert "at .name" in error["message"]
    assert "Did you mean" not in error["message"]


def test_selections_are_kept_per_shape(fresh: CompiledSchema) -> None:
    text = "query($f: AccountFilter) { accounts(filter: $f) { totalCount } }"
    operation = fresh.document(text).operation(None)
    one = operation.coerce({"f": {"name": {"eq": "a"}}})
    other = operation.coerce({"f": {"name": {"eq": "b"}}})
    third = operation.coerce({"f": {"name": {"neq": "b"}}})
    assert operation.selection(one) is operation.selection(other)
    assert operation.selection(third) is not operation.selection(one)


def test_mutations_and_mixed_operations_have_no_selection(fresh: CompiledSchema) -> None:
    for text in (
        "{ viewer { company { id } } accounts { totalCount } }",
        "{ __schema { queryType { name } } accounts { totalCount } }",
        'mutation { deleteAccount(id: "1") { userErrors { code } } }',
    ):
        operation = fresh.document(text).operation(None)
        assert operation.selection(operation.coerce({})) is None


def test_equal_documents_and_surfaces_share_a_schema(fresh: CompiledSchema) -> None:
    cache = SchemaCache(answer, replace(DEFAULTS, cached_schemas=2))
    grants = everything(fresh.catalog)
    one = cache.get(fresh.catalog, grants)
    renamed = replace(grants, hash="another role of the same rights")
    assert cache.get(fresh.catalog, renamed) is one
    cache.get(fresh.catalog, granted(account=(read(),)))
    cache.get(fresh.catalog, granted(product=(read(),)))
    assert cache.get(fresh.catalog, grants) is not one  # the oldest made room


def test_sdl_has_a_stable_etag(fresh: CompiledSchema) -> None:
    again = SchemaCache(answer).get(fresh.catalog, everything(fresh.catalog))
    sdl = sdl_of(fresh.core)
    assert sdl == sdl_of(again.core)
    assert sdl.etag.startswith('"')
    assert b"type Opportunity implements Node" in sdl.text


class Kept:
    """Persisted documents in memory."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], str] = {}

    def register(self, company: str, text: str) -> str:
        """Keep a document and give its id."""
        document_id = id_of(text)
        self._texts[company, document_id] = text
        return document_id

    async def get(self, company: str, document_id: str) -> str | None:
        """The text of a company's document by its id, or None."""
        return self._texts.get((company, document_id))


async def test_persisted_documents_belong_to_a_company() -> None:
    store = Kept()
    document_id = store.register("acme", "{ __typename }")
    assert document_id == id_of("{ __typename }")
    assert await persisted_text(store, "acme", document_id) == "{ __typename }"
    assert await persisted_text(store, "acme", document_id.removeprefix("sha256:").upper()) == "{ __typename }"
    for company, wanted in (("other", document_id), ("acme", "sha256:00"), ("acme", "")):
        with pytest.raises(NotFound):
            await persisted_text(store, company, wanted)


def test_a_bounded_map_forgets_what_was_not_used_for_longest() -> None:
    kept: Bounded[str, int] = Bounded(2)
    kept.put("a", 1)
    kept.put("b", 2)
    kept.get("a")
    kept.put("c", 3)
    assert (kept.get("a"), kept.get("b"), kept.get("c"), len(kept)) == (1, None, 3, 2)


def test_internal_errors_tell_nothing() -> None:
    (shown,) = response_errors(ValueError("secret"), "zh-Hans", "r9")
    assert shown == {"message": "服务器内部出错。", "extensions": {"code": "INTERNAL", "requestId": "r9"}}
