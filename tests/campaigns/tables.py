"""Documents = tables: the database holds what the head names, and what trash or publication keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from metadata.build import build_catalog
from metadata.catalog import Catalog, Entity
from metadata.publishing.ddl import column_specs, new_indexes
from metadata.publishing.publication import Publication, State, list_publications, load_target, open_publication
from metadata.store import Catalogs, load_head
from metadata.trash import Kept, load_trash
from storage.batch import Sql
from storage.engine import Dialect, Engine
from storage.names import quoted
from tests.campaigns.budget import Budget

Columns = dict[str, dict[str, str]]
"""Table -> column -> type, as the database says it."""

_PG_COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)::text FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = '__ns__._head'::regclass)"""
_PG_INDEXES = """
SELECT c.relname::text, (i.indisvalid AND i.indisready)::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisprimary AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = '__ns__._head'::regclass)
AND NOT starts_with((SELECT relname FROM pg_class WHERE oid = i.indrelid)::text, '_')"""
_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_SQLITE_INDEXES = (
    "SELECT name, 'true' FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND substr(tbl_name, 1, 1) <> '_'"
)
_LINK = {"here": "uuid", "there": "uuid"}
_PUBLICATIONS = 1_000


async def check_tables(budget: Budget, engine: Engine, namespace: str) -> None:
    """Look at the tables at a moment when nobody works at them: all servers are dead, or have nothing to do."""
    head = await Catalogs(engine).head(namespace)
    assert head is not None
    catalogs = [head.catalog]
    under_way = await open_publication(engine, namespace)
    if under_way is not None and "expand" in under_way.progress.done:
        target = await load_target(engine, namespace, under_way.id)
        documents = {(str(item["kind"]), str(item["name"])): item for item in target.documents}
        catalogs.append(build_catalog(documents, target.physical))
    found, wanted = await _columns(engine, namespace), _wanted(catalogs, engine.dialect)
    trash = await load_trash(engine, namespace)
    for item in trash.items:
        names: list[str] = []
        if item.kind is Kept.FIELD:
            names = [column["name"] for column in item.entry]
        elif item.kind is Kept.ENTITY:
            names = [column["name"] for listed in item.entry["columns"].values() for column in listed]
        table = str(item.entry) if item.kind is Kept.LINK else item.table
        for name in names:
            if name not in found.get(table, {}):
                budget.fault("the trash names a column that is not there", item)
        kept = found.get(table, {})
        whole = item.kind is not Kept.FIELD
        wanted.setdefault(table, {}).update({name: kept[name] for name in kept if whole or name in names})
    if found != wanted:
        both = {table: (wanted.get(table), found.get(table)) for table in {*found, *wanted}}
        wrong = {table: pair for table, pair in both.items() if pair[0] != pair[1]}
        budget.fault("tables are not what documents say (wanted, found)", head.version, under_way, wrong)
    await _check_indexes(budget, engine, namespace, catalogs, under_way)
    await _check_publications(budget, engine, namespace)
    budget.checked += 1


async def _check_indexes(
    budget: Budget, engine: Engine, namespace: str, catalogs: list[Catalog], under_way: Publication | None
) -> None:
    rows = await engine.fetch(namespace, Sql(_PG_INDEXES if engine.dialect == "postgresql" else _SQLITE_INDEXES))
    found = {_text(name): _text(valid) for name, valid in rows}
    names = [{shape.name for shape in new_indexes(None, catalog, engine.dialect)} for catalog in catalogs]
    lacking = names[0] - found.keys()
    left = found.keys() - set().union(*names)
    # an index that is being built may be half there, and one that a dead worker left half is made anew
    halves = {name for name, valid in found.items() if valid != "true" and (under_way is None or name in names[0])}
    if lacking or left or halves:
        budget.fault("indexes are not what documents say (lacking, left, half)", lacking, left, halves, under_way)


async def _check_publications(budget: Budget, engine: Engine, namespace: str) -> None:
    """One version comes of one publication, and its number is the next one."""
    listed = await list_publications(engine, namespace, _PUBLICATIONS)
    active = Counter(item.base_version for item in listed if item.state is State.ACTIVE)
    if any(count > 1 for count in active.values()):
        budget.fault("two publications became active over one version", active)
    if sum(item.open for item in listed) > 1:
        budget.fault("two publications are open", [item for item in listed if item.open])
    head = await load_head(engine, namespace)
    for item in listed:
        if item.state is State.ACTIVE and (item.version != item.base_version + 1 or item.version > head):
            budget.fault("a publication has become another version", item, head)


def _wanted(catalogs: list[Catalog], dialect: Dialect) -> Columns:
    found: Columns = {}
    for catalog in catalogs:
        for entity in catalog.entities.values():
            columns = {name: _type(kind.ddl(dialect)) for name, kind, _ in column_specs(entity)}
            found.setdefault(entity.table_name, {}).update(columns)
            for way in entity.relations.values():
                if way.link is not None:
                    found[way.link] = {name: _type(kind) for name, kind in _link_types(dialect).items()}
    return found


def _link_types(dialect: Dialect) -> Mapping[str, str]:
    return _LINK if dialect == "postgresql" else dict.fromkeys(_LINK, "TEXT")


def _type(text: str) -> str:
    """A type as PostgreSQL's catalog spells it."""
    spelled = text.removesuffix(' COLLATE "C"')
    long = {"timestamptz": "timestamp with time zone", "time(6)": "time(6) without time zone"}
    return long.get(spelled, spelled)


async def _columns(engine: Engine, namespace: str) -> Columns:
    """The tables that are not fixed."""
    found: Columns = {}
    if engine.dialect == "postgresql":
        rows: Any = await engine.fetch(namespace, Sql(_PG_COLUMNS))
    else:
        rows = []
        for (table,) in await engine.fetch(namespace, Sql(_SQLITE_TABLES)):
            info = f"SELECT '{table}', name, type FROM pragma_table_info({quoted(table)})"
            rows += await engine.fetch(namespace, Sql(info.replace('"', "'")))
    for table, name, kind in rows:
        if not _text(table).startswith("_"):
            found.setdefault(_text(table), {})[_text(name)] = _text(kind)
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def entity_rows(entity: Entity, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Rows of `tests.records.naive_data` as images by column."""
    fields = [item for item in entity.by_api_name.values() if not item.write_only]
    return {
        key: {
            item.column.name: None if row[item.api_name] is None else item.type.image(item.options, row[item.api_name])
            for item in fields
        }
        for key, row in rows.items()
    }
