"""Roles: documents that say what their holders may do, parsed into grants for the entities of one catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from access.clause import INVALID, UNKNOWN, Clauses, unknown_name
from access.grant import Grant, Operation
from access.metaschema import KEYWORDS, OWN_KEYWORD, ROLE_METASCHEMA
from access.right import PLATFORM_RIGHTS
from access.system import SYSTEM_WORD
from base.errors import Fault, Text
from base.json import Json
from expressions import Scope

__all__ = ["ROLE_METASCHEMA", "Known", "Role", "check_roles", "parse_role"]

EVERY = "*"
"""In `entities`: every entity that the document does not name."""

_NAME = re.compile(r"[a-z][A-Za-z0-9]{0,62}\Z")


class Known(Protocol):
    """What a role document may name: the entities of the catalog that is being built. Metadata implements it."""

    def entities(self) -> Iterable[str]:
        """Names of all entities, system entities included."""

    def fields(self, entity: str) -> Mapping[str, str]:
        """Every name that a document may use for a field -> the field's name: `account`, `accountId` -> `account`."""

    def parents(self, entity: str) -> Mapping[str, str]:
        """To-one relations of an entity -> the entity that they lead to."""

    def scope(self, entity: str) -> Scope:
        """Names for expressions over a record of this entity and `actor`."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role as published. `entities` is complete for its catalog: `*` is already spread over the entities it means."""

    name: str
    title: str
    titles: Mapping[str, str] = field(default_factory=dict)
    includes: tuple[str, ...] = ()
    entities: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    platform: frozenset[str] = frozenset()
    was: tuple[str, ...] = ()
    system: bool = False


def parse_role(document: Mapping[str, Json], known: Known, faults: list[Fault], *, system: bool = False) -> Role:
    """Read a role document against the entities it names; every mistake goes into `faults` with its path and a hint.

    With faults the returned role holds what could be read; it must not be published. `system` is given for the
    platform's own role; a document cannot say so of itself.
    """
    _check_keywords(document, faults)
    name = document.get("name")
    if not isinstance(name, str) or not _NAME.match(name):
        faults.append(
            Fault(
                ("name",),
                INVALID,
                Text(
                    "A role needs a name: a lower-case letter, then letters and digits, 63 at most",
                    "角色需要名称：以小写字母开头，仅含字母和数字，最多 63 个字符",
                ),
            )
        )
        name = ""
    title = document.get("title")
    titles = document.get("x-titles")
    return Role(
        name=name,
        title=title if isinstance(title, str) else name,
        titles={key: str(text) for key, text in titles.items()} if isinstance(titles, Mapping) else {},
        includes=_names(document.get("includes"), ("includes",), faults),
        entities=_parse_entities(document.get("entities"), known, faults),
        platform=_parse_platform(document.get("platform"), faults),
        was=_names(document.get("x-was"), ("x-was",), faults),
        system=system,
    )


def check_roles(roles: Mapping[str, Role]) -> tuple[Fault, ...]:
    """Faults between roles: an include that does not exist, a role that includes itself. Paths begin with the role."""
    faults: list[Fault] = []
    for role in roles.values():
        for index, included in enumerate(role.includes):
            path = (role.name, "includes", str(index))
            if included not in roles:
                faults.append(_unknown(path, "role", "角色", included, roles))
            elif role.name in included_roles(roles, [included]):
                faults.append(
                    Fault(
                        path,
                        INVALID,
                        Text(
                            f"'{role.name}' would include itself through '{included}'; take one include out",
                            f"“{role.name}”会经由“{included}”包含自身，请去掉其中一个包含关系",
                        ),
                    )
                )
    return tuple(faults)


def included_roles(roles: Mapping[str, Role], names: Iterable[str]) -> tuple[str, ...]:
    """The roles of these names and all that they include, sorted; unknown names are left out, cycles end.

    A renamed role still answers to the names in its `x-was`: members and tokens keep the name that they were given.
    """
    renamed = {old: role.name for role in roles.values() for old in role.was if old not in roles}
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        name = renamed.get(name, name)
        if name in roles and name not in found:
            found.add(name)
            waiting.extend(roles[name].includes)
    return tuple(sorted(found))


