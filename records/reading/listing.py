"""Connections in SQL: which rows, in what order, which page of them, and the parts that were asked.

A page is a sub-select with LIMIT (one row more where the answer must know whether there are more); the JSON of its
rows is built outside of it, so that nothing is computed for rows that are not shown. Backwards, the page is taken in
the opposite order and turned round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import BadInput, Text
from metadata.catalog import Entity
from records.alias import Alias
from records.binds import Run, Variables, reader, tree_reader
from records.reading.aggregates import aggregate_object
from records.reading.orders import Key, after, branches, key_fields, order_keys
from records.reading.planning import Context, Planning, Slot
from records.reading.search import search_condition
from records.selection import (
    Aggregate,
    Constant,
    CursorItem,
    Deleted,
    Edges,
    Listing,
    NodeItem,
    Nodes,
    PageInfo,
    Record,
    Term,
    TotalCount,
    TypeName,
)
from storage.json_sql import HexText, JsonArray, JsonList, JsonName, JsonObject, Pairs
from storage.sql import column, constant, labelled
from storage.types import BIGINT, BOOLEAN, TEXT

MakePairs = Callable[[Record, Alias, Planning], Pairs]
"""`records.reading.query.record_pairs`; given, because records and connections hold each other."""

_EDGE_CURSORS = frozenset({"startCursor", "endCursor"})
_NUMBER, _COUNT, _KEY = "_n", "_t", "_k"  # names that no physical column has


class Connection:
    """One listing being written as SQL over one occurrence of its entity's table."""

    def __init__(self, listing: Listing, rows: Alias, planning: Planning, make_pairs: MakePairs) -> None:
        self._listing = listing
        self._rows = rows
        self._planning = planning
        self._make_pairs = make_pairs
        check_arguments(listing, planning)
        self._keys = order_keys(listing.order, rows, planning.gate)
        self._backward = listing.last is not None
        self._page = rows.page()
        self._context: int | None = None
        self._wanted = {name for part in listing.parts if isinstance(part, PageInfo) for name in _names(part)}
        # hasNextPage forwards and hasPreviousPage backwards need a look at one row more
        self._probing = ("hasPreviousPage" if self._backward else "hasNextPage") in self._wanted
        self._marking = bool(self._wanted & _EDGE_CURSORS) or any(
            isinstance(item, CursorItem) for part in listing.parts if isinstance(part, Edges) for item in part.items
        )
        self._numbering = self._probing or self._backward or bool(self._wanted & _EDGE_CURSORS)

    def query(self, conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
        """A scalar sub-select: the connection object of the rows that meet the conditions, the listing and the gate."""
        conditions = [*conditions, *matching(self._listing, self._rows, self._planning)]
        self._cursors = self._positions()
        pairs: list[tuple[str, ColumnElement[Any]]] = []
        laterals: list[tuple[Pairs, int]] = []
        for part in self._listing.parts:
            match part:
                case Nodes():
                    laterals.append((self._make_pairs(part.selection, self._page, self._planning), len(pairs)))
                    pairs.append((part.key, constant(None)))
                case Edges():
                    laterals.append((self._edge_pairs(part), len(pairs)))
                    pairs.append((part.key, constant(None)))
                case PageInfo():
                    pairs.append((part.key, self._page_info(part, conditions)))
                case TotalCount():
                    pairs.append((part.key, self._over_all(sa.func.count(), conditions)))
                case Aggregate():
                    found = aggregate_object(part, self._rows, self._planning.gate)
                    pairs.append((part.key, self._over_all(found, conditions)))
                case TypeName():
                    pairs.append((part.key, JsonName(part.value)))
        if not (laterals or self._probing or self._wanted & _EDGE_CURSORS):
            return sa.select(JsonObject(pairs)).scalar_subquery()
        source = self._source(conditions)
        for items, place in laterals:
            pairs[place] = (pairs[place][0], JsonList(JsonObject(items), self._shown()))
        return sa.select(JsonObject(pairs)).select_from(source).scalar_subquery()

    @property
    def _size(self) -> ColumnElement[Any]:
        """The page's size: a literal where it is known, since it shapes the plan."""
        return self._number(self._listing.first or self._listing.last or Constant(self._planning.limits.page_size), 0)

    def _number(self, term: Term, more: int) -> ColumnElement[Any]:
        if isinstance(term, Constant):
            return constant(int(term.value) + more)
        read = reader(term)
        return self._planning.binds.add(lambda run: int(read(run.variables)) + more, BIGINT)

    def _shown(self) -> ColumnElement[bool] | None:
        return self._page_column(_NUMBER) <= self._size if self._probing else None

    def _page_column(self, name: str) -> ColumnElement[Any]:
        return column(self._page.name, name, sa.BigInteger())

    # -- the page ------------------------------------------------------------------------------------------------

    def _effective(self) -> tuple[Key, ...]:
        return tuple(key.reversed() for key in self._keys) if self._backward else self._keys

    def _source(self, conditions: Sequence[ColumnElement[bool]]) -> sa.FromClause:
        """The page under its alias, numbered and turned round where that is needed."""
        page, dialect = self._page, self._planning.dialect
        limited = self._limited(conditions)
        if not self._numbering:
            return limited.subquery(page.name)
        inner = self._planning.names.next("q")
        columns: list[ColumnElement[Any]] = [sa.literal_column(f'"{inner}".*')]
        columns.append(labelled(sa.literal_column("row_number() OVER ()"), _NUMBER))
        if self._wanted & _EDGE_CURSORS:
            columns.append(labelled(sa.literal_column("count(*) OVER ()"), _COUNT))
        numbered = sa.select(*columns).select_from(limited.subquery(inner))
        if not self._backward:
            return numbered.subquery(page.name)
        turned = self._planning.names.next("q")
        number = column(turned, _NUMBER, sa.BigInteger())
        everything: sa.Select[Any] = sa.select(sa.literal_column(f'"{turned}".*')).select_from(
            numbered.subquery(turned)
        )
        everything = everything.order_by(number.desc())
        # SQLite would drop the order of a sub-select without LIMIT
        return (everything.limit(constant(-1)) if dialect == "sqlite" else everything).subquery(page.name)

    def _limited(self, conditions: Sequence[ColumnElement[bool]]) -> sa.SelectBase:
        listing, keys = self._listing, self._effective()
        first, last = self._cursors
        start, end = (last, first) if self._backward else (first, last)
        bounds = [*conditions]
        if end is not None:
            bounds.append(after([key.reversed() for key in keys], end))
        term = listing.first or listing.last or Constant(self._planning.limits.page_size)
        limit = self._number(term, 1 if self._probing else 0)
        if listing.offset is not None:
            return self._select(keys).where(*bounds).limit(limit).offset(self._number(listing.offset, 0))
        parts = [
            self._select(part.keys).where(*bounds, *part.conditions).limit(limit) for part in branches(keys, start)
        ]
        if len(parts) == 1:
            return parts[0]
        names = [self._planning.names.next("u") for _ in parts]
        stacked: list[sa.Select[Any]] = [
            sa.select(sa.literal_column(f'"{name}".*')).select_from(part.subquery(name))
            for name, part in zip(names, parts, strict=True)
        ]
        return sa.union_all(*stacked).limit(limit)

    def _select(self, keys: Sequence[Key]) -> sa.Select[Any]:
        """The columns that the JSON of the page was found to need, from the table, in order."""
        rows, dialect = self._rows, self._planning.dialect
        columns = self._page.projected(rows)
        if self._marking:
            columns += [labelled(key.clause, f"{_KEY}{index}") for index, key in enumerate(keys)]
        query = sa.select(*columns).select_from(rows.table)
        return query.order_by(*(key.ordered(dialect) for key in keys))

    # -- cursors -------------------------------------------------------------------------------------------------

    def _list_context(self) -> int:
        """The number of this list among those with cursors."""
        if self._context is None:
            self._context = len(self._planning.contexts)
            self._planning.contexts.append(list_context(self._listing, self._rows.entity))
        return self._context

    def _positions(self) -> tuple[list[ColumnElement[Any] | None] | None, ...]:
        """The values of `after` and `before`, as parameters; None for an absent cursor."""
        return tuple(
            None if term is None else self._position(term) for term in (self._listing.after, self._listing.before)
        )

    def _position(self, term: Term) -> list[ColumnElement[Any] | None]:
        planning = self._planning
        slot = len(planning.slots)
        types = tuple(key.type for key in self._keys)
        planning.slots.append(Slot(reader(term), types, self._list_context()))
        nulls = planning.pattern.get(slot, (False,) * len(types))
        return [
            None if null else planning.binds.logical(_cursor_value(slot, index), type_)
            for index, (type_, null) in enumerate(zip(types, nulls, strict=True))
        ]

    def _mark(self) -> ColumnElement[Any]:
        """A row's cursor before it is sealed: the run's nonce, the list's number, the key values as hex of JSON."""
        planning = self._planning
        planning.marks = True
        values = [
            key.type.shown(column(self._page.name, f"{_KEY}{index}", key.type.sqlalchemy()), planning.dialect)
            for index, key in enumerate(self._keys)
        ]
        nonce = sa.cast(planning.binds.add(lambda run: run.nonce, TEXT), sa.Text())
        number = constant(f"{self._list_context()}.")
        return nonce.op("||")(number).op("||")(HexText(JsonArray(values))).op("||")(constant("!"))

    # -- parts ---------------------------------------------------------------------------------------------------

    def _edge_pairs(self, edges: Edges) -> Pairs:
        planning = self._planning
        pairs: list[tuple[str, ColumnElement[Any]]] = []
        for item in edges.items:
            match item:
                case CursorItem():
                    pairs.append((item.key, self._mark()))
                case NodeItem():
                    node = self._make_pairs(item.selection, self._page, planning)
                    pairs.append((item.key, JsonObject(node)))
                case TypeName():
                    pairs.append((item.key, JsonName(item.value)))
        return pairs

    def _page_info(self, part: PageInfo, conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
        pairs: list[tuple[str, ColumnElement[Any]]] = []
        for item in part.items:
            if isinstance(item, TypeName):
                pairs.append((item.key, JsonName(item.value)))
                continue
            key, name = item
            match name:
                case "hasNextPage" | "hasPreviousPage":
                    value = BOOLEAN.shown(self._more(name, conditions), self._planning.dialect)
                case "startCursor":
                    value = self._edge_cursor(first=not self._backward)
                case _:
                    value = self._edge_cursor(first=self._backward)
            pairs.append((key, value))
        return JsonObject(pairs)

    def _more(self, name: str, conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
        """Whether there are rows on one side of the page.

        Ahead in paging direction: one row more was found, or the range was cut off by the other cursor and rows stand
        beyond it. Behind: forwards true iff `after` was given, backwards looked up behind `before`.
        """
        forward = name == "hasNextPage"
        after_values, before_values = self._cursors
        if forward is not self._backward:
            ahead = sa.func.count(self._page_column(_NUMBER)) > self._size
            cut = before_values if forward else after_values
            return ahead if cut is None else sa.or_(ahead, self._beyond(cut, forward, conditions))
        if not forward:
            return sa.true() if self._listing.after is not None else sa.false()
        return sa.false() if before_values is None else self._beyond(before_values, True, conditions)

    def _beyond(
        self, values: Sequence[ColumnElement[Any] | None], forward: bool, conditions: Sequence[ColumnElement[bool]]
    ) -> ColumnElement[bool]:
        """Whether a row stands at a cursor or beyond it."""
        keys = self._keys if forward else tuple(key.reversed() for key in self._keys)
        at = sa.and_(*(_same(key, value) for key, value in zip(keys, values, strict=True)))
        query = sa.select(constant(1)).select_from(self._rows.table)
        return sa.exists(query.where(*conditions, sa.or_(at, after(keys, values))))

    def _edge_cursor(self, *, first: bool) -> ColumnElement[Any]:
        number = self._page_column(_NUMBER)
        if first:
            place: ColumnElement[Any] = constant(1)
        else:
            shown = self._page_column(_COUNT)
            least = sa.func.least if self._planning.dialect == "postgresql" else sa.func.min
            place = least(shown, self._size) if self._probing else shown
        return sa.func.max(sa.case((sa.and_(number == place, number <= self._size), self._mark())))

    def _over_all(self, value: ColumnElement[Any], conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[Any]:
        return sa.select(value).select_from(self._rows.table).where(*conditions).scalar_subquery()


_APART = (("first", "last"), ("offset", "last"), ("offset", "after"), ("offset", "before"))


def check_together(listing: Listing) -> None:
    """Raise `BadInput` for page arguments that no values make right together."""
    for one, other in _APART:
        if getattr(listing, one) is not None and getattr(listing, other) is not None:
            text = Text(f"'{one}' and '{other}' cannot be given together", f"“{one}”与“{other}”不能同时使用")
            raise BadInput(text, {"arguments": [one, other]})


def check_arguments(listing: Listing, planning: Planning) -> None:
    """See to the page arguments. Raises `BadInput` for those that exclude each other; ranges are checked per run."""
    check_together(listing)
    for name, term in (("first", listing.first), ("last", listing.last)):
        if term is not None:
            planning.check_range(term, name, planning.limits.page_size_max)
    if listing.offset is not None:
        planning.check_range(listing.offset, "offset", planning.limits.offset_max)


def list_context(listing: Listing, entity: Entity) -> Context:
    """What a list is, for its cursors."""
    fixed = [key_fields(listing.order, entity), listing.deleted.value]
    read_filter = tree_reader(listing.filter) if listing.filter is not None else _nothing
    read_search = reader(listing.search) if listing.search is not None else _nothing
    return Context(fixed, lambda variables: [read_filter(variables) or {}, read_search(variables) or ""])


def _nothing(variables: Variables) -> None:
    return None


def matching(listing: Listing, rows: Alias, planning: Planning) -> list[ColumnElement[bool]]:
    """The rows that a listing is about, whatever its page: live or deleted as asked, readable, found."""
    conditions: list[ColumnElement[bool]] = []
    if listing.deleted is not Deleted.INCLUDE:
        live = rows.live()
        conditions.append(live if listing.deleted is Deleted.EXCLUDE else sa.not_(live))
    conditions.append(planning.gate.rows(rows))
    conditions.append(planning.filters.condition(rows, listing.filter))
    if listing.search is not None and listing.search != Constant(None):
        conditions.append(search_condition(rows, listing.search, planning.gate, planning.binds))
    return conditions


def _cursor_value(slot: int, index: int) -> Callable[[Run], Any]:
    return lambda run: run.cursors[slot][index]


def _same(key: Key, value: ColumnElement[Any] | None) -> ColumnElement[bool]:
    return key.clause.is_(None) if value is None else key.clause == value


def _names(part: PageInfo) -> list[str]:
    return [item[1] for item in part.items if not isinstance(item, TypeName)]
