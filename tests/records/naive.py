"""The naive reader: answers a selection in Python over all rows, straight from the rules, without any SQL.

It decides grants with `access.coverage` and operators with their `matches`, reads every row of the company, and knows
nothing of plans. Whatever the compiled statement and the stock executor answer must equal it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any

from access.actor import Actor
from access.coverage import cell_granted, row_granted
from access.grant import Operation
from base.text import fold
from metadata.catalog import Catalog, Entity
from metadata.field import Field, Relation, RelationKind
from metadata.operator import Argument, Clock
from metadata.operators.registry import OPERATORS
from records import selection as ask
from records.gate import PARENT_DEPTH
from records.selection import Constant, Deleted, Listing, Order, Term, Tree
from records.shares import field_key
from tests.records.naive_data import Data, Row
from tests.records.naive_values import aggregated, image, plain

ALWAYS = frozenset({"id", "version", "createdAt", "updatedAt", "deletedAt"})


class Eyes:
    """What a rule may ask, for one entity (`access.coverage.World`)."""

    def __init__(self, naive: Naive, entity: Entity, depth: int) -> None:
        self._naive = naive
        self._entity = entity
        self._depth = depth
        self.member_id = naive.actor.member_id
        self.team_ids = frozenset(naive.actor.team_ids)
        self.teams_below = frozenset(low for high, low in naive.data.below if high in self.team_ids)
        self.reports_below = frozenset(low for high, low in naive.data.reports if high == self.member_id)

    def shared(self, record: Mapping[str, Any], level: str, field: str | None) -> bool:
        """A live share to the actor, one of his teams or one of his roles."""
        actor = self._naive.actor
        principals = {actor.member_id, *actor.team_ids, *actor.roles}
        key = None if field is None else field_key(self._entity.fields[field])
        return any(
            share["record"] == record["id"]
            and share["principal"] in principals
            and (level == "READ" or share["level"] == "WRITE")
            and (share["until"] is None or share["until"] > self._naive.clock.now)
            and (key is None or share["fields"] is None or key in share["fields"])
            for share in self._naive.data.shares
        )

    def parent_readable(self, record: Mapping[str, Any], relation: str) -> bool:
        """The parent is there, live, and readable by its own rows."""
        way = self._entity.relations[relation]
        parent = self._naive.data.rows[way.target].get(record[f"{relation}Id"])
        if parent is None or parent["deletedAt"] is not None or self._depth >= PARENT_DEPTH:
            return False
        return self._naive.readable(self._naive.catalog.entities[way.target], parent, self._depth + 1)

    def lookup(self, record: Mapping[str, Any], path: tuple[str, ...]) -> Any:
        """A value with system eyes."""
        if path[0] == "actor":
            actor = self._naive.actor
            found = {
                "id": actor.member_id,
                "teamId": actor.default_team_id,
                "roles": list(actor.roles),
                "teamIds": list(actor.team_ids),
            }
            return found[path[1]]
        row: Mapping[str, Any] | None = record
        entity = self._entity
        for step in path[:-1]:
            way = entity.relations[step]
            row = self._naive.data.rows[way.target].get(row[f"{step}Id"]) if row is not None else None
            if row is not None and row["deletedAt"] is not None:
                row = None
            entity = self._naive.catalog.entities[way.target]
        return None if row is None else row[path[-1]]


@dataclass
class Naive:
    """One actor's reader. `cursors` tells which record a cursor text was given for."""

    catalog: Catalog
    actor: Actor
    data: Data
    clock: Clock
    page_size: int = 50
    cursors: Mapping[str, str] = field(default_factory=dict)
    _readable: dict[tuple[str, str], bool] = field(default_factory=dict)

    def answer(self, selection: ask.Selection, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The `data` object, without cursors (None stands for each) and without meta."""
        self.variables = variables
        return {root.key: self._root(root) for root in selection.roots}

    # -- rights ----------------------------------------------------------------------------------------------------

    def readable(self, entity: Entity, row: Mapping[str, Any], depth: int = 0) -> bool:
        """Whether the actor may read a row, deleted or not."""
        key = (row["id"], str(depth))
        if key not in self._readable:
            grants = self.actor.grants.of(entity.name, Operation.READ)
            self._readable[key] = row_granted(grants, row, Eyes(self, entity, depth))
        return self._readable[key]

    def covered(self, entity: Entity, row: Mapping[str, Any], item: Field) -> bool:
        """Whether the actor may read a cell of a readable row."""
        if item.name in ALWAYS:
            return True
        if item.write_only:
            return False
        grants = self.actor.grants.of(entity.name, Operation.READ)
        return cell_granted(grants, item.name, row, Eyes(self, entity, 0))

    def value(self, entity: Entity, row: Mapping[str, Any], name: str) -> Any:
        """The logical value that the actor sees under an API name."""
        item = entity.by_api_name[name]
        return row[name] if self.covered(entity, row, item) else None

    def _visible(self, entity: Entity) -> list[Row]:
        return [row for row in self.data.rows[entity.name].values() if self.readable(entity, row)]

    # -- roots -----------------------------------------------------------------------------------------------------

    def _term(self, term: Term | None) -> Any:
        if term is None:
            return None
        if isinstance(term, Constant):
            return term.value
        value: Any = self.variables
        for step in term.path:
            value = value[step]
        return value

    def _root(self, root: ask.Root) -> Any:
        match root:
            case ask.RootRecord():
                return self._by_id(root.entity, self._term(root.id), root.selection)
            case ask.RootNode():
                return self._by_number(self._term(root.id), root.selections)
            case ask.RootNodes():
                return [self._by_number(item, root.selections) for item in self._term(root.ids)]
            case ask.RootListing():
                entity = self.catalog.entities[root.listing.entity]
                return self._connection(root.listing, self._visible(entity))
            case ask.RootTypeName():
                return root.value
            case _:
                raise NotImplementedError

    def _by_number(self, record_id: Any, selections: Mapping[str, ask.Record]) -> Any:
        for name, record in selections.items():
            found = self._by_id(name, record_id, record)
            if found is not None:
                return found
        return None

    def _by_id(self, name: str, record_id: Any, record: ask.Record) -> Any:
        entity = self.catalog.entities[name]
        row = self.data.rows[name].get(record_id.lower() if isinstance(record_id, str) else "")
        if row is None or row["deletedAt"] is not None or not self.readable(entity, row):
            return None
        return self._object(record, row)

    # -- records -----------------------------------------------------------------------------------------------------

    def _object(self, record: ask.Record, row: Row) -> dict[str, Any]:
        entity = self.catalog.entities[record.entity]
        return {item.key: self._item(item, entity, row) for item in record.items}

    def _item(self, item: Any, entity: Entity, row: Row) -> Any:
        match item:
            case ask.Scalar():
                return image(entity.by_api_name[item.field], self.value(entity, row, item.field))
            case ask.TypeName():
                return item.value
            case ask.ToOne():
                target = self.behind(entity, row, item.relation)
                return None if target is None else self._object(item.selection, target)
            case ask.ToMany():
                return self._connection(item.listing, self.related(entity, row, entity.relations[item.relation]))

    def behind(self, entity: Entity, row: Row, name: str) -> Row | None:
        """The live, readable record behind a to-one relation whose reference is covered."""
        relation = entity.relations[name]
        target = self.data.rows[relation.target].get(self.value(entity, row, f"{name}Id"))
        if target is None or target["deletedAt"] is not None:
            return None
        return target if self.readable(self.catalog.entities[relation.target], target) else None

    def related(self, entity: Entity, row: Row, relation: Relation) -> list[Row]:
        """The readable records of a to-many relation, deleted ones included."""
        target = self.catalog.entities[relation.target]
        if relation.field is not None and not self.covered(entity, row, entity.fields[relation.field]):
            return []
        if relation.kind is not RelationKind.MANY:
            return [
                other
                for other in self._visible(target)
                if self.value(target, other, f"{relation.inverse}Id") == row["id"]
            ]
        pairs = self.data.links[str(relation.link)]
        if relation.field is not None:
            return [other for other in self._visible(target) if (row["id"], other["id"]) in pairs]
        declared = next(way.field for way in target.relations.values() if way.link == relation.link and way.field)
        return [
            other
            for other in self._visible(target)
            if (other["id"], row["id"]) in pairs and self.covered(target, other, target.fields[declared])
        ]

    # -- filters -----------------------------------------------------------------------------------------------------

    def matches(self, entity: Entity, row: Row, tree: Tree | None) -> bool:
        """Whether a filter holds for a row."""
        if tree is None or tree == Constant(None):
            return True
        return all(self._entry(entity, row, key, item) for key, item in plain(tree).items() if item != Constant(None))

    def _entry(self, entity: Entity, row: Row, key: str, item: Any) -> bool:
        match key:
            case "and":
                return all(self.matches(entity, row, part) for part in item)
            case "or":
                return any(self.matches(entity, row, part) for part in item)
            case "not":
                return not self.matches(entity, row, item)
        if key in entity.by_api_name:
            shown = self.value(entity, row, key)
            return all(self._test(entity.by_api_name[key], shown, *pair) for pair in plain(item).items())
        relation = entity.relations[key]
        target = self.catalog.entities[relation.target]
        if relation.kind is RelationKind.TO_ONE:
            other = self.behind(entity, row, key)
            return other is not None and self.matches(target, other, item)
        others = [other for other in self.related(entity, row, relation) if other["deletedAt"] is None]
        tests = {
            "some": lambda tree: any(self.matches(target, other, tree) for other in others),
            "none": lambda tree: not any(self.matches(target, other, tree) for other in others),
            "every": lambda tree: all(self.matches(target, other, tree) for other in others),
        }
        return all(tests[name](tree) for name, tree in plain(item).items())

    def _test(self, item: Field, value: Any, name: str, argument: Any) -> bool:
        operator = OPERATORS[name]
        given = self._argument(item, operator.argument, argument)
        return operator.matches(item, value, given, self.clock)

    def _argument(self, item: Field, kind: Argument, tree: Any) -> Any:
        value = self._resolved(tree)
        match kind:
            case Argument.VALUE:
                return item.type.argument(item.options, value)
            case Argument.VALUES:
                return [item.type.argument(item.options, each) for each in value]
            case Argument.RANGE:
                return {key: item.type.argument(item.options, each) for key, each in value.items()}
            case _:
                return value

    def _resolved(self, tree: Any) -> Any:
        if isinstance(tree, Mapping):
            return {key: self._resolved(item) for key, item in tree.items()}
        if isinstance(tree, tuple):
            return [self._resolved(item) for item in tree]
        return self._term(tree)

    def _found(self, entity: Entity, row: Row, text: str | None) -> bool:
        terms = fold(text or "").split()
        texts = [fold(str(self.value(entity, row, name) or "")) for name in entity.search]
        return all(any(term in text for text in texts) for term in terms)

    # -- listings ----------------------------------------------------------------------------------------------------

    def chosen(self, listing: Listing, rows: Iterable[Row]) -> list[Row]:
        """The rows that a listing is about, in its order, whatever the page."""
        entity = self.catalog.entities[listing.entity]
        wanted = {Deleted.EXCLUDE: {False}, Deleted.ONLY: {True}, Deleted.INCLUDE: {False, True}}[listing.deleted]
        found = [
            row
            for row in rows
            if (row["deletedAt"] is not None) in wanted
            and self.matches(entity, row, listing.filter)
            and self._found(entity, row, self._term(listing.search))
        ]

        def compare(one: Row, two: Row) -> int:
            return self._compare(listing.order, entity, one, two)

        return sorted(found, key=cmp_to_key(compare))

    def _compare(self, orders: Sequence[Order], entity: Entity, one: Row, two: Row) -> int:
        for order in orders:
            left, right = (self._key(entity, row, order.path) for row in (one, two))
            if left == right:
                continue
            if left is None or right is None:
                return -1 if (left is None) is order.nulls_first else 1
            return -1 if (left < right) is not order.descending else 1
        return int(one["id"] > two["id"]) - int(one["id"] < two["id"])

    def _key(self, entity: Entity, row: Row, path: tuple[str, ...]) -> Any:
        if len(path) == 1:
            return self.value(entity, row, path[0])
        other = self.behind(entity, row, path[0])
        target = self.catalog.entities[entity.relations[path[0]].target]
        return None if other is None else self._key(target, other, path[1:])

    def _connection(self, listing: Listing, rows: Sequence[Row]) -> dict[str, Any]:
        everything = self.chosen(listing, rows)
        entity = self.catalog.entities[listing.entity]
        start, end = 0, len(everything)
        place = {row["id"]: index for index, row in enumerate(everything)}
        if listing.after is not None:
            start = place[self.cursors[self._term(listing.after)]] + 1
        if listing.before is not None:
            end = place[self.cursors[self._term(listing.before)]]
        start = min(start + (self._term(listing.offset) or 0), len(everything))
        end = max(end, start)
        if listing.last is not None:
            low, high = max(start, end - self._term(listing.last)), end
        else:
            size = self.page_size if listing.first is None else self._term(listing.first)
            low, high = start, min(end, start + size)
        info = {
            "hasNextPage": high < len(everything),
            "hasPreviousPage": low > 0 if listing.last is not None else listing.after is not None,
            "startCursor": None,
            "endCursor": None,
        }
        page = everything[low:high]
        return {part.key: self._part(part, entity, page, everything, info) for part in listing.parts}

    def _part(self, part: Any, entity: Entity, page: list[Row], everything: list[Row], info: Mapping[str, Any]) -> Any:
        match part:
            case ask.Nodes():
                return [self._object(part.selection, row) for row in page]
            case ask.Edges():
                return [{item.key: self._edge(item, row) for item in part.items} for row in page]
            case ask.PageInfo():
                return {
                    (item.key if isinstance(item, ask.TypeName) else item[0]): (
                        item.value if isinstance(item, ask.TypeName) else info[item[1]]
                    )
                    for item in part.items
                }
            case ask.TotalCount():
                return len(everything)
            case ask.TypeName():
                return part.value
            case ask.Aggregate():
                return {item.key: self._aggregate(item, entity, everything) for item in part.items}

    def _edge(self, item: Any, row: Row) -> Any:
        match item:
            case ask.NodeItem():
                return self._object(item.selection, row)
            case ask.TypeName():
                return item.value
            case _:
                return None

    def _aggregate(self, item: Any, entity: Entity, rows: list[Row]) -> Any:
        if isinstance(item, ask.TypeName):
            return item.value
        if item.function == "count":
            return len(rows)
        result: dict[str, Any] = {}
        for part in item.fields:
            if isinstance(part, ask.TypeName):
                result[part.key] = part.value
                continue
            key, name = part
            values = [value for row in rows if (value := self.value(entity, row, name)) is not None]
            result[key] = aggregated(item.function, entity.by_api_name[name], values)
        return result
