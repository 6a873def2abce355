"""Column types: how a logical value is kept, sent, compared and shown, on each engine.

Logical values in Python: str, int, bool, float, Decimal, date, time, aware datetime, ids as lower-case text, JSON.

| kind      | PostgreSQL       | SQLite                     | in JSON out of the database        |
|-----------|------------------|----------------------------|------------------------------------|
| text      | text COLLATE "C" | TEXT                       | string                             |
| integer   | integer          | INTEGER                    | number                             |
| bigint    | bigint           | INTEGER                    | number                             |
| float     | double precision | REAL                       | number, shortest form              |
| decimal   | numeric(18,s)    | INTEGER, scaled by 10^s    | string with all digits of the scale|
| boolean   | boolean          | INTEGER 0/1                | true, false                        |
| date      | date             | TEXT, ISO 8601             | string                             |
| time      | time(6)          | TEXT, ISO 8601             | string                             |
| timestamp | timestamptz      | TEXT, `base.clock` form    | string                             |
| uuid      | uuid             | TEXT                       | string                             |
| json      | json             | TEXT                       | the value                          |
| texts     | text[]           | TEXT, a JSON array         | array of strings                   |

Values travel to PostgreSQL as asyncpg takes them natively (str for text, uuid and json; Decimal; date; time; aware
datetime; list of str for texts), with the codec of `storage.postgres.codecs`, and to SQLite as str, int and float.
JSON text is equal on both engines for equal values; times and timestamps have no trailing zeros in their fraction, so
their texts sort as they do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import TypeEngine

from base.clock import timestamp
from base.json import dump
from storage.batch import Value
from storage.engine import Dialect

DECIMAL_DIGITS: Final = 18
"""Digits of a stored decimal: scaled, they fit a 64-bit integer."""

DECIMAL_SCALE_MAX: Final = 6
"""Digits behind the point of a stored decimal, at most."""

EXACT: Final = Context(prec=100, rounding=ROUND_HALF_UP)
"""Decimal arithmetic that no stored or compared value overflows."""

_HALF_EXACT_BELOW: Final = 1 << 52  # a double holds n + 0.5 exactly up to here

_POSTGRES: Final = {
    "text": "text",
    "integer": "integer",
    "bigint": "bigint",
    "float": "double precision",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "time": "time(6)",
    "timestamp": "timestamptz",
    "uuid": "uuid",
    "json": "json",
    "texts": "text[]",
}
_SQLITE: Final = {
    "integer": "INTEGER",
    "bigint": "INTEGER",
    "decimal": "INTEGER",
    "boolean": "INTEGER",
    "float": "REAL",
}

KINDS: Final = tuple(_POSTGRES)
"""All kinds, in the order of the table above."""


def postgres_name(kind: str) -> str:
    """The PostgreSQL type of a kind without precision, for casts of parameters and arrays of them."""
    return _POSTGRES[kind]


class PlainText(sa.Text):
    """The type of text in which JSON has nothing to escape: digits."""


@dataclass(frozen=True, slots=True)
class ColumnType:
    """One row of the table above. `scale` is given for decimals only: digits behind the point, 0 to 6."""

    kind: str
    scale: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _POSTGRES:
            raise ValueError(f"no column kind {self.kind!r}")
        if not 0 <= self.scale <= (DECIMAL_SCALE_MAX if self.kind == "decimal" else 0):
            raise ValueError(f"scale {self.scale} of {self.kind}")

    def sqlalchemy(self) -> TypeEngine[Any]:
        """The type that statements are written with; it converts nothing, values are encoded before."""
        return _sqlalchemy(self.kind)

    def ddl(self, dialect: Dialect) -> str:
        """The type in a column definition."""
        if dialect == "sqlite":
            return _SQLITE.get(self.kind, "TEXT")
        if self.kind == "decimal":
            return f"numeric({DECIMAL_DIGITS},{self.scale})"
        if self.kind == "text":
            return 'text COLLATE "C"'
        return _POSTGRES[self.kind]

    def encoder(self, dialect: Dialect) -> Callable[[Any], Value]:
        """A function from the logical value to what the driver takes; None stays None.

        A decimal with more digits than the scale (a filter's argument) stays exact: PostgreSQL compares it as it is,
        SQLite gets a half between the two integers that it lies between. Raises `ValueError` where a double cannot
        hold that half.
        """
        if dialect == "postgresql":
            return _json_text if self.kind == "json" else unchanged
        if self.kind == "decimal":
            return _scaled_by(self.scale)
        return _SQLITE_ENCODERS.get(self.kind, unchanged)

    def decoder(self, dialect: Dialect) -> Callable[[Value], Any]:
        """A function from a driver's value (text may come as `bytes`) to the logical value; None stays None."""
        if self.kind == "decimal":
            return _unscaled_by(self.scale) if dialect == "sqlite" else unchanged
        if dialect == "postgresql":
            return _POSTGRES_DECODERS.get(self.kind, unchanged)
        return _SQLITE_DECODERS.get(self.kind, unchanged)

    def shown(self, clause: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
        """The expression that gives the JSON form when it stands inside a JSON object or array.

        PostgreSQL: inside the constructs of `storage.json_sql`, in a session whose time zone is UTC. SQLite:
        directly as an argument of json_object or json_array (the mark of JSON is lost through a sub-select); for
        decimals the clause is repeated, so it should be a column. A PostgreSQL decimal must have its column's type:
        cast a computed one to `numeric(18,s)` first.
        """
        if dialect == "postgresql":
            return sa.cast(clause, PlainText()) if self.kind == "decimal" else clause
        match self.kind:
            case "decimal":
                return _scaled_text(clause, self.scale)
            case "boolean":
                words = sa.case({_sql("0"): _sql("'false'"), _sql("1"): _sql("'true'")}, value=clause)
                return sa.func.json(words)
            case "float":
                return sa.func.json(sa.func.pliant_float(clause))
            case "json" | "texts":
                return sa.func.json(clause)
            case _:
                return clause


def decimal(scale: int) -> ColumnType:
    """The type of decimals with `scale` digits behind the point."""
    return ColumnType("decimal", scale)


TEXT: Final = ColumnType("text")
INTEGER: Final = ColumnType("integer")
BIGINT: Final = ColumnType("bigint")
FLOAT: Final = ColumnType("float")
BOOLEAN: Final = ColumnType("boolean")
DATE: Final = ColumnType("date")
TIME: Final = ColumnType("time")
TIMESTAMP: Final = ColumnType("timestamp")
UUID: Final = ColumnType("uuid")
JSON: Final = ColumnType("json")
TEXTS: Final = ColumnType("texts")


def float_text(value: float | None) -> str | None:
    """The shortest exact JSON text of a double, in PostgreSQL's spelling: `100000`, `0.1`, `1e+15`, `1e-07`.

    On SQLite it is the registered function `pliant_float` (SQLite itself shows 15 digits only).
    """
    if value is None:
        return None
    if not math.isfinite(value):
        raise ValueError("not a JSON number")
    text = repr(value + 0.0).removesuffix(".0")  # minus zero becomes zero
    if "e" in text or abs(value) < 1e15:
        return text
    digits = text.lstrip("-")
    mantissa = f"{digits[0]}.{digits[1:].replace('.', '')}".rstrip("0").rstrip(".")
    exponent = digits.find(".") - 1 if "." in digits else len(digits) - 1
    return f"{'-' if value < 0 else ''}{mantissa}e+{exponent:02d}"


def time_text(value: time) -> str:
    """A time of day as it is stored and shown: ISO 8601, fraction without trailing zeros."""
    text = value.isoformat()
    return text.rstrip("0") if value.microsecond else text


def _sqlalchemy(kind: str) -> TypeEngine[Any]:
    match kind:
        case "text":
            return sa.Text()
        case "integer":
            return sa.Integer()
        case "bigint":
            return sa.BigInteger()
        case "float":
            return sa.Double()
        case "decimal":
            return sa.Numeric().with_variant(sa.BigInteger(), "sqlite")
        case "boolean":
            return sa.Boolean().with_variant(sa.Integer(), "sqlite")
        case "date":
            return sa.Date().with_variant(sa.Text(), "sqlite")
        case "time":
            return sa.Time().with_variant(sa.Text(), "sqlite")
        case "timestamp":
            return sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
        case "uuid":
            return sa.Uuid(as_uuid=False).with_variant(sa.Text(), "sqlite")
        case "json":
            # asyncpg takes and gives JSON as text; sa.JSON would want to serialise it
            return sa.Text().with_variant(postgresql.JSON(), "postgresql")
        case _:
            return sa.Text().with_variant(postgresql.ARRAY(sa.Text()), "postgresql")


def _scaled_text(clause: ColumnElement[Any], scale: int) -> ColumnElement[Any]:
    """The digits of a scaled integer in plain SQL: sign, whole part, point, padded fraction. Null stays null."""
    if scale == 0:
        return sa.cast(clause, sa.Text())
    power, tail = _sql(str(10**scale)), _sql(str(-scale))
    size = sa.func.abs(clause, type_=sa.BigInteger())
    sign = sa.case((clause < _sql("0"), _sql("'-'")), else_=_sql("''"))
    # `//`, because SQLAlchemy makes a true division of `/`
    whole = sa.cast(size // power, sa.Text())
    fraction = sa.func.substr(_sql(f"'{'0' * scale}'").concat(sa.cast(size % power, sa.Text())), tail)
    return sign.concat(whole).concat(_sql("'.'")).concat(fraction)


def _sql(constant: str) -> ColumnElement[Any]:
    """A constant written into the text, so that it takes no parameter."""
    type_: TypeEngine[Any] = sa.Text() if constant.startswith("'") else sa.BigInteger()
    return sa.literal_column(constant, type_)


def unchanged(value: Any) -> Any:
    """The encoder or decoder of kinds whose logical values are what the driver takes and gives."""
    return value


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _json_text(value: Any) -> str | None:
    return None if value is None else dump(value).decode()


def _json_value(value: Any) -> Any:
    return None if value is None else orjson.loads(value)


def _scaled_by(scale: int) -> Callable[[Any], Value]:
    def _encode(value: Any) -> int | float | None:
        if value is None:
            return None
        exact = Decimal(value).scaleb(scale, EXACT)
        whole = math.floor(exact)
        if whole == exact:
            # a larger argument than any stored value: still larger as a double, and it fits the driver
            return whole if -(1 << 63) <= whole < 1 << 63 else float(whole)
        if abs(whole) < _HALF_EXACT_BELOW:
            return whole + 0.5
        if abs(whole) >= 10**DECIMAL_DIGITS:
            return float(whole)
        raise ValueError("too many digits to be compared")

    return _encode


def _unscaled_by(scale: int) -> Callable[[Any], Any]:
    def _decode(value: Any) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-scale, EXACT)

    return _decode


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def _converted(value: Any) -> Any:
        return None if value is None else convert(value)

    return _converted


_SQLITE_ENCODERS: Final[dict[str, Callable[[Any], Value]]] = {
    "boolean": _optional(int),
    "date": _optional(date.isoformat),
    "time": _optional(time_text),
    "timestamp": _optional(timestamp),
    "json": _json_text,
    "texts": _json_text,
}
_SQLITE_DECODERS: Final[dict[str, Callable[[Value], Any]]] = {
    "text": _text,
    "uuid": _text,
    "boolean": _optional(bool),
    "date": _optional(lambda value: date.fromisoformat(_text(value))),
    "time": _optional(lambda value: time.fromisoformat(_text(value))),
    "timestamp": _optional(lambda value: datetime.fromisoformat(_text(value))),
    "json": _json_value,
    "texts": _json_value,
}
_POSTGRES_DECODERS: Final[dict[str, Callable[[Value], Any]]] = {
    "text": _text,
    "uuid": _optional(lambda value: str(_text(value))),
    "json": _json_value,
    "texts": _optional(list),
}
