"""The tables of a catalog, and the DDL from one catalog to the next: only ever tables, columns and indexes added.

Nothing is renamed, retyped or dropped but indexes: columns and tables of removed things stay in the trash, so a
statement of the version before runs unchanged on the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from access.table import SYSTEM_COLUMNS
from metadata.catalog import Catalog, Entity
from metadata.field import NEVER_NULL, RelationKind
from metadata.physical import HERE, THERE, cut
from metadata.trash import NO_TRASH, Kept, Trash
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

    def create(self, dialect: Dialect, *, concurrently: bool = False) -> list[str]:
        """The statement that makes it."""
        return ddl.create_index(
            self.name,
            self.table,
            self.parts,
            dialect,
            unique=self.unique,
            where_live=self.live_only,
            concurrently=concurrently,
        )

    def drop(self, dialect: Dialect) -> list[str]:
        """The statement that removes it."""
        return ddl.drop_index(self.name, self.table, dialect)


def tables_there(before: Catalog | None, trash: Trash = NO_TRASH) -> Mapping[str, frozenset[str]]:
    """Table -> columns that are in the database under a catalog, what lies in the trash included."""
    found: dict[str, set[str]] = {table: _names(entity) for table, entity in _tables(before).items()}
    found.update({link: {HERE, THERE} for link in _links(before)})
    for item in trash.items:
        match item.kind:
            case Kept.ENTITY:
                listed = {column["name"] for columns in item.entry["columns"].values() for column in columns}
                found.setdefault(item.table, set()).update(listed | SYSTEM_COLUMNS.keys())
                found.update({link: {HERE, THERE} for link in item.entry["links"].values()})
            case Kept.FIELD:
                found.setdefault(item.table, set()).update(column["name"] for column in item.entry)
            case Kept.LINK:
                found[str(item.entry)] = {HERE, THERE}
    return {table: frozenset(columns) for table, columns in found.items()}


def expand_ddl(
    there: Mapping[str, frozenset[str]],
    after: Catalog,
    dialect: Dialect,
    filled: Mapping[tuple[str, str], Any] | None = None,
) -> list[str]:
    """The statements that add what tables and columns are missing, in table-name order.

    `filled` has the logical values that rows there are get in new columns, by table and column.
    """
    statements: list[str] = []
    for table, entity in sorted(_tables(after).items()):
        if table not in there:
            statements += ddl.create_table(table, column_specs(entity), ["id"], dialect)
            continue
        for name, kind, _ in column_specs(entity):
            if name not in there[table]:
                statements += ddl.add_column(table, name, kind, dialect, (filled or {}).get((table, name)))
    for link in sorted(_links(after) - there.keys()):
        statements += ddl.create_table(link, [(HERE, UUID, True), (THERE, UUID, True)], [HERE, THERE], dialect)
    return statements


def undo_ddl(there: Mapping[str, frozenset[str]], after: Catalog, dialect: Dialect) -> list[str]:
    """The statements that remove again what `expand_ddl` has added; its indexes must be gone before on SQLite."""
    statements: list[str] = []
    for link in sorted(_links(after) - there.keys()):
        statements += ddl.drop_table(link, dialect)
    for table, entity in sorted(_tables(after).items()):
        if table not in there:
            statements += ddl.drop_table(table, dialect)
            continue
        for name, _, _ in column_specs(entity):
            if name not in there[table]:
                statements += ddl.drop_column(table, name, dialect)
    return statements


def new_indexes(before: Catalog | None, after: Catalog, dialect: Dialect) -> list[IndexShape]:
    """Indexes that a catalog has and the one before has not."""
    old = {shape.name for shape in _all_indexes(before, dialect)}
    return [shape for shape in _all_indexes(after, dialect) if shape.name not in old]


def dropped_indexes(before: Catalog | None, after: Catalog, dialect: Dialect) -> list[IndexShape]:
    """Indexes that nobody needs any more, those of tables in the trash included."""
    return new_indexes(after, before, dialect) if before is not None else []


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


def _names(entity: Entity) -> set[str]:
    return {name for name, _, _ in column_specs(entity)}


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
        if index.ascending or dialect == "sqlite":
            yield IndexShape(index.name, entity.table_name, (*names, "id"), live_only=True)
        if index.descending and dialect == "postgresql":
            # Descending with nulls last is no backward scan of the ascending one, and "id" breaks ties upwards.
            down: tuple[IndexPart, ...] = (*names[:-1], (names[-1], "desc"), "id")
            yield IndexShape(cut(f"{index.name}_desc", MAX_INDEX_NAME), entity.table_name, down, live_only=True)
    for name, item in entity.fields.items():
        to_one = item.relation is not None and item.relation.kind is RelationKind.TO_ONE
        if to_one and (not item.system or name in _RULE_FIELDS):
            column = columns[name].name
            made = cut(f"rx_{entity.table_name}_{column}", MAX_INDEX_NAME)
            yield IndexShape(made, entity.table_name, (column, "id"))
