"""The Python back end: a typed expression -> a function of a look-up, by the rules of docs/expressions.md."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from base import decimals, floats
from expressions.literals import logical
from expressions.tree import Expression, Literal, Name, Node, Operation
from expressions.types import Type

Lookup: TypeAlias = Callable[[tuple[str, ...]], Any]
"""The logical value at a path (`storage.types`): None for null, lists as sequences of str."""

Evaluation: TypeAlias = Callable[[Lookup], Any]
"""A compiled expression: a look-up -> its logical value."""

_EXACT: Final[dict[str, Callable[[Any, Any], Decimal | None]]] = {
    "+": decimals.add,
    "-": decimals.subtract,
    "*": decimals.multiply,
    "/": decimals.divide,
    "%": decimals.remainder,
}
_FLOAT: Final[dict[str, Callable[[float, float], float | None]]] = {
    "+": floats.add,
    "-": floats.subtract,
    "*": floats.multiply,
    "/": floats.divide,
}
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compiled(expression: Expression) -> Evaluation:
    """The expression as a function of a look-up. Where one is evaluated often, keep it: making it costs ten runs."""
    return _compiled(expression.tree)


def evaluate(expression: Expression, lookup: Lookup) -> Any:
    """The logical value of an expression: int, Decimal, float, bool, str, date ... or None."""
    return _compiled(expression.tree)(lookup)


def _compiled(node: Node) -> Evaluation:
    match node:
        case Literal():
            value = logical(node)
            return lambda lookup: value
        case Name(path):
            return lambda lookup: lookup(path)
        case Operation("in", (item, items)):
            return _contains(item, items)
        case Operation("==" | "!=" | "<" | "<=" | ">" | ">=" as name, (left, right)):
            return _comparison(name, left, right)
        case Operation(name, operands):
            return _operation(name, tuple(_compiled(operand) for operand in operands), node.type)


def _operation(name: str, operands: tuple[Evaluation, ...], type_: Type) -> Evaluation:
    match name:
        case "&&":
            return lambda lookup: all(operand(lookup) is True for operand in operands)
        case "||":
            return lambda lookup: any(operand(lookup) is True for operand in operands)
        case "!":
            (only,) = operands
            return lambda lookup: only(lookup) is not True
        case "?:":
            condition, yes, no = operands
            return lambda lookup: _widened((yes if condition(lookup) is True else no)(lookup), type_)
        case "neg":
            return _arithmetic("-", lambda lookup: 0, operands[0], type_)
        case _:
            left, right = operands
            return _arithmetic(name, left, right, type_)


def _comparison(name: str, left: Node, right: Node) -> Evaluation:
    """A comparison; beside a float every number is the nearest float."""
    one, two = _compiled(left), _compiled(right)
    if Type.FLOAT in (left.type, right.type):
        one, two = _as_float(one), _as_float(two)
    if name in ("==", "!="):
        wanted = name == "=="
        return lambda lookup: (one(lookup) == two(lookup)) is wanted
    holds = _ORDER[name]

    def ordered(lookup: Lookup) -> bool:
        """Whether both are there and stand in that order."""
        first, second = one(lookup), two(lookup)
        return first is not None and second is not None and holds(first, second)

    return ordered


def _as_float(value: Evaluation) -> Evaluation:
    return lambda lookup: _widened(value(lookup), Type.FLOAT)


def _contains(item: Node, items: Node) -> Evaluation:
    if isinstance(items, Operation) and items.operator == "list":
        # each by the rules of ==
        equal = tuple(_comparison("==", item, each) for each in items.operands)
        return lambda lookup: any(one(lookup) for one in equal)
    one, many = _compiled(item), _compiled(items)

    def contained(lookup: Lookup) -> bool:
        """Whether the list is there and holds the value."""
        value, values = one(lookup), many(lookup)
        return value is not None and values is not None and value in values

    return contained


def _arithmetic(name: str, left: Evaluation, right: Evaluation, type_: Type) -> Evaluation:
    compute = _in_floats(_FLOAT[name]) if type_ is Type.FLOAT else _exactly(_EXACT[name], type_)

    def computed(lookup: Lookup) -> Any:
        """The result; null where an operand is."""
        first, second = left(lookup), right(lookup)
        return None if first is None or second is None else compute(first, second)

    return computed


def _in_floats(compute: Callable[[float, float], float | None]) -> Callable[[Any, Any], Any]:
    return lambda left, right: compute(float(left), float(right))


def _exactly(compute: Callable[[Any, Any], Decimal | None], type_: Type) -> Callable[[Any, Any], Any]:
    return lambda left, right: _widened(compute(left, right), type_)


def _widened(value: Any, type_: Type) -> Any:
    """The value as a number of that type (which it widens to); anything but a number stays as it is."""
    if value is None or isinstance(value, str):
        return value
    match type_:
        case Type.FLOAT:
            return float(value)
        case Type.DECIMAL:
            return Decimal(value)
        case Type.INTEGER:
            return int(value)
        case _:
            return value
