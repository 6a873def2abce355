"""Shapes that several field types share: texts, ids of records, exact decimals. A shape is not a type itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from base.errors import Fault, Text
from base.json import Json
from base.limits import DEFAULTS
from expressions import Type
from metadata.faults import invalid
from metadata.field import FieldContext, FieldType, OnDelete, RelationKind, RelationSpec, ValueRefused
from metadata.fields.words import (
    EXACT_OPERATORS,
    NUMBER_AGGREGATES,
    ONLY_COUNTED,
    ORDERED_OPERATORS,
    TEXT_OPERATORS,
    Range,
    is_whole,
    kept,
    read_lengths,
    read_multiple,
    read_range,
)
from storage.types import DECIMAL_DIGITS, DECIMAL_SCALE_MAX, EXACT, TEXT, UUID, ColumnType, decimal

DECIMAL_TEXT = r"^-?[0-9]{1,24}(\.[0-9]{1,24})?$"
"""A decimal in JSON text: plain digits, no exponent, no sign but a minus."""

_UNITS = tuple(Decimal(1).scaleb(-scale) for scale in range(DECIMAL_SCALE_MAX + 1))
_BOUNDS = tuple(Decimal(10 ** (DECIMAL_DIGITS - scale)) for scale in range(DECIMAL_SCALE_MAX + 1))
"""By scale: the last digit that is kept, and what a value must be smaller than."""

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DECIMAL = re.compile(DECIMAL_TEXT.rstrip("$") + r"\Z")


class TextShape(FieldType):
    """A text kept as it was written, in a text column, with the filters of texts."""

    keywords = frozenset({"minLength", "maxLength", "pattern"})
    operators = TEXT_OPERATORS
    filter_name = "String"
    expression = Type.TEXT
    most: ClassVar[int] = DEFAULTS.text_chars
    """Characters that a value may have at most."""

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """Never, unless the type says otherwise."""
        return False

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options: bounds and patterns are checked here and enforced by the value's JSON Schema."""
        read_lengths(prop, "minLength", "maxLength", context.path, faults, self.most)
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One text column."""
        return (("", TEXT),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string with the property's bounds, pattern and format, and never more than the platform's limit."""
        words = kept(prop, "minLength", "pattern", "format", "enum", "const")
        return {"type": "string", "maxLength": prop.get("maxLength", self.most), **words}

    def logical(self, options: object, value: Json) -> Any:
        """The text itself."""
        return text_of(value)


class IdShape(FieldType):
    """The id of a record of another entity: a to-one relation with its scalar."""

    keywords = frozenset({"x-inverse", "x-onDelete"})
    graphql_name = "ID"
    operators = EXACT_OPERATORS
    filter_name = "ID"
    aggregates = ONLY_COUNTED
    expression = Type.ID
    examples = ("01931f2e-7000-7001-8000-000000000001", "01931F2E-7000-7001-8000-00000000000A")
    refused = ("1", "", 7, "01931f2e-7000-7001-8000-00000000000g", ["01931f2e-7000-7001-8000-000000000001"])
    on_delete: ClassVar[OnDelete] = OnDelete.RESTRICT
    """What a deletion of the target does where the property does not say."""

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """Never, unless the type says otherwise."""
        return False

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One uuid column."""
        return (("", UUID),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A UUID as text."""
        return {"type": "string", "format": "uuid"}

    def logical(self, options: object, value: Json) -> Any:
        """The id in lower case."""
        return id_of(value)

    def relation(self, options: object, context: FieldContext) -> RelationSpec | None:
        """The to-one relation."""
        return options if isinstance(options, RelationSpec) else None

    def read_relation(
        self, prop: Mapping[str, Json], target: str, context: FieldContext, faults: list[Fault]
    ) -> RelationSpec:
        """The relation to `target` with the property's x-inverse and x-onDelete."""
        rule = prop.get("x-onDelete", self.on_delete.value)
        if rule not in [item.value for item in OnDelete]:
            names = ", ".join(item.value for item in OnDelete)
            faults.append(invalid((*context.path, "x-onDelete"), f"must be one of {names}", f"必须是 {names} 之一"))
            rule = self.on_delete.value
        inverse = read_name(prop, "x-inverse", context, faults)
        return RelationSpec(RelationKind.TO_ONE, target, inverse, OnDelete(str(rule)))


@dataclass(frozen=True, slots=True)
class DecimalOptions:
    """Digits behind the point, and what a value must satisfy (JSON Schema cannot tell of numbers in texts)."""

    scale: int = 4
    bounds: Range = field(default_factory=Range)
    multiple_of: Decimal | None = None
    values: frozenset[Decimal] = frozenset()


