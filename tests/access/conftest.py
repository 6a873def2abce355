"""A small catalog to write roles against: what `access.role.Known` asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from expressions import Scope, Type

SYSTEM = {"id": Type.ID, "ownerId": Type.ID, "teamId": Type.ID, "version": Type.INTEGER}
ACTOR = {"id": Type.ID, "teamId": Type.ID, "roles": Type.LIST, "teamIds": Type.LIST}


class Names:
    """A scope of names and steps."""

    def __init__(self, types: Mapping[str, Type], steps: Mapping[str, Scope]) -> None:
        self._types, self._steps = types, steps

    def type_of(self, name: str) -> Type | None:
        return self._types.get(name)

    def step(self, name: str) -> Scope | None:
        return self._steps.get(name)

    def names(self) -> Iterable[str]:
        return (*self._types, *self._steps)


class Known:
    """Opportunity -> account -> parent account; member and team stand for the system entities."""

    _types: Mapping[str, Mapping[str, Type]] = {
        "opportunity": {
            **SYSTEM,
            "amount": Type.DECIMAL,
            "stage": Type.TEXT,
            "margin": Type.DECIMAL,
            "accountId": Type.ID,
            "hot": Type.BOOLEAN,
        },
        "account": {**SYSTEM, "sector": Type.TEXT, "parentId": Type.ID, "name": Type.TEXT},
        "member": {**SYSTEM, "name": Type.TEXT},
        "team": {**SYSTEM, "name": Type.TEXT},
    }
    _parents: Mapping[str, Mapping[str, str]] = {
        "opportunity": {"account": "account", "owner": "member", "team": "team"},
        "account": {"parent": "account", "owner": "member", "team": "team"},
        "member": {"owner": "member", "team": "team"},
        "team": {"owner": "member", "team": "team"},
    }

    def entities(self) -> Iterable[str]:
        return self._types

    def fields(self, entity: str) -> Mapping[str, str]:
        accepted = {name: name.removesuffix("Id") if name != "id" else name for name in self._types[entity]}
        return {**accepted, **{relation: relation for relation in self._parents[entity]}}

    def parents(self, entity: str) -> Mapping[str, str]:
        return self._parents[entity]

    def scope(self, entity: str, depth: int = 4) -> Scope:
        steps = {name: self.scope(target, depth - 1) for name, target in self._parents[entity].items()} if depth else {}
        return Names(self._types[entity], {**steps, "actor": Names(ACTOR, {})})


@pytest.fixture
def known() -> Known:
    return Known()
