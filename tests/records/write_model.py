"""What writes mean, in plain Python over dictionaries: the twin that both engines are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from base.text import fold


@dataclass
class ModelRow:
    """One record: modelled scalars by API name, version, and the deletion that took it (None: live)."""

    entity: str
    values: dict[str, Any]
    version: int = 1
    deletion: int | None = None


class Refused(Exception):
    """The write is refused with this fault code."""


REFERENCES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "account": {"parentId": ("account", "clear")},
    "contact": {"accountId": ("account", "clear")},
    "deal": {"accountId": ("account", "restrict")},
    "line": {"productId": ("product", "restrict"), "dealId": ("deal", "cascade")},
    "product": {},
}
"""Entity -> reference -> (target, what a deletion of the target does)."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "account": {"name": None, "sector": None, "parentId": None},
    "contact": {"email": None, "accountId": None},
    "deal": {"name": None, "stage": "OPEN", "accountId": None},
    "line": {"label": None, "productId": None, "dealId": None},
    "product": {"code": None, "price": None},
}
"""The scalars that are modelled, with their values on create."""

UNIQUES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "account": lambda values: fold(values["name"]),
    "contact": lambda values: values["email"],
    "deal": lambda values: None if values["accountId"] is None else (values["accountId"], values["name"]),
    "product": lambda values: values["code"],
    "line": lambda values: None,
}
"""What must be unique among live records; None is not checked."""


@dataclass
class Model:
    """All records and links, and the events that there must be: (op, version) by record."""

    rows: dict[str, ModelRow] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)  # (deal, product)
    events: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    deletions: int = 0  # numbers given out so far

    def live(self, entity: str) -> dict[str, ModelRow]:
        """Live records of an entity."""
        return {key: row for key, row in self.rows.items() if row.entity == entity and row.deletion is None}

    def need(self, entity: str, record_id: str | None) -> None:
        """Refuse what is no live record."""
        if record_id is not None and record_id not in self.live(entity):
            raise Refused("NOT_FOUND")

    def is_changed(self, record_id: str, values: Mapping[str, Any]) -> bool:
        """Whether values differ from what a record holds."""
        own = self.rows[record_id].values
        return any(own[key] != value for key, value in values.items())

    def touch(self, record_id: str, op: str, **values: Any) -> None:
        """A change of one record with its event."""
        row = self.rows[record_id]
        row.values.update(values)
        row.version += 1
        self.events[record_id].append((op, row.version))

    def add(self, record_id: str, entity: str, values: Mapping[str, Any]) -> None:
        """A new record with its event."""
        self.rows[record_id] = ModelRow(entity, {**DEFAULTS[entity], **values})
        self.events[record_id] = [("CREATED", 1)]

    def check_unique(self) -> None:
        """Refuse when two live records hold one value."""
        seen = set()
        for row in self.rows.values():
            key = UNIQUES[row.entity](row.values) if row.deletion is None else None
            if key is not None:
                if (row.entity, key) in seen:
                    raise Refused("NOT_UNIQUE")
                seen.add((row.entity, key))

    def need_targets(self, entity: str, values: Mapping[str, Any]) -> None:
        """Refuse references to what is not live."""
        for key, value in values.items():
            if key in REFERENCES[entity]:
                self.need(REFERENCES[entity][key][0], value)

    def referring(self, ids: Iterable[str], how: str, *, deleted: bool = False) -> list[tuple[str, str]]:
        """(record, key) for live records (or all) whose reference of that kind leads to one of `ids`."""
        wanted = set(ids)
        return [
            (record_id, key)
            for record_id, row in self.rows.items()
            if deleted or row.deletion is None
            for key, (_, kind) in REFERENCES[row.entity].items()
            if kind == how and row.values[key] in wanted
        ]

    def update(self, record_id: str, entity: str, values: Mapping[str, Any], *, linked: bool = False) -> None:
        """Change a live record; what changes nothing leaves no trace."""
        self.need(entity, record_id)
        changed = {key: value for key, value in values.items() if self.rows[record_id].values[key] != value}
        self.need_targets(entity, changed)
        if changed or linked:
            self.touch(record_id, "UPDATED", **changed)
        self.check_unique()

    def delete(self, ids: Iterable[str], entity: str) -> None:
        """Soft deletion of some records, with what they own."""
        first = list(ids)
        for record_id in first:
            self.need(entity, record_id)
        gone = {*first, *(record_id for record_id, _ in self.referring(first, "cascade"))}
        if any(record_id not in gone for record_id, _ in self.referring(gone, "restrict")):
            raise Refused("REFERENCED")
        deletion = self.deletions = self.deletions + 1
        for record_id in gone:
            self.touch(record_id, "DELETED")
            self.rows[record_id].deletion = deletion
        for record_id, key in self.referring(gone, "clear"):
            self.touch(record_id, "UPDATED", **{key: None})

    def restore(self, record_id: str) -> None:
        """Bring back a record with what its deletion took."""
        if record_id not in self.rows:
            raise Refused("NOT_FOUND")
        row = self.rows[record_id]
        if row.deletion is None:
            return
        if row.entity == "line":
            self.need("deal", row.values["dealId"])
        deletion = row.deletion
        owned = [other for other, _ in self.referring([record_id], "cascade", deleted=True)]
        for other in [record_id, *(item for item in owned if self.rows[item].deletion == deletion)]:
            self.touch(other, "RESTORED")
            self.rows[other].deletion = None
        self.check_unique()

    def purge(self, record_id: str) -> None:
        """Remove a record and what it owns."""
        if record_id not in self.rows:
            raise Refused("NOT_FOUND")
        gone = {record_id, *(other for other, _ in self.referring([record_id], "cascade", deleted=True))}
        if any(other not in gone for other, _ in self.referring(gone, "restrict")):
            raise Refused("REFERENCED")
        for other, key in self.referring(gone, "clear"):
            if other not in gone:
                self.touch(other, "UPDATED", **{key: None})
        for other in gone:
            row = self.rows.pop(other)
            self.events[other].append(("PURGED", row.version + 1))
        self.links = {pair for pair in self.links if not gone & set(pair)}

    def merge(self, keep: str, losers: list[str]) -> None:
        """Accounts become one."""
        for record_id in (keep, *losers):
            self.need("account", record_id)
        before = {record_id: dict(row.values) for record_id, row in self.rows.items()}
        gone = set(losers)
        kept = self.rows[keep].values
        for key in ("parentId", "sector"):
            found = [self.rows[item].values[key] for item in losers if self.rows[item].values[key] is not None]
            if kept[key] is None and found and found[0] not in {keep, *losers}:
                kept[key] = found[0]
        deletion = self.deletions = self.deletions + 1
        for record_id in losers:
            self.touch(record_id, "MERGED")
            self.rows[record_id].deletion = deletion
        for how in ("clear", "restrict"):
            for record_id, key in self.referring(gone, how):
                self.rows[record_id].values[key] = None if record_id == keep else keep
        for record_id, row in self.rows.items():
            if row.values != before[record_id] and record_id not in gone:
                self.touch(record_id, "UPDATED")
        self.check_unique()