class DecimalShape(FieldType):
    """An exact decimal of at most 18 digits: a string with all digits of its scale out, string or plain number in."""

    keywords = frozenset({"x-scale", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
    graphql_name = "Decimal"
    operators = ORDERED_OPERATORS
    filter_name = "Decimal"
    aggregates = NUMBER_AGGREGATES
    expression = Type.DECIMAL

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """Never, unless the type says otherwise."""
        return False

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The scale (x-scale, else as many digits as multipleOf has, else 4) and the bounds."""
        multiple = read_multiple(prop, context.path, faults)
        scale = prop.get("x-scale", 4 if multiple is None else min(_places(multiple), DECIMAL_SCALE_MAX))
        if not is_whole(scale) or not 0 <= int(scale) <= DECIMAL_SCALE_MAX:  # type: ignore[arg-type]
            where = (*context.path, "x-scale")
            faults.append(
                invalid(
                    where,
                    f"must be a whole number from 0 to {DECIMAL_SCALE_MAX}",
                    f"必须是 0 到 {DECIMAL_SCALE_MAX} 的整数",
                )
            )
            scale = 4
        if multiple is not None and multiple == Decimal(1).scaleb(-int(scale)):  # type: ignore[arg-type]
            multiple = None  # rounding to the scale makes it true
        values = frozenset(_listed_value(value, context, faults) for value in _listed(prop))
        return DecimalOptions(int(scale), read_range(prop, context.path, faults), multiple, values)  # type: ignore[arg-type]

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One decimal column of the field's scale."""
        return (("", decimal(_decimal_options(options).scale)),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A number, or a text of plain digits. Bounds hold for numbers here and for texts in `logical`."""
        words = kept(prop, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        return {"type": ["string", "number"], "format": "decimal", "pattern": DECIMAL_TEXT, **words}

    def logical(self, options: object, value: Json) -> Any:
        """The value rounded HALF_UP to the scale; refused beyond 18 digits, out of bounds, or when it is no number."""
        found, exact = _decimal_options(options), decimal_of(value)
        scale = found.scale
        if isinstance(value, float) and abs(exact).scaleb(scale) >= 1 << 53:
            raise ValueRefused(
                Text(
                    "a number of this size has lost digits: send it as a string",
                    "这样大的数字已丢失精度：请以字符串形式发送",
                )
            )
        if not -_BOUNDS[0] < exact < _BOUNDS[0]:
            raise _too_many_digits(scale)
        result = exact.quantize(_UNITS[scale], ROUND_HALF_UP, EXACT)
        if not -_BOUNDS[scale] < result < _BOUNDS[scale]:
            raise _too_many_digits(scale)
        _check_decimal(found, exact, result)
        return result if result else abs(result)

    def argument(self, options: object, value: Json) -> Any:
        """The exact value, not rounded."""
        return decimal_of(value)

    def image(self, options: object, value: Any) -> Json:
        """Plain digits, all of the scale."""
        return format(value, "f")


def text_of(value: Json) -> str:
    """A JSON value that must be a text, without what no database keeps: NUL and lone surrogates."""
    if not isinstance(value, str):
        raise ValueRefused(Text("must be a text", "必须是文本"))
    if "\x00" in value or not (value.isascii() or _is_unicode(value)):
        raise ValueRefused(Text("holds a character that cannot be kept", "包含无法保存的字符"))
    return value


def id_of(value: Json) -> str:
    """The canonical form of a JSON value that must be a UUID in text."""
    # `uuid.UUID` is ten times slower and also takes braces, URNs and missing hyphens
    if isinstance(value, str) and _UUID.fullmatch(value):
        return value.lower()
    raise ValueRefused(Text("must be a UUID", "必须是 UUID"))


def decimal_of(value: Json) -> Decimal:
    """The exact decimal of a JSON number or text; text has at most 24 digits on each side of the point."""
    if isinstance(value, str) and _DECIMAL.match(value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**24:
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and value.is_finite() and (not value or -400 < value.adjusted() < 24):
        return value
    raise ValueRefused(Text("must be a decimal number: plain digits", "必须是十进制数字"))


def read_name(prop: Mapping[str, Json], word: str, context: FieldContext, faults: list[Fault]) -> str | None:
    """A keyword that holds an API name."""
    value = prop.get(word)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][A-Za-z0-9]{0,62}", value):
        faults.append(invalid((*context.path, word), "must be an API name", "必须是 API 名称"))
        return None
    return value


def read_entity(prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> str:
    """The required `x-entity` of a relational property."""
    target = read_name(prop, "x-entity", context, faults)
    if target is None and "x-entity" not in prop:
        faults.append(invalid(context.path, "x-entity must name the entity it leads to", "x-entity 必须指明目标实体"))
    return target or ""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decimal_options(options: object) -> DecimalOptions:
    return options if isinstance(options, DecimalOptions) else DecimalOptions()


def _places(multiple: Decimal) -> int:
    exponent = multiple.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _listed(prop: Mapping[str, Json]) -> Sequence[Json]:
    values = prop.get("enum", [prop["const"]] if "const" in prop else [])
    return [value for value in values if value is not None] if isinstance(values, list | tuple) else []


def _listed_value(value: Json, context: FieldContext, faults: list[Fault]) -> Decimal:
    try:
        return decimal_of(value)
    except ValueError:
        faults.append(invalid((*context.path, "enum"), "must hold decimals", "必须是十进制数字"))
        return Decimal(0)


def _too_many_digits(scale: int) -> ValueRefused:
    whole = DECIMAL_DIGITS - scale
    return ValueRefused(Text(f"at most {whole} digits before the point", f"小数点前最多 {whole} 位数字"))


def _check_decimal(options: DecimalOptions, exact: Decimal, rounded: Decimal) -> None:
    """Bounds hold for what was sent and for what is kept."""
    bounds = options.bounds
    if not (bounds.holds(exact) and bounds.holds(rounded)):
        low, high = bounds.low, bounds.high
        raise ValueRefused(
            Text(
                f"out of bounds: from {'any' if low is None else low} to {'any' if high is None else high}",
                f"超出范围：从{'不限' if low is None else low}到{'不限' if high is None else high}",
            )
        )
    if options.multiple_of is not None and rounded % options.multiple_of:
        multiple = options.multiple_of
        raise ValueRefused(Text(f"must be a multiple of {multiple}", f"必须是 {multiple} 的倍数"))
    if options.values and rounded not in options.values:
        raise ValueRefused(Text("not one of the allowed numbers", "不是允许的数值之一"))