def _check_keywords(document: Mapping[str, Json], faults: list[Fault]) -> None:
    if document.get("kind") != "role":
        faults.append(Fault(("kind",), INVALID, Text("kind must be 'role'", "kind 必须为 'role'")))
    for key in document:
        # publishing refuses the system's word; a role that was published with it before is still read
        if key not in (*KEYWORDS, SYSTEM_WORD) and not re.match(OWN_KEYWORD, key):
            faults.append(_unknown((key,), "keyword", "关键字", key, KEYWORDS))
    for key in ("title", "description"):
        if not isinstance(document.get(key, ""), str):
            faults.append(_wrong((key,), "a text", "文本"))
    if not isinstance(document.get("x-titles", {}), Mapping):
        faults.append(_wrong(("x-titles",), "an object of locale and text", "语言与文本组成的对象"))


def _names(value: Json, path: tuple[str, ...], faults: list[Fault]) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        faults.append(_wrong(path, "a list of names", "名称列表"))
        return ()
    names: list[str] = []
    for index, item in enumerate(value):
        if isinstance(item, str) and item not in names:
            names.append(item)
        else:
            faults.append(_wrong((*path, str(index)), "a name, given once", "不重复的名称"))
    return tuple(names)


def _parse_platform(value: Json, faults: list[Fault]) -> frozenset[str]:
    if value is True:
        return frozenset(PLATFORM_RIGHTS.names)
    rights: set[str] = set()
    for index, name in enumerate(_names(value, ("platform",), faults)):
        if name in PLATFORM_RIGHTS:
            rights.add(name)
        else:
            faults.append(_unknown(("platform", str(index)), "platform right", "平台权限", name, PLATFORM_RIGHTS.names))
    return frozenset(rights)


def _parse_entities(value: Json, known: Known, faults: list[Fault]) -> Mapping[str, tuple[Grant, ...]]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        faults.append(_wrong(("entities",), "an object of entity and operations", "实体与操作组成的对象"))
        return {}
    entities = tuple(known.entities())
    result: dict[str, tuple[Grant, ...]] = {}
    for name, operations in value.items():
        path = ("entities", name)
        if name == EVERY:
            others = [entity for entity in entities if entity not in value]
            result.update(_parse_every(operations, others, path, known, faults))
        elif name in entities:
            result[name] = _parse_operations(operations, name, path, known, faults)
        else:
            faults.append(_unknown(path, "entity", "实体", name, entities))
    return {name: grants for name, grants in result.items() if grants}


def _parse_every(
    operations: Json, entities: Sequence[str], path: tuple[str, ...], known: Known, faults: list[Fault]
) -> Mapping[str, tuple[Grant, ...]]:
    # A mistake that all entities share is told once; a field name must only exist in one of them.
    result: dict[str, tuple[Grant, ...]] = {}
    seen: dict[tuple[tuple[str, ...], str], int] = {}
    first: dict[tuple[tuple[str, ...], str], Fault] = {}
    for entity in entities:
        own: list[Fault] = []
        result[entity] = _parse_operations(operations, entity, path, known, own)
        for fault in own:
            key = (fault.path, fault.code)
            seen[key] = seen.get(key, 0) + 1
            first.setdefault(key, fault)
    for key, fault in first.items():
        shared = fault.code == UNKNOWN and "fields" in fault.path
        if not shared or seen[key] == len(entities):
            faults.append(fault)
    return result


def _parse_operations(
    value: Json, entity: str, path: tuple[str, ...], known: Known, faults: list[Fault]
) -> tuple[Grant, ...]:
    if not isinstance(value, Mapping):
        faults.append(_wrong(path, "an object of operations", "由操作组成的对象"))
        return ()
    names = [operation.value for operation in Operation]
    clauses = Clauses(entity, known.fields(entity), known.parents(entity), known.scope(entity), faults)
    grants: list[Grant] = []
    for name, body in value.items():
        if name not in names:
            faults.append(_unknown((*path, name), "operation", "操作", name, names))
            continue
        grant = clauses.grant(Operation(name), body, (*path, name))
        if grant is not None:
            grants.append(grant)
    return tuple(grants)


def _wrong(path: tuple[str, ...], en: str, zh: str) -> Fault:
    return Fault(path, INVALID, Text(f"This must be {en}", f"此处必须是{zh}"))


def _unknown(path: tuple[str, ...], en: str, zh: str, name: str, known: Iterable[str]) -> Fault:
    return unknown_name(path, Text(en, zh), name, known)
