"""Explaining access: which roles give which grants on an entity, in words. No SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from access.grant import Grant, Operation, ParentRows, RowRule, Rows
from access.role import Role, included_roles
from base.errors import Text
from expressions import Expression

_WORDS: Mapping[Rows, Text] = {
    Rows.NONE: Text("no rows", "无数据"),
    Rows.OWN: Text("rows that the member owns", "成员本人拥有的数据"),
    Rows.TEAM: Text("rows of the member's teams", "成员所在团队的数据"),
    Rows.TEAM_DOWN: Text("rows of the member's teams and the teams below", "成员所在团队及下级团队的数据"),
    Rows.REPORTS_DOWN: Text("rows owned by the member or his reports", "成员本人及其下属拥有的数据"),
    Rows.ALL: Text("all rows", "全部数据"),
    Rows.SHARED: Text("rows shared with the member", "共享给成员的数据"),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One grant on one entity and the way it came: role, then what that role includes."""

    operation: Operation
    through: tuple[str, ...]  # ("seller", "employee"): the member's role first
    grant: Grant
    rows: tuple[Text, ...]
    check: str | None
    fields: Mapping[str, bool | str]  # "*" and every field named; a text is the condition


def explain(roles: Mapping[str, Role], names: Iterable[str], entity: str) -> tuple[Explained, ...]:
    """All grants that these roles give on an entity, sorted by operation, then by the way they came."""
    found: list[Explained] = []
    for name in sorted(set(names)):
        for included in included_roles(roles, [name]):
            through = (name,) if included == name else (name, included)
            found.extend(_explained(grant, through) for grant in roles[included].entities.get(entity, ()))
    order = list(Operation)
    return tuple(sorted(found, key=lambda item: (order.index(item.operation), item.through)))


def rule_text(rule: RowRule) -> Text:
    """A row rule in words."""
    if isinstance(rule, Rows):
        return _WORDS[rule]
    if isinstance(rule, ParentRows):
        return Text(f"rows whose {rule.field} the member may read", f"可读取其“{rule.field}”的数据")
    return Text(f"rows where {rule.expression.source}", f"满足 {rule.expression.source} 的数据")


def _explained(grant: Grant, through: tuple[str, ...]) -> Explained:
    fields: dict[str, bool | str] = {"*": grant.fields.others}
    for name, right in grant.fields.named.items():
        fields[name] = right.source if isinstance(right, Expression) else right
    return Explained(
        operation=grant.operation,
        through=through,
        grant=grant,
        rows=tuple(rule_text(rule) for rule in grant.rows),
        check=None if grant.check is None else grant.check.source,
        fields=fields,
    )
