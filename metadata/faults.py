"""How faults of documents are made: one function per kind of mistake, each with a stable code and both languages."""

from __future__ import annotations

from collections.abc import Iterable

from base.errors import Fault, Text
from base.registry import did_you_mean, hint

INVALID = "DOCUMENT_INVALID"  # not what the kind's metaschema describes
UNKNOWN = "DOCUMENT_UNKNOWN_NAME"  # a keyword, entity, field or type that does not exist
REFUSED = "DOCUMENT_REFUSED"  # a JSON Schema keyword or pattern that Pliant does not publish
RESERVED = "DOCUMENT_NAME_RESERVED"
CLASH = "DOCUMENT_NAME_CLASH"
LIMIT = "DOCUMENT_LIMIT"
EXPRESSION = "DOCUMENT_EXPRESSION"
LOSS = "DOCUMENT_LOSS"  # publishing would lose rows or values: allowLoss names them
ROWS = "DOCUMENT_ROWS"  # rows in the database stand against the change

CODES = (INVALID, UNKNOWN, REFUSED, RESERVED, CLASH, LIMIT, EXPRESSION, LOSS, ROWS)
"""Every code that a fault of a document can have; docs/documents.md explains each."""


def invalid(path: tuple[str, ...], en: str, zh: str) -> Fault:
    """A fault of form."""
    return Fault(path, INVALID, Text(en, zh))


def unknown(path: tuple[str, ...], what: Text, word: str, known: Iterable[str]) -> Fault:
    """A name that does not exist, with the closest one that does."""
    close, near = did_you_mean(word, known), hint(word, known)
    text = Text(f"unknown {what.en} {word[:80]!r}{near.en}", f"未知的{what.zh}“{word[:80]}”{near.zh}")
    return Fault(path, UNKNOWN, text, {"didYouMean": close} if close else {})


def refused(path: tuple[str, ...], en: str, zh: str) -> Fault:
    """Something that JSON Schema knows and Pliant does not publish."""
    return Fault(path, REFUSED, Text(en, zh))


def clash(path: tuple[str, ...], name: str, one: str, other: str) -> Fault:
    """Two owners of one name; both are named."""
    return Fault(
        path,
        CLASH,
        Text(
            f"the name {name!r} would belong to both {one} and {other}: rename one of them",
            f"名称“{name}”将同时属于 {one} 和 {other}：请重命名其中之一",
        ),
        {"name": name, "owners": [one, other]},
    )


def reserved(path: tuple[str, ...], name: str) -> Fault:
    """A name that the platform keeps for itself."""
    return Fault(
        path,
        RESERVED,
        Text(f"the name {name!r} is reserved: choose another one", f"名称“{name}”为保留名称：请另选一个"),
    )


def over_limit(path: tuple[str, ...], what: Text, limit: int) -> Fault:
    """A budget was passed."""
    return Fault(
        path,
        LIMIT,
        Text(f"{what.en}: at most {limit:,} are allowed", f"{what.zh}：最多允许 {limit:,}"),
        {"limit": limit},
    )


KEYWORD = Text("keyword", "关键字")
ENTITY = Text("entity", "实体")
FIELD = Text("field", "字段")
FIELD_TYPE = Text("field type", "字段类型")
