"""Values in answers, computed in Python: images, aggregates, and answers without their cursors."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from metadata.field import Field
from records.reading.aggregates import LARGEST_SUMMED
from records.selection import Constant


def aggregated(function: str, item: Field, values: list[Any]) -> Any:
    """An aggregate of logical values as JSON."""
    kind = item.column.type.kind
    if function == "distinctCount":
        return len({tuple(value) if isinstance(value, list) else value for value in values})
    if not values:
        return None
    if function in ("min", "max"):
        return image(item, min(values) if function == "min" else max(values))
    if kind == "float" and function in ("sum", "avg") and max(map(abs, values)) >= LARGEST_SUMMED:
        return None
    if kind == "float":
        return sum(values) if function == "sum" else sum(values) / len(values)
    with localcontext() as context:
        context.prec = 100
        total = sum((Decimal(value) for value in values), Decimal(0))
        if function == "sum":
            return int(total) if kind == "integer" else _short(total)
        return _short((total / len(values)).quantize(Decimal("1e-10"), rounding=ROUND_HALF_UP))


def _short(value: Decimal) -> str:
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def image(item: Field, value: Any) -> Any:
    """The JSON of a value that may be null."""
    return None if value is None else item.type.image(item.options, value)


def plain(tree: Any) -> Mapping[str, Any]:
    """The entries of an object of a filter."""
    if isinstance(tree, Constant):
        return {key: Constant(value) for key, value in tree.value.items()}
    return tree  # type: ignore[no-any-return]


def without_cursors(value: Any, keys: frozenset[str] = frozenset({"cursor", "startCursor", "endCursor"})) -> Any:
    """An answer fit to be compared: every cursor None."""
    if isinstance(value, Mapping):
        return {key: None if key in keys else without_cursors(item, keys) for key, item in value.items()}
    return [without_cursors(item, keys) for item in value] if isinstance(value, list) else value


def rounded(value: Any) -> Any:
    """An answer with floats to nine digits: a sum of floats depends on the order."""
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(f"{value:.9g}")
    return [rounded(item) for item in value] if isinstance(value, list) else value
