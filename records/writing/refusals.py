"""Why a write is refused: faults with their texts, and the tokens that guards of a Batch carry back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from base.errors import Fault, Forbidden, Text
from base.json import Json

Path = tuple[str, ...]
"""Steps into an input, as a `Fault` tells them."""


class Reason(Enum):
    """What it means when a guard of a Batch does not hold."""

    MOVED = "moved"  # a row has another version, or others refer to it meanwhile: prepare again
    EXPECTED = "expected"  # the caller named a version and the row has another one
    MISSING = "missing"  # the target of a reference is gone, deleted or hidden


@dataclass(frozen=True, slots=True)
class Refusal:
    """The token of a guard: which command of the write it belongs to, where in its input, and what it means."""

    reason: Reason
    command: int
    path: Path


def invalid(path: Path, en: str, zh: str) -> Fault:
    """A value that cannot be."""
    return Fault(path, "VALIDATION", Text(en, zh))


def not_found(path: Path) -> Fault:
    """A target of a write that is unknown, deleted or hidden: the three look the same."""
    return Fault(path, "NOT_FOUND", Text("There is no such record", "没有这条记录"))


def overtaken(path: Path) -> Fault:
    """Others were faster, again and again."""
    return Fault(path, "CONFLICT", Text("Others are changing this record; try again", "其他人正在修改该记录，请重试"))


def other_version(path: Path, current: int | None) -> Fault:
    """The row has moved on from the version that the caller has read; `details` tell the current one."""
    text = Text("The record was changed since you read it: read it again", "您读取之后该记录已被修改：请重新读取")
    return Fault(path, "CONFLICT", text, {} if current is None else {"version": current})


def value_taken(path: Path, fields: tuple[str, ...]) -> Fault:
    """A value that another live record holds. Which one is not told: it may be hidden."""
    text = Text("Another record has this value already", "已有其他记录使用该值")
    return Fault((*path, *fields[:1]), "NOT_UNIQUE", text, {"fields": list(fields)})


def referenced(path: Path, by: list[Mapping[str, Json]]) -> Fault:
    """Live records stand in the way of a deletion; `by` names those that the actor may read."""
    text = Text(
        "Other records refer to this one: change or delete them first", "其他记录引用了该记录：请先修改或删除它们"
    )
    return Fault(path, "REFERENCED", text, {"by": by})


def over_limit(path: Path, en: str, zh: str, limit: int) -> Fault:
    """More than a write may do at once."""
    return Fault(path, "LIMIT", Text(en, zh), {"limit": limit})


def too_many_rows(path: Path, limit: int) -> Fault:
    """A write that touches too many rows; nothing was done."""
    return over_limit(
        path,
        f"This would write more than {limit} records at once: use an import or smaller steps",
        f"一次写入不得超过 {limit} 条记录：请使用导入或分批处理",
        limit,
    )


def forbidden(operation: str, entity: str, path: Path = ()) -> Forbidden:
    """The error for something that the actor may read but not do."""
    details: dict[str, Json] = {"operation": operation, "entity": entity}
    if path:
        details["path"] = list(path)
    return Forbidden(Text(f"You may not {operation} this {entity}", f"您无权对该“{entity}”执行 {operation}"), details)


def below(path: Path, faults: list[Fault]) -> list[Fault]:
    """Faults of a part of an input, told from where that part stands."""
    if not path:
        return faults
    return [Fault((*path, *fault.path), fault.code, fault.text, fault.details) for fault in faults]
