"""Values on their way to another type: every pair of types, what is kept exactly, what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from metadata.build import next_catalog
from metadata.field import Field, FieldType
from metadata.fields.registry import FIELD_TYPES
from metadata.publishing.convert import Converted, converter

SCALARS = [
    kind
    for kind in FIELD_TYPES
    if kind.examples and not kind.generated and "x-entity" not in kind.sample  # type: ignore[operator]
]
"""The types of fields that stand by themselves; what leads to a record finds no place in another type."""


def field(**prop: Any) -> Field:
    """A field as a catalog holds it."""
    document: dict[str, Any] = {
        "kind": "entity", "name": "thing", "title": "Thing", "type": "object",
        "properties": {"label": {"type": "string"}, "value": prop},
    }  # fmt: skip
    catalog = next_catalog({("entity", "thing"): document}, None)
    return catalog.entities["thing"].fields["value"]


def converted(old: Field, new: Field, value: Any) -> Converted:
    """One JSON value of the old field, converted."""
    return converter(old, new, "Asia/Shanghai")(old.type.logical(old.options, value))


@pytest.mark.parametrize("kinds", list(product(SCALARS, SCALARS)), ids=lambda kinds: "-".join(k.name for k in kinds))
def test_every_pair_gives_a_value_of_the_new_type_or_none(kinds: tuple[FieldType, FieldType]) -> None:
    old, new = (field(**kind.sample) for kind in kinds)  # type: ignore[arg-type]
    for example in kinds[0].examples:
        found = converted(old, new, example)
        if found.value is None:
            assert not found.exact
            continue
        image = new.type.image(new.options, found.value)
        assert new.type.logical(new.options, image) == found.value, "it is a value of the new type"
        if kinds[0] is kinds[1]:
            assert (found.value, found.exact) == (old.type.logical(old.options, example), True)


TEXT = {"type": "string"}
CHOICE = {"enum": ["OPEN", "WON"], "x-choices": [{"value": "WON", "title": "Won", "x-titles": {"zh-Hans": "赢单"}}]}


@pytest.mark.parametrize(
    ("old", "new", "value", "wanted"),
    [
        (TEXT, {"type": "integer"}, " 12 ", Converted(12, True)),
        (TEXT, {"type": "integer"}, "12.0", Converted(12, True)),
        (TEXT, {"type": "integer"}, "12.5", Converted(None, False)),
        (TEXT, {"type": "integer"}, "twelve", Converted(None, False)),
        (TEXT, {"type": "integer"}, "99999999999", Converted(None, False)),
        (TEXT, {"format": "decimal", "type": "string"}, "12.50", Converted(Decimal("12.50"), True)),
        (TEXT, {"type": "boolean"}, "True", Converted(True, True)),
        (TEXT, {"type": "boolean"}, "yes", Converted(None, False)),
        (TEXT, {"type": "string", "format": "date"}, "2026-02-29", Converted(None, False)),
        (TEXT, {"type": "string", "format": "date"}, "2026-02-28", Converted(date(2026, 2, 28), True)),
        (TEXT, {"type": "string", "format": "email"}, "nobody", Converted(None, False)),
        (TEXT, CHOICE, "WON", Converted("WON", True)),
        (TEXT, CHOICE, "赢单", Converted("WON", True)),
        (TEXT, CHOICE, "lost", Converted(None, False)),
        (CHOICE, TEXT, "WON", Converted("WON", True)),
        ({"type": "integer"}, TEXT, 7, Converted("7", True)),
        ({"type": "number"}, {"type": "integer"}, 7.0, Converted(7, True)),
        ({"type": "number"}, {"type": "integer"}, 7.5, Converted(None, False)),
        ({"type": "boolean"}, TEXT, True, Converted("true", True)),
        ({"type": "string", "format": "date"}, TEXT, "2026-02-28", Converted("2026-02-28", True)),
        (
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            "2026-02-27T16:00:00Z",
            Converted(date(2026, 2, 28), True),
        ),
        (
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            "2026-02-27T17:00:00Z",
            Converted(date(2026, 2, 28), False),
        ),
        (
            {"type": "string", "format": "date"},
            {"type": "string", "format": "date-time"},
            "2026-02-28",
            Converted(datetime(2026, 2, 27, 16, tzinfo=UTC), True),
        ),
        (CHOICE, {"type": "array", "items": {"enum": ["OPEN", "WON"]}}, "WON", Converted(["WON"], True)),
        ({"type": "array", "items": {"enum": ["OPEN", "WON"]}}, CHOICE, ["WON"], Converted("WON", True)),
        ({"type": "array", "items": {"enum": ["OPEN", "WON"]}}, CHOICE, ["WON", "OPEN"], Converted(None, False)),
    ],
)
def test_what_means_the_same_is_kept(old: Any, new: Any, value: Any, wanted: Converted) -> None:
    assert converted(field(**old), field(**new), value) == wanted


def test_digits_that_a_smaller_scale_has_no_place_for_are_lost_values() -> None:
    old = field(type="number", multipleOf=0.001)
    new = field(type="number", multipleOf=0.01)
    assert converted(old, new, "1.250") == Converted(Decimal("1.25"), True)
    assert converted(old, new, "1.255") == Converted(Decimal("1.26"), False)


def test_a_renamed_choice_is_mapped_and_a_retired_one_stays() -> None:
    old = field(enum=["A", "B", "C"])
    new = field(
        enum=["X", "B", "C"],
        **{"x-choices": [{"value": "X", "x-was": ["A"]}, {"value": "C", "retired": True}]},
    )
    assert [converter(old, new, "UTC")(value).value for value in ("A", "B", "C", None)] == ["X", "B", "C", None]
