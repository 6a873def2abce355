"""What going from one catalog to the next means for the tables, as plain facts; nothing is asked or done here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from base.ids import new_id
from metadata.catalog import Catalog, Entity
from metadata.field import Column, Field
from metadata.publishing.ddl import IndexShape, dropped_indexes, expand_ddl, new_indexes, tables_there
from metadata.publishing.diff import match_entities, match_fields, renamed_choices
from metadata.trash import Kept, Trash, Trashed, holding
from storage.engine import Dialect


@dataclass(frozen=True)
class Move:
    """A field whose values go to a new column. `recovered` is a column of the trash that held such values before."""

    entity: Entity
    item: Field
    source: Field
    recovered: Column | None = None

    @property
    def name(self) -> str:
        """`opportunity.amount`, as allowLoss says it."""
        return f"{self.entity.name}.{self.item.name}"


@dataclass(frozen=True)
class Default:
    """A field that every row must have and that has a default for those without."""

    entity: Entity
    item: Field
    fresh: bool  # no served version names the column
    added: bool  # the column is a new one: the database fills the rows there are as it adds it


@dataclass(frozen=True)
class Renaming:
    """A choice value that has another name from now on."""

    entity: Entity
    item: Field
    old: str
    new: str


@dataclass(frozen=True)
class Plan:
    """Everything that has to be done to tables: what is moved and filled, which indexes, what goes and comes back."""

    before: Catalog | None
    after: Catalog
    there: Mapping[str, frozenset[str]]
    moves: tuple[Move, ...]
    defaults: tuple[Default, ...]
    renamings: tuple[Renaming, ...]
    indexes: tuple[IndexShape, ...]
    dropped: tuple[IndexShape, ...]
    returned: tuple[Trashed, ...]
    """What comes back out of the trash."""

    @property
    def filled(self) -> Mapping[tuple[str, str], Any]:
        """(table, column) of new columns -> the logical value that rows there are get."""
        return {
            (item.entity.table_name, item.item.column.name): item.item.type.logical(
                item.item.options, item.item.default
            )
            for item in self.defaults
            if item.added
        }

    @property
    def existing(self) -> Mapping[str, Entity]:
        """Tables that were there, by name, as the entities that they become."""
        return {item.table_name: item for item in self.after.entities.values() if item.table_name in self.there}

    @property
    def retyped_where_they_are(self) -> tuple[Entity, ...]:
        """Entities of which a field gets another type in the column that it has: their tables are empty."""
        found = {entity.table_name: entity for entity, _ in fields_to_move(self.before, self.after)}
        return tuple(found.values())

    def trashed(self, version: int, at: datetime, days: float) -> tuple[Trashed, ...]:
        """What goes into the trash with that version."""
        until = at + timedelta(days=days)
        if self.before is None:
            return ()
        held = {item.table: item.holds for item in self.returned if item.kind is Kept.ENTITY}
        held.update(_holdings(self.before))
        return tuple(
            Trashed(new_id(), kind, path, table, entry, version, at, until, held.get(table))
            for kind, path, table, entry in _leaving(self.before.physical, self.after.physical, self.returned)
        )


def plan_of(before: Catalog | None, after: Catalog, trash: Trash, dialect: Dialect) -> Plan:
    """The plan for going from one catalog to the next."""
    there = tables_there(before, trash)
    moves: list[Move] = []
    defaults: list[Default] = []
    renamings: list[Renaming] = []
    for entity, item, source in _pairs(before, after, there):
        if source is not None and source.column != item.column:
            moves.append(Move(entity, item, source, _recovered(trash, after, entity, item)))
            continue
        if source is not None:
            renamed = renamed_choices(source, item)
            renamings += [Renaming(entity, item, old, new) for old, new in renamed.items()]
        if newly_required(item, source) and item.has_default:
            added = item.column.name not in there[entity.table_name]
            defaults.append(Default(entity, item, source is None, added))
    return Plan(
        before,
        after,
        there,
        tuple(moves),
        tuple(defaults),
        tuple(renamings),
        tuple(new_indexes(before, after, dialect)),
        tuple(dropped_indexes(before, after, dialect)),
        tuple(_returned(before, after, trash)),
    )


def migration_ddl(plan: Plan, dialect: Dialect) -> list[str]:
    """All statements of DDL in one go: tables and columns in the order of names, then indexes."""
    return [
        *expand_ddl(plan.there, plan.after, dialect, plan.filled),
        *(text for shape in plan.dropped for text in shape.drop(dialect)),
        *(text for shape in plan.indexes for text in shape.create(dialect)),
    ]


def newly_required(item: Field, source: Field | None) -> bool:
    """Whether rows there are have to get a value."""
    return item.required and not item.type.generated and not (source is not None and source.required)


def fields_to_move(before: Catalog | None, after: Catalog) -> Iterator[tuple[Entity, Field]]:
    """Fields whose values cannot stay where they are although the column's kind does: another type, another target."""
    for entity, item, source in _pairs(before, after, {}):
        if source is None or source.column != item.column:
            continue
        retyped = source.type is not item.type and not _takes_any_text(item)
        if retyped or _target_table(before, source) != _target_table(after, item):
            yield entity, item


