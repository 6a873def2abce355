"""Live records that would not meet what is new: required fields, bounds, choices, uniques, rules, other keywords.

Publishing refuses only what it must (`blocks`); the rest is told beforehand, because an old record that fails is
found out by whoever edits it next. What SQL can test is counted whole; other keywords are tested record by record
with the derived JSON Schema, within a budget of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import Text
from base.json import Json
from base.limits import Limits
from metadata.catalog import Entity
from metadata.field import Field
from metadata.publishing.checks import Unforeseen, broken, holds
from metadata.publishing.diff import match_entities, match_fields, renamed_choices, same_storage
from metadata.publishing.foreseen import Foreseen
from metadata.publishing.plan import Plan
from metadata.publishing.scan import Scan
from storage.engine import Dialect, Engine
from storage.sql import compile_with_constants, constant, fold
from storage.types import UUID

MAX_IDS: Final = 20
"""Ids kept of one kind of failure: an actor who may not read all of them is still shown some."""

_NUMBERS: Final = frozenset({"integer", "bigint", "decimal", "float"})
_BOUNDS: Final[Mapping[str, tuple[str, Callable[[Any, Any], ColumnElement[bool]], Text]]] = {
    "minimum": ("lt", lambda column, value: column < value, Text("below {0}", "小于 {0}")),
    "maximum": ("gt", lambda column, value: column > value, Text("above {0}", "大于 {0}")),
    "exclusiveMinimum": ("lte", lambda column, value: column <= value, Text("not above {0}", "不大于 {0}")),
    "exclusiveMaximum": ("gte", lambda column, value: column >= value, Text("not below {0}", "不小于 {0}")),
}
_LENGTHS: Final[Mapping[str, tuple[Callable[[Any, Any], ColumnElement[bool]], Text]]] = {
    "minLength": (lambda column, value: column < value, Text("shorter than {0} characters", "少于 {0} 个字符")),
    "maxLength": (lambda column, value: column > value, Text("longer than {0} characters", "超过 {0} 个字符")),
}


@dataclass(frozen=True, slots=True)
class Test:
    """A filter that lists failing records: a field's API name so far, an operator, its argument."""

    field: str
    operator: str
    value: Json
    is_enum: bool = False


@dataclass(frozen=True, slots=True)
class Failing:
    """Records of one entity that one thing stands against. `entity` is the entity's name so far.

    `count` is None where nothing could be counted; `scanned` is None when all records were, else how many were looked
    at. `ids` are the first of them, whoever may read them.
    """

    path: tuple[str, ...]
    entity: str
    text: Text
    count: int | None
    blocks: bool = False
    scanned: int | None = None
    ids: tuple[str, ...] = ()
    test: Test | None = None


