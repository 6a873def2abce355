"""What must hold of the rows there are before new documents may stand over them, as conditions over one table.

A check finds the rows that stand against a change. It is asked three times: of the tables as they are, to tell the
author (`metadata.publishing.foreseen`); of the tables with their new columns, before these are served; and of the rows
that changed meanwhile, under the company's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement

from base.errors import Fault, Text
from base.json import Json
from expressions import Columns, SqlValue, Type, condition
from metadata.catalog import Entity, Rule
from metadata.faults import ROWS
from metadata.field import Column, Field
from metadata.publishing.diff import match_entities, match_fields, renamed_choices
from metadata.publishing.plan import Plan
from storage.batch import NAMESPACE, Expect, Guard, Sql, Value
from storage.engine import Dialect
from storage.sql import InList, ListParameter, compile_with_constants, constant, encode_list
from storage.types import UUID, ColumnType

SAMPLE: Final = 5
"""Ids that are told of the rows that stand against a change."""

IDS: Final = InList(sa.column("id", UUID.sqlalchemy()), ListParameter("ids", UUID))
"""The condition that a row is among those whose ids the parameter `ids` lists (`storage.sql.encode_list`)."""


@dataclass(frozen=True)
class RowCheck:
    """Rows of one table that must not be there.

    `path` leads to the place in the documents, `say` tells of so many rows, `details` go beside their count.
    """

    path: tuple[str, ...]
    entity: Entity
    bad: ColumnElement[Any]
    say: Callable[[int], Text]
    details: Mapping[str, Json] = field(default_factory=dict)

    def count(self, dialect: Dialect) -> tuple[Sql, tuple[Value, ...]]:
        """The statement that counts them."""
        return _made(sa.select(sa.func.count()).select_from(table_of(self.entity)).where(self.bad), dialect)

    def sample(self, dialect: Dialect, most: int = SAMPLE) -> tuple[Sql, tuple[Value, ...]]:
        """The statement that gives the ids of the first ones."""
        key = column_of("id", UUID)
        found = sa.select(key).select_from(table_of(self.entity)).where(self.bad)
        return _made(found.order_by(key).limit(sa.literal_column(str(most))), dialect)

    def among(self, ids: Collection[str], dialect: Dialect) -> tuple[Sql, tuple[Value, ...]]:
        """The statement that counts them among some records."""
        query: sa.Select[Any] = sa.select(sa.func.count()).select_from(table_of(self.entity)).where(IDS, self.bad)
        return _made(query, dialect, {"ids": encode_list(list(ids), UUID, dialect)})

    def guard(self, dialect: Dialect) -> Guard:
        """The condition of a Batch that there are none once its statements have run; the token is the path."""
        query: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(table_of(self.entity)).where(self.bad)
        sql, params = _made(query.limit(sa.literal_column("1")), dialect)
        return Guard(("rows", *self.path), sql, params, Expect.NO_ROW, after=True)

    def fault(self, count: int, sample: Collection[str] = ()) -> Fault:
        """What the author is told."""
        ids = {"sample": list(sample)} if sample else {}
        return Fault(self.path, ROWS, self.say(count), {"count": count, **ids, **self.details})


class Unforeseen(LookupError):
    """What a field will hold is made of values of another type, one by one: SQL cannot tell it."""


Reader: TypeAlias = "Callable[[Entity], Columns]"
"""Where the fields of an entity of the new catalog stand; `column` may raise `Unforeseen`."""


def row_checks(plan: Plan, reader: Reader, dialect: Dialect) -> tuple[RowCheck, ...]:
    """Every check of the rows there are, for what a plan would serve. What its `reader` cannot tell is left out."""
    known = match_entities(plan.before.entities if plan.before is not None else {}, plan.after.entities)
    found: list[RowCheck] = []
    for table, entity in plan.existing.items():
        previous = known.get(entity.name)  # None for what comes back out of the trash
        matched = match_fields(previous, entity) if previous is not None else {}
        columns = reader(entity)
        for item in entity.fields.values():
            if item.columns and not item.system:
                same = matched.get(item.name)
                found += _field_checks(entity, item, same, columns, dialect)
                if item.choices and same is None and item.column.name in plan.there[table]:
                    found.append(_returned_choices(entity, item, columns, dialect))
        found += _rule_checks(previous.rules if previous is not None else (), entity, columns, dialect)
    return tuple(found)


def _returned_choices(entity: Entity, item: Field, columns: Columns, dialect: Dialect) -> RowCheck:
    """Values out of the trash are choices still."""

    def say(count: int) -> Text:
        """How many hold others."""
        return Text(
            f"{count:,} records hold other values than these in {item.name!r}, which comes back: name them, retired",
            f"恢复的“{item.name}”有 {count:,} 条记录的值不在选项中：请将这些值列为已停用选项",
        )

    values = [constant(choice.value) for choice in item.choices]
    clause = columns.column((item.api_name,)).clause
    if item.column.type.kind != "texts":
        bad: ColumnElement[bool] = clause.not_in(values)
    elif dialect == "postgresql":
        bad = sa.not_(clause.op("<@", is_comparison=True)(postgresql.array(values)))
    else:
        each = sa.func.json_each(clause).table_valued("value")
        others: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(each).where(each.c.value.not_in(values))
        bad = sa.exists(others)
    path = ("entity", entity.name, "properties", item.name, "enum")
    return RowCheck(path, entity, sa.and_(clause.is_not(None), bad), say)


def _field_checks(
    entity: Entity, item: Field, same: Field | None, columns: Columns, dialect: Dialect
) -> Iterator[RowCheck]:
    path = ("entity", entity.name, "properties", item.name)
    if same is not None and same.columns:
        yield from _choice_checks(entity, item, same, path, dialect)
    known = same is not None and same.required
    if not item.required or item.type.generated or item.has_default or known:
        return

    def say(count: int) -> Text:
        """How many have no value."""
        return Text(
            f"{count:,} records have no {item.name!r}: give a default, or fill them before it is required",
            f"有 {count:,} 条记录的“{item.name}”为空：请提供默认值或先补全",
        )

    with suppress(Unforeseen):
        yield RowCheck(path, entity, sa.and_(live(), columns.column((item.api_name,)).clause.is_(None)), say)


def _choice_checks(
    entity: Entity, item: Field, same: Field, path: tuple[str, ...], dialect: Dialect
) -> Iterator[RowCheck]:
    """A value goes only when no row holds it, deleted rows included."""
    if not item.choices or not same.choices:
        return
    kept = {choice.value for choice in item.choices} | renamed_choices(same, item).keys()
    for choice in same.choices:
        if choice.value not in kept:
            yield _choice_check(entity, same, choice.value, path, dialect)


def _choice_check(entity: Entity, same: Field, value: str, path: tuple[str, ...], dialect: Dialect) -> RowCheck:
    def say(count: int) -> Text:
        """How many hold it."""
        return Text(
            f"{count:,} records hold {value!r}: retire it, or name it in x-was of another choice",
            f"有 {count:,} 条记录的值为“{value}”：请将其停用，或写入其他选项的 x-was",
        )

    clause = column_of(same.column.name, same.column.type)
    held = holds(clause, same.column.type.kind == "texts", sa.literal(value, sa.Text()), dialect)
    return RowCheck((*path, "enum"), entity, held, say, {"value": value})


def _rule_checks(known: Sequence[Rule], entity: Entity, columns: Columns, dialect: Dialect) -> Iterator[RowCheck]:
    """A rule with `enforce: now` that is new or changed holds for every record there is."""
    for index, rule in enumerate(entity.rules):
        if rule.enforce_now and rule not in known:
            with suppress(Unforeseen):
                yield _rule_check(entity, index, rule, columns, dialect)


def _rule_check(entity: Entity, index: int, rule: Rule, columns: Columns, dialect: Dialect) -> RowCheck:
    def say(count: int) -> Text:
        """How many break it."""
        return Text(
            f"{count:,} records break the rule {rule.name!r}: mend them, or publish it without enforce: now",
            f"有 {count:,} 条记录违反规则“{rule.name}”：请先处理，或去掉 enforce: now",
        )

    path = ("entity", entity.name, "x-rules", str(index))
    return RowCheck(path, entity, sa.and_(live(), broken(rule, columns, dialect)), say)


def broken(rule: Rule, columns: Columns, dialect: Dialect) -> ColumnElement[Any]:
    """The condition that a record breaks a rule."""
    fails = condition(rule.check, columns, dialect, negated=True)
    return fails if rule.when is None else sa.and_(condition(rule.when, columns, dialect), fails)


def value_of(item: Field, clause: ColumnElement[Any]) -> SqlValue:
    """A field of a record, to expressions."""
    kind = Type.ID if item.relation is not None or item.name == "id" else item.type.expression
    return SqlValue(clause, kind or Type.NULL, item.column.type.scale)


@dataclass(frozen=True, slots=True)
class _Served:
    entity: Entity

    def column(self, path: tuple[str, ...]) -> SqlValue:
        """The column of a field."""
        (name,) = path
        item = self.entity.by_api_name[name]
        return value_of(item, bare(item.column))


served: Final[Reader] = _Served
"""The fields of an entity in its table, once this has its new columns; without steps to other records."""


def no_rows(entity: Entity, dialect: Dialect) -> Guard:
    """The condition of a Batch that a table is empty still."""
    query: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(table_of(entity))
    sql, params = _made(query.limit(sa.literal_column("1")), dialect)
    return Guard(("rows", "entity", entity.name), sql, params, Expect.NO_ROW)


def holds(
    column: ColumnElement[Any], is_list: bool, wanted: ColumnElement[Any], dialect: Dialect
) -> ColumnElement[Any]:
    """Whether a choice column, or a column of several choices, holds a value."""
    if not is_list:
        return column == wanted
    if dialect == "postgresql":
        return wanted == sa.func.any(column)
    values = sa.func.json_each(column).table_valued("value")
    return sa.exists(sa.select(sa.literal_column("1")).select_from(values).where(values.c.value == wanted))


def table_of(entity: Entity) -> sa.TableClause:
    """The entity's table, without columns."""
    return sa.table(entity.table_name, schema=NAMESPACE)


def column_of(name: str, type_: ColumnType) -> ColumnElement[Any]:
    """A column by its SQL name."""
    return sa.column(name, type_.sqlalchemy())


def bare(column: Column) -> ColumnElement[Any]:
    """The column of a field."""
    return column_of(column.name, column.type)


def live() -> ColumnElement[bool]:
    """The rows that are not deleted."""
    return sa.column("deleted_at").is_(None)


def _made(
    query: sa.Select[Any], dialect: Dialect, values: Mapping[str, Value] | None = None
) -> tuple[Sql, tuple[Value, ...]]:
    made = compile_with_constants(query, dialect)
    return made.sql, made.params(**(values or {}))
