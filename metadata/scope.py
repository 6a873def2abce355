"""What names mean in expressions over a record: fields by their API names, steps along to-one relations, the actor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from expressions import Scope, Type
from metadata.catalog import Entity
from metadata.field import RelationKind


class HoldsEntities(Protocol):
    """A catalog, or the part of one that exists while it is being built."""

    @property
    def entities(self) -> Mapping[str, Entity]:
        """Entities by name."""


_ACTOR: Mapping[str, Type] = {"id": Type.ID, "teamId": Type.ID, "roles": Type.LIST, "teamIds": Type.LIST}

ACTOR = "actor"
"""The name under which expressions reach the acting member."""


class ActorScope:
    """Names behind `actor.`: his id, default team, teams and roles."""

    def type_of(self, name: str) -> Type | None:
        """The type of one of the actor's properties."""
        return _ACTOR.get(name)

    def step(self, name: str) -> Scope | None:
        """Nothing lies behind the actor's properties."""
        return None

    def names(self) -> Iterable[str]:
        """`id`, `teamId`, `roles`, `teamIds`."""
        return _ACTOR


class EntityScope:
    """The names of one entity's record: `amount`, `accountId`, the step `account`, and `actor` where there is one."""

    def __init__(self, catalog: HoldsEntities, entity: Entity, actor: bool = False) -> None:
        self._catalog = catalog
        self._entity = entity
        self._actor = actor

    def type_of(self, name: str) -> Type | None:
        """The type of a field; None for steps, hidden fields and names that do not exist."""
        item = self._entity.by_api_name.get(name)
        if item is None or item.write_only:
            return None
        if name == "id" or item.relation is not None:
            return Type.ID
        return item.type.expression

    def step(self, name: str) -> Scope | None:
        """The scope behind a to-one relation, or behind `actor`."""
        if name == ACTOR and self._actor:
            return ActorScope()
        relation = self._entity.relations.get(name)
        if relation is None or relation.kind is not RelationKind.TO_ONE:
            return None
        target = self._catalog.entities.get(relation.target)
        return EntityScope(self._catalog, target) if target is not None else None

    def names(self) -> Iterable[str]:
        """All names, for hints."""
        yield from (name for name in self._entity.by_api_name if self.type_of(name) is not None)
        yield from (name for name, item in self._entity.relations.items() if item.kind is RelationKind.TO_ONE)
        if self._actor:
            yield ACTOR
