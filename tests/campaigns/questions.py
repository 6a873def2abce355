"""Questions for whole requests: the asker of the read tests, with what GraphQL adds to it.

Enum values belong to their enums, a node has one answer for each entity, to-many relations below the root see deleted
rows too when asked, page sizes stay small enough for thousands of requests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from metadata.catalog import Entity
from metadata.field import Field, GraphQLKind, RelationKind
from metadata.operator import Argument
from metadata.operators.registry import OPERATORS
from records import selection as ask
from records.selection import Constant, Deleted, Listing, Term
from tests.campaigns.rows import TEXTS
from tests.records.asking import Asker

_ROOT_SIZES = (0, 1, 2, 5, 20, 100)
_INNER_SIZES = (0, 1, 2, 4)
_PATTERNS = ("%", "_", "a%", "%b", "a_b", "\\%", "", "北", "STRASSE", "ss", "ı", "%\\")
_PATHS: tuple[Mapping[str, Any], ...] = (
    {"path": ["a"], "eq": [1, None, "x"]}, {"path": ["a", "0"], "eq": 1}, {"path": ["z", "y"], "eq": True},
    {"path": ["z", "y"], "eq": 1}, {"path": [], "eq": "text"}, {"path": ["a"], "eq": {"b": 1.0}},
    {"path": ["b"], "eq": True},
)  # fmt: skip


class Questioner(Asker):
    """Makes selections that stand for documents which the actor's schema takes."""

    def vary(self, kept: Collection[str]) -> bool:
        """Give other values to the selection's variables, but for the kept ones; whether any has changed."""
        before = dict(self.variables)
        for name, value in before.items():
            if name not in kept:
                self.variables[name] = {"in": [self._other(value["in"][0])]} if _is_deep(value) else self._other(value)
        return before != self.variables

    def _other(self, value: Any) -> Any:
        """A value that may stand where this one stands: another small number, a part of a list."""
        if isinstance(value, list):
            return self.random.sample(value, self.random.randint(0, len(value)))
        whole = isinstance(value, int) and not isinstance(value, bool)
        return self.random.choice([0, 1, 2, 3, 5]) if whole else value

    def _root(self) -> ask.Root:
        random = self.random
        match random.randint(0, 11):
            case 0:
                some = self._some_entity()
                return ask.RootRecord(self.key(), some.name, self.term(self._some_id(some)), self.record(some, 2))
            case 1:
                return ask.RootNode(self.key(), self.term(self._some_id(self._some_entity())), self._by_entity())
            case 2:
                ids = [self._some_id(self._some_entity()) for _ in range(random.randint(0, 6))]
                return ask.RootNodes(self.key(), self.term(ids), self._by_entity())
            case 3:
                return ask.RootTypeName(self.key(), "Query")
            case 4:
                return ask.RootMeta(self.key(), ((self.key(), "catalogVersion"),))
            case _:
                return ask.RootListing(self.key(), self.listing(self._some_entity(), 2, root=True))

    def _by_entity(self) -> Mapping[str, ask.Record]:
        """What is wanted of a node of any entity: common items, and more of one or two entities."""
        common: list[Any] = [ask.Scalar(self.key(), "id")]
        named = self.key("t") if self.random.random() < 0.5 else None
        special = {self._some_entity().name for _ in range(2)}
        found = {}
        for name in self.surface.entities:
            entity = self.catalog.entities[name]
            types = [ask.TypeName(named, entity.type_name)] if named else []
            own = self.record(entity, 1).items if name in special else ()
            found[name] = ask.Record(name, (*common, *types, *own))
        return found

    def listing(self, entity: Entity, depth: int, *, root: bool = False) -> Listing:
        """A listing without cursors; below the root with small pages."""
        made = super().listing(entity, depth, root=root)
        random = self.random
        sizes = _ROOT_SIZES if root else _INNER_SIZES
        if made.first is not None or (not root and made.last is None):
            made = replace(made, first=self.term(random.choice(sizes)))
        if made.last is not None:
            made = replace(made, last=self.term(random.choice(sizes)))
        if not root and random.random() < 0.15:
            made = replace(made, deleted=random.choice(list(Deleted)))
        return made

    def _parts(self, entity: Entity, depth: int) -> tuple[Any, ...]:
        connection = f"{entity.type_name}Connection"
        made = super()._parts(entity, depth)
        return tuple(replace(part, value=connection) if isinstance(part, ask.TypeName) else part for part in made)

    def _aggregates(self, entity: Entity) -> tuple[Any, ...]:
        """Sums of doubles depend on their order in the last digit: their keys begin with f."""
        made = []
        for item in super()._aggregates(entity):
            pairs = [pair for pair in item.fields if not isinstance(pair, ask.TypeName)]
            rough = {name for _, name in pairs if entity.by_api_name[name].column.type.kind == "float"}
            if item.function in ("sum", "avg"):
                fields = tuple((self.key("f"), name) if name in rough else (key, name) for key, name in pairs)
                item = replace(item, fields=fields)
            made.append(item)
        return tuple(made)

    def _search(self) -> str:
        words = [self.random.choice(TEXTS) for _ in range(self.random.randint(0, 2))]
        return " ".join(word[: self.random.randint(1, 3)] for word in words)

    def _relation_filter(self, entity: Entity, depth: int, result: dict[str, Any]) -> None:
        super()._relation_filter(entity, depth, result)
        for name, tree in list(result.items()):
            relation = entity.relations.get(name)
            many = relation is not None and name not in entity.by_api_name and relation.kind is not RelationKind.TO_ONE
            if many and self.random.random() < 0.2:
                target = self.catalog.entities[relation.target]  # type: ignore[union-attr]
                result[name] = {**tree, self.random.choice(["some", "none", "every"]): self.filter(target, depth - 1)}

    def _argument(self, entity: Entity, item: Field, name: str) -> Any:
        random = self.random
        kind = OPERATORS[name].argument
        values = [choice.value for choice in item.choices]
        if kind is Argument.PATH:
            given = random.choice(_PATHS)
            return {key: self.term(value) for key, value in given.items()}
        if kind is Argument.TEXT:
            return self.term(random.choice([*TEXTS, *_PATTERNS]))
        if values:
            return self._of_choices(kind, values)
        if item.type.graphql is GraphQLKind.LIST and kind in (Argument.ELEMENT, Argument.ELEMENTS):
            words = ["vip", "new", "北", 'a"b', "none"]
            return self.term(
                random.choice(words) if kind is Argument.ELEMENT else random.sample(words, random.randint(0, 3))
            )
        return super()._argument(entity, item, name)

    def _of_choices(self, kind: Argument, values: list[str]) -> Term:
        random = self.random
        match kind:
            case Argument.BOOLEAN:
                return Constant(random.random() < 0.5)
            case Argument.VALUES | Argument.ELEMENTS:
                return self.term(random.sample(values, random.randint(0, len(values))))
            case _:
                return self.term(random.choice(values))


def _is_deep(value: Any) -> bool:
    """Whether the asker has put a value at a path inside its variable."""
    return isinstance(value, dict) and value.keys() == {"in"}
