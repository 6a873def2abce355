"""Every field type: recognised, checked, kept and shown; one suite over the registry and both engines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import jsonschema_rs
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import Fault
from base.json import Json
from metadata.field import FieldContext, FieldType, GraphQLKind, RelationKind, ValueRefused
from metadata.fields.registry import FIELD_TYPES
from storage.engine import Dialect
from storage.postgres.codecs import set_value_codecs
from storage.sql import compile
from storage.sqlite.functions import register
from storage.types import ColumnType
from tests.examples import examples
from tests.metadata.values import VALUES

URL = os.environ.get("PLIANT_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/test")
DOCS = Path(__file__).parents[2] / "docs" / "field-types.md"
CONTEXT = FieldContext("deal", "field", ("properties", "field"), {})
SCALARS = [kind for kind in FIELD_TYPES if kind.graphql is not GraphQLKind.RELATION]


def options_of(kind: FieldType, prop: Mapping[str, Json] | None = None) -> object:
    """The parsed options of a property without faults (the type's sample when none is given)."""
    faults: list[Fault] = []
    options = kind.parse(sample(kind) if prop is None else prop, CONTEXT, faults)
    assert faults == []
    return options


def sample(kind: FieldType) -> Mapping[str, Json]:
    assert isinstance(kind.sample, Mapping)
    return kind.sample


def logical(kind: FieldType, prop: Mapping[str, Json], value: Json) -> Any:
    """The logical value of JSON that passes the JSON Schema of the property; raises ValueError when it does not."""
    schema = dict(kind.json_schema(options_of(kind, prop), prop))
    jsonschema_rs.Draft202012Validator(
        schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    ).validate(value)
    return kind.logical(options_of(kind, prop), value)


class Column(Protocol):
    """A real column: what JSON comes out for a logical value, and what value."""

    def keep(self, type_: ColumnType, value: Any) -> tuple[Json, Any]: ...

    def close(self) -> None: ...


def _query(type_: ColumnType, dialect: Dialect) -> str:
    column: sa.ColumnElement[Any] = sa.column("v", type_.sqlalchemy())
    shown = type_.shown(column, dialect)
    if dialect == "sqlite":
        shown = sa.func.json_object(sa.literal_column("'v'"), shown)
    query: sa.Select[Any] = sa.select(shown.label("v")).select_from(sa.table("t"))
    return compile(query, dialect).text


class SqliteColumn:
    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        register(self.connection)

    def keep(self, type_: ColumnType, value: Any) -> tuple[Json, Any]:
        self.connection.execute("DROP TABLE IF EXISTS t")
        self.connection.execute(f"CREATE TABLE t (v {type_.ddl('sqlite')})")
        self.connection.execute("INSERT INTO t VALUES (?)", (type_.encoder("sqlite")(value),))
        ((shown,),) = self.connection.execute(_query(type_, "sqlite")).fetchall()
        ((raw,),) = self.connection.execute("SELECT v FROM t").fetchall()
        return json.loads(shown)["v"], type_.decoder("sqlite")(raw)

    def close(self) -> None:
        self.connection.close()


class PostgresColumn:
    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.runner.run(self._open())

    async def _open(self) -> None:
        self.connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
            URL, server_settings={"TimeZone": "UTC"}, statement_cache_size=0
        )
        await set_value_codecs(self.connection)

    def keep(self, type_: ColumnType, value: Any) -> tuple[Json, Any]:
        return self.runner.run(self._keep(type_, value))

    async def _keep(self, type_: ColumnType, value: Any) -> tuple[Json, Any]:
        await self.connection.execute("DROP TABLE IF EXISTS t")
        await self.connection.execute(f"CREATE TEMP TABLE t (v {type_.ddl('postgresql')})")
        await self.connection.execute("INSERT INTO t VALUES ($1)", type_.encoder("postgresql")(value))
        rows = await self.connection.fetch(f"SELECT row_to_json(q) FROM ({_query(type_, 'postgresql')}) q")
        raw = await self.connection.fetch("SELECT v FROM t")
        return json.loads(rows[0][0])["v"], type_.decoder("postgresql")(raw[0][0])

    def close(self) -> None:
        self.runner.run(self.connection.close())
        self.runner.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def column(request: pytest.FixtureRequest) -> Iterator[Column]:
    try:
        found: Column = SqliteColumn() if request.param == "sqlite" else PostgresColumn()
    except OSError:
        pytest.skip("no PostgreSQL")
    yield found
    found.close()


# types that take every value of their column
FREE = ["text", "integer", "long", "float", "decimal", "boolean", "date", "dateTime", "time", "uuid", "json", "tags"]

STRANGE: list[Json] = [True, 1, -1.5, 1e300, "x", "", [], ["x"], {}, {"a": 1}, "9" * 99, 10**300, "\x00", "\ud800"]


