"""The tables of a catalog, and the DDL from one catalog to the next: only ever tables, columns and indexes added.

Nothing is renamed, retyped or dropped but indexes: columns and tables of removed things stay until a later
contraction, so a statement of the version before runs unchanged on the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from metadata.catalog import Catalog, Entity
from metadata.field import NEVER_NULL, RelationKind
from metadata.physical import HERE, THERE, cut
from storage import ddl
from storage.ddl import ColumnSpec, IndexPart
from storage.engine import Dialect
from storage.types import UUID

_RULE_FIELDS = frozenset({"owner", "team"})
"""System references that row rules ask for: they get an index as authored references do."""

MAX_INDEX_NAME = 63


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index as it should be; its name changes when anything of it does."""

    name: str
    table: str
    parts: tuple[IndexPart, ...]
    unique: bool = False
    live_only: bool = False

    def create(self, dialect: Dialect) -> list[str]:
        """The statement that makes it."""
        return ddl.create_index(
            self.name, self.table, self.parts, dialect, unique=self.unique, where_live=self.live_only
        )


def migration_ddl(before: Catalog | None, after: Catalog, dialect: Dialect) -> list[str]:
    """The statements, in table-name order, that make the tables of `before` fit `after`."""
    statements: list[str] = []
    old_tables = _tables(before)
    old_links = _links(before)
    for table, entity in sorted(_tables(after).items()):
        if table not in old_tables:
            statements += ddl.create_table(table, column_specs(entity), ["id"], dialect)
        else:
            statements += _add_columns(old_tables[table], entity, dialect)
    for link in sorted(_links(after) - old_links):
        statements += ddl.create_table(link, [(HERE, UUID, True), (THERE, UUID, True)], [HERE, THERE], dialect)
    return statements + _index_ddl(before, after, dialect)


def column_specs(entity: Entity) -> list[ColumnSpec]:
    """The columns of an entity's table: name, type, never null."""
    return [
        (column.name, column.type, item.system and item.name in NEVER_NULL)
        for item in entity.fields.values()
        for column in item.columns
    ]


def _tables(catalog: Catalog | None) -> Mapping[str, Entity]:
    return {entity.table_name: entity for entity in catalog.entities.values()} if catalog is not None else {}


def _links(catalog: Catalog | None) -> set[str]:
    entities = catalog.entities.values() if catalog is not None else ()
    return {way.link for entity in entities for way in entity.relations.values() if way.link is not None}


def _add_columns(before: Entity, after: Entity, dialect: Dialect) -> Iterator[str]:
    there = {name for name, _, _ in column_specs(before)}
    for name, kind, _ in column_specs(after):
        if name not in there:
            yield from ddl.add_column(after.table_name, name, kind, dialect)


def _index_ddl(before: Catalog | None, after: Catalog, dialect: Dialect) -> list[str]:
    tables = {*_tables(after), *_links(after)}
    old = {shape.name: shape for shape in _all_indexes(before, dialect) if shape.table in tables}
    new = {shape.name: shape for shape in _all_indexes(after, dialect)}
    dropped = [
        text for name, shape in old.items() if name not in new for text in ddl.drop_index(name, shape.table, dialect)
    ]
    made = [text for name, shape in new.items() if name not in old for text in shape.create(dialect)]
    return dropped + made


def _all_indexes(catalog: Catalog | None, dialect: Dialect) -> Iterator[IndexShape]:
    if catalog is None:
        return
    for link in sorted(_links(catalog)):
        yield IndexShape(cut(f"{link}_{THERE}", MAX_INDEX_NAME), link, (THERE, HERE))
    for entity in catalog.entities.values():
        yield from entity_indexes(entity, dialect)


def entity_indexes(entity: Entity, dialect: Dialect) -> Iterator[IndexShape]:
    """Every index of an entity's table: uniques over live rows, lists, references."""
    columns = {name: item.columns[0] for name, item in entity.fields.items() if item.columns}
    for unique in entity.uniques:
        parts: tuple[IndexPart, ...] = tuple(
            ("fold", columns[name].name) if unique.ignore_case and columns[name].type.kind == "text"
            else columns[name].name
            for name in unique.fields
        )  # fmt: skip
        yield IndexShape(unique.index, entity.table_name, parts, unique=True, live_only=True)
    for index in entity.indexes:
        names = [columns[name].name for name in index.fields]
        yield IndexShape(index.name, entity.table_name, (*names, "id"), live_only=True)
        if dialect == "postgresql":
            # Descending with nulls last is no backward scan of the ascending one, and "id" breaks ties upwards.
            down: tuple[IndexPart, ...] = (*names[:-1], (names[-1], "desc"), "id")
            yield IndexShape(cut(f"{index.name}_desc", MAX_INDEX_NAME), entity.table_name, down, live_only=True)
    for name, item in entity.fields.items():
        to_one = item.relation is not None and item.relation.kind is RelationKind.TO_ONE
        if to_one and (not item.system or name in _RULE_FIELDS):
            column = columns[name].name
            made = cut(f"rx_{entity.table_name}_{column}", MAX_INDEX_NAME)
            yield IndexShape(made, entity.table_name, (column, "id"))
