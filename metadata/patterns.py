"""Regular expressions of documents: only what a linear-time engine can run, and what no browser can be hung with."""

from __future__ import annotations

import re

import jsonschema_rs

from base.errors import Fault, Text
from base.json import Json
from metadata.faults import invalid, over_limit, refused

MAX_PATTERN = 1_000
"""Characters of one pattern: compiled automata grow with it."""

_LINEAR = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)

_ATOM = r"(?:\\.|\[(?:\\.|[^\]\\])+\]|[^\\()\[\]|*+?{}^$])"
_NESTED = re.compile(rf"\((?:\?:)?{_ATOM}(?:[*+]|\{{\d+,\}})\??\)(?:[*+]|\{{\d+,\}})")
# one repeated atom in a group that is itself repeated: `(a+)+`. It always equals a simpler pattern without the group,
# and a backtracking engine (a browser's) needs exponential time for it.


def pattern_fault(pattern: Json, path: tuple[str, ...]) -> Fault | None:
    """What is wrong with a `pattern`, or None."""
    if not isinstance(pattern, str):
        return invalid(path, "a pattern is a text", "pattern 必须是文本")
    if len(pattern) > MAX_PATTERN:
        return over_limit(path, Text("too many characters in a pattern", "正则表达式过长"), MAX_PATTERN)
    if _NESTED.search(pattern):
        return refused(
            path,
            "a repetition inside a repetition ((a+)+) can take exponential time: drop the inner or the outer one",
            "重复嵌套的正则((a+)+)可能耗费指数时间：请去掉内层或外层重复",
        )
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_LINEAR, offline=True)
    except ValueError:
        return refused(
            path,
            "not a regular expression that runs in linear time (no look-around, no back-reference)",
            "不是可在线性时间内执行的正则表达式(不支持环视与反向引用)",
        )
    return None
