"""Untyped tree + scope -> typed expression. Every name and type error is found here, when a document is saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from base.errors import Text
from base.limits import DEFAULTS, Limits
from base.registry import did_you_mean
from expressions.errors import ExpressionInvalid
from expressions.literals import READERS
from expressions.parser import meant_constant, parse
from expressions.syntax import Application, Path, Syntax
from expressions.tree import Expression, Literal, Name, Node, Operation
from expressions.types import Scope, Type

NUMBERS: Final = (Type.INTEGER, Type.DECIMAL, Type.FLOAT)
"""Number types, each widening to the next."""

_ORDERED: Final = frozenset({*NUMBERS, Type.TEXT, Type.DATE, Type.DATETIME, Type.TIME})
_ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})
_ZH: Final = {
    Type.NULL: "空值", Type.BOOLEAN: "布尔值", Type.INTEGER: "整数", Type.DECIMAL: "小数", Type.FLOAT: "浮点数",
    Type.TEXT: "文本", Type.DATE: "日期", Type.DATETIME: "时刻", Type.TIME: "时间", Type.ID: "标识（id）",
    Type.LIST: "列表", Type.JSON: "JSON",
}  # fmt: skip


def check(source: str, scope: Scope, expected: Type | None = None, limits: Limits = DEFAULTS) -> Expression:
    """Parse and type an expression whose names mean what `scope` says.

    With `expected` the result must be of that type or widen to it (null fits everywhere; text literals become dates,
    times, instants and ids); the type of the expression stays its own. Raises `ExpressionInvalid`.
    """
    checker = _Checker(scope)
    tree = checker.typed(parse(source, limits))
    if expected is not None:
        tree = _coerced(tree, expected)
        if _common(tree.type, expected) is not expected:
            raise ExpressionInvalid(
                tree.position,
                Text(
                    f"the result is {_en(tree.type)}, but {_en(expected)} is wanted here",
                    f"结果是{_ZH[tree.type]}，而此处需要{_ZH[expected]}",
                ),
            )
    return Expression(source, tree, tree.type, frozenset(checker.reads))


def _en(type_: Type) -> str:
    return type_.value


def _common(left: Type, right: Type) -> Type | None:
    """The type that both widen to, or None."""
    if left is right or right is Type.NULL:
        return left
    if left is Type.NULL:
        return right
    if left in NUMBERS and right in NUMBERS:
        return NUMBERS[max(NUMBERS.index(left), NUMBERS.index(right))]
    return None


def _coerced(node: Node, wanted: Type) -> Node:
    """The node with its text literals read as `wanted`, where that is a type which texts stand for."""
    if wanted not in READERS or node.type is not Type.TEXT:
        return node
    if isinstance(node, Literal) and isinstance(node.value, str):
        read, advice = READERS[wanted]
        text = read(node.value)
        if text is None:
            raise ExpressionInvalid(node.position, advice)
        return Literal(text, wanted, node.position)
    if isinstance(node, Operation) and node.operator == "?:":
        condition, *branches = node.operands
        coerced = [_coerced(branch, wanted) for branch in branches]
        if all(branch.type in (wanted, Type.NULL) for branch in coerced):
            return Operation("?:", (condition, *coerced), wanted, node.position)
    return node


class _Checker:
    """Types one tree and gathers the paths it reads."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.reads: set[tuple[str, ...]] = set()

    def typed(self, node: Syntax) -> Node:
        match node:
            case Literal():
                return node
            case Path():
                return self._name(node)
            case Application("in"):
                return self._membership(node)
            case Application("list"):
                raise ExpressionInvalid(
                    node.position, Text("a list stands only to the right of in", "列表只能出现在 in 的右侧")
                )
            case Application(operator):
                operands = tuple(self.typed(operand) for operand in node.operands)
                return self._operation(operator, operands, node.position)

    def _operation(self, operator: str, operands: tuple[Node, ...], position: int) -> Node:
        match operator:
            case "&&" | "||" | "!":
                for operand in operands:
                    _want_boolean(operand, operator)
                return Operation(operator, operands, Type.BOOLEAN, position)
            case "?:":
                return self._conditional(operands, position)
            case "neg":
                _want_number(operands[0], "-")
                type_ = Type.INTEGER if operands[0].type is Type.NULL else operands[0].type
                return Operation("neg", operands, type_, position)
            case _ if operator in _ARITHMETIC:
                return self._arithmetic(operator, operands, position)
            case _:
                return self._comparison(operator, operands, position)

    def _name(self, path: Path) -> Name:
        scope = self._scope
        for name, position in zip(path.names[:-1], path.positions[:-1], strict=True):
            inner = scope.step(name)
            if inner is None:
                if scope.type_of(name) is None:
                    raise _unknown(name, position, scope)
                raise ExpressionInvalid(
                    position, Text(f"{name} is a value, nothing is inside it", f"{name} 是一个值，其中没有其他内容")
                )
            scope = inner
        name, position = path.names[-1], path.positions[-1]
        type_ = scope.type_of(name)
        if type_ is None:
            raise _unknown(name, position, scope)
        self.reads.add(path.names)
        return Name(path.names, type_, path.position)

    def _conditional(self, operands: tuple[Node, ...], position: int) -> Node:
        condition, then, otherwise = operands
        _want_boolean(condition, "?:")
        then, otherwise = _coerced(then, otherwise.type), _coerced(otherwise, then.type)
        common = _common(then.type, otherwise.type)
        if common is None:
            raise _no_match("?:", then, otherwise, position)
        return Operation("?:", (condition, then, otherwise), common, position)

    def _arithmetic(self, operator: str, operands: tuple[Node, ...], position: int) -> Node:
        left, right = operands
        _want_number(left, operator)
        _want_number(right, operator)
        common = _common(left.type, right.type)
        if common is None or common is Type.NULL:
            common = Type.INTEGER
        if operator == "/" and common is Type.INTEGER:
            common = Type.DECIMAL
        if operator == "%" and common is Type.FLOAT:
            raise ExpressionInvalid(
                position, Text("% needs exact numbers, not float", "% 只能用于精确数字，不能用于浮点数")
            )
        return Operation(operator, operands, common, position)

    def _comparison(self, operator: str, operands: tuple[Node, ...], position: int) -> Node:
        left, right = _coerced(operands[0], operands[1].type), _coerced(operands[1], operands[0].type)
        common = _common(left.type, right.type)
        if common is None:
            raise _no_match(operator, left, right, position)
        if operator not in ("==", "!="):
            if common is not Type.NULL and common not in _ORDERED:
                raise ExpressionInvalid(
                    position,
                    Text(f"{operator} cannot order {_en(common)}", f"{operator} 不能比较{_ZH[common]}的大小"),
                )
        elif common in (Type.LIST, Type.JSON) and Type.NULL not in (left.type, right.type):
            raise ExpressionInvalid(
                position,
                Text(f"{_en(common)} can only be compared with null", f"{_ZH[common]}只能与 null 比较"),
            )
        return Operation(operator, (left, right), Type.BOOLEAN, position)

    def _membership(self, node: Application) -> Node:
        left, right = self.typed(node.operands[0]), node.operands[1]
        if isinstance(right, Application) and right.operator == "list":
            return self._in_list(left, right, node.position)
        values = self.typed(right)
        if values.type not in (Type.LIST, Type.NULL):
            raise ExpressionInvalid(
                values.position,
                Text(
                    f"in needs a list on its right, not {_en(values.type)}",
                    f"in 的右侧需要列表，而不是{_ZH[values.type]}",
                ),
            )
        if left.type not in (Type.TEXT, Type.ID, Type.NULL):
            raise ExpressionInvalid(
                left.position,
                Text(f"such a list holds texts, not {_en(left.type)}", f"该列表的元素是文本，而不是{_ZH[left.type]}"),
            )
        return Operation("in", (left, values), Type.BOOLEAN, node.position)

    def _in_list(self, left: Node, right: Application, position: int) -> Node:
        if left.type in (Type.BOOLEAN, Type.LIST, Type.JSON):
            raise ExpressionInvalid(
                left.position, Text(f"in does not look for {_en(left.type)}", f"in 不能查找{_ZH[left.type]}")
            )
        items: list[Node] = []
        for operand in right.operands:
            item = _coerced(self.typed(operand), left.type)
            if isinstance(left, Literal):
                left = _coerced(left, item.type)
            if _common(left.type, item.type) is None:
                raise _no_match("in", left, item, item.position)
            if item.type is Type.NULL:
                raise ExpressionInvalid(
                    item.position,
                    Text(
                        "write `x == null || x in [...]` instead of null in a list",
                        "请写 `x == null || x in [...]`，不要把 null 放进列表",
                    ),
                )
            # A computed value is written once into SQL, so it is looked for among constants only.
            if not isinstance(left, Name | Literal) and not isinstance(item, Literal):
                raise ExpressionInvalid(
                    item.position,
                    Text(
                        "a computed value is looked for among constants only; use == and ||",
                        "计算值只能在常量列表中查找；请改用 == 和 ||",
                    ),
                )
            items.append(item)
        values = Operation("list", tuple(items), Type.LIST, right.position)
        return Operation("in", (left, values), Type.BOOLEAN, position)


