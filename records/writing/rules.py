"""Rules of a record, and what their expressions (and the checks of grants) see: the new row and records behind it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from access.actor import Actor
from base.errors import Fault, Text
from expressions import Lookup
from metadata.catalog import Rule
from metadata.scope import ACTOR
from records.writing.draft import Draft
from records.writing.refusals import Path
from records.writing.writeplan import PathOf, WritePlan
from storage.batch import Late


async def preload(draft: Draft, plan: WritePlan, rows: Iterable[Mapping[str, Any]], paths: Collection[PathOf]) -> None:
    """Read the records that paths of expressions lead to from these rows, so that `lookup_of` finds them."""
    for path in paths:
        current, behind = plan, list(rows)
        for step in path[:-1]:
            target, api = _step(current, step)
            ids = [record_id for row in behind if (record_id := row[api]) is not None]
            await draft.load(target, [item for item in ids if item not in draft.staged])
            behind = [row for item in ids if (row := draft.seen(target, item)) is not None]
            current = target


def lookup_of(draft: Draft, plan: WritePlan, row: Mapping[str, Any]) -> Lookup:
    """What names mean for a row: its fields by API name, to-one steps (preloaded, system eyes), and the actor."""

    def lookup(path: tuple[str, ...]) -> Any:
        if path[0] == ACTOR and len(path) == 2:
            return actor_value(draft.snapshot.actor, path[1])
        current, seen = plan, row
        for step in path[:-1]:
            target, api = _step(current, step)
            behind = draft.seen(target, seen[api])
            if behind is None:
                return None
            current, seen = target, behind
        value = seen[path[-1]]
        # a number that is not drawn yet: all that is known is that there will be one
        return value.text(0) if isinstance(value, Late) else value

    return lookup


def check_rules(
    draft: Draft, plan: WritePlan, row: Mapping[str, Any], changed: Collection[str] | None, path: Path
) -> None:
    """Gather a RULE fault for each rule of the entity that does not hold.

    With `changed` (API names) only rules that read one of them count: old rows are not hostages of new rules.
    """
    if not plan.rules:
        return
    lookup = lookup_of(draft, plan, row)
    for item in plan.rules:
        if changed is not None and item.reads.isdisjoint(changed):
            continue
        if item.when is not None and item.when(lookup) is not True:
            continue
        if item.check(lookup) is not True:
            draft.faults.append(_broken(plan, item.rule, path))


def _broken(plan: WritePlan, rule: Rule, path: Path) -> Fault:
    item = plan.entity.fields.get(rule.path) if rule.path is not None else None
    key = rule.path if item is None else item.api_name
    where = path if key is None or key not in plan.named else (*path, key)
    chinese = next((text for locale, text in rule.messages.items() if locale.lower().startswith("zh")), rule.message)
    english = next((text for locale, text in rule.messages.items() if locale.lower().startswith("en")), rule.message)
    return Fault(where, "RULE", Text(english, chinese), {"rule": rule.name})


def _step(plan: WritePlan, step: str) -> tuple[WritePlan, str]:
    relation = plan.entity.relations[step]
    return plan.plans.of(relation.target), plan.entity.fields[step].api_name


def actor_value(actor: Actor, name: str) -> Any:
    """What `actor.<name>` means in an expression."""
    match name:
        case "id":
            return actor.member_id
        case "teamId":
            return actor.default_team_id
        case "roles":
            return list(actor.roles)
        case _:
            return list(actor.team_ids)
