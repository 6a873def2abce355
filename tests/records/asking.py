"""Questions at random: selections over a catalog with every kind of filter, order, page and part.

Half of the values travel as variables, half as constants, so both ways into a parameter are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from metadata.catalog import Catalog, Entity
from metadata.field import Field, GraphQLKind, RelationKind
from metadata.operator import Argument
from metadata.operators.registry import OPERATORS
from records import selection as ask
from records.selection import Constant, Deleted, Order, Term, Variable
from records.surface import Surface
from tests.records.naive_data import Data
from tests.records.naive_values import image

_TEXTS = ("acme", "STRASSE", "ß", "京", "%", "_", "a_b", "x", "", "Acme", "\\", "'")


@dataclass
class Asker:
    """Makes selections that an actor with this surface could send."""

    catalog: Catalog
    surface: Surface
    data: Data
    random: Random
    variables: dict[str, Any] = field(default_factory=dict)
    _keys: int = 0

    def selection(self) -> ask.Selection:
        """One to three roots."""
        self.variables = {}
        roots = [self._root() for _ in range(self.random.randint(1, 3))]
        return ask.Selection(tuple(roots))

    def key(self, name: str = "k") -> str:
        """A response key that is used once."""
        self._keys += 1
        return f"{name}{self._keys}"

    def term(self, value: Any) -> Term:
        """A value as a variable or as a constant."""
        if self.random.random() < 0.5:
            return Constant(value)
        name = f"v{len(self.variables)}"
        if self.random.random() < 0.5:
            self.variables[name] = value
            return Variable((name,))
        self.variables[name] = {"in": [value]}
        return Variable((name, "in", 0))

    def _some_entity(self) -> Entity:
        return self.catalog.entities[self.random.choice(sorted(self.surface.entities))]

    def _some_id(self, entity: Entity) -> str:
        ids = sorted(self.data.rows[entity.name])
        return self.random.choice([*ids, *ids, "nonsense", "00000000-0000-7000-8000-000000000000"])

    def _root(self) -> ask.Root:
        entity = self._some_entity()
        match self.random.randint(0, 9):
            case 0:
                return ask.RootRecord(self.key(), entity.name, self.term(self._some_id(entity)), self.record(entity, 2))
            case 1:
                selections = {entity.name: self.record(entity, 1)}
                return ask.RootNode(self.key(), self.term(self._some_id(self._some_entity())), selections)
            case 2:
                others = {item.name: self.record(item, 1) for item in (entity, self._some_entity())}
                ids = [self._some_id(self._some_entity()) for _ in range(self.random.randint(0, 6))]
                return ask.RootNodes(self.key(), self.term(ids), others)
            case 3:
                return ask.RootTypeName(self.key(), "Query")
            case _:
                return ask.RootListing(self.key(), self.listing(entity, 2, root=True))

    def record(self, entity: Entity, depth: int) -> ask.Record:
        """Some scalars, `__typename`, and relations while depth is left."""
        names = self._readable(entity)
        items: list[Any] = [
            ask.Scalar(self.key(), name)
            for name in self.random.sample(names, min(len(names), self.random.randint(1, 8)))
        ]
        if self.random.random() < 0.2:
            items.append(ask.TypeName(self.key(), entity.type_name))
        if depth:
            relations = sorted(self.surface.entities[entity.name].relations)
            for name in self.random.sample(relations, min(len(relations), self.random.randint(0, 2))):
                relation = entity.relations[name]
                target = self.catalog.entities[relation.target]
                if relation.kind is RelationKind.TO_ONE:
                    items.append(ask.ToOne(self.key(), name, self.record(target, depth - 1)))
                else:
                    items.append(ask.ToMany(self.key(), name, self.listing(target, depth - 1)))
        self.random.shuffle(items)
        return ask.Record(entity.name, tuple(items))

    def _readable(self, entity: Entity) -> list[str]:
        allowed = self.surface.entities[entity.name].readable
        return sorted(name for name, item in entity.by_api_name.items() if item.name in allowed)

    def listing(self, entity: Entity, depth: int, *, root: bool = False) -> ask.Listing:
        """A listing without cursors."""
        random = self.random
        first = last = offset = None
        match random.randint(0, 4):
            case 0:
                last = self.term(random.choice([0, 1, 2, 5, 100]))
            case 1:
                offset = self.term(random.choice([0, 1, 3, 500]))
            case _:
                pass
        if last is None and random.random() < 0.8:
            first = self.term(random.choice([0, 1, 2, 5, 100]))
        return ask.Listing(
            entity.name,
            self._parts(entity, depth),
            filter=self.filter(entity, 3) if random.random() < 0.7 else None,
            order=self.order(entity),
            search=self.term(self._search()) if random.random() < 0.15 else None,
            first=first,
            last=last,
            offset=offset,
            deleted=random.choice(list(Deleted)) if root and random.random() < 0.2 else Deleted.EXCLUDE,
        )

    def _search(self) -> str:
        return " ".join(self.random.choice(_TEXTS) for _ in range(self.random.randint(0, 2)))

    def _parts(self, entity: Entity, depth: int) -> tuple[Any, ...]:
        makers: list[Callable[[], Any]] = [
            lambda: ask.Nodes(self.key(), self.record(entity, depth)),
            lambda: self._edges(entity, depth),
            lambda: ask.PageInfo(self.key(), self._page_info()),
            lambda: ask.TotalCount(self.key()),
            lambda: ask.Aggregate(self.key(), self._aggregates(entity)),
            lambda: ask.TypeName(self.key(), "Connection"),
        ]
        weights = [6, 2, 3, 2, 2, 1]
        chosen = {self.random.choices(range(len(makers)), weights)[0] for _ in range(self.random.randint(1, 3))}
        return tuple(makers[index]() for index in self.random.sample(sorted(chosen), len(chosen)))

    def _edges(self, entity: Entity, depth: int) -> ask.Edges:
        items: list[Any] = [ask.CursorItem("cursor"), ask.NodeItem(self.key(), self.record(entity, depth))]
        return ask.Edges(self.key(), tuple(self.random.sample(items, self.random.randint(1, 2))))

    def _page_info(self) -> tuple[Any, ...]:
        names = ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"]
        chosen = self.random.sample(names, self.random.randint(1, 4))
        return tuple((name, name) for name in chosen)

    def _aggregates(self, entity: Entity) -> tuple[Any, ...]:
        items: list[Any] = [ask.AggregateItem(self.key(), "count")]
        for function in self.random.sample(["sum", "avg", "min", "max", "distinctCount"], 2):
            names = [name for name in self._readable(entity) if function in entity.by_api_name[name].type.aggregates]
            chosen = self.random.sample(names, min(len(names), 3))
            if chosen:
                items.append(ask.AggregateItem(self.key(), function, tuple((self.key(), name) for name in chosen)))
        return tuple(items)

    def order(self, entity: Entity) -> tuple[Order, ...]:
        """Up to three keys, some behind to-one relations."""
        return tuple(
            Order(self._order_path(entity, 2), self.random.random() < 0.5, self.random.random() < 0.3)
            for _ in range(self.random.choice([0, 0, 1, 1, 2, 3]))
        )

    def _order_path(self, entity: Entity, depth: int) -> tuple[str, ...]:
        ways = [
            name
            for name in sorted(self.surface.entities[entity.name].relations)
            if entity.relations[name].kind is RelationKind.TO_ONE
        ]
        if depth and ways and self.random.random() < 0.25:
            name = self.random.choice(ways)
            return (name, *self._order_path(self.catalog.entities[entity.relations[name].target], depth - 1))
        names = [name for name in self._readable(entity) if entity.by_api_name[name].type.orderable]
        return (self.random.choice(names),)

    def filter(self, entity: Entity, depth: int) -> Any:
        """A filter tree."""
        random = self.random
        result: dict[str, Any] = {}
        for _ in range(random.choice([0, 1, 1, 2])):
            match random.randint(0, 9) if depth else 9:
                case 0:
                    parts = [self.filter(entity, depth - 1) for _ in range(random.randint(0, 2))]
                    result[random.choice(["and", "or"])] = tuple(parts)
                case 1:
                    result["not"] = self.filter(entity, depth - 1)
                case 2 | 3:
                    self._relation_filter(entity, depth, result)
                case _:
                    item = entity.by_api_name[random.choice(self._readable(entity))]
                    if item.type.operators:
                        result[item.api_name] = self._tests(entity, item)
        return result

    def _relation_filter(self, entity: Entity, depth: int, result: dict[str, Any]) -> None:
        relations = sorted(self.surface.entities[entity.name].relations)
        if not relations:
            return
        relation = entity.relations[self.random.choice(relations)]
        inner = self.filter(self.catalog.entities[relation.target], depth - 1)
        if relation.kind is RelationKind.TO_ONE:
            result[relation.name] = inner
        else:
            result[relation.name] = {self.random.choice(["some", "none", "every"]): inner}

    def _tests(self, entity: Entity, item: Field) -> dict[str, Any]:
        names = self.random.sample(
            item.type.operators, 1 if self.random.random() < 0.8 else min(2, len(item.type.operators))
        )
        return {name: self._argument(entity, item, name) for name in names}

    def _some_value(self, entity: Entity, item: Field) -> Any:
        values = [row[item.api_name] for row in self.data.rows[entity.name].values() if row[item.api_name] is not None]
        if not values:
            return None
        return image(item, self.random.choice(values))

    def _argument(self, entity: Entity, item: Field, name: str) -> Any:
        random = self.random
        if item.type.graphql in (GraphQLKind.LIST, GraphQLKind.ENUM_LIST):
            sample: Any = random.choice(["vip", "new", "北", "none"])
        else:
            sample = self._some_value(entity, item)
        match OPERATORS[name].argument:
            case Argument.VALUE if sample is not None:
                return self.term(sample)
            case Argument.VALUES if sample is not None:
                return self.term([sample, self._some_value(entity, item) or sample][: random.randint(0, 2)])
            case Argument.TEXT:
                return self.term(random.choice([*_TEXTS, "a%", "%b", "_"]))
            case Argument.RANGE if sample is not None:
                other = self._some_value(entity, item)
                return {"from": self.term(sample), "to": self.term(other)}
            case Argument.PERIOD:
                return {random.choice(["days", "weeks", "months"]): self.term(random.randint(0, 5))}
            case Argument.ELEMENT:
                return self.term(sample)
            case Argument.ELEMENTS:
                return self.term([sample, "vip"][: random.randint(0, 2)])
            case Argument.PATH:
                return {"path": self.term(["a"]), "eq": self.term([1, None, "x"])}
            case Argument.BOOLEAN:
                return Constant(random.random() < 0.5)
            case Argument.VALUES:
                return self.term([])
            case Argument.RANGE:
                value = _FALLBACK.get(item.column.type.kind, "x")
                return {"from": self.term(value), "to": self.term(value)}
            case _:
                return self.term(_FALLBACK.get(item.column.type.kind, "x"))


_FALLBACK = {
    "integer": 1, "bigint": 1, "float": 1.5, "decimal": "1", "boolean": True, "date": "2026-01-01", "time": "10:00:00",
    "timestamp": "2026-01-01T00:00:00Z", "uuid": "00000000-0000-7000-8000-000000000000",
}  # fmt: skip
