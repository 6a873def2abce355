"""Plans: operations as selections, whatever way the document and the variables spell them."""

from __future__ import annotations

from typing import Any

import pytest

from base.errors import BadInput
from base.ids import new_id
from metadata.catalog import Catalog
from records.selection import (
    Aggregate,
    AggregateItem,
    Constant,
    CursorItem,
    Deleted,
    Edges,
    Listing,
    NodeItem,
    Nodes,
    Order,
    PageInfo,
    Record,
    RootListing,
    RootMeta,
    RootNode,
    RootNodes,
    RootRecord,
    RootTypeName,
    Scalar,
    Selection,
    ToMany,
    ToOne,
    TotalCount,
    TypeName,
    Variable,
)
from schema.cache import CompiledSchema


def plan(compiled: CompiledSchema, text: str, **variables: Any) -> Selection | None:
    """The selection of a document's only operation."""
    operation = compiled.document(text).operation(None)
    return operation.selection(operation.coerce(variables))


def listing(compiled: CompiledSchema, arguments: str, declared: str = "", **variables: Any) -> Listing:
    """The listing of opportunities with some arguments."""
    found = plan(compiled, f"query{declared} {{ opportunities({arguments}) {{ totalCount }} }}", **variables)
    assert found is not None
    (root,) = found.roots
    assert isinstance(root, RootListing)
    return root.listing


def test_one_record(compiled: CompiledSchema) -> None:
    text = "query($id: ID!) { o: opportunity(id: $id) { __typename id called: name account { id } accountId } }"
    assert plan(compiled, text, id="7") == Selection(
        (
            RootRecord(
                "o",
                "opportunity",
                Variable(("id",)),
                Record(
                    "opportunity",
                    (
                        TypeName("__typename", "Opportunity"),
                        Scalar("id", "id"),
                        Scalar("called", "name"),
                        ToOne("account", "account", Record("account", (Scalar("id", "id"),))),
                        Scalar("accountId", "accountId"),
                    ),
                ),
            ),
        )
    )


def test_all_parts_of_a_connection(compiled: CompiledSchema) -> None:
    text = """{ accounts { __typename
      edges { __typename cursor node { id } } nodes { opportunities(first: 2) { totalCount } }
      pageInfo { more: hasNextPage __typename endCursor } totalCount
      aggregate { count sum { revenue } distinctCount { n: name __typename } } } }"""
    found = plan(compiled, text)
    assert found is not None
    (root,) = found.roots
    assert isinstance(root, RootListing)
    inner = Listing("opportunity", (TotalCount("totalCount"),), first=Constant(2))
    assert root.listing.parts == (
        TypeName("__typename", "AccountConnection"),
        Edges(
            "edges",
            (
                TypeName("__typename", "AccountEdge"),
                CursorItem("cursor"),
                NodeItem("node", Record("account", (Scalar("id", "id"),))),
            ),
        ),
        Nodes("nodes", Record("account", (ToMany("opportunities", "opportunities", inner),))),
        PageInfo("pageInfo", (("more", "hasNextPage"), TypeName("__typename", "PageInfo"), ("endCursor", "endCursor"))),
        TotalCount("totalCount"),
        Aggregate(
            "aggregate",
            (
                AggregateItem("count", "count"),
                AggregateItem("sum", "sum", (("revenue", "revenue"),)),
                AggregateItem(
                    "distinctCount",
                    "distinctCount",
                    (("n", "name"), TypeName("__typename", "AccountDistinctCountAggregate")),
                ),
            ),
        ),
    )


def test_fragments_and_equal_keys_merge(compiled: CompiledSchema) -> None:
    spread = """{ account(id: "1") { ...A parent { id } ... on Node { id } ... { name } } }
                fragment A on Account { name parent { name ...B } }  fragment B on Account { sector }"""
    plain = '{ account(id: "1") { name parent { name sector id } id } }'
    assert plan(compiled, spread) == plan(compiled, plain)


def test_skip_and_include_are_applied(compiled: CompiledSchema) -> None:
    text = """query($yes: Boolean!, $no: Boolean = false) { account(id: "1") {
      id @include(if: $yes) name @skip(if: $yes) sector @include(if: $no) ...A @skip(if: $no) } }
      fragment A on Account { revenue @include(if: true) @skip(if: false) }"""
    assert plan(compiled, text, yes=True) == plan(compiled, '{ account(id: "1") { id revenue } }')
    assert plan(compiled, text, yes=False, no=True) == plan(compiled, '{ account(id: "1") { name sector } }')


def test_nodes_are_planned_for_the_entities_of_their_ids(compiled: CompiledSchema, sales: Catalog) -> None:
    account, product = (new_id(sales.entities[name].number) for name in ("account", "product"))
    text = """query($id: ID!, $ids: [ID!]!) {
      node(id: $id) { id __typename ... on Account { name } } nodes(ids: $ids) { id } }"""
    found = plan(compiled, text, id=account, ids=[account, product, "nonsense"])
    assert found is not None
    one, many = found.roots
    assert one == RootNode(
        "node",
        Variable(("id",)),
        {"account": Record("account", (Scalar("id", "id"), TypeName("__typename", "Account"), Scalar("name", "name")))},
    )
    assert isinstance(many, RootNodes)
    assert many.ids == Variable(("ids",))
    assert set(many.selections) == {"account", "product"}
    other = plan(compiled, text, id=product, ids=[])
    assert other is not None
    assert isinstance(other.roots[0], RootNode)
    assert other.roots[0].selections == {
        "product": Record("product", (Scalar("id", "id"), TypeName("__typename", "Product")))
    }
    literal = plan(compiled, f'{{ node(id: "{product}") {{ id }} nodes(ids: ["{account}"]) {{ id }} }}')
    assert literal is not None
    assert [set(root.selections) for root in literal.roots if isinstance(root, RootNode | RootNodes)] == [
        {"product"},
        {"account"},
    ]


