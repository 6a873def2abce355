"""The Python back end: a typed expression and a look-up -> a logical value, by the rules of docs/expressions.md."""

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


def evaluate(expression: Expression, lookup: Lookup) -> Any:
    """The logical value of an expression: int, Decimal, float, bool, str, date ... or None."""
    return _value(expression.tree, lookup)


def _value(node: Node, lookup: Lookup) -> Any:
    match node:
        case Literal():
            return logical(node)
        case Name(path):
            return lookup(path)
        case Operation(name, operands):
            return _operation(name, operands, node.type, lookup)


def _operation(name: str, operands: tuple[Node, ...], type_: Type, lookup: Lookup) -> Any:
    match name:
        case "&&":
            return all(_value(operand, lookup) is True for operand in operands)
        case "||":
            return any(_value(operand, lookup) is True for operand in operands)
        case "!":
            return _value(operands[0], lookup) is not True
        case "?:":
            chosen = operands[1] if _value(operands[0], lookup) is True else operands[2]
            return _widened(_value(chosen, lookup), type_)
        case "in":
            return _contains(operands[0], operands[1], lookup)
        case "==" | "!=":
            left, right = _pair(operands, lookup)
            return (left == right) is (name == "==")
        case "neg":
            value = _value(operands[0], lookup)
            return None if value is None else _arithmetic("-", 0, value, type_)
        case _ if name in _ORDER:
            left, right = _pair(operands, lookup)
            return left is not None and right is not None and _ORDER[name](left, right)
        case _:
            left, right = (_value(operand, lookup) for operand in operands)
            return None if left is None or right is None else _arithmetic(name, left, right, type_)


def _pair(operands: tuple[Node, ...], lookup: Lookup) -> tuple[Any, Any]:
    """Two values to compare; beside a float every number is the nearest float."""
    left, right = (_value(operand, lookup) for operand in operands)
    if any(operand.type is Type.FLOAT for operand in operands):
        return _widened(left, Type.FLOAT), _widened(right, Type.FLOAT)
    return left, right


def _contains(item: Node, items: Node, lookup: Lookup) -> bool:
    if isinstance(items, Operation) and items.operator == "list":
        # each by the rules of ==
        return any(_operation("==", (item, each), Type.BOOLEAN, lookup) for each in items.operands)
    value, values = _value(item, lookup), _value(items, lookup)
    return value is not None and values is not None and value in values


def _arithmetic(name: str, left: Any, right: Any, type_: Type) -> Any:
    if type_ is Type.FLOAT:
        return _FLOAT[name](float(left), float(right))
    exact = _EXACT[name](left, right)
    return _widened(exact, type_)


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
