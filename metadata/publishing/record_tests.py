"""What is new about an entity, as tests of one record at a time: for keywords that SQL does not speak, and for values
that the same publish converts to another type.

The keywords that are new make a JSON Schema of their own, so an old record that failed before is not counted again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from base.errors import Text
from base.json import Json, dump
from base.limits import Limits
from base.text import fold
from expressions import Lookup, compiled
from metadata.catalog import Entity, Rule, Unique
from metadata.field import Field
from metadata.publishing.foreseen import Foreseen
from metadata.validator import Validator

Path: TypeAlias = tuple[str, ...]
"""A field by its API name, behind the names of to-one steps (`expressions.Lookup`)."""

_COUNTED: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"}
)  # by SQL, in `metadata.publishing.failing`
_SILENT: Final = frozenset({"title", "description", "type", "multipleOf"})
_ROOT_SILENT: Final = frozenset({"$schema", "title", "type", "properties", "required", "additionalProperties", "$defs"})


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that fails, and where in its entity's document that is said."""

    record: str
    place: tuple[str, ...]
    text: Text
    blocks: bool = False


class RecordTest(Protocol):
    """A test of records as they will be."""

    @property
    def reads(self) -> Collection[Path]:
        """What it looks at."""

    def failures(self, record: str, lookup: Lookup) -> Iterator[Failure]:
        """What it says of one record, or, now that this one is known, of those before it."""


@dataclass(frozen=True)
class Keywords:
    """New keywords of JSON Schema, tested by the validator of the write path."""

    validator: Validator
    fields: Mapping[Path, Field]

    @classmethod
    def of(cls, previous: Entity, entity: Entity, foreseen: Foreseen, limits: Limits) -> Keywords | None:
        """The keywords that are new of an entity; None when SQL tells all."""
        properties: dict[str, Json] = {}
        for item in entity.fields.values():
            if not item.columns or item.system:
                continue
            kept, now = foreseen.keeps(item), _property(entity, item)
            if foreseen.converts(item):  # what the bare type asks holds of whatever was converted to it
                bare = item.type.json_schema(item.options, {})
                new = _changed(bare, now, _SILENT, choices=bool(item.choices))
            elif kept is not None or foreseen.returns(item):
                before = _property(previous, kept) if kept is not None else {}
                new = _changed(before, now, _SILENT | _COUNTED, choices=bool(item.choices))
            else:
                continue
            properties[item.api_name] = dict(new)
        properties = {name: schema for name, schema in properties.items() if schema}
        root = {
            key: value
            for key, value in entity.schema.items()
            if key not in _ROOT_SILENT and previous.schema.get(key) != value
        }
        if any(key in root for key in ("if", "then", "else")):
            root.update({key: entity.schema[key] for key in ("if", "then", "else") if key in entity.schema})
        if not properties and not root:
            return None
        definitions = {"$defs": entity.schema["$defs"]} if "$defs" in entity.schema else {}
        schema: dict[str, Json] = {"type": "object", "properties": properties, **root, **definitions}
        read = entity.by_api_name if root else {name: entity.by_api_name[name] for name in properties}
        return cls(Validator(replace(entity, schema=schema), limits), {(name,): item for name, item in read.items()})

    @property
    def reads(self) -> Collection[Path]:
        """The fields that have new keywords; all of them where the record as a whole has."""
        return self.fields

    def failures(self, record: str, lookup: Lookup) -> Iterator[Failure]:
        """The first fault of each field."""
        values = {path: lookup(path) for path in self.fields}
        shown = {
            path[0]: None if value is None else self.fields[path].type.image(self.fields[path].options, value)
            for path, value in values.items()
        }
        told: set[tuple[str, ...]] = set()
        for fault in self.validator.create(shown):
            first = fault.path[:1]
            item = self.fields.get(first)
            place = ("properties", *((item.name,) if item is not None else first)) if first else ()
            if place in told:
                continue
            told.add(place)
            name = f"{first[0]}: " if first else ""
            yield Failure(record, place, Text(f"fail: {name}{fault.text.en}", f"不符合：{name}{fault.text.zh}"))


class Breaking:
    """A new rule, by the Python back end of expressions."""

    def __init__(self, index: int, rule: Rule) -> None:
        self.reads = rule.check.reads | (rule.when.reads if rule.when is not None else frozenset())
        self._check = compiled(rule.check)
        self._when = compiled(rule.when) if rule.when is not None else None
        self._blocks = rule.enforce_now
        self._place = ("x-rules", str(index))
        self._text = broken_text(rule)

    def failures(self, record: str, lookup: Lookup) -> Iterator[Failure]:
        """Whether it is broken."""
        if (self._when is None or self._when(lookup) is True) and self._check(lookup) is not True:
            yield Failure(record, self._place, self._text, self._blocks)


class Missing:
    """A field that every record must have from now on."""

    def __init__(self, item: Field) -> None:
        self.reads = ((item.api_name,),)
        self._place = ("properties", item.name)
        self._text = missing_text(item)

    def failures(self, record: str, lookup: Lookup) -> Iterator[Failure]:
        """Whether it has no value."""
        if lookup(self.reads[0]) is None:
            yield Failure(record, self._place, self._text, True)


class Doubled:
    """A new unique rule: remembers the first record of each tuple of values."""

    def __init__(self, entity: Entity, index: int, unique: Unique) -> None:
        self.reads = tuple((entity.fields[name].api_name,) for name in unique.fields)
        self._fold = unique.ignore_case
        self._place = ("x-unique", str(index))
        self._text = doubled_text(unique)
        self._first: dict[tuple[Any, ...], str | None] = {}  # None once it was told itself

    def failures(self, record: str, lookup: Lookup) -> Iterator[Failure]:
        """A record whose values another one had before, and that other one."""
        values = tuple(lookup(path) for path in self.reads)
        if None in values:
            return
        key = tuple(fold(value) if self._fold and isinstance(value, str) else _key(value) for value in values)
        if key not in self._first:
            self._first[key] = record
            return
        known, self._first[key] = self._first[key], None
        for one in (known, record):
            if one is not None:
                yield Failure(one, self._place, self._text, True)


def _key(value: Any) -> Any:
    """What is the same for the same value, and can be remembered."""
    return dump(value) if isinstance(value, list | tuple | Mapping) else value


def missing_text(item: Field) -> Text:
    """What is said of records without a value."""
    return Text(f"have no {item.api_name}", f"的“{item.api_name}”为空")


def broken_text(rule: Rule) -> Text:
    """What is said of records that break a rule."""
    return Text(f"break the rule {rule.name}", f"违反规则“{rule.name}”")


def doubled_text(unique: Unique) -> Text:
    """What is said of records that are not unique."""
    shown = ", ".join(unique.fields)
    return Text(f"share their ({shown}) with another record", f"的（{shown}）与其他记录重复")


def _property(entity: Entity, item: Field) -> Mapping[str, Json]:
    """The derived JSON Schema of one non-null value."""
    properties = entity.schema.get("properties")
    found = properties.get(item.api_name) if isinstance(properties, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    either = found.get("anyOf")
    if isinstance(either, list | tuple) and len(either) == 2 and either[1] == {"type": "null"}:
        return either[0] if isinstance(either[0], Mapping) else {}
    return found


def _changed(
    before: Mapping[str, Json], after: Mapping[str, Json], without: Collection[str], *, choices: bool
) -> Iterator[tuple[str, Json]]:
    """The keywords that a value may fail now; choices that go are counted by themselves, and a new one is known."""
    for key, value in after.items():
        if key not in without and before.get(key) != value and not (choices and key in ("enum", "items")):
            yield key, value
