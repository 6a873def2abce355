"""Drafts: an entity document as parsed by itself, before the catalog gives it tables and ties it to other entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from base.json import Json
from metadata.field import Field, RelationSpec, Titles


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """A field without columns; `fixed_columns` are given for system fields, whose SQL names never vary."""

    field: Field
    spec: RelationSpec | None = None
    fixed_columns: tuple[str, ...] = ()
    path: tuple[str, ...] = ()

    @property
    def column_suffixes(self) -> tuple[str, ...]:
        """The suffixes of the field's columns, in order; empty when it has none."""
        return tuple(suffix for suffix, _ in self.field.type.column_types(self.field.options))


@dataclass(frozen=True, slots=True)
class UniqueDraft:
    """A unique rule, by field names."""

    fields: tuple[str, ...]
    ignore_case: bool
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexDraft:
    """A list index before its columns are known: which directions of its last field lists are read in."""

    fields: tuple[str, ...]
    ascending: bool = True
    descending: bool = True


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A record rule whose expressions are not checked yet."""

    name: str
    check: str
    when: str | None
    message: str
    messages: Titles
    path: str | None
    enforce_now: bool
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityDraft:
    """One entity document, parsed. `fields` holds system fields and authored ones, in that order."""

    name: str
    plural: str
    title: str
    titles: Titles
    description: str | None
    document: Mapping[str, Json]
    definitions: Mapping[str, Json]
    fields: Mapping[str, FieldDraft]
    display: str
    search: tuple[str, ...]
    uniques: tuple[UniqueDraft, ...] = ()
    indexes: tuple[IndexDraft, ...] = ()
    rules: tuple[RuleDraft, ...] = ()
    system: bool = False
    was: tuple[str, ...] = ()
    plural_was: tuple[str, ...] = ()
    history: str = "forever"
