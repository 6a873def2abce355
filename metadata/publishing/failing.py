"""Live records that would not meet what is new: required fields, bounds, choices, uniques, rules, other keywords.

Publishing refuses only what it must (`blocks`); the rest is told beforehand, because an old record that fails is
found out by whoever edits it next. What SQL can test is counted whole; other keywords, and values that are converted
with the publish, are tested record by record (`metadata.publishing.scan`), within a budget of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import Fault, Text
from base.json import Json
from base.limits import Limits
from metadata.catalog import Entity
from metadata.faults import ROWS
from metadata.field import Field
from metadata.publishing.checks import SAMPLE, Unforeseen, broken, holds
from metadata.publishing.diff import match_entities, renamed_choices
from metadata.publishing.foreseen import Foreseen, unique_keys
from metadata.publishing.plan import Plan, newly_required
from metadata.publishing.record_tests import (
    Breaking,
    Doubled,
    Keywords,
    Missing,
    RecordTest,
    broken_text,
    doubled_text,
    missing_text,
)
from metadata.publishing.scan import MAX_IDS, scan
from storage.engine import Dialect, Engine
from storage.sql import compile_with_constants, constant
from storage.types import UUID

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

    def fault(self) -> Fault:
        """The refusal of a publish, of what blocks."""
        return Fault(
            self.path,
            ROWS,
            Text(
                f"{self.count or 0:,} records {self.text.en}: mend them first",
                f"{self.count or 0:,} 条记录{self.text.zh}：请先处理",
            ),
            {"count": self.count, "sample": list(self.ids[:SAMPLE])},
        )


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
            foreseen = Foreseen(self.plan, self.engine.dialect, entity)
            tests: list[RecordTest] = []
            for item in entity.fields.values():
                if item.columns and not item.system:
                    tests += await self._field(previous, foreseen, item)
            tests += await self._uniques(previous, foreseen)
            tests += await self._rules(previous, foreseen)
            keywords = Keywords.of(previous, entity, foreseen, self.limits)
            tests += [keywords] if keywords is not None else []
            if tests:
                left -= await self._scan(previous, foreseen, tests, left)
        return tuple(self.found)

    async def _field(self, previous: Entity, foreseen: Foreseen, item: Field) -> list[RecordTest]:
        """Tell what SQL finds; what is left to test one by one."""
        path = ("entity", foreseen.entity.name, "properties", item.name)
        same = foreseen.keeps(item)
        missing = newly_required(item, foreseen.was(item)) and not item.has_default
        if foreseen.converts(item):
            return [Missing(item)] if missing else []
        if missing:
            test = Test(same.api_name, "isNull", True) if same is not None else None
            await self._count(path, previous, foreseen.field(item).is_(None), missing_text(item), True, test)
        if same is not None:
            column = previous.table.c[same.column.name]
            await self._keywords(path, previous, column, same, item)
            await self._choices(path, previous, same, item)
        elif foreseen.returns(item):
            await self._keywords(path, previous, foreseen.field(item), None, item)
        return []

    async def _keywords(
        self, path: tuple[str, ...], previous: Entity, column: ColumnElement[Any], same: Field | None, item: Field
    ) -> None:
        for condition_, text, test in _keyword_tests(column, same, item, self.engine.dialect):
            await self._count(path, previous, sa.and_(column.is_not(None), condition_), text, False, test)

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

    async def _uniques(self, previous: Entity, foreseen: Foreseen) -> list[RecordTest]:
        entity, left = foreseen.entity, list[RecordTest]()
        there = {unique.index for unique in previous.uniques}
        for index, unique in enumerate(entity.uniques):
            if unique.index in there:
                continue
            try:
                keys = unique_keys(foreseen, unique)
            except Unforeseen:
                left.append(Doubled(entity, index, unique))
                continue
            counted = sa.func.count().over(partition_by=keys).label("n")
            rows = (
                sa.select(previous.table.c["id"].label("id"), counted)
                .where(_live(previous), *(key.is_not(None) for key in keys))
                .subquery()
            )
            count, ids = await self._read(sa.select(rows.c.id).where(rows.c.n > constant(1)), rows.c.id)
            path = ("entity", entity.name, "x-unique", str(index))
            self._tell(Failing(path, previous.name, doubled_text(unique), count, True, ids=ids))
        return left

    async def _rules(self, previous: Entity, foreseen: Foreseen) -> list[RecordTest]:
        entity, left = foreseen.entity, list[RecordTest]()
        for index, rule in enumerate(entity.rules):
            if rule in previous.rules:
                continue
            try:
                failing = broken(rule, foreseen, self.engine.dialect)
            except Unforeseen:
                left.append(Breaking(index, rule))
                continue
            path = ("entity", entity.name, "x-rules", str(index))
            await self._count(path, previous, failing, broken_text(rule), rule.enforce_now, None)
        return left

    async def _scan(self, previous: Entity, foreseen: Foreseen, tests: Sequence[RecordTest], budget: int) -> int:
        """Test rows one by one; how many were."""
        scanned = await scan(self.engine, self.namespace, foreseen, tests, budget)
        looked = None if scanned.complete else scanned.rows
        entity = ("entity", foreseen.entity.name)
        for (_, place), found in scanned.failures.items():
            path, ids = (*entity, *place), tuple(found.ids)
            self.found.append(Failing(path, previous.name, found.text, found.count, found.blocks, looked, ids))
        if looked is not None and not scanned.failures:
            text = Text("fail what is new", "不符合新规定")
            self.found.append(Failing(entity, previous.name, text, 0 if looked else None, scanned=looked))
        return scanned.rows

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
        count = int((await self.engine.fetch(self.namespace, counted.sql, counted.params()))[0][0])
        if not count:
            return 0, ()
        first = compile_with_constants(query.order_by(identity).limit(constant(MAX_IDS)), dialect)
        rows = await self.engine.fetch(self.namespace, first.sql, first.params())
        decode = UUID.decoder(dialect)
        return count, tuple(str(decode(row[0])) for row in rows)


def _keyword_tests(
    column: ColumnElement[Any], same: Field | None, item: Field, dialect: Dialect
) -> Iterator[tuple[ColumnElement[bool], Text, Test | None]]:
    """The new bounds and lengths of a field as conditions that failing rows meet; `same` is what it was, if served."""
    kind, known = item.column.type.kind, same.schema if same is not None else {}
    name = item.api_name if same is None else same.api_name
    for keyword, (operator, compare, text) in _BOUNDS.items():
        value = item.schema.get(keyword)
        if value is not None and value != known.get(keyword) and kind in _NUMBERS:
            encoded = item.column.type.encoder(dialect)(item.type.argument(item.options, value))
            bound: ColumnElement[Any] = sa.literal(encoded, item.column.type.sqlalchemy())
            yield compare(column, bound), _filled(name, text, value), Test(name, operator, value) if same else None
    for keyword, (measure, text) in _LENGTHS.items():
        value = item.schema.get(keyword)
        if isinstance(value, int) and value != known.get(keyword) and kind == "text":
            yield measure(sa.func.length(column), constant(value)), _filled(name, text, value), None


def _filled(name: str, text: Text, value: Json) -> Text:
    en, zh = text.en.format(value), text.zh.format(value)
    return Text(f"have a {name} {en}", f"的“{name}”{zh}")


def _live(entity: Entity) -> ColumnElement[bool]:
    return entity.table.c["deleted_at"].is_(None)