def test_meta_and_typename_are_planned_with_records(compiled: CompiledSchema) -> None:
    found = plan(compiled, "{ __typename m: meta { p: position catalogVersion __typename } }")
    assert found == Selection(
        (
            RootTypeName("__typename", "Query"),
            RootMeta(
                "m",
                (("p", "position"), ("catalogVersion", "catalogVersion"), TypeName("__typename", "PliantMeta")),
            ),
        )
    )


def test_literals_are_constants_and_variables_are_places(compiled: CompiledSchema) -> None:
    text = "filter: { stage: { in: [WON] }, amount: { gte: $m }, and: { open: { eq: true } } }"
    found = listing(compiled, text, "($m: Decimal)", m="1.5")
    assert found.filter == {
        "stage": {"in": Constant(["WON"])},
        "amount": {"gte": Variable(("m",))},
        "and": ({"open": {"eq": Constant(True)}},),
    }


def test_a_variable_spreads_into_its_structure(compiled: CompiledSchema) -> None:
    sent = {
        "name": {"in": ["a", "b"]},
        "open": {"eq": True},
        "closeOn": {"between": {"from": "2026-01-01", "to": "2026-02-01"}, "inLast": {"days": 3}},
        "account": {"tags": {"has": "x"}},
        "lines": {"some": {"quantity": {"gt": 1}}},
        "or": [{"stage": {"eq": "WON"}}],
    }
    found = listing(compiled, "filter: $f", "($f: OpportunityFilter)", f=sent)
    assert found.filter == {
        "name": {"in": Variable(("f", "name", "in"))},
        "open": {"eq": Constant(True)},
        "closeOn": {
            "between": {
                "from": Variable(("f", "closeOn", "between", "from")),
                "to": Variable(("f", "closeOn", "between", "to")),
            },
            "inLast": {"days": Variable(("f", "closeOn", "inLast", "days"))},
        },
        "account": {"tags": {"has": Variable(("f", "account", "tags", "has"))}},
        "lines": {"some": {"quantity": {"gt": Variable(("f", "lines", "some", "quantity", "gt"))}}},
        "or": ({"stage": {"eq": Variable(("f", "or", 0, "stage", "eq"))}},),
    }


def test_nulls_are_kept_for_records_to_judge(compiled: CompiledSchema) -> None:
    assert listing(compiled, "filter: null").filter is None
    found = listing(compiled, "filter: { stage: null, name: { eq: null } }")
    assert found.filter == {"stage": Constant(None), "name": {"eq": Constant(None)}}
    sent = {"stage": None, "name": {"eq": None}}
    assert listing(compiled, "filter: $f", "($f: OpportunityFilter)", f=sent).filter == found.filter


def test_absent_and_null_page_arguments_are_absent(compiled: CompiledSchema) -> None:
    declared = "($n: Int, $a: String, $d: PliantDeletedFilter)"
    found = listing(compiled, "first: $n, after: $a, deleted: $d, search: null", declared, a=None)
    assert (found.first, found.after, found.search, found.deleted) == (None, None, None, Deleted.EXCLUDE)
    found = listing(compiled, "first: $n, after: $a, deleted: $d", declared, n=3, a="c", d="ONLY")
    assert (found.first, found.after, found.deleted) == (Variable(("n",)), Variable(("a",)), Deleted.ONLY)


def test_orders_are_paths(compiled: CompiledSchema) -> None:
    wanted = (Order(("account", "name"), True, True), Order(("amount",)))
    text = "orderBy: [{ account: { name: DESC_NULLS_FIRST } }, { amount: ASC }]"
    assert listing(compiled, text).order == wanted
    sent = [{"account": {"name": "DESC_NULLS_FIRST"}}, {"amount": "ASC"}]
    assert listing(compiled, "orderBy: $o", "($o: [OpportunityOrderBy!])", o=sent).order == wanted
    mixed = "orderBy: [{ account: { name: $d } }, { amount: ASC }]"
    assert listing(compiled, mixed, "($d: PliantOrder!)", d="DESC_NULLS_FIRST").order == wanted
    assert listing(compiled, "orderBy: { amount: ASC }").order == wanted[1:]
    assert listing(compiled, "orderBy: null").order == ()


@pytest.mark.parametrize("text", ["first: 1, last: 1", 'offset: 1, after: "c"', 'offset: 1, before: "c"'])
def test_arguments_that_contradict_each_other(compiled: CompiledSchema, text: str) -> None:
    with pytest.raises(BadInput, match="together"):
        listing(compiled, text)
    assert listing(compiled, "first: 1, last: null").first == Constant(1)


@pytest.mark.parametrize(
    "text",
    [
        "query($a: String!) { accounts(filter: { name: { in: [$a] } }) { totalCount } }",
        "query($a: JSON!) { accounts(filter: { notes: { path: { path: [], eq: { b: $a } } } }) { totalCount } }",
    ],
)
def test_variables_inside_one_value_are_left_to_the_stock_executor(compiled: CompiledSchema, text: str) -> None:
    assert plan(compiled, text, a="x") is None


def test_nul_in_a_literal_is_refused(compiled: CompiledSchema) -> None:
    with pytest.raises(BadInput, match="NUL"):
        listing(compiled, 'search: "\\u0000"')
