"""Tokens -> untyped tree: the grammar of CEL's expressions without calls, indexes, maps and messages.

Precedence climbing. Brackets, signs and conditionals count against `limits.expression_depth` before the parser goes
into them, and no tree is deeper than that, so neither the parser nor any reader of the tree can exhaust the stack.
"""

from __future__ import annotations

from typing import Final

from base.errors import Text
from base.limits import DEFAULTS, Limits
from expressions.errors import ExpressionInvalid
from expressions.lexer import Kind, Token, tokens
from expressions.syntax import Application, Path, Syntax, apply
from expressions.tree import Literal
from expressions.types import Type

_LEVELS: Final = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys(("+", "-"), 4),
    **dict.fromkeys(("*", "/", "%"), 5),
}
_CONSTANTS: Final[dict[str, tuple[object, Type]]] = {
    "true": (True, Type.BOOLEAN),
    "false": (False, Type.BOOLEAN),
    "null": (None, Type.NULL),
}
RESERVED: Final = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let", "loop", "namespace"}
    | {"package", "return", "var", "void", "while"}
)
"""Words that no path can begin with, because CEL keeps them."""

_MEANT: Final = {"and": "&&", "or": "||", "not": "!", "is": "==", "AND": "&&", "OR": "||", "NOT": "!", "IN": "in"}
_WORDS: Final = {"True": "true", "False": "false", "None": "null", "NULL": "null", "TRUE": "true", "FALSE": "false"}


def parse(source: str, limits: Limits = DEFAULTS) -> Syntax:
    """The untyped tree of an expression. Raises `ExpressionInvalid` where it is not of the language or too large."""
    return _Parser(tokens(source, limits), limits).whole()


