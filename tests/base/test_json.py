"""Strict JSON: the quick reader gives what the strict one gives, or leaves it to that one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import json as read
from base.json import JsonInvalid, parse

SPACE = st.sampled_from(["", " ", "\n", "\t", "\r", "  "])
TEXT = st.text(st.sampled_from(list('aZ":,{}[] \\\n\t\r0é赢\U0001f600\x7f')), max_size=6)
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(2**62, 2**66), st.floats(allow_nan=False), TEXT
)  # fmt: skip
PAIRS = st.deferred(lambda: st.lists(st.tuples(st.one_of(st.sampled_from("ab"), TEXT), VALUES), max_size=4))
VALUES: st.SearchStrategy[Any] = st.deferred(
    lambda: st.one_of(SCALAR, st.lists(VALUES, max_size=3), PAIRS.map(lambda pairs: ("object", pairs)))
)


@st.composite
def written(draw: st.DrawFn) -> str:
    """A JSON text with duplicate keys, odd white space and both spellings of what is not ASCII."""

    def text(value: Any) -> str:
        before, after = draw(SPACE), draw(SPACE)
        if isinstance(value, tuple):
            pairs = [f"{draw(SPACE)}{json.dumps(key)}{draw(SPACE)}:{text(item)}" for key, item in value[1]]
            return f"{before}{{{','.join(pairs)}}}{after}"
        if isinstance(value, list):
            return f"{before}[{','.join(map(text, value))}]{after}"
        return f"{before}{json.dumps(value, ensure_ascii=draw(st.booleans()))}{after}"

    return text(draw(VALUES))


def strictly(text: str) -> Any:
    """What the strict reader says, without the quick one."""
    found = read._quick
    read._quick = lambda data: read._UNSURE
    try:
        return said(text)
    finally:
        read._quick = found


def said(text: str) -> Any:
    """The value with its types, or the refusal."""
    try:
        return repr(parse(text))
    except JsonInvalid as error:
        return str(error)


@given(written())
def test_the_quick_reader_gives_what_the_strict_one_gives(text: str) -> None:
    assert said(text) == strictly(text)


@given(st.text(st.sampled_from(list('{}[]":,ab1-.eE+\\u0d8n \n')), max_size=12))
def test_they_agree_on_anything(text: str) -> None:
    assert said(text) == strictly(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}', '{"a":1,"a" :2}', '{"a" :1,"a"\n:2}', '{"a":{"b":1,"b"\t:2}}', '[{"a":1},{"a"\r:1,"a":1}]',
        '{"a":1,"\\u0061":2}', '{"\\"":1,"\\"" :2}',
    ],
)  # fmt: skip
def test_duplicate_keys_are_refused_however_they_are_written(text: str) -> None:
    with pytest.raises(JsonInvalid, match="duplicate key"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["NaN", "-Infinity", "1e999", '"\\ud800"', '"a\x00"', '"\\u0000"', "9" * 401, "[" * 65 + "]" * 65, '{"a":1}}', ""],
)
def test_what_no_database_keeps_is_refused(text: str) -> None:
    with pytest.raises(JsonInvalid):
        parse(text)


def test_long_integers_are_read_exactly() -> None:
    assert parse('{"n":123456789012345678901234567890}') == {"n": 123456789012345678901234567890}
    assert isinstance(parse("18446744073709551616"), int)


def test_an_ordinary_request_is_read_quickly() -> None:
    query = "query Q($s: Stage!) {\n  deals(filter: {stage: {eq: $s}}) { nodes { id } }\n}"
    body = json.dumps({"query": query, "variables": {"s": "A", "more": [{"n": 1}]}}).encode()
    assert read._quick(body) == json.loads(body)
