"""Fills: how the rows there are come to what new documents ask, in one statement or a chunk of rows at a time.

In one transaction a fill is a statement over the whole table. Prepared, it goes through the table by id, and later once
more over the records that changed meanwhile; then it writes only columns that no served version names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.dml import Update as UpdateClause

from metadata.catalog import Entity
from metadata.field import Column, Field
from metadata.publishing.checks import IDS, bare, column_of, holds, table_of
from metadata.publishing.convert import Convert, Converted, converter, same_kind
from metadata.publishing.diff import renamed_choices
from metadata.publishing.plan import Default, Move, Plan, Renaming, newly_required
from storage.batch import NAMESPACE, Execute, Sql, Statement, Update, Value
from storage.engine import Dialect
from storage.names import quoted
from storage.sql import array_name, compile, compile_with_constants, encode_list
from storage.types import UUID, ColumnType

SAMPLE: Final = 5
"""Ids that are told of the values that found no place."""

Fetch: TypeAlias = Callable[[Sql, Sequence[Value]], Awaitable[Sequence[Sequence[Any]]]]
"""Runs one reading statement of the company, inside a transaction or outside."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a fill does to some rows: statements, how many rows, and the ids whose value found no place."""

    statements: tuple[Statement, ...]
    rows: int
    lost: tuple[str, ...] = ()


class Fill(Protocol):
    """One column that is filled from what the row holds."""

    @property
    def name(self) -> str:
        """Entity and field: `opportunity.amount`."""

    @property
    def entity(self) -> Entity:
        """Whose table it goes through."""

    @property
    def added(self) -> bool:
        """Whether the database has filled the rows of before as it added the column: only later ones are left."""

    async def of(self, fetch: Fetch, ids: Sequence[str]) -> Filled:
        """What it does to these rows."""


@dataclass(frozen=True)
class Copying:
    """A column filled by the database: the old column's values, choices renamed, a default where there is none."""

    entity: Entity
    item: Field
    source: Field | None
    dialect: Dialect
    added: bool = False

    @property
    def name(self) -> str:
        """Entity and field."""
        return f"{self.entity.name}.{self.item.name}"

    async def of(self, fetch: Fetch, ids: Sequence[str]) -> Filled:
        """One statement for all of them."""
        kept = bare((self.source or self.item).column)
        value = filled_value(self.item, self.source, kept, self.dialect)
        clause = _update(self.entity).where(IDS).values({self.item.column.name: value})
        made = compile_with_constants(clause, self.dialect)
        params = made.params(ids=encode_list(list(ids), UUID, self.dialect))
        return Filled((Execute(made.sql, params),), len(ids))


@dataclass(frozen=True)
class Converting:
    """A column filled with values of another type, in Python.

    Where the trash holds a value that means what the row holds now, that one comes back: it may say more.
    """

    move: Move
    dialect: Dialect
    convert: Convert
    back: Convert  # the other way round, to know a value of the trash again

    @property
    def name(self) -> str:
        """Entity and field."""
        return self.move.name

    @property
    def entity(self) -> Entity:
        """Whose table it goes through."""
        return self.move.entity

    @property
    def added(self) -> bool:
        """Never: each row has its own value."""
        return False

    async def of(self, fetch: Fetch, ids: Sequence[str]) -> Filled:
        """An update of each row."""
        own = self.move.item.column
        query = sa.select(column_of("id", UUID), *[bare(column) for column in self.columns])
        sql = compile(query.select_from(table_of(self.entity)).where(IDS), self.dialect)
        rows = await fetch(sql, (encode_list(list(ids), UUID, self.dialect),))
        read, make, encode = UUID.decoder(self.dialect), self.maker(), own.type.encoder(self.dialect)
        cells: list[tuple[str, Value]] = []
        lost: list[str] = []
        for key, *held in rows:
            record, made = read(key), make(*held)
            if not made.exact:
                lost.append(record)
            cells.append((record, encode(made.value)))
        return Filled(tuple(_cells(self.entity, own, cells, self.dialect)), len(rows), tuple(lost))

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is read of a row: the old column, and that of the trash where there is one."""
        kept = self.move.recovered
        return (self.move.source.column, *((kept,) if kept is not None else ()))

    def maker(self) -> Callable[..., Converted]:
        """A function of the cells of `columns`, as the database gives them: what the row will hold."""
        decoders = [column.type.decoder(self.dialect) for column in self.columns]

        def make(*cells: Any) -> Converted:
            """The value, and whether it means what the old one meant."""
            value, *old = (decode(cell) for decode, cell in zip(decoders, cells, strict=True))
            return self._made(value, old[0] if old else None)

        return make

    def _made(self, value: Any, recovered: Any) -> Converted:
        if recovered is not None and self._takes(recovered) and self.back(recovered).value == value:
            return Converted(recovered, True)
        found = self.convert(value)
        if found.value is None and _has_filler(self.move.item, self.move.source):
            item = self.move.item
            return Converted(item.type.logical(item.options, item.default), found.exact)
        return found

    def _takes(self, recovered: Any) -> bool:
        """Whether the field still knows a value of the trash: its choices may be others by now."""
        item = self.move.item
        try:
            item.type.logical(item.options, item.type.image(item.options, recovered))
        except (ValueError, ArithmeticError):
            return False
        return True


def filled_value(item: Field, source: Field | None, kept: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """What a field holds of a value of one kind that is `kept`: choices renamed, its default where there is none."""
    type_ = item.column.type
    value = kept
    for old, new in renamed_choices(source, item).items() if source is not None else ():
        value = _replaced(value, type_, sa.literal(old, sa.Text()), sa.literal(new, sa.Text()), dialect)
    return with_default(item, source, value, dialect)


def with_default(item: Field, source: Field | None, value: ColumnElement[Any], dialect: Dialect) -> ColumnElement[Any]:
    """A value, or the default of a field that is required from now on."""
    if not _has_filler(item, source):
        return value
    return sa.func.coalesce(value, sa.literal(_encoded_default(item, dialect), item.column.type.sqlalchemy()))


def prepared_fills(plan: Plan, dialect: Dialect, zone: str) -> list[Fill]:
    """The fills of a publication that is prepared: of tables without rows too, for writers may bring some meanwhile."""
    fills = [fill_of(move, dialect, zone) for move in plan.moves]
    fills += [
        Copying(default.entity, default.item, None, dialect, default.added)
        for default in plan.defaults
        if default.fresh
    ]
    return fills


def fill_of(move: Move, dialect: Dialect, zone: str) -> Fill:
    """The fill of a field whose values go to a new column: by the database where nothing but a copy is needed."""
    source, item = move.source, move.item
    if same_kind(source, item):
        return Copying(move.entity, item, source, dialect)
    return Converting(move, dialect, converter(source, item, zone), converter(item, source, zone))


def fill_default(default: Default, dialect: Dialect) -> Execute:
    """Put a field's default into every row in which it is null."""
    column = default.item.column
    clause = _update(default.entity).where(bare(column).is_(None)).values({column.name: _bind("filled", column.type)})
    return _execute(clause, {"filled": _encoded_default(default.item, dialect)}, dialect)


