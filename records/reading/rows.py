"""The slow path: flat, gated rows as dicts, for the stock executor and whatever else needs no JSON from SQL.

It shares the gate, filters and orders with the compiled path and nothing that builds JSON or pages: values are decoded
by column and shown by their field types, pages are cut by row numbers. So the two paths check each other. Everything
that hangs off records is read for many records at once, as a DataLoader asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.ids import canonical_id
from base.json import Json
from metadata.catalog import Entity
from metadata.field import Field, RelationKind
from records.alias import Alias
from records.binds import Run, Variables, reader
from records.gate import Gate
from records.reading.aggregates import aggregate_value
from records.reading.cursor import position_bytes, position_values
from records.reading.links import Link, declared, reference_field
from records.reading.listing import check_arguments, list_context, matching
from records.reading.orders import Key, after, order_keys
from records.reading.planning import Planning, list_digests
from records.selection import Constant, Listing, Term
from records.snapshot import Snapshot
from storage.json_sql import JsonArray
from storage.sql import InList, ListParameter, column, compile_with_constants, constant, encode_list, labelled
from storage.types import BIGINT, UUID

Row: TypeAlias = dict[str, Json]
"""JSON images by API name, null where the cell is not covered."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Rows of `entity` (readable ones) whose `relation` is followed."""

    entity: str
    relation: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `cursors` stand beside the rows."""

    rows: tuple[Row, ...] = ()
    cursors: tuple[str, ...] = ()
    has_next: bool = False
    has_previous: bool = False


@dataclass
class _Query:
    """A listing's statement being written, over its own rows or those of owners."""

    planning: Planning
    rows: Alias
    owner: ColumnElement[Any]
    source: sa.FromClause
    conditions: list[ColumnElement[bool]]


