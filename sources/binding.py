"""Binding: a mapping meets a file's header and an entity as its importer may write it; all mismatches are told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from base.errors import DocumentsInvalid, Fault, Text
from base.json import Json
from metadata.catalog import Entity
from metadata.faults import invalid, unknown
from metadata.field import Field, RelationKind
from records.snapshot import Snapshot
from records.surface import surface_of
from sources.lookup import Key
from sources.mapping import LookedUp, Rule
from sources.mapping import Mapping as Mapped
from sources.values import Convert, PatternInvalid, converter

OWN_COLUMNS = ("_row", "_columns", "_codes", "_messages")
"""Columns that a fault file has before the original ones: it can be mended and imported as it is."""

_FIELD = Text("field", "字段")
_COLUMN = Text("column", "列")


@dataclass(frozen=True, slots=True)
class Way:
    """From one column to one field. With `key` the converted value is looked up and its id is written."""

    index: int
    column: str
    rule: Rule
    api: str
    convert: Convert
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """How rows of one file become inputs of one entity. `later` are look-ups into the entity itself."""

    entity: Entity
    fields: Mapping[str, Field]  # by API name
    width: int
    ways: tuple[Way, ...]
    later: tuple[Way, ...] = ()
    by: tuple[str, ...] = ()  # API names
    constants: Mapping[str, Json] = field(default_factory=dict)
    looked_up: Mapping[str, tuple[Key, Json]] = field(default_factory=dict)
    ignore_case: bool = False

    def column_of(self, path: Sequence[str]) -> str:
        """The column that a fault of a record leads to; empty when it leads to none."""
        names = {name for step in path for name in (step, f"{step}Id")}
        return next((way.column for way in (*self.ways, *self.later) if way.api in names), "")


def bind(mapping: Mapped, header: Sequence[str], entity_name: str, snapshot: Snapshot) -> Binding:
    """Tie a mapping to a header and an entity. Raises `DocumentsInvalid` with every fault."""
    return _Binder(mapping, header, entity_name, snapshot).bind()


class _Binder:
    def __init__(self, mapping: Mapped, header: Sequence[str], entity_name: str, snapshot: Snapshot) -> None:
        self.mapping = mapping
        self.header = header
        self.faults: list[Fault] = []
        self.catalog = snapshot.catalog
        self.surface = surface_of(snapshot.catalog, snapshot.actor.grants).entities
        self.entity = self._entity(entity_name)
        createable = self.surface[entity_name].createable
        found = [self.entity.fields[name] for name in createable if self.entity.fields[name].columns]
        self.fields = {item.api_name: item for item in self.entity.fields.values() if item in found}
        self.zone = mapping.time_zone or snapshot.catalog.app.time_zone

    def bind(self) -> Binding:
        self._check_header()
        self._check_zone()
        ways = [way for way in self._ways() if way is not None]
        by, ignore_case = self._key()
        constants, looked_up = self._constants()
        self._check_twice([*(way.api for way in ways), *constants, *looked_up])
        for name in by:
            if name not in (*(way.api for way in ways), *constants, *looked_up):
                en, zh = f"no column fills {name!r}, which records are found by", f"没有列对应用于查找的字段“{name}”"
                self.faults.append(invalid(("by",), en, zh))
        if self.faults:
            raise DocumentsInvalid(tuple(self.faults))
        own = self.entity.name
        later = [way for way in ways if way.key is not None and way.key.entity == own and by and way.api not in by]
        return Binding(
            self.entity,
            self.fields,
            len(self.header),
            tuple(way for way in ways if way not in later),
            tuple(later),
            by,
            constants,
            looked_up,
            ignore_case,
        )

    def _entity(self, name: str) -> Entity:
        wanted = self.mapping.entity
        if wanted is not None and wanted != name:
            en, zh = f"this mapping is for {wanted!r}, not {name!r}", f"该映射用于“{wanted}”，而不是“{name}”"
            raise DocumentsInvalid((invalid(("entity",), en, zh),))
        if name not in self.surface:
            raise DocumentsInvalid((unknown(("entity",), Text("entity", "实体"), name, self.surface),))
        entity = self.catalog.entities[name]
        if entity.system:
            en, zh = f"{name!r} changes by the platform's own verbs only", f"“{name}”只能通过平台命令修改"
            raise DocumentsInvalid((invalid(("entity",), en, zh),))
        return entity

    def _check_header(self) -> None:
        for name, count in Counter(self.header).items():
            if not name:
                self.faults.append(invalid(("header",), "a column has no name", "有一列没有列名"))
            elif count > 1:
                en, zh = f"the column {name!r} occurs {count} times", f"列“{name}”出现了 {count} 次"
                self.faults.append(invalid(("header", name), en, zh))

    def _check_zone(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.faults.append(invalid(("timeZone",), f"no time zone is named {self.zone!r}", f"没有时区“{self.zone}”"))
            self.zone = "UTC"

    def _ways(self) -> Iterator[Way | None]:
        columns = self.mapping.columns
        if columns is None:
            names = self._names()
            for index, column in enumerate(self.header):
                if column in OWN_COLUMNS or not column:
                    continue
                rule = names.get(_plain(column))
                if rule is None:
                    known = [word for item in self.fields.values() for word in (item.api_name, *self._words(item))]
                    self.faults.append(unknown(("header", column), _COLUMN, column, known))
                else:
                    yield self._way(index, column, rule)
            return
        for column in columns:
            if column not in self.header:
                self.faults.append(unknown(("columns", column), _COLUMN, column, self.header))
        for index, column in enumerate(self.header):
            if column in columns:
                for rule in columns[column]:
                    yield self._way(index, column, rule)
            elif column and column not in OWN_COLUMNS and not self.mapping.ignore_unmapped:
                fault = unknown(("header", column), _COLUMN, column, columns)
                en = f"{fault.text.en}; the mapping does not say what becomes of it (null leaves it out)"
                zh = f"{fault.text.zh}；映射未说明如何处理（null 表示忽略）"
                self.faults.append(Fault(fault.path, fault.code, Text(en, zh), fault.details))

    def _names(self) -> dict[str, Rule]:
        """Rules by what a header may say without a mapping: API name, name or title of a field, as `_plain` has it."""
        names = {_plain(api): Rule(api) for api in self.fields}
        for api, item in self.fields.items():
            rule = Rule(api)
            if item.relation is not None and item.relation.kind is RelationKind.TO_ONE:
                target = self.catalog.entities.get(item.relation.target)
                if target is not None and target.display != "id":
                    rule = Rule(api, lookup=target.display)
            for word in self._words(item):
                names.setdefault(_plain(word), rule)
        return names

    def _words(self, item: Field) -> tuple[str, ...]:
        return (item.name, item.title, *item.titles.values())

    def _way(self, index: int, column: str, rule: Rule) -> Way | None:
        path = ("columns", column)
        item = self._field(rule.target, path)
        if item is None:
            return None
        if rule.lookup is not None:
            key = self._lookup(item, rule.lookup, path)
            if key is None:
                return None
            return Way(index, column, rule, item.api_name, self._convert(self._key_field(key), rule, path), key)
        return Way(index, column, rule, item.api_name, self._convert(item, rule, path))

    def _convert(self, item: Field, rule: Rule, path: tuple[str, ...]) -> Convert:
        if rule.formats.thousands == rule.formats.decimal:
            en, zh = "thousands and decimal cannot be one mark", "千位分隔符与小数点不能相同"
            self.faults.append(invalid((*path, "numbers"), en, zh))
        try:
            return converter(item, rule, self.zone)
        except PatternInvalid:
            en = "a date pattern has a year, a month and a day, each once: MM/DD/YYYY"
            self.faults.append(invalid((*path, "dates"), en, "日期格式须各含一次年、月、日，例如 MM/DD/YYYY"))
            return str

    def _field(self, name: str, path: tuple[str, ...]) -> Field | None:
        for api, item in self.fields.items():
            if name in (api, item.name):
                return item
        known = [word for api, item in self.fields.items() for word in (api, item.name)]
        self.faults.append(unknown((*path, "field"), _FIELD, name, known))
        return None

    def _lookup(self, item: Field, name: str, path: tuple[str, ...]) -> Key | None:
        relation = item.relation
        if relation is None or relation.kind is not RelationKind.TO_ONE or relation.target not in self.surface:
            en, zh = f"{item.name!r} is no reference: nothing can be looked up", f"“{item.name}”不是引用，无法查找"
            self.faults.append(invalid((*path, "lookup"), en, zh))
            return None
        target = self.catalog.entities[relation.target]
        readable = self.surface[target.name].readable
        usable = [api for api, own in target.by_api_name.items() if own.name in readable and "in" in own.type.operators]
        if name not in usable:
            self.faults.append(unknown((*path, "lookup"), _FIELD, name, usable))
            return None
        return Key(target.name, name)

    def _key_field(self, key: Key) -> Field:
        return self.catalog.entities[key.entity].by_api_name[key.field]

    def _key(self) -> tuple[tuple[str, ...], bool]:
        if not self.mapping.by:
            return (), False
        items = [item for name in self.mapping.by if (item := self._field(name, ("by",))) is not None]
        names = {item.name for item in items}
        for unique in self.entity.uniques:
            if set(unique.fields) == names:
                return tuple(item.api_name for item in items), unique.ignore_case
        known = "; ".join(", ".join(unique.fields) for unique in self.entity.uniques) or "-"
        en = f"records are found by the fields of a unique rule (x-unique) only: {known}"
        self.faults.append(invalid(("by",), en, f"只能按唯一规则（x-unique）的字段查找：{known}"))
        return (), False

    def _constants(self) -> tuple[dict[str, Json], dict[str, tuple[Key, Json]]]:
        plain: dict[str, Json] = {}
        looked_up: dict[str, tuple[Key, Json]] = {}
        for name, value in self.mapping.constants.items():
            path = ("constants", name)
            item = self._field(name, path)
            if item is None:
                continue
            if isinstance(value, LookedUp):
                key = self._lookup(item, value.lookup, path)
                if key is not None:
                    looked_up[item.api_name] = (key, value.value)
            else:
                plain[item.api_name] = value
        return plain, looked_up

    def _check_twice(self, names: Sequence[str]) -> None:
        for name, count in Counter(names).items():
            if count > 1:
                en, zh = f"{name!r} is filled from {count} places", f"“{name}”有 {count} 个来源"
                self.faults.append(invalid(("columns",), en, zh))


def _plain(word: str) -> str:
    """A name without case, blanks, underscores and hyphens: `year_established` is `yearEstablished`."""
    return re.sub(r"[\s_-]", "", word).casefold()
