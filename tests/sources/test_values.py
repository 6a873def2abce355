"""Cells: dates, numbers, choices and words in the notations that mappings name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.build import next_catalog
from metadata.catalog import Catalog
from sources.mapping import Formats, Rule
from sources.metaschema import RULE_WORDS, TOP_WORDS
from sources.values import CellRefused, PatternInvalid, converter

DOCUMENTS: dict[tuple[str, str], Any] = {
    ("entity", "thing"): {
        "kind": "entity", "name": "thing", "title": "Thing", "type": "object",
        "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer"},
            "big": {"x-type": "long"},
            "price": {"type": "string", "format": "decimal", "x-scale": 2},
            "ratio": {"type": "number"},
            "good": {"type": "boolean"},
            "day": {"type": "string", "format": "date"},
            "at": {"type": "string", "format": "date-time"},
            "extra": {"x-type": "json"},
            "words": {"x-type": "tags"},
            "stage": {
                "enum": ["OPEN", "WON"],
                "x-choices": [{"value": "WON", "title": "Won it", "x-titles": {"zh-Hans": "赢单"}}],
            },
        },
    }
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """A catalog with a field of each shape."""
    return next_catalog(DOCUMENTS, None, fresh=DOCUMENTS.keys())


def read(catalog: Catalog, name: str, cell: str, rule: Rule | None = None, zone: str = "UTC") -> Any:
    """The JSON value of a cell."""
    return converter(catalog.entities["thing"].fields[name], rule or Rule(name), zone)(cell)


EUROPE = Rule("x", formats=Formats(thousands=".", decimal=","))
AMERICA = Rule("x", formats=Formats(dates="MM/DD/YYYY", thousands=","))


@pytest.mark.parametrize(
    ("name", "cell", "rule", "value"),
    [
        ("name", "=1+1", None, "=1+1"),
        ("count", "12", None, 12),
        ("count", "12.0", None, 12),
        ("count", "-1,234", AMERICA, -1234),
        ("big", "9007199254740991", None, 9007199254740991),
        ("price", "+1054.0", None, "1054.0"),
        ("price", "1.234.567,89", EUROPE, "1234567.89"),
        ("price", "1,234,567.8", AMERICA, "1234567.8"),
        ("price", "1234,5", EUROPE, "1234.5"),
        ("ratio", "0.5", None, 0.5),
        ("good", "Yes", None, True),
        ("good", "否", None, False),
        ("day", "2016-10-20", None, "2016-10-20"),
        ("day", "10/20/2016", AMERICA, "2016-10-20"),
        ("day", "3/1/2017", AMERICA, "2017-03-01"),
        ("day", "20.10.16", Rule("x", formats=Formats(dates="DD.MM.YY")), "2016-10-20"),
        ("day", "1.2.99", Rule("x", formats=Formats(dates="D.M.YY")), "1999-02-01"),
        ("day", "2016年10月20日", Rule("x", formats=Formats(dates="YYYY年MM月DD日")), "2016-10-20"),
        ("at", "2016-10-20T10:00:00+08:00", None, "2016-10-20T10:00:00+08:00"),
        ("at", "2016-10-20 10:00", None, "2016-10-20T10:00:00+08:00"),
        ("at", "10/20/2016 9:05", Rule("x", formats=Formats(dates="MM/DD/YYYY HH:mm")), "2016-10-20T09:05:00+08:00"),
        ("extra", '{"a": [1]}', None, {"a": [1]}),
        ("words", "a; b;;c", None, ["a", "b", "c"]),
        ("stage", "won it", None, "WON"),
        ("stage", "赢单", None, "WON"),
        ("stage", "open", None, "OPEN"),
        ("stage", "closed", Rule("x", choices={"closed": "WON"}), "WON"),
    ],
)
def test_cells_are_read(catalog: Catalog, name: str, cell: str, rule: Rule | None, value: Any) -> None:
    assert read(catalog, name, cell, rule, "Asia/Shanghai") == value


@pytest.mark.parametrize(
    ("name", "cell", "rule"),
    [
        ("count", "12.5", None),
        ("count", "1e3", None),
        ("count", "", None),
        ("count", "9" * 5_000, None),
        ("price", "1,5", None),
        ("price", "1.5", EUROPE),
        ("price", "12,34", AMERICA),
        ("price", "NaN", None),
        ("price", "１２", None),
        ("ratio", "inf", None),
        ("good", "maybe", None),
        ("day", "2016-13-01", None),
        ("day", "20/10/2016", AMERICA),
        ("day", "2/30/2016", AMERICA),
        ("at", "yesterday", None),
        ("extra", "{", None),
        ("stage", "WOM", None),
    ],
)
def test_cells_are_refused_in_both_languages(catalog: Catalog, name: str, cell: str, rule: Rule | None) -> None:
    with pytest.raises(CellRefused) as caught:
        read(catalog, name, cell, rule)
    assert caught.value.text.en
    assert caught.value.text.zh != caught.value.text.en


@pytest.mark.parametrize("pattern", ["MM/DD", "YYYY-MM", "YYYY-MM-MM", "YYYY YY MM DD", "nothing"])
def test_patterns_that_name_no_date(catalog: Catalog, pattern: str) -> None:
    with pytest.raises(PatternInvalid):
        read(catalog, "day", "1", Rule("x", formats=Formats(dates=pattern)))


@given(day=st.dates())
def test_dates_come_back(catalog: Catalog, day: Any) -> None:
    rule = Rule("x", formats=Formats(dates="DD/MM/YYYY"))
    assert read(catalog, "day", f"{day.day}/{day.month}/{day.year:04}", rule) == day.isoformat()


@given(cell=st.text(max_size=30), name=st.sampled_from(sorted(DOCUMENTS["entity", "thing"]["properties"])))
def test_any_text_is_read_or_refused(catalog: Catalog, cell: str, name: str) -> None:
    try:
        read(catalog, name, cell)
    except CellRefused:
        return


def test_the_metaschema_is_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
    missing = [word for word in TOP_WORDS | RULE_WORDS if f"`{word}`" not in text]
    assert missing == []