def _unknown(name: str, position: int, scope: Scope) -> ExpressionInvalid:
    if scope.step(name) is not None:
        hint = f"{name}Id" if scope.type_of(f"{name}Id") is not None else None
        return ExpressionInvalid(
            position, Text(f"{name} is a record; name a field of it", f"{name} 是一条记录，请指明其中的字段"), hint
        )
    known: Iterable[str] = scope.names()
    hint = meant_constant(name) or did_you_mean(name, known)
    return ExpressionInvalid(position, Text(f"unknown name {name}", f"未知的名称 {name}"), hint)


def _want_boolean(node: Node, operator: str) -> None:
    if node.type not in (Type.BOOLEAN, Type.NULL):
        raise ExpressionInvalid(
            node.position,
            Text(f"{operator} needs a condition, not {_en(node.type)}", f"{operator} 需要条件，而不是{_ZH[node.type]}"),
        )


def _want_number(node: Node, operator: str) -> None:
    if node.type not in (*NUMBERS, Type.NULL):
        raise ExpressionInvalid(
            node.position,
            Text(f"{operator} needs numbers, not {_en(node.type)}", f"{operator} 需要数字，而不是{_ZH[node.type]}"),
        )


def _no_match(operator: str, left: Node, right: Node, position: int) -> ExpressionInvalid:
    if {left.type, right.type} == {Type.DATE, Type.DATETIME}:
        return ExpressionInvalid(
            position,
            Text(
                "a date and an instant cannot be compared: a day has its hours in one time zone only",
                "日期与时刻不能比较：一天的起止取决于时区",
            ),
        )
    return ExpressionInvalid(
        position,
        Text(
            f"{operator} cannot join {_en(left.type)} and {_en(right.type)}",
            f"{operator} 不能用于{_ZH[left.type]}与{_ZH[right.type]}",
        ),
    )
