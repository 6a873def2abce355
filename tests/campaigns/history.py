"""What every row must hold after any number of publishes: the log and the versions, told again from the beginning.

Writes come from the log's images. What a publish does to rows is told by the catalogs before and after it: a column
that moved is converted, what is newly required gets its default, a renamed choice its new value; everything else stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from events.log import Event
from metadata.catalog import Catalog, Entity
from metadata.field import Field
from metadata.publishing.convert import converter
from metadata.publishing.diff import match_entities, match_fields, renamed_choices
from metadata.publishing.plan import newly_required
from metadata.trash import TRASH
from tests.campaigns.budget import Budget

Row = dict[str, Any]
"""Images by column."""


class History:
    """Rows by table and id, as they are at some version. `allowed` are the losses that were allowed over a version."""

    def __init__(self, budget: Budget, catalogs: Mapping[int, Catalog], allowed: Mapping[int, set[str]]) -> None:
        self.rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self.version = 0
        self.purged = 0  # pieces of trash that were dropped
        self._budget = budget
        self._catalogs = catalogs
        self._allowed = allowed
        self._left: dict[tuple[str, int], list[tuple[str, str]]] = {}  # trash path, version -> (table, column)
        self._kept: list[tuple[str, str, Field]] = []  # table, name, field as it was; in the order of their leaving

    def tell(self, events: list[Event]) -> None:
        """Everything that happened."""
        for event in events:
            if event.entity == "document" and event.cause.kind == "publish":
                version = int(str(event.cause.detail["version"]))
                if version > self.version:
                    self._publish(version)
            elif event.entity == TRASH:
                self._purge(event)
            elif event.after is not None and not event.entity.startswith("_"):
                self._write(event)

    def _write(self, event: Event) -> None:
        tables = {item.table_name for item in self._catalogs[self.version].entities.values()} if self.version else set()
        if event.entity not in tables:
            return
        if event.catalog_version is not None and event.catalog_version != self.version:
            self._budget.fault("a write was committed under another version than its own", self.version, event)
        row = self.rows[event.entity].setdefault(event.record_id, {})
        if event.after is not None:
            row.update(event.after)

    def _purge(self, event: Event) -> None:
        self.purged += 1
        image = event.before or {}
        path, version = str(image["path"]), int(str(image["removedVersion"]))
        for table, column in self._left.pop((path, version), ()):
            self._kept = [item for item in self._kept if (item[0], item[2].column.name) != (table, column)]
            for row in self.rows[table].values():
                row.pop(column, None)
        if image["kind"] == "entity":
            for table, _ in self._left.pop((f"{path}.", version), ()):
                self.rows.pop(table, None)

    def _publish(self, version: int) -> None:
        if version != self.version + 1:
            self._budget.fault("versions are not dense", self.version, version)
        before, after = self._catalogs.get(version - 1), self._catalogs[version]
        self.version = version
        if before is None:
            return
        known = list(self._kept)
        self._note_left(before, after, version)
        for entity, item, source in _pairs(before, after):
            rows = self.rows[entity.table_name].values()
            if source is not None and source.column != item.column:
                self._move(entity, item, source, known, after)
            elif source is not None:
                renamed = renamed_choices(source, item)
                for row in rows:
                    value = row.get(source.column.name)
                    row[source.column.name] = renamed.get(value, value) if isinstance(value, str) else value
            if newly_required(item, source) and item.has_default:
                default = item.type.image(item.options, item.type.logical(item.options, item.default))
                for row in rows:
                    if row.get(item.column.name) is None:
                        row[item.column.name] = default
        columns = {(entity.table_name, name) for entity in after.entities.values() for name in _columns(entity)}
        self._kept = [item for item in self._kept if (item[0], item[2].column.name) not in columns]

    def _move(
        self, entity: Entity, item: Field, source: Field, known: list[tuple[str, str, Field]], after: Catalog
    ) -> None:
        """Values go to another column; one of the trash that means the same comes back."""
        there = [
            old
            for table, name, old in known
            if (table, name) == (entity.table_name, item.name) and _holds(old) == _holds(item)
        ]
        convert = converter(source, item, after.app.time_zone)
        back = converter(item, source, after.app.time_zone)
        lost = 0
        for row in self.rows[entity.table_name].values():
            image = row.get(source.column.name)
            value = None if image is None else source.type.logical(source.options, image)
            old = row.get(there[-1].column.name) if there else None
            recovered = _known(item, old)
            if recovered is not None and back(recovered).value == value:
                row[item.column.name] = old
                continue
            made = convert(value)
            lost += not made.exact
            row[item.column.name] = None if made.value is None else item.type.image(item.options, made.value)
        if lost and f"{entity.name}.{item.name}" not in self._allowed.get(self.version - 1, ()):
            self._budget.fault("values were lost that nobody allowed to lose", self.version, entity.name, item, lost)

    def _note_left(self, before: Catalog, after: Catalog, version: int) -> None:
        """What goes to the trash."""
        tables = {entity.table_name: entity for entity in after.entities.values()}
        for entity in before.entities.values():
            left = tables.get(entity.table_name)
            if left is None:
                self._left[f"{entity.name}.", version] = [(entity.table_name, "")]
                self._allow(entity.name, entity, version)
                continue
            for item in entity.fields.values():
                if item.columns and not item.system and item.column.name not in _columns(left):
                    self._left[f"{entity.name}.{item.name}", version] = [(entity.table_name, item.column.name)]
                    self._kept.append((entity.table_name, item.name, item))
                    if item.name not in {old.name for old in match_fields(entity, left).values()}:
                        self._allow(f"{left.name}.{item.name}", entity, version)

    def _allow(self, loss: str, entity: Entity, version: int) -> None:
        if self.rows[entity.table_name] and loss not in self._allowed.get(version - 1, ()):
            self._budget.fault("something was removed that nobody allowed to lose", version, loss)


def _pairs(before: Catalog, after: Catalog) -> Iterator[tuple[Entity, Field, Field | None]]:
    for name, previous in match_entities(before.entities, after.entities).items():
        entity = after.entities[name]
        matched = match_fields(previous, entity)
        for item in entity.fields.values():
            if item.columns and not item.system:
                yield entity, item, matched.get(item.name)


def _known(item: Field, image: Any) -> Any:
    """A value of the trash, unless the field's choices do not know it any more."""
    try:
        return None if image is None else item.type.logical(item.options, image)
    except ValueError:
        return None


def _holds(item: Field) -> tuple[Any, ...]:
    """What the values of a field are: the trash gives back only what holds the same."""
    return item.type.name, item.column.type, None if item.relation is None else item.relation.target


def _columns(entity: Entity) -> set[str]:
    return {column.name for item in entity.fields.values() for column in item.columns}