def by_name(kind: FieldType) -> str:
    return kind.name


@pytest.mark.parametrize("kind", SCALARS, ids=by_name)
def test_examples_come_back_from_the_database(column: Column, kind: FieldType) -> None:
    options = options_of(kind)
    ((_, type_),) = kind.column_types(options)
    assert len(kind.examples) > 1
    for example in kind.examples:
        value = logical(kind, sample(kind), example)
        shown, back = column.keep(type_, value)
        assert back == value
        assert shown == kind.image(options, value)
        assert type(shown) is type(kind.image(options, value)) or isinstance(shown, int | float)


@pytest.mark.parametrize("name", FREE)
def test_any_value_comes_back_from_the_database(column: Column, name: str) -> None:
    kind = FIELD_TYPES[name]
    options = options_of(kind)
    ((_, type_),) = kind.column_types(options)

    @settings(max_examples=examples(30), deadline=None)
    @given(VALUES[type_.kind])
    def comes_back(value: Any) -> None:
        shown = kind.image(options, value)
        assert kind.logical(options, shown) == value
        assert column.keep(type_, value) == (shown, value)

    comes_back()


@pytest.mark.parametrize("kind", SCALARS, ids=by_name)
def test_what_is_shown_can_be_written_again(kind: FieldType) -> None:
    options = options_of(kind)
    for example in kind.examples:
        value = logical(kind, sample(kind), example)
        assert logical(kind, sample(kind), kind.image(options, value)) == value
        assert kind.argument(options, kind.image(options, value)) == value


@pytest.mark.parametrize("kind", FIELD_TYPES, ids=by_name)
def test_what_is_refused_is_refused_with_a_reason(kind: FieldType) -> None:
    assert len(kind.refused) > 1
    for value in kind.refused:
        with pytest.raises(ValueError) as caught:
            logical(kind, sample(kind), value)
        if isinstance(caught.value, ValueRefused):
            assert caught.value.text.en != caught.value.text.zh


@pytest.mark.parametrize("kind", SCALARS, ids=by_name)
@pytest.mark.parametrize(
    "value", [True, 1, -1.5, 1e300, "x", "", [], ["x"], {}, {"a": 1}, "9" * 5000, 10**300, "\x00", "\ud800"]
)
def test_no_value_gets_anything_but_a_refusal(kind: FieldType, value: Json) -> None:
    options = options_of(kind)
    for read in (kind.logical, kind.argument):
        with contextlib.suppress(ValueRefused):
            kind.image(options, read(options, value))


@pytest.mark.parametrize("kind", FIELD_TYPES, ids=by_name)
def test_the_sample_is_of_its_type(kind: FieldType) -> None:
    prop = sample(kind)
    if "x-type" in prop:
        assert prop["x-type"] == kind.name
    else:
        assert next(item for item in FIELD_TYPES if item.recognises(prop)) is kind


@pytest.mark.parametrize("kind", FIELD_TYPES, ids=by_name)
def test_a_type_tells_all_of_itself(kind: FieldType) -> None:
    assert type(kind).__doc__
    assert kind.graphql_name or kind.graphql is GraphQLKind.RELATION
    enum = kind.graphql in (GraphQLKind.ENUM, GraphQLKind.ENUM_LIST)
    assert bool(kind.filter_name) is not (enum or kind.graphql is GraphQLKind.RELATION)
    relation = kind.relation(options_of(kind), CONTEXT)
    has_columns = bool(kind.column_types(options_of(kind)))
    assert has_columns is (relation is None or relation.kind is RelationKind.TO_ONE)
    assert kind.aggregates <= {"sum", "avg", "min", "max", "distinctCount"}


