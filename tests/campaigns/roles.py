"""Roles at random: every kind of row rule, hidden fields, fields under conditions; and sets that actors hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from expressions import Type
from metadata.catalog import Catalog, Entity
from metadata.field import Field, Relation, RelationKind

WORDS = ("own", "team", "team+", "reports+", "shared", "all", "none")

_LITERALS: Mapping[Type, Sequence[str]] = {
    Type.TEXT: ("'Acme'", "'OPEN'", "'WON'", "'北京公司'", "''"),
    Type.INTEGER: ("0", "1", "50", "-7"),
    Type.DECIMAL: ("0", "12.5", "99.99", "-1"),
    Type.FLOAT: ("0", "0.5", "100000"),
    Type.DATE: ("'2026-01-31'", "'0001-01-01'"),
    Type.DATETIME: ("'2026-01-01T00:00:00Z'",),
    Type.TIME: ("'09:30'",),
}


class Roles:
    """Makes role documents for the entities of one catalog (published without roles, for its names and types)."""

    def __init__(self, random: Random, catalog: Catalog) -> None:
        self._random = random
        self._catalog = catalog

    def documents(self, count: int = 5) -> list[dict[str, Any]]:
        """`role0` may read everything; the others read what chance allows."""
        every: dict[str, Any] = {"kind": "role", "name": "role0", "title": "All", "entities": {"*": {"read": True}}}
        return [every, *(self._role(index) for index in range(1, count))]

    def sets(self, count: int = 5) -> list[tuple[str, ...]]:
        """Names of roles that actors hold together."""
        random = self._random
        single = [(f"role{index}",) for index in range(count)]
        bags = [tuple(sorted({f"role{random.randrange(1, count)}" for _ in range(3)})) for _ in range(2)]
        return [*random.sample(single, 3), *bags]

    def _role(self, index: int) -> dict[str, Any]:
        entities: dict[str, Any] = {}
        for entity in self._catalog.entities.values():
            if self._random.random() < (0.6 if entity.system else 0.85):
                entities[entity.name] = {"read": self._read(entity)}
        includes = {"includes": [f"role{index - 1}"]} if index > 2 and self._random.random() < 0.2 else {}
        return {"kind": "role", "name": f"role{index}", "title": f"Role {index}", "entities": entities, **includes}

    def _read(self, entity: Entity) -> Any:
        random = self._random
        if random.random() < 0.15:
            return True
        rows = [self._rule(entity) for _ in range(random.choice([1, 1, 2, 3]))]
        if random.random() < 0.25:
            return {"rows": rows}
        return {"rows": rows, "fields": self._fields(entity)}

    def _rule(self, entity: Entity) -> str:
        random = self._random
        parents = [way.name for way in entity.relations.values() if _is_parent(entity, way)]
        match random.randint(0, 9):
            case 0 if parents:
                return f"parent({random.choice(parents)})"
            case 2 | 3 | 4:
                return self.expression(entity)
            case _:
                return random.choice(WORDS)

    def _fields(self, entity: Entity) -> dict[str, Any]:
        random = self._random
        names = [name for name, item in entity.fields.items() if not (item.system and item.write_only)]
        others = random.random() < 0.7
        found: dict[str, Any] = {"*": others}
        for name in random.sample(names, random.randint(1, len(names) // 2)):
            match random.randint(0, 3):
                case 0 | 1:
                    found[name] = not others
                case _:
                    found[name] = {"when": self.expression(entity)}
        return found

    def expression(self, entity: Entity) -> str:
        """A condition over a record of an entity, its to-one records and the actor."""
        random = self._random
        match random.randint(0, 5):
            case 0:
                return f"{self.expression(entity)} && {self._test(entity)}"
            case 1:
                return f"({self._test(entity)} || {self._test(entity)})"
            case 2:
                return f"!({self._test(entity)})"
            case _:
                return self._test(entity)

    def _test(self, entity: Entity, prefix: str = "", steps: int = 2) -> str:
        random = self._random
        ways = [item for item in entity.relations.values() if item.kind is RelationKind.TO_ONE]
        if steps and ways and random.random() < 0.3:
            way = random.choice(ways)
            return self._test(self._catalog.entities[way.target], f"{prefix}{way.name}.", steps - 1)
        fields = [item for item in entity.by_api_name.values() if not item.write_only and self._type(item) is not None]
        item = random.choice(fields)
        return self._comparison(f"{prefix}{item.api_name}", self._type(item))

    def _type(self, item: Field) -> Type | None:
        return Type.ID if item.name == "id" or item.relation is not None else item.type.expression

    def _comparison(self, name: str, type_: Type | None) -> str:
        random = self._random
        if random.random() < 0.15:
            return f"{name} {random.choice(['==', '!='])} null"
        match type_:
            case Type.BOOLEAN:
                return random.choice([f"{name} == true", f"{name} != true", name, f"!{name}"])
            case Type.ID:
                return random.choice([f"{name} == actor.id", f"{name} in actor.teamIds", f"{name} != actor.teamId"])
            case Type.LIST:
                return random.choice([f"'vip' in {name}", f"'WON' in {name}", f"{name} == null"])
            case Type.JSON | None:
                return f"{name} != null"
            case _:
                literals = _LITERALS[type_]
                if random.random() < 0.25:
                    return f"{name} in [{', '.join(random.sample(literals, min(2, len(literals))))}]"
                return f"{name} {random.choice(['==', '!=', '<', '<=', '>', '>='])} {random.choice(literals)}"


def _is_parent(entity: Entity, way: Relation) -> bool:
    """Whether parent() may follow a relation: never in a circle through the platform's own (`createdBy`)."""
    return way.kind is RelationKind.TO_ONE and way.target != entity.name and not entity.fields[way.name].system
