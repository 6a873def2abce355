"""A record's values are checked fast, told apart by path and code, and old faults are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import jsonschema_rs
import pytest

from base.json import Json
from metadata.catalog import Entity
from metadata.validator import MAX_FAULTS, Validator, text_of


def validator(**schema: Any) -> Validator:
    """A validator for one JSON Schema."""
    empty: dict[str, Any] = {"titles": {}, "fields": {}, "relations": {}}
    return Validator(
        Entity(
            name="thing",
            plural="things",
            type_name="Thing",
            plural_type_name="Things",
            number=1,
            title="Thing",
            description=None,
            table_name="thing",
            display="name",
            search=(),
            schema={"type": "object", "additionalProperties": False, **schema},
            **empty,
        )
    )


DEAL = validator(
    properties={
        "name": {"type": "string", "minLength": 2, "maxLength": 20},
        "stage": {"type": "string", "enum": ["OPEN", "WON"]},
        "amount": {"type": ["string", "number"], "pattern": "^-?[0-9]+$", "minimum": 0},
        "closeOn": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^(a+)+$"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "uniqueItems": True},
        "email": {"type": "string", "format": "email"},
    },
    required=["name", "stage"],
    allOf=[{"if": {"properties": {"stage": {"const": "WON"}}}, "then": {"required": ["closeOn"]}}],
    dependentRequired={"email": ["code"]},
    **{"$defs": {"line": {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]}}},
)

GOOD: Mapping[str, Json] = {"name": "Acme", "stage": "OPEN", "amount": "12", "closeOn": None}

WRONG: list[tuple[dict[str, Json], list[tuple[tuple[str, ...], str]]]] = [
    ({"name": None}, [(("name",), "REQUIRED")]),
    ({"name": "A"}, [(("name",), "VALIDATION")]),
    ({"name": 5}, [(("name",), "VALIDATION")]),
    ({"stage": "open"}, [(("stage",), "VALIDATION")]),
    ({"amount": -1}, [(("amount",), "VALIDATION")]),
    ({"amount": Decimal("-0.5")}, [(("amount",), "VALIDATION")]),
    ({"closeOn": "2026-02-30"}, [(("closeOn",), "VALIDATION")]),
    ({"stage": "WON"}, [(("closeOn",), "REQUIRED")]),
    ({"email": "a@example.com"}, [(("code",), "REQUIRED")]),
    ({"lines": [{"price": 1}, {}]}, [(("lines", "1", "price"), "REQUIRED")]),
    ({"lines": [{"price": "1"}]}, [(("lines", "0", "price"), "VALIDATION")]),
    ({"lines": [{"price": 1}, {"price": 1}]}, [(("lines",), "VALIDATION")]),
    ({"colour": "red"}, [(("colour",), "VALIDATION")]),
    ({"name": None, "stage": "x"}, [(("stage",), "VALIDATION"), (("name",), "REQUIRED")]),
]


def test_good_values_have_no_faults() -> None:
    assert DEAL.create(GOOD) == []


@pytest.mark.parametrize("change, expected", WRONG)
def test_each_fault_has_its_path_and_code(change: dict[str, Json], expected: list[tuple[Any, str]]) -> None:
    faults = DEAL.create({**GOOD, **change})
    assert sorted((fault.path, fault.code) for fault in faults) == sorted(expected)
    for fault in faults:
        assert fault.text.en
        assert fault.text.zh != fault.text.en


def test_an_old_fault_is_not_this_writes() -> None:
    old: dict[str, Json] = {"name": "A", "stage": "OPEN", "amount": -1}
    assert DEAL.update({**old, "code": "aaa"}, {"code"}) == []
    assert [fault.path for fault in DEAL.update({**old, "amount": -2}, {"amount"})] == [("amount",)]
    assert [fault.path for fault in DEAL.update({**old, "name": "B"}, {"name"})] == [("name",)]


def test_a_fault_is_told_when_what_its_keyword_reads_was_changed() -> None:
    won: dict[str, Json] = {"name": "Acme", "stage": "WON"}
    assert [fault.path for fault in DEAL.update(won, {"stage"})] == [("closeOn",)]
    assert [fault.path for fault in DEAL.update({**won, "closeOn": None}, {"closeOn"})] == [("closeOn",)]
    assert DEAL.update({**won, "amount": 5}, {"amount"}) == []
    mailed: dict[str, Json] = {**GOOD, "email": "a@example.com"}
    assert [fault.path for fault in DEAL.update(mailed, {"email"})] == [("code",)]
    assert DEAL.update(mailed, {"name"}) == []


CONDITIONS: list[tuple[dict[str, Any], dict[str, Json], str, str]] = [
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, "a", "c"),
    ({"if": {"required": ["a"]}, "else": {"properties": {"b": {"minimum": 5}}}}, {"b": 1}, "b", "c"),
    ({"not": {"required": ["a", "b"]}}, {"a": 1, "b": 1}, "b", "c"),
    ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"c": 1}, "a", "c"),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 1}, "a", "c"),
    ({"dependentSchemas": {"a": {"properties": {"b": {"maximum": 0}}}}}, {"a": 1, "b": 1}, "b", "c"),
    ({"allOf": [{"$ref": "#/$defs/both"}], "$defs": {"both": {"required": ["a", "b"]}}}, {"a": 1}, "b", "c"),
    ({"$ref": "#/$defs/both", "$defs": {"both": {"required": ["a", "b"]}}}, {"a": 1}, "a", "c"),
]


@pytest.mark.parametrize("words, values, reads, ignores", CONDITIONS)
def test_conditions_know_what_they_read(
    words: dict[str, Any], values: dict[str, Json], reads: str, ignores: str
) -> None:
    checked = validator(properties={name: {"type": "integer"} for name in "abc"}, **words)
    assert checked.update(values, {reads}) != []
    assert checked.update(values, {ignores}) == []


def test_what_counts_every_field_is_always_told() -> None:
    checked = validator(properties={"a": {}, "b": {}}, minProperties=2)
    assert checked.update({"a": 1}, {"a"}) != []


@pytest.mark.parametrize(
    "value",
    [[0] * 30_000, "a" * 300_000, {"a": [[0] * 300] * 300}],
    ids=["many", "long", "wide"],
)
def test_too_much_is_refused_before_it_is_looked_at(value: Json) -> None:
    checked = validator(properties={"a": {"uniqueItems": True}})
    assert [(fault.path, fault.code) for fault in checked.create({"a": value})] == [(("a",), "VALIDATION")]


def test_what_is_no_json_is_refused() -> None:
    checked = validator(properties={"a": {"type": "object"}})
    assert [fault.code for fault in checked.create({"\ud800": 1})] == ["VALIDATION"]
    assert len(checked.create({"a": float("nan")})) == 1


def test_what_is_too_deep_is_refused() -> None:
    value: Json = 0
    for _ in range(5_000):
        value = [value]
    assert len(validator(properties={"a": {}}).create({"a": value})) == 1


def test_a_pattern_costs_time_in_proportion() -> None:
    assert len(DEAL.create({**GOOD, "code": "a" * 50_000 + "!"})) == 1


def test_a_record_wrong_everywhere_has_a_limited_answer() -> None:
    checked = validator(properties={"a": {"items": {"type": "string"}}})
    assert len(checked.create({"a": [0] * 5_000})) == MAX_FAULTS


@pytest.mark.parametrize("reference", ["http://127.0.0.1:1/x", "file:///etc/passwd", "#/$defs/none"])
def test_nothing_is_ever_fetched(reference: str) -> None:
    with pytest.raises(ValueError) as caught:
        validator(properties={"a": {"$ref": reference}})
    assert "root:" not in str(caught.value)


KINDS: list[tuple[dict[str, Any], Json]] = [
    ({"type": "string"}, 1),
    ({"type": ["string", "null"]}, 1),
    ({"enum": [1]}, 2),
    ({"const": 1}, 2),
    ({"format": "date"}, "x"),
    ({"format": "ipv4"}, "x"),
    ({"minLength": 2}, "x"),
    ({"maxLength": 0}, "x"),
    ({"pattern": "^a$"}, "x"),
    ({"minimum": 1}, 0),
    ({"maximum": 1}, 2),
    ({"exclusiveMinimum": 1}, 1),
    ({"exclusiveMaximum": 1}, 1),
    ({"multipleOf": 2}, 1),
    ({"minItems": 1}, []),
    ({"maxItems": 0}, [1]),
    ({"uniqueItems": True}, [1, 1]),
    ({"contains": {"const": 1}}, []),
    ({"minProperties": 1}, {}),
    ({"maxProperties": 0}, {"a": 1}),
    ({"propertyNames": {"maxLength": 1}}, {"aa": 1}),
    ({"anyOf": [{"type": "string"}]}, 1),
    ({"oneOf": [{"type": "string"}]}, 1),
    ({"oneOf": [{}, {}]}, 1),
    ({"not": {}}, 1),
    ({"properties": {"a": False}}, {"a": 1}),
]


@pytest.mark.parametrize("schema, value", KINDS)
def test_every_kind_of_error_has_its_own_text(schema: dict[str, Any], value: Json) -> None:
    (error,) = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).iter_errors(value)
    text = text_of(error.kind)
    assert "{0}" not in text.en + text.zh
    assert text.en != "is not valid", error.kind.name
    assert text.en != text.zh