RECOGNISED: list[tuple[dict[str, Json], str | None]] = [
    ({"type": "string"}, "text"),
    ({"type": ["string", "null"]}, "text"),
    ({"minLength": 2}, "text"),
    ({"type": "string", "format": "hostname"}, "text"),
    ({"type": "string", "maxLength": 5000}, "longText"),
    ({"type": "integer"}, "integer"),
    ({"type": "integer", "enum": [1, 2]}, "integer"),
    ({"type": "integer", "maximum": 2**40}, "long"),
    ({"type": "integer", "format": "int64"}, "long"),
    ({"type": "number"}, "float"),
    ({"type": "number", "multipleOf": 0.01}, "decimal"),
    ({"type": "number", "multipleOf": 1}, "decimal"),
    ({"type": "number", "multipleOf": 100}, "decimal"),
    ({"type": "number", "multipleOf": 0.05}, "float"),
    ({"type": "string", "format": "decimal"}, "decimal"),
    ({"type": "number", "format": "decimal"}, "decimal"),
    ({"type": "boolean"}, "boolean"),
    ({"enum": ["A", "B"]}, "choice"),
    ({"type": ["string", "null"], "enum": ["A", None]}, "choice"),
    ({"enum": [1, "A"]}, "json"),
    ({"type": "array", "items": {"enum": ["A"]}}, "choices"),
    ({"type": "array", "items": {"type": "string"}}, "json"),
    ({"type": "string", "format": "date"}, "date"),
    ({"format": "date-time"}, "dateTime"),
    ({"type": "string", "format": "time"}, "time"),
    ({"type": "string", "format": "email"}, "email"),
    ({"type": "string", "format": "uri"}, "url"),
    ({"type": "string", "format": "uuid"}, "uuid"),
    ({"type": "object", "properties": {"a": {}}}, "json"),
    ({"type": "array"}, "json"),
    ({}, "json"),
    ({"x-entity": "account"}, "reference"),
    ({"type": "array", "x-entity": "account"}, "references"),
    ({"type": ["string", "integer"]}, None),
    ({"type": "null"}, None),
]


@pytest.mark.parametrize("prop, name", RECOGNISED)
def test_a_plain_property_is_recognised(prop: dict[str, Json], name: str | None) -> None:
    assert next((kind.name for kind in FIELD_TYPES if kind.recognises(prop)), None) == name


BAD: list[tuple[str, dict[str, Json], str]] = [
    ("text", {"minLength": 5, "maxLength": 2}, "minLength"),
    ("text", {"maxLength": -1}, "maxLength"),
    ("text", {"maxLength": "9"}, "maxLength"),
    ("text", {"maxLength": 10**9}, "maxLength"),
    ("integer", {"minimum": 5, "maximum": 2}, "minimum"),
    ("integer", {"minimum": "5"}, "minimum"),
    ("integer", {"exclusiveMinimum": 5, "maximum": 5}, "exclusiveMinimum"),
    ("integer", {"multipleOf": 0}, "multipleOf"),
    ("decimal", {"x-scale": 7}, "x-scale"),
    ("decimal", {"x-scale": 1.5}, "x-scale"),
    ("decimal", {"enum": ["a"]}, "enum"),
    ("percent", {"minimum": 3, "exclusiveMaximum": 3}, "minimum"),
    ("choice", {"enum": []}, "enum"),
    ("choice", {"enum": ["A", 1]}, "enum"),
    ("choice", {"enum": ["A", "A"]}, "enum"),
    ("choice", {"enum": ["A"], "x-choices": [{"value": "A", "retired": True}]}, "enum"),
    ("choices", {"minItems": 3, "maxItems": 2, "items": {"enum": ["A"]}}, "minItems"),
    ("url", {"x-schemes": ["javascript"]}, "x-schemes"),
    ("url", {"x-schemes": []}, "x-schemes"),
    ("sequence", {"x-pattern": "OPP"}, "x-pattern"),
    ("sequence", {"x-pattern": "{0000}-{000}"}, "x-pattern"),
    ("sequence", {"x-pattern": "{hh}-{0000}"}, "x-pattern"),
    ("sequence", {"x-pattern": "{{0}}"}, "x-pattern"),
    ("reference", {}, "field"),
    ("reference", {"x-entity": "Not A Name"}, "x-entity"),
    ("reference", {"x-entity": "account", "x-onDelete": "explode"}, "x-onDelete"),
    ("children", {"x-entity": "line", "x-inverse": 5}, "x-inverse"),
]


@pytest.mark.parametrize("name, prop, where", BAD)
def test_a_bad_setting_is_a_fault_at_its_keyword(name: str, prop: dict[str, Json], where: str) -> None:
    faults: list[Fault] = []
    FIELD_TYPES[name].parse(prop, CONTEXT, faults)
    assert [fault.path[-1] for fault in faults] == [where]
    assert faults[0].text.en != faults[0].text.zh


DECIMALS: list[tuple[dict[str, Json], Json, str]] = [
    ({}, "1.00005", "1.0001"),
    ({}, "-1.00005", "-1.0001"),
    ({"x-scale": 0}, "0.5", "1"),
    ({"x-scale": 2}, "2.675", "2.68"),
    ({"x-scale": 2}, 2.675, "2.68"),
    ({"multipleOf": 0.01}, "1.005", "1.01"),
    ({"multipleOf": 0.001, "x-scale": 4}, "1.005", "1.0050"),
    ({"x-scale": 2}, "-0.001", "0.00"),
    ({"x-scale": 6}, "999999999999.999999", "999999999999.999999"),
    ({"x-scale": 2}, Decimal("1E+3"), "1000.00"),
    ({"x-scale": 2}, 1e-300, "0.00"),
    ({"enum": [1, "2.50"]}, 2.5, "2.5000"),
]


