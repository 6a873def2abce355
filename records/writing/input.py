"""Inputs of writes: keys are sorted out, values validated and made logical; mistakes are gathered with their paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from access.grant import Operation
from base.errors import Fault, Text
from base.json import Json, JsonInvalid, check_text
from base.registry import hint
from metadata.field import Field, RelationKind, ValueRefused
from records.writing.draft import Draft
from records.writing.refusals import Path, below, invalid
from records.writing.writeplan import WritePlan


@dataclass(slots=True)
class Input:
    """One record's input, sorted out: JSON values of scalars by API name, and relation inputs by their field."""

    values: dict[str, Json] = field(default_factory=dict)
    ones: list[tuple[Field, Mapping[str, Json]]] = field(default_factory=list)
    lists: list[tuple[Field, Mapping[str, Json]]] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)  # field name -> its key in the input


def read_input(draft: Draft, plan: WritePlan, operation: Operation, given: Mapping[str, Json], path: Path) -> Input:
    """Sort the keys of an input. A key that does not exist for the actor is a fault, with a hint."""
    keys, read = plan.inputs[operation], Input()
    for key, value in given.items():
        item = keys.get(key)
        if item is None:
            draft.faults.append(_unknown(key, list(keys), path))
        elif item.name in read.given:
            draft.faults.append(_twice(read.given[item.name], key, path))
        else:
            read.given[item.name] = key
            name = key if key in plan.slots else plan.entity.aliases.get(key, key)
            if name in plan.slots:
                if type(value) is str and value.isascii() and "\x00" not in value:
                    read.values[name] = value
                else:
                    _put(draft, read, name, value, path)
            else:
                _read_relation(draft, item, key, value, read, path)
    return read


def current_keys(draft: Draft, plan: WritePlan, given: Mapping[str, Json], path: Path) -> Mapping[str, Json]:
    """An input under the current names of its keys. One that is given under both names is a fault."""
    aliases = plan.entity.aliases
    if aliases.keys().isdisjoint(given):
        return given
    found = {key: value for key, value in given.items() if key not in aliases}
    for key, value in given.items():
        if key in aliases:
            if aliases[key] in found:
                draft.faults.append(_twice(aliases[key], key, path))
            found[aliases[key]] = value
    return found


def _put(draft: Draft, read: Input, key: str, value: Json, path: Path) -> None:
    try:
        check_texts(value)
    except JsonInvalid:
        draft.faults.append(
            invalid((*path, key), "holds characters that cannot be kept: NUL or half a pair", "包含无法保存的字符")
        )
    else:
        read.values[key] = value


def check_texts(value: Json) -> None:
    """Raise `JsonInvalid` for a JSON value that holds text which no database keeps, at whatever depth."""
    left: list[Json] = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            check_text(item)
        elif isinstance(item, Mapping):
            left += item
            left += item.values()
        elif isinstance(item, list | tuple):
            left += item


def _read_relation(draft: Draft, item: Field, key: str, value: Json, read: Input, path: Path) -> None:
    relation = item.relation
    assert relation is not None
    if value is None:
        if relation.kind is RelationKind.TO_ONE:
            read.values[item.api_name] = None
        return
    verbs = _VERBS[relation.kind]
    if not isinstance(value, Mapping):
        draft.faults.append(invalid((*path, key), "must be an object", "必须是对象"))
        return
    wrong = [verb for verb in value if verb not in verbs]
    if wrong:
        draft.faults.append(_unknown(wrong[0], verbs, (*path, key)))
        return
    asked = {verb: part for verb, part in value.items() if part is not None}
    if relation.kind is not RelationKind.TO_ONE:
        read.lists.append((item, asked))
    elif len(asked) != 1:
        draft.faults.append(
            invalid(
                (*path, key),
                "takes exactly one of create, connect, disconnect",
                "只能使用 create、connect、disconnect 之一",
            )
        )
    else:
        read.ones.append((item, asked))


_VERBS: Mapping[RelationKind, tuple[str, ...]] = {
    RelationKind.TO_ONE: ("create", "connect", "disconnect"),
    RelationKind.MANY: ("connect", "disconnect", "set"),
    RelationKind.CHILDREN: ("create", "update", "delete", "set"),
    RelationKind.INVERSE: (),
}


def validate_new(draft: Draft, plan: WritePlan, values: Mapping[str, Json], path: Path) -> dict[str, Any]:
    """The logical values of a new record; faults of its JSON Schema and of values that no field can keep."""
    faults = plan.validator.create(values)
    if not faults:
        return convert(draft, plan, values, path)
    known = {fault.path for fault in draft.faults}
    # a value that was refused before is not missing
    shown = [fault if not fault.path or fault.path[0] in plan.named else _HIDDEN for fault in faults]
    draft.faults += [fault for fault in below(path, shown) if fault.path not in known]
    wrong = {fault.path[0] for fault in faults if fault.path}
    return convert(draft, plan, {key: value for key, value in values.items() if key not in wrong}, path)


_HIDDEN = Fault(
    (), "VALIDATION", Text("a field that you may not write would not be valid", "某个您无权填写的字段将无效")
)
"""Stands for what a hidden field lacks in a new record: its name is not told."""


def convert(draft: Draft, plan: WritePlan, values: Mapping[str, Json], path: Path) -> dict[str, Any]:
    """JSON values as logical ones. A value that its field cannot keep is a fault."""
    slots = plan.slots
    made: dict[str, Any] = {}
    for key, value in values.items():
        if value is None:
            made[key] = None
            continue
        try:
            made[key] = slots[key].logical(value)
        except ValueRefused as error:
            draft.faults.append(Fault((*path, key), "VALIDATION", error.text))
        except (ValueError, ArithmeticError, TypeError):
            draft.faults.append(invalid((*path, key), "is not valid", "无效的值"))
    return made


def validate_changed(
    draft: Draft,
    plan: WritePlan,
    old: Mapping[str, Any],
    given: Mapping[str, Json],
    changed: set[str],
    path: Path,
) -> None:
    """The faults of the merged record that concern what was changed."""
    if changed:
        merged = {**plan.images(old), **given}
        known = {fault.path for fault in draft.faults}
        faults = below(path, plan.validator.update(_plain(plan, merged), changed))
        draft.faults += [fault for fault in faults if fault.path not in known]


def _plain(plan: WritePlan, merged: dict[str, Json]) -> dict[str, Json]:
    """Only what the validation schema knows: the platform's own fields are not in it."""
    return {key: value for key, value in merged.items() if not _is_stamp(plan, key)}


def _is_stamp(plan: WritePlan, key: str) -> bool:
    item = plan.slots[key].field
    return item.system and item.read_only


def _unknown(key: str, known: list[str] | tuple[str, ...], path: Path) -> Fault:
    near = hint(key, known)
    text = Text(f"no such field '{key[:64]}'{near.en}", f"没有字段“{key[:64]}”{near.zh}")
    return Fault((*path, key), "VALIDATION", text)


def _twice(first: str, second: str, path: Path) -> Fault:
    return invalid((*path, second), f"was given already by '{first}'", f"已由“{first}”给出")