class Rows:
    """Reads rows for one operation: one snapshot, one set of variables."""

    def __init__(self, snapshot: Snapshot, variables: Variables) -> None:
        self._snapshot = snapshot
        self._run = Run(variables, snapshot)
        self._gate = Gate(snapshot.catalog, snapshot.actor.grants, snapshot.engine.dialect)

    async def by_ids(self, entity: str, ids: Sequence[str]) -> dict[str, Row]:
        """The live, readable rows among ids of one entity, by id. Text that is no id finds nothing."""
        planning = self._planning()
        rows = planning.alias(entity)
        wanted = [found for item in ids if (found := canonical_id(item)) is not None]
        given = planning.binds.add_list(lambda run: encode_list(wanted, UUID, planning.dialect), UUID)
        columns = self._columns(rows)
        query = sa.select(*columns).select_from(rows.table)
        query = query.where(InList(rows.field("id"), given), rows.live(), self._gate.rows(rows))
        decode = self._decoder(rows.entity)
        found_rows = [decode(row) for row in await self._fetch(query, planning)]
        return {str(row["id"]): row for row in found_rows}

    async def pages(self, listing: Listing, owners: Owners | None = None) -> dict[str | None, Page]:
        """The page of a listing for each owner that has rows (without owners: under None, always).

        Raises `BadInput` and `LimitExceeded` as the compiled path does.
        """
        query = self._query(listing, owners)
        planning = query.planning
        check_arguments(listing, planning)
        for check in planning.checks:
            check(self._run)
        own_keys = order_keys(listing.order, query.rows, self._gate)
        starts = self._cursor_values(listing, own_keys, query)
        backward = listing.last is not None
        keys = tuple(key.reversed() for key in own_keys) if backward else own_keys
        for values, looking in zip(starts, (own_keys, tuple(key.reversed() for key in own_keys)), strict=True):
            if values is not None:
                query.conditions.append(after(looking, values))
        found = await self._numbered(query, keys, self._size(listing), self._value(listing.offset) or 0)
        beyond = [await self._owners_beyond(listing, owners, side) for side in (0, 1)]
        pages = {owner: self._page(listing, query, rows, backward, beyond, owner) for owner, rows in found.items()}
        for owner in [None] if owners is None else owners.ids:
            if owner not in pages:
                pages[owner] = self._page(listing, query, [], backward, beyond, owner)
        return pages

    async def counts(self, listing: Listing, owners: Owners | None = None) -> dict[str | None, int]:
        """How many rows match, whatever the page; owners without rows are absent (without owners: under None)."""
        query = self._query(listing, owners)
        statement = sa.select(query.owner, sa.func.count()).select_from(query.source).where(*query.conditions)
        rows = await self._fetch(statement.group_by(query.owner) if owners else statement, query.planning)
        return {_id(owner): int(count) for owner, count in rows}

    async def aggregates(
        self, listing: Listing, wanted: Sequence[tuple[str, str]], owners: Owners | None = None
    ) -> dict[str | None, list[Json]]:
        """Aggregates (function, API name) over all rows that match, in the order asked; owners as in `counts`."""
        query = self._query(listing, owners)
        fields = query.rows.entity.by_api_name
        values = [
            aggregate_value(function, fields[name], self._gate.value(query.rows, fields[name]), self._gate.dialect)
            for function, name in wanted
        ]
        statement = sa.select(query.owner, JsonArray(values)).select_from(query.source).where(*query.conditions)
        rows = await self._fetch(statement.group_by(query.owner) if owners else statement, query.planning)
        return {_id(owner): orjson.loads(found) for owner, found in rows}

    def _planning(self) -> Planning:
        return Planning(self._snapshot.catalog, self._gate, self._snapshot.limits, {})

    def _value(self, term: Term | None) -> Any:
        return None if term is None else reader(term)(self._run.variables)

    def _size(self, listing: Listing) -> int:
        term = listing.first or listing.last or Constant(self._snapshot.limits.page_size)
        return int(self._value(term))

    async def _fetch(self, query: sa.Select[Any], planning: Planning) -> Sequence[Sequence[Any]]:
        compiled = compile_with_constants(query, planning.dialect)
        params = [planning.binds.getter(name, compiled.constants)(self._run) for name in compiled.sql.binds]
        return await self._snapshot.engine.fetch(self._snapshot.namespace, compiled.sql, params)

    def _query(self, listing: Listing, owners: Owners | None) -> _Query:
        planning = self._planning()
        rows = planning.alias(listing.entity)
        conditions = matching(listing, rows, planning)
        nothing = sa.cast(constant(None), sa.Text())
        if owners is None:
            return _Query(planning, rows, nothing, rows.table, conditions)
        relation = self._snapshot.catalog.entities[owners.entity].relations[owners.relation]
        here = planning.alias(owners.entity)
        source = sa.join(rows.table, here.table, sa.true())
        owner = here.field("id")
        if relation.kind is RelationKind.MANY:
            link = Link(relation, rows)
            source = sa.join(source, link.table, sa.and_(link.here == owner, link.there == rows.field("id")))
        else:
            conditions.append(self._gate.value(rows, reference_field(rows.entity, relation)) == owner)
        conditions += declared(self._gate, here, relation, rows)
        given: ListParameter = planning.binds.add_list(
            lambda run: encode_list(owners.ids, UUID, planning.dialect), UUID
        )
        conditions.append(InList(owner, given))
        return _Query(planning, rows, owner, source, conditions)

    def _columns(self, rows: Alias) -> list[ColumnElement[Any]]:
        return [labelled(self._gate.value(rows, field), field.column.name) for field in shown_fields(rows.entity)]

    def _decoder(self, entity: Entity) -> Callable[[Sequence[Any]], Row]:
        fields = shown_fields(entity)
        decoders = [field.column.type.decoder(self._gate.dialect) for field in fields]

        def decode(row: Sequence[Any]) -> Row:
            values = (decoder(value) for decoder, value in zip(decoders, row, strict=False))
            return {field.api_name: _image(field, value) for field, value in zip(fields, values, strict=True)}

        return decode

    async def _numbered(
        self, query: _Query, keys: Sequence[Key], size: int, offset: int
    ) -> dict[str | None, list[Sequence[Any]]]:
        """The rows of each owner's page and one more: its fields' columns, then those of the keys."""
        dialect = self._gate.dialect
        number = sa.func.row_number().over(partition_by=[query.owner], order_by=[key.ordered(dialect) for key in keys])
        columns = self._columns(query.rows)
        marks = [labelled(key.clause, f"_k{index}") for index, key in enumerate(keys)]
        head = [labelled(query.owner, "_o"), labelled(number, "_n")]
        inner = sa.select(*head, *columns, *marks).select_from(query.source).where(*query.conditions)
        place = column("r", "_n", sa.BigInteger())
        bounds = [query.planning.binds.logical(lambda run, at=at: at, BIGINT) for at in (offset, offset + size + 1)]  # type: ignore[misc]
        outer: sa.Select[Any] = sa.select(sa.literal_column("r.*")).select_from(inner.subquery("r"))
        outer = outer.where(place > bounds[0], place <= bounds[1]).order_by(place)
        found: dict[str | None, list[Sequence[Any]]] = {}
        for row in await self._fetch(outer, query.planning):
            found.setdefault(_id(row[0]), []).append(row[2:])
        return found

    def _page(
        self,
        listing: Listing,
        query: _Query,
        rows: Sequence[Sequence[Any]],
        backward: bool,
        beyond: Sequence[set[str | None] | None],
        owner: str | None,
    ) -> Page:
        size = self._size(listing)
        more = len(rows) > size
        shown = list(rows[:size])
        if backward:
            shown.reverse()
        before_start, after_end = (side is not None and owner in side for side in beyond)
        decode = self._decoder(query.rows.entity)
        return Page(
            tuple(decode(row) for row in shown),
            self._cursors(listing, query.rows, shown),
            after_end if backward else more or after_end,
            more or before_start if backward else listing.after is not None,
        )

    def _digest(self, listing: Listing, entity: Entity) -> bytes:
        return list_digests([list_context(listing, entity)], self._run)[0]

    def _cursors(self, listing: Listing, rows: Alias, shown: Sequence[Sequence[Any]]) -> tuple[str, ...]:
        context = self._digest(listing, rows.entity)
        keys = order_keys(listing.order, rows, self._gate)
        decoders = [key.type.decoder(self._gate.dialect) for key in keys]
        seal = self._snapshot.sealer.seal
        return tuple(
            seal(position_bytes([d(v) for d, v in zip(decoders, row[-len(keys) :], strict=True)]), context).decode()
            for row in shown
        )

    def _cursor_values(
        self, listing: Listing, keys: Sequence[Key], query: _Query
    ) -> list[list[ColumnElement[Any] | None] | None]:
        """The values of `after` and `before` as parameters."""
        types = [key.type for key in keys]
        result: list[list[ColumnElement[Any] | None] | None] = []
        for term in (listing.after, listing.before):
            if term is None:
                result.append(None)
                continue
            context = self._digest(listing, query.rows.entity)
            values = position_values(self._snapshot.sealer.open(self._value(term), context), types)
            result.append([_parameter(query.planning, value, key) for value, key in zip(values, keys, strict=True)])
        return result

    async def _owners_beyond(self, listing: Listing, owners: Owners | None, side: int) -> set[str | None] | None:
        """The owners with rows at or outside a cursor that bounds the list: `after` (side 0) or `before` (1)."""
        if (listing.after, listing.before)[side] is None:
            return None
        query = self._query(listing, owners)
        keys = order_keys(listing.order, query.rows, self._gate)
        values = self._cursor_values(listing, keys, query)[side]
        assert values is not None
        looking = keys if side else tuple(key.reversed() for key in keys)
        same = [
            key.clause.is_(None) if value is None else key.clause == value
            for key, value in zip(keys, values, strict=True)
        ]
        query.conditions.append(sa.or_(sa.and_(*same), after(looking, values)))
        statement = sa.select(query.owner).select_from(query.source).where(*query.conditions).distinct()
        return {_id(row[0]) for row in await self._fetch(statement, query.planning)}


def shown_fields(entity: Entity) -> list[Field]:
    """The fields that a row of the slow path has: all that have columns."""
    return [field for field in entity.by_api_name.values() if not field.write_only]


def _image(field: Field, value: Any) -> Json:
    return None if value is None else field.type.image(field.options, value)


def _id(value: Any) -> str | None:
    return None if value is None else value.decode() if isinstance(value, bytes) else str(value)


def _parameter(planning: Planning, value: Any, key: Key) -> ColumnElement[Any] | None:
    return None if value is None else planning.binds.logical(lambda run: value, key.type)