@pytest.mark.parametrize("prop, value, expected", DECIMALS)
def test_a_decimal_is_rounded_half_up_to_its_scale(prop: dict[str, Json], value: Json, expected: str) -> None:
    kind = FIELD_TYPES["decimal"]
    options = options_of(kind, prop)
    assert kind.image(options, kind.logical(options, value)) == expected


@pytest.mark.parametrize(
    "prop, value",
    [
        ({"x-scale": 2}, "99999999999999999"),
        ({"x-scale": 0}, "999999999999999999.5"),
        ({"maximum": 10}, "10.00001"),
        ({"exclusiveMinimum": 0}, "0.00001"),
        ({"multipleOf": 0.05}, "0.07"),
        ({"enum": [1, 2]}, "3"),
        ({}, 12345678901234.568),
        ({}, float("nan")),
        ({}, Decimal("NaN")),
        ({}, Decimal("Infinity")),
        ({}, Decimal("1E+999999")),
        ({}, "1" * 25),
    ],
)
def test_a_decimal_out_of_its_bounds_is_refused(prop: dict[str, Json], value: Json) -> None:
    kind = FIELD_TYPES["decimal"]
    with pytest.raises(ValueRefused):
        kind.logical(options_of(kind, prop), value)


def test_a_filter_does_not_round() -> None:
    kind = FIELD_TYPES["decimal"]
    assert kind.argument(options_of(kind, {"x-scale": 2}), "1.005") == Decimal("1.005")


@given(st.decimals(min_value=-(10**12) + 1, max_value=10**12 - 1, places=6))
def test_a_decimal_keeps_every_digit(value: Decimal) -> None:
    kind = FIELD_TYPES["decimal"]
    options = options_of(kind, {"x-scale": 6})
    assert kind.logical(options, format(value, "f")) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_zero_has_no_sign(value: float) -> None:
    kind = FIELD_TYPES["float"]
    found = kind.logical(None, value)
    assert found == value
    assert found != 0 or math.copysign(1, found) == 1


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_is_kept_in_utc(value: datetime) -> None:
    kind = FIELD_TYPES["dateTime"]
    text = value.isoformat(timespec="microseconds")
    if len(text) != 32:
        return  # offsets with seconds are no RFC 3339
    try:
        expected = value.astimezone(UTC)
    except OverflowError:
        return
    assert kind.logical(None, text) == expected


def test_a_retired_choice_is_read_but_not_written() -> None:
    kind = FIELD_TYPES["choice"]
    assert kind.argument(options_of(kind), "OLD") == "OLD"
    assert kind.json_schema(options_of(kind), sample(kind))["enum"] == ["OPEN", "WON", "LOST"]


def test_an_address_may_have_other_schemes_when_its_property_says_so() -> None:
    prop: dict[str, Json] = {"x-type": "url", "x-schemes": ["https", "mailto"]}
    assert logical(FIELD_TYPES["url"], prop, "mailto:ann@example.com") == "mailto:ann@example.com"
    with pytest.raises(ValueRefused):
        logical(FIELD_TYPES["url"], prop, "http://example.com")


@pytest.mark.parametrize(
    "pattern, counter, text",
    [
        ("OPP-{yyyy}-{0000}", "sequence:deal.number:2026", "OPP-2026-{0000}"),
        ("{yy}{mm}{dd}/{000}", "sequence:deal.number:26-03-09", "260309/{000}"),
        ("{0}", "sequence:deal.number:", "{0}"),
    ],
)
def test_a_sequence_counts_within_its_date_part(pattern: str, counter: str, text: str) -> None:
    kind = FIELD_TYPES["sequence"]
    options = options_of(kind, {"x-type": "sequence", "x-pattern": pattern})
    numbering = kind.numbering(options, "deal.number", date(2026, 3, 9))
    assert numbering is not None
    assert (numbering.counter, numbering.pattern) == (counter, text)
    assert kind.generated
    assert [item.name for item in FIELD_TYPES if item.generated] == [kind.name]


def test_a_harmful_pattern_is_harmless() -> None:
    kind = FIELD_TYPES["text"]
    prop: dict[str, Json] = {"type": "string", "pattern": "^(a+)+$"}
    with pytest.raises(ValueError):
        logical(kind, prop, "a" * 50_000 + "!")


def test_ids_are_shown_in_lower_case() -> None:
    text = str(uuid.uuid4())
    for kind in FIELD_TYPES:
        if kind.graphql_name in ("ID", "UUID"):
            assert kind.logical(options_of(kind), text.upper()) == text


def test_the_docs_name_every_type() -> None:
    text = DOCS.read_text()
    assert [name for name in FIELD_TYPES.names if f"| `{name}` |" not in text] == []
