"""The parser: shapes of trees, limits that hold before any stack does, and every word of the language."""

from __future__ import annotations

import itertools
import json
import random
from contextlib import suppress

import pytest

from base.limits import DEFAULTS, Limits
from expressions import ExpressionInvalid, check, parse
from expressions.types import Type
from tests.expressions.world import World, Writer

GENEROUS = Limits(expression_chars=10**7, expression_nodes=10**7)


def tree(source: str) -> object:
    """The tree of a checked expression, as JSON."""
    return check(source, World()).as_json()


def test_operators_bind_as_in_cel() -> None:
    assert tree("flag || active && count + 1 * 2 < 3") == tree("flag || (active && ((count + (1 * 2)) < 3))")
    assert tree("count - 1 - 2") == tree("(count - 1) - 2")
    assert tree("flag ? 1 : active ? 2 : 3") == tree("flag ? 1 : (active ? 2 : 3)")
    assert tree("!flag == active") == tree("(!flag) == active")
    assert tree("-count * 2") == tree("(-count) * 2")


def test_chains_of_and_are_one_node() -> None:
    assert tree("flag && active && true")["args"] == [  # type: ignore[index]
        {"name": ["flag"]}, {"name": ["active"]}, {"value": True, "type": "boolean"},
    ]  # fmt: skip


def test_the_tree_is_json_and_says_what_it_reads() -> None:
    expression = check("account.sector == 'A' ? amount : 1.50", World())
    assert expression.reads == {("account", "sector"), ("amount",)}
    assert expression.type is Type.DECIMAL
    assert json.loads(json.dumps(expression.as_json())) == {
        "op": "?:",
        "args": [
            {"op": "==", "args": [{"name": ["account", "sector"]}, {"value": "A", "type": "text"}]},
            {"name": ["amount"]},
            {"value": "1.50", "type": "decimal"},
        ],
    }


def test_text_literals_become_what_they_are_compared_with() -> None:
    assert tree("'2026-01-01' < closeOn")["args"][0] == {"value": "2026-01-01", "type": "date"}  # type: ignore[index]
    assert tree("createdAt < '2026-01-01T08:00:00.50+08:00'")["args"][1] == {  # type: ignore[index]
        "value": "2026-01-01T00:00:00.5+00:00", "type": "dateTime",
    }  # fmt: skip


@pytest.mark.parametrize("wanted", [Type.DECIMAL, Type.FLOAT, Type.INTEGER])
def test_a_result_widens_to_what_is_wanted(wanted: Type) -> None:
    assert check("count + 1", World(), wanted).type is Type.INTEGER


def test_a_result_that_does_not_fit_is_told() -> None:
    with pytest.raises(ExpressionInvalid, match="the result is text, but boolean is wanted"):
        check("name", World(), Type.BOOLEAN)
    with pytest.raises(ExpressionInvalid, match="the result is float, but decimal is wanted"):
        check("ratio", World(), Type.DECIMAL)


def test_null_and_dates_fit_as_results() -> None:
    assert check("null", World(), Type.DECIMAL).type is Type.NULL
    assert check("flag ? '2026-01-01' : null", World(), Type.DATE).type is Type.DATE


@pytest.mark.parametrize("opening", ["(", "[", "!", "-", "1 + (", "flag ? ", "true ? 1 : ", "flag in [", "-(", "!("])
def test_deep_nesting_ends_in_a_clear_error(opening: str) -> None:
    for limits in (DEFAULTS, GENEROUS):
        with pytest.raises(ExpressionInvalid):
            parse(opening * 20_000, limits)


@pytest.mark.parametrize("joint", [" + 1", " - amount", " == 1", " || flag", ".a", " ? 1 : 2"])
def test_long_chains_end_in_a_clear_error(joint: str) -> None:
    with pytest.raises(ExpressionInvalid):
        check("flag" + joint * 20_000, World(), limits=Limits(expression_chars=10**7))


def test_each_limit_has_its_words() -> None:
    for source, words in (
        ("1" * 4_001, "longer than 4000 characters"),
        ("(" * 41 + "1" + ")" * 41, "nested deeper than 40 levels"),
        ("||".join(["flag"] * 501), "more than 500 names"),
        ("!" * 11 + "flag", "more than 10 conditions"),
    ):
        with pytest.raises(ExpressionInvalid, match=words):
            check(source, World())


def test_forty_terms_make_a_sum() -> None:
    assert check(" + ".join(["amount"] * 40), World()).type is Type.DECIMAL


def test_broken_texts_give_no_other_error() -> None:
    rng = random.Random(3)
    alphabet = [*"()[]!-+*/%<>=&|?:.,'\"\\ \n\t\0\ud800é中0123456789eEx_", "in", "amount", "flag", "null", "account"]
    for number in range(5_000):
        if number % 2:
            source = "".join(rng.choices(alphabet, k=rng.randrange(12)))
        else:
            whole = Writer(rng).write(Type.BOOLEAN, 4)
            cut = rng.randrange(len(whole) + 1)
            source = whole[:cut] + rng.choice(alphabet) + whole[cut + rng.randrange(2) :]
        with suppress(ExpressionInvalid):
            check(source, World())


@pytest.mark.parametrize(
    ("left", "right"), list(itertools.product(["count", "name", "flag", "closeOn", "tags", "notes"], repeat=2))
)
def test_equality_wants_one_kind_on_both_sides(left: str, right: str) -> None:
    comparable = left == right and left not in ("tags", "notes")
    if comparable:
        assert check(f"{left} == {right}", World()).type is Type.BOOLEAN
    else:
        with pytest.raises(ExpressionInvalid):
            check(f"{left} == {right}", World())