class _Parser:
    """One pass over the tokens of one expression."""

    def __init__(self, items: list[Token], limits: Limits) -> None:
        self._items = items
        self._index = 0
        self._limits = limits
        self._nodes = 0
        self._depth = 0

    def whole(self) -> Syntax:
        if len(self._items) == 1:
            raise ExpressionInvalid(0, Text("the expression is empty", "表达式为空"))
        node = self._expression()
        if self._token.kind is not Kind.END:
            raise self._unexpected()
        return node

    @property
    def _token(self) -> Token:
        return self._items[self._index]

    def _next(self) -> Token:
        token = self._items[self._index]
        self._index += 1
        return token

    def _at(self, *operators: str) -> bool:
        token = self._token
        return token.text in operators and (token.kind is Kind.OPERATOR or token.text == "in")

    def _expect(self, operator: str) -> Token:
        if not self._at(operator):
            raise self._unexpected(operator)
        return self._next()

    def _expression(self) -> Syntax:
        self._enter()
        node = self._binary(1)
        if self._at("?"):
            position = self._next().position
            then = self._binary(1)
            self._expect(":")
            node = self._apply("?:", (node, then, self._expression()), position)
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Syntax:
        left = self._unary()
        while (at := self._level()) >= level:
            token = self._next()
            operands = [left, self._binary(at + 1)]
            # `a && b && c` is one node: long chains stay shallow
            while token.text in ("&&", "||") and self._at(token.text):
                self._next()
                operands.append(self._binary(at + 1))
            left = self._apply(token.text, tuple(operands), token.position)
        return left

    def _level(self) -> int:
        token = self._token
        known = token.kind is Kind.OPERATOR or token.text == "in"
        return _LEVELS.get(token.text, 0) if known and token.kind is not Kind.LITERAL else 0

    def _unary(self) -> Syntax:
        if not self._at("!", "-"):
            return self._primary()
        token = self._next()
        self._enter(token)
        node = self._unary()
        self._depth -= 1
        if token.text == "-" and isinstance(node, Literal) and node.type in (Type.INTEGER, Type.DECIMAL):
            return Literal(-node.value, node.type, token.position)  # type: ignore[operator]
        return self._apply("!" if token.text == "!" else "neg", (node,), token.position)

    def _primary(self) -> Syntax:
        token = self._token
        if token.kind is Kind.LITERAL:
            self._next()
            self._count(token.position)
            return Literal(token.value, token.type, token.position)
        if token.kind is Kind.NAME:
            return self._named()
        if self._at("("):
            self._next()
            node = self._expression()
            self._expect(")")
            return node
        if self._at("["):
            return self._list()
        raise self._unexpected()

    def _named(self) -> Syntax:
        token = self._next()
        self._count(token.position)
        if token.text in _CONSTANTS:
            value, type_ = _CONSTANTS[token.text]
            return Literal(value, type_, token.position)
        if token.text in RESERVED:
            raise ExpressionInvalid(
                token.position,
                Text(f"{token.text} is a word of the language", f"{token.text} 是语言保留字"),
            )
        path = [token]
        while self._at("."):
            self._next()
            if self._token.kind is not Kind.NAME:
                raise self._unexpected()
            path.append(self._next())
        self._no_call(path)
        return Path(tuple(part.text for part in path), tuple(part.position for part in path))

    def _no_call(self, path: list[Token]) -> None:
        name, position = ".".join(part.text for part in path), path[0].position
        if self._at("("):
            if len(path) == 1 and name in _MEANT:
                raise ExpressionInvalid(
                    position, Text(f"{name} is not an operator", f"{name} 不是运算符"), _MEANT[name]
                )
            raise ExpressionInvalid(
                position,
                Text(f"functions are not available here: {name}", f"此处不能使用函数：{name}"),
            )
        if self._at("["):
            raise ExpressionInvalid(
                self._token.position,
                Text("a value cannot be indexed here", "此处不能按下标取值"),
            )

    def _list(self) -> Syntax:
        opening = self._next()
        items: list[Syntax] = []
        while not self._at("]"):
            if items:
                self._expect(",")
                if self._at("]"):  # CEL allows a comma at the end
                    break
            items.append(self._expression())
        self._expect("]")
        return self._apply("list", tuple(items), opening.position)

    def _apply(self, operator: str, operands: tuple[Syntax, ...], position: int) -> Application:
        self._count(position)
        node = apply(operator, operands, position)
        if node.depth > self._limits.expression_depth:
            raise self._too_deep(position)
        if node.conditions > self._limits.expression_conditions:
            most = self._limits.expression_conditions
            raise ExpressionInvalid(
                position,
                Text(f"more than {most} conditions inside each other", f"条件嵌套超过 {most} 层"),
            )
        return node

    def _count(self, position: int) -> None:
        self._nodes += 1
        if self._nodes > self._limits.expression_nodes:
            most = self._limits.expression_nodes
            raise ExpressionInvalid(
                position, Text(f"more than {most} names, values and operators", f"名称、值和运算符超过 {most} 个")
            )

    def _enter(self, token: Token | None = None) -> None:
        self._depth += 1
        if self._depth > self._limits.expression_depth:
            raise self._too_deep((token or self._token).position)

    def _too_deep(self, position: int) -> ExpressionInvalid:
        most = self._limits.expression_depth
        return ExpressionInvalid(position, Text(f"nested deeper than {most} levels", f"嵌套超过 {most} 层"))

    def _unexpected(self, wanted: str | None = None) -> ExpressionInvalid:
        token = self._token
        before = self._items[self._index - 1] if self._index else token
        if before.kind is Kind.NAME and before.text in _MEANT and token.kind is not Kind.END:
            return ExpressionInvalid(
                before.position,
                Text(f"{before.text} is not an operator", f"{before.text} 不是运算符"),
                _MEANT[before.text],
            )
        en = "the expression ends too early" if token.kind is Kind.END else f"unexpected {token.text}"
        zh = "表达式没有写完" if token.kind is Kind.END else f"意外的 {token.text}"
        if wanted is not None:
            en, zh = f"{en}, {wanted} is missing", f"{zh}，缺少 {wanted}"
        meant = _MEANT.get(token.text) if token.kind is Kind.NAME else None
        if (before.text, token.text) == ("<", ">"):
            meant = "!="
        return ExpressionInvalid(token.position, Text(en, zh), meant)


def meant_constant(name: str) -> str | None:
    """The constant that a name of another language stands for (`None` -> `null`), or None."""
    return _WORDS.get(name)
