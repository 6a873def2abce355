"""Text -> tokens. Everything that CEL calls a token and this language has; every other character is a clear error."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from base import decimals
from base.errors import Text
from base.limits import Limits
from expressions.errors import ExpressionInvalid
from expressions.types import Type

INTEGER_MAX: Final = 2**53 - 1
"""The largest whole number without a point, as for `long` fields: the browser's numbers are exact up to here."""

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+|//[^\r\n]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<text>'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*")
    |(?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"\\(?:x(?P<x>[0-9A-Fa-f]{2})|u(?P<u>[0-9A-Fa-f]{4})|U(?P<U>[0-9A-Fa-f]{8})|(?P<char>[^xuU]))", re.DOTALL
)
_ESCAPED: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip
_MEANT: Final = {"=": "==", "&": "&&", "|": "||", "‘": "'", "’": "'", "“": '"', "”": '"', "，": ",", "。": "."}
_MAX_EXPONENT: Final = 40  # a longer one has too many digits anyway, and must not be written out


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    LITERAL = "literal"
    OPERATOR = "operator"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text as written and, for literals, its value and type. `position` counts from 0."""

    kind: Kind
    text: str
    position: int
    value: int | Decimal | str | None = None
    type: Type = Type.NULL


def tokens(source: str, limits: Limits) -> list[Token]:
    """All tokens of the source, an END last. Raises `ExpressionInvalid` at the first character that is none."""
    if len(source) > limits.expression_chars:
        most = limits.expression_chars
        raise ExpressionInvalid(most, Text(f"longer than {most} characters", f"超过 {most} 个字符"))
    result: list[Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise _bad_character(source, position)
        kind = match.lastgroup
        if kind != "space":
            result.append(_token(str(kind), match.group(), position))
        position = match.end()
    result.append(Token(Kind.END, "", len(source)))
    return result


def _token(kind: str, text: str, position: int) -> Token:
    match kind:
        case "number":
            return _number(text, position)
        case "text":
            return Token(Kind.LITERAL, text, position, _unescaped(text, position), Type.TEXT)
        case "name":
            return Token(Kind.NAME, text, position)
        case _:
            return Token(Kind.OPERATOR, text, position)


def _number(text: str, position: int) -> Token:
    if text.isdigit():
        if len(text.lstrip("0")) > len(str(INTEGER_MAX)) or int(text) > INTEGER_MAX:
            raise ExpressionInvalid(
                position,
                Text(
                    f"a whole number is at most {INTEGER_MAX}; write a larger one with a point (.0)",
                    f"整数最大为 {INTEGER_MAX}；更大的数请写成带小数点的形式（.0）",
                ),
            )
        return Token(Kind.LITERAL, text, position, int(text), Type.INTEGER)
    _, _, exponent = text.lower().partition("e")
    value = Decimal(text) if len(exponent) < 4 and abs(int(exponent or 0)) <= _MAX_EXPONENT else None
    if value is None or decimals.digits(value) > decimals.DIGITS or not _within_scale(value):
        raise ExpressionInvalid(
            position,
            Text(
                f"a number has at most {decimals.DIGITS} digits, {decimals.SCALE} of them behind the point",
                f"数字最多 {decimals.DIGITS} 位，其中小数最多 {decimals.SCALE} 位",
            ),
        )
    plain = Decimal(format(value, "f"))
    return Token(Kind.LITERAL, text, position, plain, Type.DECIMAL)


def _within_scale(value: Decimal) -> bool:
    return decimals.floor_scaled(value, decimals.SCALE)[1]


def _unescaped(literal: str, position: int) -> str:
    body = literal[1:-1]
    parts: list[str] = []
    index = 0
    while (slash := body.find("\\", index)) >= 0:
        parts.append(body[index:slash])
        match = _ESCAPE.match(body, slash)
        char = None if match is None else _escaped(match)
        if match is None or char is None:
            raise ExpressionInvalid(
                position + 1 + slash,
                Text(
                    f"unknown escape {body[slash : slash + 2]}; a backslash is written \\\\",
                    f"未知的转义 {body[slash : slash + 2]}；反斜杠请写成 \\\\",
                ),
            )
        parts.append(char)
        index = match.end()
    text = "".join((*parts, body[index:]))
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ExpressionInvalid(
            position, Text("a text cannot hold NUL or a lone surrogate", "文本不能包含 NUL 或孤立的代理字符")
        )
    return text


def _escaped(match: re.Match[str]) -> str | None:
    if (char := match["char"]) is not None:
        return _ESCAPED.get(char)
    code = int(match["x"] or match["u"] or match["U"], 16)
    return chr(code) if code <= 0x10FFFF else None


def _bad_character(source: str, position: int) -> ExpressionInvalid:
    char = source[position]
    if char in "'\"":
        return ExpressionInvalid(
            position, Text(f"the text that opens with {char} is not closed", f"以 {char} 开头的文本没有结束")
        )
    narrow = unicodedata.normalize("NFKC", char)  # full-width letters and signs of a Chinese keyboard
    meant = _MEANT.get(char) or (narrow if narrow != char and len(narrow) == 1 and narrow.isascii() else None)
    shown = char if char.isprintable() else f"U+{ord(char):04X}"
    return ExpressionInvalid(position, Text(f"unexpected character {shown}", f"意外的字符 {shown}"), meant)
