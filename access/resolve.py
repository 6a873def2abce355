"""From roles to grants: the bag of all grants of a set of roles, shared by every actor who has them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Protocol

from access.grant import ALL_FIELDS, FieldRights, Grant, GrantSet, Operation, ParentRows, RowRule, Rows
from access.role import Role, included_roles
from base.json import Json, dump, fingerprint
from expressions import Expression

MAX_CACHED_SETS = 4_000
"""Grant sets kept: a company has few combinations of roles, and companies on one template share theirs."""


class RoleBook(Protocol):
    """What access needs of a catalog: its hash, and the roles under `parsed["role"]`. `metadata.Catalog` is one."""

    @property
    def hash(self) -> str:
        """Equal for catalogs that mean the same."""

    @property
    def parsed(self) -> Mapping[str, Mapping[str, object]]:
        """Kind -> name -> what the kind's parse gave."""


class Resolver:
    """Grant sets by catalog and role names, kept for as long as there is room."""

    def __init__(self, size: int = MAX_CACHED_SETS) -> None:
        self._size = size
        self._sets: OrderedDict[tuple[str, tuple[str, ...]], GrantSet] = OrderedDict()

    def grants(self, book: RoleBook, names: Iterable[str]) -> GrantSet:
        """The grants of these roles in this catalog; the same object for the same catalog and roles."""
        key = (book.hash, tuple(sorted(set(names))))
        known = self._sets.get(key)
        if known is None:
            known = self._sets[key] = resolve(roles_of(book), key[1])
            if len(self._sets) > self._size:
                self._sets.popitem(last=False)
        else:
            self._sets.move_to_end(key)
        return known


def roles_of(book: RoleBook) -> Mapping[str, Role]:
    """The roles of a catalog by name."""
    return {name: role for name, role in book.parsed.get("role", {}).items() if isinstance(role, Role)}


def resolve(roles: Mapping[str, Role], names: Iterable[str]) -> GrantSet:
    """The bag of all grants of these roles and of what they include.

    Equal grants count once, an unlimited grant replaces the others of its operation, and the order does not depend
    on the roles' order: equal rights have an equal `hash`.
    """
    bags: dict[str, dict[bytes, Grant]] = {}
    platform: set[str] = set()
    for name in included_roles(roles, names):
        role = roles[name]
        platform |= role.platform
        for entity, grants in role.entities.items():
            bag = bags.setdefault(entity, {})
            for grant in grants:
                bag[dump(_grant_json(grant))] = grant
    entities = {entity: _normal(bags[entity]) for entity in sorted(bags)}
    canonical: Json = {
        "entities": {entity: [_grant_json(grant) for grant in grants] for entity, grants in entities.items()},
        "platform": sorted(platform),
    }
    return GrantSet(fingerprint(canonical), entities, frozenset(platform))


def is_unlimited(grant: Grant) -> bool:
    """Whether a grant covers every row and every field without a check."""
    return Rows.ALL in grant.rows and grant.check is None and grant.fields == ALL_FIELDS


def _normal(bag: Mapping[bytes, Grant]) -> tuple[Grant, ...]:
    unlimited = {grant.operation for grant in bag.values() if is_unlimited(grant)}
    order = list(Operation)
    kept = [
        (order.index(grant.operation), key, grant)
        for key, grant in bag.items()
        if grant.operation not in unlimited or is_unlimited(grant)
    ]
    return tuple(grant for _, _, grant in sorted(kept, key=lambda item: item[:2]))


def _grant_json(grant: Grant) -> Json:
    rows = sorted((_rule_json(rule) for rule in grant.rows), key=dump)
    return {
        "operation": grant.operation.value,
        "rows": rows,
        "fields": _fields_json(grant.fields),
        "check": None if grant.check is None else grant.check.as_json(),
    }


def _rule_json(rule: RowRule) -> Json:
    if isinstance(rule, Rows):
        return rule.value
    if isinstance(rule, ParentRows):
        return {"parent": rule.field}
    return {"where": rule.expression.as_json()}


def _fields_json(fields: FieldRights) -> Json:
    named: dict[str, Json] = {
        name: right.as_json() if isinstance(right, Expression) else right
        for name, right in sorted(fields.named.items())
    }
    return {"*": fields.others, "named": named}