def map_choice(renaming: Renaming, dialect: Dialect) -> Execute:
    """Replace a renamed choice value in every row, inside lists too."""
    column, text = renaming.item.column, ColumnType("text")
    before, after = _bind("before", text), _bind("after", text)
    held = holds(bare(column), column.type.kind == "texts", before, dialect)
    replaced = _replaced(bare(column), column.type, before, after, dialect)
    clause = _update(renaming.entity).where(held).values({column.name: replaced})
    return _execute(clause, {"before": renaming.old, "after": renaming.new}, dialect)


def _replaced(
    value: ColumnElement[Any], type_: ColumnType, old: ColumnElement[Any], new: ColumnElement[Any], dialect: Dialect
) -> ColumnElement[Any]:
    """A value, or each of a list, with one text replaced by another."""
    if type_.kind != "texts":
        return sa.case((value == old, new), else_=value)
    if dialect == "postgresql":
        return sa.func.array_replace(value, old, new)
    each = sa.func.json_each(value).table_valued("value")
    part = sa.case((each.c.value == old, new), else_=each.c.value)
    listed = sa.select(sa.func.json_group_array(part)).select_from(each).scalar_subquery()
    return sa.case((value.is_(None), sa.null()), else_=listed)


def _cells(entity: Entity, column: Column, cells: Sequence[tuple[str, Value]], dialect: Dialect) -> Iterator[Statement]:
    """Statements that write a cell of each row: one for all where the engine takes arrays of such values."""
    if not cells:
        return
    kind = column.type.kind
    if dialect == "postgresql" and kind != "texts":
        table, name, array = quoted(entity.table_name), quoted(column.name), array_name(column.type)
        text = (
            f"UPDATE {NAMESPACE}.{table} AS t SET {name} = v.value "
            f"FROM unnest($1::uuid[], $2::{array}) AS v (id, value) WHERE t.id = v.id"
        )
        yield Execute(Sql(text), ([record for record, _ in cells], [value for _, value in cells]))
        return
    for record, value in cells:
        yield Update(entity.table_name, record, None, (column.name,), (kind,), (value,))


def _has_filler(item: Field, source: Field | None) -> bool:
    return item.has_default and newly_required(item, source)


def _encoded_default(item: Field, dialect: Dialect) -> Value:
    return item.column.type.encoder(dialect)(item.type.logical(item.options, item.default))


def _update(entity: Entity) -> UpdateClause:
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(column.name, column.type.sqlalchemy()) for item in entity.fields.values() for column in item.columns
    ]
    return sa.update(sa.table(entity.table_name, *columns, schema=NAMESPACE))


def _bind(name: str, kind: ColumnType) -> ColumnElement[Any]:
    return sa.bindparam(name, type_=kind.sqlalchemy())


def _execute(clause: UpdateClause, values: dict[str, Any], dialect: Dialect) -> Execute:
    sql = compile(clause, dialect)
    return Execute(sql, tuple(values[name] for name in sql.binds))
