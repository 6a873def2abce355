"""Testing records one by one against keywords that SQL does not speak: patterns, formats, conditions, lists.

The keywords that are new make a JSON Schema of their own, so an old record that failed before is not counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import sqlalchemy as sa

from base.errors import Text
from base.json import Json
from base.limits import Limits
from metadata.catalog import Entity
from metadata.field import Field
from metadata.validator import Validator
from storage.engine import Engine
from storage.sql import compile as compile_sql
from storage.sql import constant
from storage.types import UUID

CHUNK_ROWS: Final = 1_000
"""Rows of one statement: between two of them other requests have their turn."""

_COUNTED: Final = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"}
)  # by SQL, in `metadata.publishing.failing`
_SILENT: Final = frozenset({"title", "description", "type", "multipleOf"})
_ROOT_SILENT: Final = frozenset({"$schema", "title", "type", "properties", "required", "additionalProperties", "$defs"})


@dataclass
class Scan:
    """What is tested of one entity's records, and what was found: place in the document -> text, first ids, count."""

    validator: Validator
    fields: Mapping[str, Field]  # API name -> the field as its rows hold it now
    names: Mapping[str, str]  # API name -> the property's name
    failures: dict[tuple[str, ...], tuple[Text, list[str], int]] = field(default_factory=dict)

    @classmethod
    def of(cls, previous: Entity, entity: Entity, matched: Mapping[str, Field], limits: Limits) -> Scan | None:
        """The scan that a change of an entity asks for; None when SQL tells all."""
        properties: dict[str, Json] = {}
        for name, old in matched.items():
            item = entity.fields[name]
            if item.columns and not item.system:
                new = _new_keywords(_property(previous, old), _property(entity, item), choices=bool(item.choices))
                if new:
                    properties[item.api_name] = new
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
        read = {entity.fields[name].api_name: old for name, old in matched.items() if old.columns}
        if not root:
            read = {api: item for api, item in read.items() if api in properties}
        names = {entity.fields[name].api_name: name for name in matched}
        return cls(Validator(replace(entity, schema=schema), limits), read, names)

    async def run(self, engine: Engine, namespace: str, previous: Entity, budget: int) -> int:
        """Test live rows in the order of their ids, at most `budget` of them; how many were."""
        table, dialect = previous.table, engine.dialect
        items = list(self.fields.items())
        decoders = [_reader(item, engine) for _, item in items]
        columns = [table.c["id"], *(table.c[item.column.name] for _, item in items)]
        after = sa.bindparam("after", type_=UUID.sqlalchemy())
        query = sa.select(*columns).where(table.c["deleted_at"].is_(None), table.c["id"] > after)
        sql = compile_sql(query.order_by(table.c["id"]).limit(constant(CHUNK_ROWS)), dialect)
        last, done, encode = "00000000-0000-0000-0000-000000000000", 0, UUID.encoder(dialect)
        decode = UUID.decoder(dialect)
        while done < budget:
            rows = await engine.fetch(namespace, sql, (encode(last),))
            ids = [str(decode(row[0])) for row in rows]
            for record_id, row in zip(ids, rows, strict=True):
                record = {
                    name: None if value is None else read(value)
                    for (name, _), read, value in zip(items, decoders, row[1:], strict=True)
                }
                self._test(record_id, record)
            done += len(rows)
            if len(rows) < CHUNK_ROWS:
                break
            last = ids[-1]
        return done

    def _test(self, record_id: str, record: Mapping[str, Json]) -> None:
        told: set[tuple[str, ...]] = set()
        for fault in self.validator.create(record):
            first = fault.path[:1]
            place = ("properties", self.names.get(first[0], first[0])) if first else ()
            if place in told:
                continue
            told.add(place)
            shown = f"{first[0]}: " if first else ""
            text = Text(f"fail: {shown}{fault.text.en}", f"不符合：{shown}{fault.text.zh}")
            known, ids, count = self.failures.get(place, (text, [], 0))
            if len(ids) < CHUNK_ROWS:
                ids.append(record_id)
            self.failures[place] = (known, ids, count + 1)


def _reader(item: Field, engine: Engine) -> Callable[[Any], Json]:
    decode = item.column.type.decoder(engine.dialect)
    return lambda value: item.type.image(item.options, decode(value))


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


def _new_keywords(before: Mapping[str, Json], after: Mapping[str, Json], *, choices: bool) -> dict[str, Json]:
    return dict(_changed(before, after, choices))


def _changed(before: Mapping[str, Json], after: Mapping[str, Json], choices: bool) -> Iterator[tuple[str, Json]]:
    for key, value in after.items():
        if key in _COUNTED or key in _SILENT or before.get(key) == value:
            continue
        if key in ("enum", "items") and choices:
            continue  # a choice that goes is counted by itself
        yield key, value
