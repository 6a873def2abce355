"""Who owns whom: an entity that would own itself, straight or through others, could never have a first record."""

from __future__ import annotations

from collections.abc import Mapping

from base.errors import Fault
from metadata.draft import EntityDraft, FieldDraft
from metadata.faults import invalid
from metadata.field import RelationKind


def check_owners(drafts: Mapping[str, EntityDraft], faults: list[Fault]) -> None:
    """A fault at each `children` field that closes a circle; it names the fields of the whole circle."""
    owning = {name: [item for item in draft.fields.values() if _owns(item)] for name, draft in drafts.items()}
    for name, items in owning.items():
        for item in items:
            assert item.spec is not None
            way = _way(item.spec.target, name, owning)
            if way is None:
                continue
            circle = ", ".join([f"{name}.{item.field.name}", *way])
            faults.append(
                invalid(
                    item.path,
                    f"{name} would own itself through {circle}, so no record could be the first: "
                    "make one of these a reference (x-type: reference at the other end, with x-inverse)",
                    f"{name} 将通过 {circle} 拥有自身，因而无法创建第一条记录："
                    "请将其中之一改为引用（在另一端使用 x-type: reference 与 x-inverse）",
                )
            )


def _owns(item: FieldDraft) -> bool:
    return item.spec is not None and item.spec.kind is RelationKind.CHILDREN


def _way(start: str, goal: str, owning: Mapping[str, list[FieldDraft]]) -> list[str] | None:
    """The fields that lead from one entity to another by owning, the shortest way."""
    ways: dict[str, list[str]] = {start: []}
    waiting = [start]
    for name in waiting:
        if name == goal:
            return ways[name]
        for item in owning.get(name, ()):
            assert item.spec is not None
            if item.spec.target not in ways:
                ways[item.spec.target] = [*ways[name], f"{name}.{item.field.name}"]
                waiting.append(item.spec.target)
    return None
