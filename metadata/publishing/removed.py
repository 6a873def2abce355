"""A refusal that names both sides: what a publish takes away, and the place in a document that still uses it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from base.errors import Fault, Text
from base.json import Json
from metadata.build import Documents
from metadata.faults import EXPRESSION, UNKNOWN

_WORD = re.compile(r"\w+")


def name_both_sides(faults: Iterable[Fault], before: Documents, after: Documents) -> tuple[Fault, ...]:
    """The faults; those about a name that was there before say which document or field goes, or is called otherwise."""
    gone = dict(_gone(before, after))
    return tuple(_named(fault, gone, after) for fault in faults)


def _gone(before: Documents, after: Documents) -> Iterator[tuple[tuple[str, ...], str | None]]:
    """Path of each document and field that is there no more -> its new name where it has one."""
    for (kind, name), document in before.items():
        new = after.get((kind, name))
        if new is None:
            renamed = (other for (sort, other), item in after.items() if sort == kind and _was(item, name))
            yield (kind, name), next(renamed, None)
        for field in _properties(document).keys() - _properties(new).keys() if new is not None else ():
            again = (other for other, item in _properties(new).items() if _was(item, field))
            yield (kind, name, "properties", field), next(again, None)


def _named(fault: Fault, gone: Mapping[tuple[str, ...], str | None], after: Documents) -> Fault:
    if fault.code not in (UNKNOWN, EXPRESSION):
        return fault
    words = _words_at(fault.path, after)
    # of several things of one name the one in the same document is meant
    found = [path for path in gone if path[-1] in words]
    found.sort(key=lambda path: path[:2] != fault.path[:2])
    if not found:
        return fault
    path, new = found[0], gone[found[0]]
    removed, user = "/".join(path), "/".join(fault.path)
    if new is not None:
        text = Text(
            f"{fault.text.en}; {removed} is called {new!r} now: name it so in {user}",
            f"{fault.text.zh}；{removed} 现已改名为“{new}”：请在 {user} 中使用新名称",
        )
    else:
        text = Text(
            f"{fault.text.en}; this publish removes {removed}, which {user} uses: keep it, or change the other too",
            f"{fault.text.zh}；本次发布删除了 {removed}，而 {user} 仍在使用：请保留前者，或同时修改后者",
        )
    return replace(fault, text=text, details={**fault.details, "removed": list(path), "usedBy": list(fault.path)})


def _words_at(path: tuple[str, ...], documents: Documents) -> set[str]:
    """The words that stand where a path of a fault leads: in the text there, else its last step."""
    value: Json = documents.get(path[:2]) if len(path) > 1 else None  # type: ignore[arg-type]
    for step in path[2:]:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list | tuple) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = None
    return set(_WORD.findall(value)) if isinstance(value, str) else {path[-1]}


def _properties(document: Mapping[str, Json] | None) -> Mapping[str, Json]:
    found = document.get("properties") if document is not None else None
    return found if isinstance(found, Mapping) else {}


def _was(document: Json, name: str) -> bool:
    was = document.get("x-was") if isinstance(document, Mapping) else None
    return isinstance(was, list | tuple) and name in was