@dataclass
class Finder:
    """Finds failing records of one company, on their way from one catalog to the next."""

    engine: Engine
    namespace: str
    limits: Limits
    plan: Plan
    found: list[Failing] = field(default_factory=list)

    async def find(self) -> tuple[Failing, ...]:
        """Everything that fails, by entity, within `limits.preview_rows` rows that are tested one by one."""
        left = self.limits.preview_rows
        before = {} if self.plan.before is None else self.plan.before.entities
        for name, previous in match_entities(before, self.plan.after.entities).items():
            entity = self.plan.after.entities[name]
            if previous == entity:
                continue
            known = match_fields(previous, entity)
            matched = {name: old for name, old in known.items() if same_storage(old, entity.fields[name])}
            for item in entity.fields.values():
                converted = item.name in known and item.name not in matched  # tried apart: see `planning`
                if item.columns and not item.system and not converted:
                    await self._field(previous, entity, item, matched.get(item.name))
            await self._uniques(previous, entity, matched)
            await self._rules(previous, entity)
            scan = Scan.of(previous, entity, matched, self.limits)
            if scan is not None and left > 0:
                left -= await self._scan(previous, entity, scan, left)
        return tuple(self.found)

    async def _field(self, previous: Entity, entity: Entity, item: Field, same: Field | None) -> None:
        path = ("entity", entity.name, "properties", item.name)
        if same is None:
            if item.required and not item.has_default and not item.type.generated:
                text = Text(f"have no {item.api_name} yet", f"尚无“{item.api_name}”")
                await self._count(path, previous, self._foreseen(entity).field(item).is_(None), text, True, None)
            return
        column = previous.table.c[same.column.name]
        if item.required and not same.required and not item.has_default:
            text = Text(f"have no {same.api_name}", f"的“{same.api_name}”为空")
            await self._count(path, previous, column.is_(None), text, True, Test(same.api_name, "isNull", True))
        for condition_, text, test in _keyword_tests(previous, same, item, self.engine.dialect):
            await self._count(path, previous, sa.and_(column.is_not(None), condition_), text, False, test)
        await self._choices(path, previous, same, item)

    async def _choices(self, path: tuple[str, ...], previous: Entity, same: Field, item: Field) -> None:
        kept = {choice.value for choice in item.choices} | renamed_choices(same, item).keys()
        column = previous.table.c[same.column.name]
        is_list = same.column.type.kind == "texts"
        for choice in same.choices if item.choices else ():
            if choice.value not in kept:
                held = holds(column, is_list, constant(choice.value), self.engine.dialect)
                text = Text(f"hold {choice.value}, which is no choice any more", f"的值为已移除的“{choice.value}”")
                test = Test(same.api_name, "has" if is_list else "eq", choice.value, True)
                await self._count((*path, "enum"), previous, held, text, True, test)

    async def _uniques(self, previous: Entity, entity: Entity, matched: Mapping[str, Field]) -> None:
        there = {unique.index for unique in previous.uniques}
        for index, unique in enumerate(entity.uniques):
            if unique.index in there or any(name not in matched for name in unique.fields):
                continue
            columns = [previous.table.c[matched[name].column.name] for name in unique.fields]
            keys: list[ColumnElement[Any]] = [
                fold(column) if unique.ignore_case and matched[name].column.type.kind == "text" else column
                for name, column in zip(unique.fields, columns, strict=True)
            ]
            counted = sa.func.count().over(partition_by=keys).label("n")
            rows = (
                sa.select(previous.table.c["id"].label("id"), counted)
                .where(_live(previous), *(column.is_not(None) for column in columns))
                .subquery()
            )
            count, ids = await self._read(sa.select(rows.c.id).where(rows.c.n > constant(1)), rows.c.id)
            shown = ", ".join(unique.fields)
            text = Text(f"share their ({shown}) with another record", f"的（{shown}）与其他记录重复")
            path = ("entity", entity.name, "x-unique", str(index))
            self._tell(Failing(path, previous.name, text, count, True, ids=ids))

    async def _rules(self, previous: Entity, entity: Entity) -> None:
        for index, rule in enumerate(entity.rules):
            if rule in previous.rules:
                continue
            path = ("entity", entity.name, "x-rules", str(index))
            text = Text(f"break the rule {rule.name}", f"违反规则“{rule.name}”")
            try:
                failing = broken(rule, self._foreseen(entity), self.engine.dialect)
            except Unforeseen:
                self.found.append(Failing(path, previous.name, text, None))
                continue
            await self._count(path, previous, failing, text, rule.enforce_now, None)

    def _foreseen(self, entity: Entity) -> Foreseen:
        return Foreseen(self.plan, self.engine.dialect, entity)

    async def _scan(self, previous: Entity, entity: Entity, scan: Scan, budget: int) -> int:
        """Test rows one by one; how many were."""
        total, _ = await self._records(previous, sa.true())
        done = await scan.run(self.engine, self.namespace, previous, budget)
        whole = done >= total
        for place, (text, ids, count) in scan.failures.items():
            path = ("entity", entity.name, *place)
            shown = tuple(ids[:MAX_IDS])
            self.found.append(Failing(path, previous.name, text, count, scanned=None if whole else done, ids=shown))
        if not whole and not scan.failures:
            text = Text("fail what is new", "不符合新规定")
            self.found.append(Failing(("entity", entity.name), previous.name, text, 0, scanned=done))
        return done

    async def _count(
        self,
        path: tuple[str, ...],
        previous: Entity,
        failing: ColumnElement[Any],
        text: Text,
        blocks: bool,
        test: Test | None,
    ) -> None:
        count, ids = await self._records(previous, failing)
        self._tell(Failing(path, previous.name, text, count, blocks, ids=ids, test=test))

    def _tell(self, item: Failing) -> None:
        if item.count:
            self.found.append(item)

    async def _records(self, entity: Entity, failing: ColumnElement[Any]) -> tuple[int, tuple[str, ...]]:
        identity = entity.table.c["id"]
        return await self._read(sa.select(identity).where(_live(entity), failing), identity)

    async def _read(self, query: sa.Select[Any], identity: ColumnElement[Any]) -> tuple[int, tuple[str, ...]]:
        """How many rows a query finds, and the first ids."""
        dialect = self.engine.dialect
        counted = compile_with_constants(sa.select(sa.func.count()).select_from(query.subquery()), dialect)
        params = tuple(counted.constants[name] for name in counted.sql.binds)
        count = int((await self.engine.fetch(self.namespace, counted.sql, params))[0][0])
        if not count:
            return 0, ()
        first = compile_with_constants(query.order_by(identity).limit(constant(MAX_IDS)), dialect)
        params = tuple(first.constants[name] for name in first.sql.binds)
        rows = await self.engine.fetch(self.namespace, first.sql, params)
        decode = UUID.decoder(dialect)
        return count, tuple(str(decode(row[0])) for row in rows)


def _keyword_tests(
    previous: Entity, same: Field, item: Field, dialect: Dialect
) -> Iterator[tuple[ColumnElement[bool], Text, Test | None]]:
    """The changed bounds and lengths of a field as conditions that failing rows meet."""
    column, kind = previous.table.c[same.column.name], same.column.type.kind
    for keyword, (operator, compare, text) in _BOUNDS.items():
        value = item.schema.get(keyword)
        if value is not None and value != same.schema.get(keyword) and kind in _NUMBERS:
            encoded = same.column.type.encoder(dialect)(item.type.argument(item.options, value))
            bound: ColumnElement[Any] = sa.literal(encoded, same.column.type.sqlalchemy())
            yield compare(column, bound), _filled(same, text, value), Test(same.api_name, operator, value)
    for keyword, (measure, text) in _LENGTHS.items():
        value = item.schema.get(keyword)
        if isinstance(value, int) and value != same.schema.get(keyword) and kind == "text":
            yield measure(sa.func.length(column), constant(value)), _filled(same, text, value), None


def _filled(item: Field, text: Text, value: Json) -> Text:
    en, zh = text.en.format(value), text.zh.format(value)
    return Text(f"have a {item.api_name} {en}", f"的“{item.api_name}”{zh}")


def _live(entity: Entity) -> ColumnElement[bool]:
    return entity.table.c["deleted_at"].is_(None)
