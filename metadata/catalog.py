"""The catalog: what a company's published documents mean. Immutable, versioned, content-addressed.

A catalog is shared by every company with the same documents and physical map (equal `hash`); the version number is
the company's own and lives beside it, not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa

from base.json import Json
from expressions import Expression
from metadata.aliases import field_aliases, former_plurals
from metadata.field import Field, Relation, Titles
from storage.batch import NAMESPACE


@dataclass(frozen=True, slots=True)
class Unique:
    """A unique rule over live rows. A tuple with a null is not checked."""

    index: str  # SQL name
    fields: tuple[str, ...]
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """A list index: made to match `ORDER BY` with nulls last where the engine can, in these directions."""

    name: str
    fields: tuple[str, ...]
    ascending: bool = True
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a record: when `when` holds (or is absent), `check` must."""

    name: str
    check: Expression
    when: Expression | None
    message: str
    messages: Titles
    path: str | None
    enforce_now: bool = False


@dataclass(frozen=True)
class Entity:
    """One entity as published. `fields` holds authored and system fields in order; `relations` all ways out of it."""

    name: str
    plural: str
    type_name: str  # PascalCase, in GraphQL
    plural_type_name: str
    number: int
    title: str
    titles: Titles
    description: str | None
    table_name: str
    fields: Mapping[str, Field]
    relations: Mapping[str, Relation]
    display: str
    search: tuple[str, ...]
    uniques: tuple[Unique, ...] = ()
    indexes: tuple[Index, ...] = ()
    rules: tuple[Rule, ...] = ()
    system: bool = False
    was: tuple[str, ...] = ()
    plural_was: tuple[str, ...] = ()
    history: str = "forever"
    schema: Mapping[str, Json] = field(default_factory=dict)  # derived JSON Schema, additionalProperties false

    @cached_property
    def table(self) -> sa.TableClause:
        """The table, under the namespace placeholder; alias it before use in a query."""
        columns = [
            sa.column(column.name, column.type.sqlalchemy()) for item in self.fields.values() for column in item.columns
        ]
        return sa.table(self.table_name, *columns, schema=NAMESPACE)

    @cached_property
    def by_api_name(self) -> Mapping[str, Field]:
        """Fields by the name of their scalar in the API (`accountId`, `amount`); fields without columns are absent."""
        return {item.api_name: item for item in self.fields.values() if item.columns}

    @cached_property
    def former_plurals(self) -> tuple[str, ...]:
        """Plurals under which its lists were known, newest first."""
        return former_plurals(self.was, self.plural_was)

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Former API names of fields and relations -> the current ones."""
        return field_aliases(self.fields, self.relations)


@dataclass(frozen=True, slots=True)
class App:
    """The company-wide settings document."""

    name: str = "app"
    title: str = "Pliant"
    titles: Titles = field(default_factory=dict)
    locale: str = "en"
    time_zone: str = "UTC"
    currency: str = "USD"
    week_start: int = 1  # ISO weekday
    fiscal_year_start: int = 1  # month


@dataclass(frozen=True)
class Catalog:
    """Everything that one version of a company's documents means."""

    hash: str
    app: App
    entities: Mapping[str, Entity]
    documents: Mapping[tuple[str, str], Mapping[str, Json]]  # (kind, name) -> as authored
    parsed: Mapping[str, Mapping[str, object]]  # kind -> name -> what the kind's parse gave (roles, later forms ...)
    physical: Mapping[str, Json]  # the physical map

    @cached_property
    def by_number(self) -> Mapping[int, Entity]:
        """Entities by the number inside their records' ids."""
        return {entity.number: entity for entity in self.entities.values()}
