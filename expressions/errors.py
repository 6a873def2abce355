"""The one error of the formula language that an author can mend."""

from __future__ import annotations

from base.errors import PliantError, Text
from base.json import Json


class ExpressionInvalid(PliantError):
    """An expression that cannot be read or typed: where it fails, why, and the name or operator perhaps meant.

    `position` counts characters from 0; `hint` is what to write instead (`closeOn`, `==`), or None. The message
    already holds the hint in words.
    """

    code = "BAD_USER_INPUT"

    def __init__(self, position: int, text: Text, hint: str | None = None) -> None:
        self.position = position
        self.hint = hint
        if hint is not None:
            text = Text(f"{text.en}; did you mean {hint}?", f"{text.zh}；您是否想写 {hint}？")
        details: dict[str, Json] = {"position": position} if hint is None else {"position": position, "hint": hint}
        super().__init__(text, details)
