"""What a JSON Schema costs when it runs: references multiply, recursion multiplies by the value's depth.

A chain of `allOf` with two references each doubles at every step, so twenty short lines can cost a million
evaluations. The weight of a schema is the number of subschemas that one evaluation visits, saturating at the budget.
"""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import Fault, Text
from base.json import Json
from metadata.faults import over_limit, refused
from metadata.keywords import IN_PLACE, IN_PLACE_LISTS, children, local_reference

MAX_WEIGHT = 50_000
"""Subschemas visited by one evaluation: about 10 ms of the validator of the write path."""


_SAME_VALUE = frozenset((*IN_PLACE, *IN_PLACE_LISTS, "dependentSchemas"))


def check_weight(root: Mapping[str, Json], definitions: Mapping[str, Json], path: tuple[str, ...]) -> Fault | None:
    """A fault when evaluating `root` could visit too many subschemas; runs in time linear in the document."""
    recursive = _recursive(definitions)
    for name in recursive:
        if _branches(definitions[name], recursive) or _circles(name, definitions):
            return refused(
                (*path, "$defs", name),
                "a definition that contains itself may do so once in each place only, outside of combinations",
                "递归定义在每个位置只能引用自身一次，且不能出现在组合关键字中",
            )
    weights: dict[str, int] = dict.fromkeys(recursive, 1)
    if _weigh(root, definitions, weights) > MAX_WEIGHT:
        return over_limit(path, Text("too many conditions in one validation", "一次校验中的条件过多"), MAX_WEIGHT)
    return None


def _weigh(schema: Json, definitions: Mapping[str, Json], weights: dict[str, int]) -> int:
    if not isinstance(schema, Mapping):
        return 1
    total = 1
    if "$ref" in schema:
        total += _weigh_definition(local_reference(schema["$ref"]), definitions, weights)
    for step, child in children(schema):
        if step[0] != "$defs":
            total += _weigh(child, definitions, weights)
        if total > MAX_WEIGHT:
            return MAX_WEIGHT + 1
    return total


def _weigh_definition(name: str | None, definitions: Mapping[str, Json], weights: dict[str, int]) -> int:
    if name is None or name not in definitions:
        return 1
    if name not in weights:
        weights[name] = _weigh(definitions[name], definitions, weights)
    return weights[name]


def _targets(schema: Json) -> set[str]:
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Mapping):
            name = local_reference(current.get("$ref"))
            if name is not None:
                found.add(name)
            waiting.extend(child for _, child in children(current))
    return found


def _recursive(definitions: Mapping[str, Json]) -> set[str]:
    """Definitions that reach themselves: what remains when those without unresolved targets are taken away."""
    targets = {name: _targets(schema) & definitions.keys() for name, schema in definitions.items()}
    remaining = dict(targets)
    while True:
        done = [name for name, found in remaining.items() if not found & remaining.keys()]
        if not done:
            break
        for name in done:
            del remaining[name]
    return set(remaining)


def _circles(name: str, definitions: Mapping[str, Json]) -> bool:
    """Whether a definition is applied to the very value that it is being applied to: an endless evaluation."""
    seen: set[str] = set()
    waiting: list[Json] = [definitions[name]]
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, Mapping):
            continue
        target = local_reference(schema.get("$ref"))
        if target == name:
            return True
        if target is not None and target in definitions and target not in seen:
            seen.add(target)
            waiting.append(definitions[target])
        waiting.extend(child for step, child in children(schema) if step[0] in _SAME_VALUE)
    return False


def _branches(schema: Json, recursive: set[str]) -> bool:
    """Whether one value could be visited twice by recursion below this schema (judged on the safe side)."""
    if not isinstance(schema, Mapping):
        return False
    own = 1 if local_reference(schema.get("$ref")) in recursive else 0
    groups = [own] if own else []
    for keyword in (*IN_PLACE_LISTS, *IN_PLACE, "dependentSchemas"):
        if keyword in schema:
            listed = schema[keyword]
            parts = listed if isinstance(listed, list | tuple) else [listed]
            if isinstance(listed, Mapping) and keyword == "dependentSchemas":
                parts = list(listed.values())
            groups.extend(1 for part in parts if _targets(part) & recursive)
    placed = [keyword for keyword in ("properties", "propertyNames") if _reaches(schema.get(keyword), recursive)]
    listed_items = [key for key in ("items", "prefixItems", "contains") if _reaches(schema.get(key), recursive)]
    groups.extend(1 for found in (placed, listed_items) if found)
    if len(groups) > 1 or ("contains" in listed_items and len(listed_items) > 1):
        return True
    return any(_branches(child, recursive) for step, child in children(schema) if step[0] != "$defs")


def _reaches(value: Json, recursive: set[str]) -> bool:
    if isinstance(value, Mapping):
        if _targets(value) & recursive:
            return True
        return any(_targets(child) & recursive for child in value.values())
    if isinstance(value, list | tuple):
        return any(_targets(child) & recursive for child in value)
    return False