def fields_filled_in_place(plan: Plan) -> Iterator[tuple[Entity, Field]]:
    """Fields of which a plan changes values in columns that the version before names."""
    for renaming in plan.renamings:
        yield renaming.entity, renaming.item
    for default in plan.defaults:
        if not default.fresh:
            yield default.entity, default.item


def _pairs(
    before: Catalog | None, after: Catalog, there: Collection[str]
) -> Iterator[tuple[Entity, Field, Field | None]]:
    """Authored fields with columns, each with the field of the version before that it was.

    Entities that were not in that version are left out, but for those whose tables are `there`: in the trash.
    """
    known = match_entities(before.entities if before is not None else {}, after.entities)
    for name, entity in after.entities.items():
        if name not in known and entity.table_name not in there:
            continue
        matched = match_fields(known[name], entity) if name in known else {}
        for item in entity.fields.values():
            if item.columns and not item.system:
                source = matched.get(item.name)
                yield entity, item, source if source is not None and source.columns else None


def _takes_any_text(item: Field) -> bool:
    """Whether a type keeps every text that another type kept in a text column."""
    schema = item.type.json_schema(item.options, {})
    return item.column.type.kind == "text" and not item.choices and schema.keys() <= {"type", "maxLength"}


def _target_table(catalog: Catalog | None, item: Field) -> str | None:
    if catalog is None or item.relation is None:
        return None
    return catalog.entities[item.relation.target].table_name


def _recovered(trash: Trash, catalog: Catalog, entity: Entity, item: Field) -> Column | None:
    kinds = [(column.type.kind, column.type.scale) for column in item.columns]
    found = trash.columns(entity.table_name, item.name, kinds, _holding(catalog, item))
    return None if found is None else Column(str(found[0]["name"]), item.column.type)


def _holdings(catalog: Catalog) -> Mapping[str, Mapping[str, str]]:
    """Table -> authored field -> what its values are."""
    return {
        entity.table_name: {item.name: _holding(catalog, item) for item in entity.fields.values() if not item.system}
        for entity in catalog.entities.values()
    }


def _holding(catalog: Catalog, item: Field) -> str:
    return holding(item.type.name, _target_table(catalog, item))


def _returned(before: Catalog | None, after: Catalog, trash: Trash) -> Iterator[Trashed]:
    """Trash whose SQL names the new catalog uses."""
    tables = {item.table_name for item in after.entities.values()}
    links = {way.link for item in after.entities.values() for way in item.relations.values()}
    columns = {
        (item.table_name, column.name)
        for item in after.entities.values()
        for field in item.fields.values()
        for column in field.columns
    }
    for item in trash.items:
        match item.kind:
            case Kept.ENTITY:
                back = item.table in tables
            case Kept.LINK:
                back = item.entry in links
            case Kept.FIELD:
                back = any((item.table, column["name"]) in columns for column in item.entry)
        if back:
            yield item


def _leaving(
    before: Mapping[str, Any], after: Mapping[str, Any], returned: Collection[Trashed]
) -> Iterator[tuple[Kept, str, str, Any]]:
    """(kind, path, table, entry) of what the map before has and the map after has not."""
    entries = {str(entry["table"]): (name, entry) for name, entry in before["entities"].items()}
    entries.update({item.table: (item.path, item.entry) for item in returned if item.kind is Kept.ENTITY})
    now = {str(entry["table"]): entry for entry in after["entities"].values()}
    for table, (name, entry) in entries.items():
        left = now.get(table)
        if left is None:
            yield Kept.ENTITY, name, table, entry
            continue
        columns = {column["name"] for listed in left["columns"].values() for column in listed}
        for field, listed in entry["columns"].items():
            if not any(column["name"] in columns for column in listed):
                yield Kept.FIELD, f"{name}.{field}", table, listed
        for field, link in entry["links"].items():
            if link not in left["links"].values():
                yield Kept.LINK, f"{name}.{field}", table, link
