"""The three-way merge: its laws on generated documents, and what authors meet."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.json import dump
from metadata.merging import MOST_PATHS, Merged, differing_paths, merge_documents, same
from tests.metadata.documents import sales

NAMES = st.sampled_from(["a", "b", "c", "d", "e", "required", "enum", "properties"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["x", "y", "值"]), st.just(1.5))


def sets(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Lists without repetition."""
    return st.lists(values, max_size=5, unique_by=repr)


CHOICES = st.lists(
    st.fixed_dictionaries({"value": NAMES}, optional={"title": SCALARS, "color": SCALARS}),
    max_size=4,
    unique_by=lambda item: item["value"],
)
PROPERTY: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer"])},
    optional={
        "title": SCALARS,
        "enum": sets(NAMES),
        "x-choices": CHOICES,
        "items": st.lists(SCALARS, max_size=3),
        "default": st.dictionaries(NAMES, SCALARS, max_size=2),
    },
)
DOCUMENTS: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"kind": st.just("entity"), "name": st.just("thing")},
    optional={
        "title": SCALARS,
        "x-titles": st.dictionaries(NAMES, SCALARS, max_size=3),
        "properties": st.dictionaries(NAMES, PROPERTY, max_size=4),
        "required": sets(NAMES),
        "x-unique": sets(sets(NAMES)),
        "allOf": st.lists(SCALARS, max_size=2),
    },
)


@st.composite
def shuffled(draw: Any) -> Any:
    """A document with its keys in any order."""
    document = draw(DOCUMENTS)
    return {key: document[key] for key in draw(st.permutations(list(document)))}


SIDES = st.one_of(st.none(), shuffled())


@given(SIDES, SIDES)
def test_a_side_that_changed_nothing_gives_way(base: Any, side: Any) -> None:
    for merged in (merge_documents(base, side, base), merge_documents(base, base, side)):
        assert merged.meetings == ()
        assert dump(merged.document) == dump(side), "the order of keys is kept too"


@given(SIDES, SIDES, SIDES)
def test_sides_may_be_exchanged(base: Any, one: Any, other: Any) -> None:
    here, there = merge_documents(base, one, other), merge_documents(base, other, one)
    assert dump(here.document) == dump(there.document)
    assert [item.path for item in here.meetings] == [item.path for item in there.meetings]
    assert [(item.theirs, item.yours) for item in here.meetings] == [
        (item.yours, item.theirs) for item in there.meetings
    ]


@given(SIDES, SIDES, SIDES)
def test_merging_again_changes_nothing(base: Any, one: Any, other: Any) -> None:
    assert dump(merge_documents(base, one, one).document) == dump(one)
    merged = merge_documents(base, one, other)
    if merged.meetings:
        assert merged.document is None
        return
    for side in (one, other):
        again = merge_documents(base, merged.document, side)
        assert again.meetings == ()
        assert same(again.document, merged.document)


@given(SIDES, SIDES, SIDES)
def test_what_only_one_side_changed_is_in_the_merge(base: Any, one: Any, other: Any) -> None:
    merged = merge_documents(base, one, other)
    if merged.meetings or not (base and one and other and merged.document):
        return
    for key in {*base, *one, *other}:
        was, here, there = (dump(side[key]) if key in side else None for side in (base, one, other))
        got = dump(merged.document[key]) if key in merged.document else None
        if here == was:
            assert got == there
        if there == was:
            assert got == here


@given(SIDES, SIDES)
def test_documents_differ_on_some_path_or_are_the_same(one: Any, other: Any) -> None:
    paths = differing_paths(one, other)
    assert bool(paths) is not same(one, other)
    for path in paths:
        value, there = one, other
        for step in path[:-1]:
            value, there = value[step], there[step]
        assert not path or value.get(path[-1], ...) is not there.get(path[-1], ...)


def opportunity(**words: Any) -> Any:
    """The sales application's opportunity with other keywords."""
    return {**sales()["entity", "opportunity"], **words}


def with_property(name: str, **prop: Any) -> Any:
    """It with one more field, or another one."""
    document = opportunity()
    document["properties"] = {**document["properties"], name: prop}
    return document


def merged(one: Any, other: Any) -> Merged:
    """The merge of two versions of it."""
    return merge_documents(opportunity(), one, other)


def test_two_admins_add_fields() -> None:
    found = merged(with_property("score", type="integer"), with_property("source", type="string"))
    assert found.document is not None
    result: Any = found.document
    assert sorted(list(result["properties"])[-2:]) == ["score", "source"]


def test_the_same_field_made_twice_is_a_meeting() -> None:
    found = merged(with_property("score", type="integer"), with_property("score", type="string"))
    assert [item.path for item in found.meetings] == [("properties", "score")]
    assert (found.document, found.meetings[0].base) == (None, None)
    assert found.meetings[0].theirs == {"type": "integer"}


def test_keywords_of_one_field_merge() -> None:
    base = opportunity()["properties"]["amount"]
    found = merged(with_property("amount", **base, title="Amount"), with_property("amount", **base, minimum=0))
    assert found.document is not None
    result: Any = found.document
    assert result["properties"]["amount"] == {**base, "title": "Amount", "minimum": 0}


def test_choices_are_added_renamed_and_removed_side_by_side() -> None:
    stage = opportunity()["properties"]["stage"]
    one, other = deepcopy(stage), deepcopy(stage)
    one["enum"] = ["PROSPECTING", "QUALIFIED", "WON", "LOST"]
    other["enum"] = ["WON", "LOST", "STALLED"]
    other["x-choices"][0]["title"] = "Closed won"
    one["x-choices"].append({"value": "QUALIFIED", "title": "Qualified"})
    found = merged(with_property("stage", **one), with_property("stage", **other))
    assert found.meetings == ()
    assert found.document is not None
    result: Any = found.document["properties"]
    assert result["stage"]["enum"] == ["QUALIFIED", "WON", "LOST", "STALLED"]
    assert [item["title"] for item in result["stage"]["x-choices"]] == ["Closed won", "Qualified"]


@pytest.mark.parametrize("one, other, path", [
    ({"title": "A"}, {"title": "B"}, ("title",)),
    ({"x-titles": {"zh-Hans": "甲"}}, {"x-titles": {"zh-Hans": "乙"}}, ("x-titles", "zh-Hans")),
    ({"x-index": [["closeOn"]]}, {"x-index": "all"}, ("x-index",)),
    ({"required": ["stage", "name", "account"]}, {"required": ["account", "stage", "name"]}, ("required",)),
    ({"allOf": []}, {"allOf": [{}]}, ("allOf",)),
])  # fmt: skip
def test_what_both_changed_is_a_meeting(one: Any, other: Any, path: tuple[str, ...]) -> None:
    found = merged(opportunity(**one), opportunity(**other))
    assert [item.path for item in found.meetings] == [path]


def test_a_rule_that_one_side_removed_and_the_other_changed_is_a_meeting() -> None:
    rule = opportunity()["x-rules"][0]
    found = merged(opportunity(**{"x-rules": []}), opportunity(**{"x-rules": [{**rule, "message": "No"}]}))
    assert [item.path for item in found.meetings] == [("x-rules", rule["name"])]


def test_a_removed_document_and_a_changed_one_meet() -> None:
    found = merge_documents(opportunity(), None, opportunity(title="B"))
    assert [item.path for item in found.meetings] == [()]
    assert merge_documents(opportunity(), None, opportunity()) == Merged(None)
    assert [item.path for item in merge_documents(None, opportunity(), opportunity(title="B")).meetings] == [()]


def test_another_order_of_keys_is_no_change() -> None:
    document = opportunity()
    turned = dict(reversed([*document.items()]))
    assert merge_documents(document, None, turned) == merge_documents(document, turned, None) == Merged(None)


def test_a_union_of_rows_is_never_made() -> None:
    base: Any = {"kind": "role", "name": "r", "entities": {"account": {"read": {"rows": ["all"]}}}}
    one, other = deepcopy(base), deepcopy(base)
    one["entities"]["account"]["read"]["rows"] = ["own"]
    other["entities"]["account"]["read"]["rows"] = ["team"]
    found = merge_documents(base, one, other)
    assert [item.path for item in found.meetings] == [("entities", "account", "read", "rows")]


def test_truth_is_no_number() -> None:
    assert not same({"a": True}, {"a": 1})
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1})


def test_differing_paths_are_bounded() -> None:
    wide: Any = {str(number): number for number in range(MOST_PATHS * 3)}
    assert len(differing_paths(wide, {})) == MOST_PATHS
