"""The gate: the only place that turns grants into SQL.

A row may be seen if one grant covers it; a cell (row, field) if ONE grant covers row and field together. So the gate
gives each entity a row condition, and each field either 'always with the row' or the condition under which the cell
is covered; everything that names a field (select, filter, order, aggregate, search, cursor) takes its value from
`Gate.value`, which is null where the cell is not covered.

Row rules are evaluated with system eyes: their columns are not gated. Actor values are parameters
(`records.binds.ACTOR_BINDS`), so equal grants give equal SQL.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement

from access.coverage import share_level
from access.grant import Grant, GrantSet, Operation, ParentRows, RowRule, Rows, RowsWhere
from expressions import Expression, SqlValue, Type, condition
from metadata.catalog import Catalog, Entity
from metadata.field import NEVER_NULL, Field, RelationKind
from metadata.scope import ACTOR
from records.alias import Alias
from records.binds import actor_value
from records.shares import field_key, share_table
from records.surface import ALWAYS_READABLE, HIDDEN_FIELDS
from storage.batch import NAMESPACE
from storage.engine import Dialect
from storage.sql import InList, InQuery, ListParameter, column, constant
from storage.types import TEXT, UUID

_ALL_KEYS = "*"

PARENT_DEPTH = 4
"""`parent(..)` may lead to an entity whose rows again follow their parent, this many times; beyond, nothing is seen."""


class Gate:
    """The grants of one rule hash over one catalog, in one dialect. Conditions are `sa.true()` where nothing limits."""

    def __init__(self, catalog: Catalog, grants: GrantSet, dialect: Dialect) -> None:
        self.catalog = catalog
        self.grants = grants
        self.dialect: Dialect = dialect

    def rows(self, alias: Alias, operation: Operation = Operation.READ) -> ColumnElement[bool]:
        """The rows that the actor may read (or update, delete ...), deleted ones included."""
        return self._rows(alias, operation, 0)

    def cell(self, alias: Alias, field: Field, operation: Operation = Operation.READ) -> ColumnElement[bool]:
        """The condition under which a field of a row that `rows` lets through is covered; it may be null for false."""
        reading = operation is Operation.READ
        if reading and field.name in ALWAYS_READABLE:
            return sa.true()
        if reading and (field.write_only or field.name in HIDDEN_FIELDS):
            return sa.false()
        grants = [grant for grant in self.grants.of(alias.entity.name, operation) if grant.rows]
        rights = [grant.fields.right(field.name) for grant in grants]
        if grants and all(right is True for right in rights) and not any(Rows.SHARED in grant.rows for grant in grants):
            return sa.true()
        parts = [
            self._covered(alias, grant, right, field, alone=len(grants) == 1)
            for grant, right in zip(grants, rights, strict=True)
            if right is not False
        ]
        return sa.or_(sa.false(), *parts)

    def value(self, alias: Alias, field: Field) -> ColumnElement[Any]:
        """The field's column as the actor sees it: itself, or null where the cell is not covered."""
        return gated(alias.column(field.column), self.cell(alias, field), self.dialect)

    def _covered(
        self, alias: Alias, grant: Grant, right: bool | Expression, field: Field, *, alone: bool
    ) -> ColumnElement[bool]:
        """Row and field by one grant. The only grant's rows need not be asked again, but for what shares limit."""
        rows = sa.true() if alone and Rows.SHARED not in grant.rows else self._grant_rows(alias, grant, field)
        if not isinstance(right, Expression):
            return rows
        found = alias.once(("when", id(right)), lambda inner: self._where(inner, right), sa.Boolean())
        return sa.and_(rows, self._where(alias, right) if found is None else found)

    def _grant_rows(self, alias: Alias, grant: Grant, field: Field) -> ColumnElement[bool]:
        """The rows of a grant as far as they cover a field; on a page its rules are asked once a row for all fields."""
        level = share_level(grant.operation)
        plain = tuple(rule for rule in grant.rows if rule is not Rows.SHARED)
        if plain == grant.rows:
            found = alias.once(("rows", id(grant)), lambda inner: self._any(inner, plain, level, None, 0), sa.Boolean())
            return self._any(alias, plain, level, None, 0) if found is None else found
        keys = alias.once(("keys", id(grant)), lambda inner: self._covered_keys(inner, plain, level), sa.Text())
        if keys is None:
            return self._any(alias, grant.rows, level, field, 0)
        mark = constant(self._key_mark(field_key(field)))
        find = sa.func.strpos if self.dialect == "postgresql" else sa.func.instr
        return sa.or_(keys == constant(_ALL_KEYS), find(keys, mark) > constant(0))

    def _covered_keys(self, alias: Alias, plain: tuple[RowRule, ...], level: str) -> ColumnElement[Any]:
        """The fields that a grant with `shared` covers in a row, as text: `*`, the keys of its shares, or null."""
        share = share_table().alias(alias.names.next("s"))
        if self.dialect == "postgresql":
            every = sa.func.bool_or(share.c.fields.is_(None))
            bars = sa.func.array_to_string(share.c.fields, constant("|"))
            keys = sa.func.string_agg(constant("|").op("||")(bars).op("||")(constant("|")), constant(""))
        else:
            every = sa.func.max(share.c.fields.is_(None))
            keys = sa.func.group_concat(share.c.fields)
        query = sa.select(sa.case((every, constant(_ALL_KEYS)), else_=keys)).select_from(share)
        shared = query.where(*self._share_conditions(share, alias, level)).scalar_subquery()
        return sa.case((self._any(alias, plain, level, None, 0), constant(_ALL_KEYS)), else_=shared)

    def _key_mark(self, key: str) -> str:
        return f"|{key}|" if self.dialect == "postgresql" else f'"{key}"'

    def _rows(self, alias: Alias, operation: Operation, depth: int) -> ColumnElement[bool]:
        level = share_level(operation)
        rules = dict.fromkeys(rule for grant in self.grants.of(alias.entity.name, operation) for rule in grant.rows)
        return self._any(alias, tuple(rules), level, None, depth)

    def _any(
        self, alias: Alias, rules: tuple[RowRule, ...], level: str, field: Field | None, depth: int
    ) -> ColumnElement[bool]:
        if Rows.ALL in rules:
            return sa.true()
        parts = [self._rule(alias, rule, level, field, depth) for rule in rules if rule is not Rows.NONE]
        return sa.or_(sa.false(), *parts)

    def _rule(self, alias: Alias, rule: RowRule, level: str, field: Field | None, depth: int) -> ColumnElement[bool]:
        if isinstance(rule, ParentRows):
            return self._parent(alias, rule, depth)
        if isinstance(rule, RowsWhere):
            return self._where(alias, rule.expression)
        match rule:
            case Rows.OWN:
                return alias.field("owner") == actor_value("actor_id", UUID)
            case Rows.TEAM:
                return InList(alias.field("team"), ListParameter("actor_teams", UUID))
            case Rows.TEAM_DOWN:
                return self._among(alias, "team", *_teams_below(alias, self.dialect))
            case Rows.REPORTS_DOWN:
                return self._among(alias, "owner", *_reports_below(alias))
            case Rows.SHARED:
                return self._shared(alias, level, field)
            case _:
                return sa.true() if rule is Rows.ALL else sa.false()

    def _among(self, alias: Alias, name: str, below: ColumnElement[Any], source: sa.Select[Any]) -> ColumnElement[bool]:
        """Whether a field is among what `source` gives as `below`: all of it is listed once, for however many rows.

        Of one row SQLite looks it up instead (0.9 of the CPU of a whole read); PostgreSQL would hash the list first.
        """
        if alias.one and self.dialect == "sqlite":
            return sa.exists(source.with_only_columns(constant(1)).where(below == alias.field(name)).correlate(None))
        return InQuery(alias.field(name), source)

    def _shared(self, alias: Alias, level: str, field: Field | None) -> ColumnElement[bool]:
        name = alias.names.next("s")
        share = share_table().alias(name)
        conditions = self._share_conditions(share, alias, level)
        if field is not None:
            conditions.append(sa.or_(share.c.fields.is_(None), self._holds_key(share.c.fields, field_key(field))))
        return sa.exists(sa.select(constant(1)).select_from(share).where(*conditions).correlate(None))

    def _share_conditions(self, share: sa.FromClause, alias: Alias, level: str) -> list[ColumnElement[bool]]:
        """The live shares of a record that reach the actor with at least this level."""
        conditions: list[ColumnElement[bool]] = [
            share.c.record_id == alias.field("id"),
            InList(share.c.principal, ListParameter("actor_principals", TEXT)),
            sa.or_(share.c.until.is_(None), share.c.until > sa.bindparam("now", type_=share.c.until.type)),
        ]
        if level == "WRITE":
            conditions.append(share.c.level == constant("WRITE"))
        return conditions

    def _holds_key(self, fields: ColumnElement[Any], key: str) -> ColumnElement[bool]:
        if self.dialect == "postgresql":
            return constant(key) == sa.any_(fields)
        return sa.func.instr(fields, constant(f'"{key}"')) > constant(0)

    def _parent(self, alias: Alias, rule: ParentRows, depth: int) -> ColumnElement[bool]:
        relation = alias.entity.relations.get(rule.field)
        if relation is None or relation.kind is not RelationKind.TO_ONE or depth >= PARENT_DEPTH:
            return sa.false()
        parent = alias.sibling(self.catalog.entities[relation.target])
        query = sa.select(constant(1)).select_from(parent.table)
        key = alias.field(relation.name)
        return sa.exists(
            query.where(parent.field("id") == key, parent.live(), self._rows(parent, Operation.READ, depth + 1))
        )

    def _where(self, alias: Alias, expression: Expression) -> ColumnElement[bool]:
        return condition(expression, RuleColumns(self.catalog, alias, self.dialect), self.dialect)


def gated(value: ColumnElement[Any], cell: ColumnElement[bool], dialect: Dialect) -> ColumnElement[Any]:
    """A value under a cell's condition; a false one gives a null of the value's type."""
    if is_true_constant(cell):
        return value
    if isinstance(cell, sa.sql.elements.False_):
        return sa.cast(constant(None), value.type) if dialect == "postgresql" else constant(None)
    return sa.case((cell, value))


def is_true_constant(clause: ColumnElement[Any]) -> bool:
    """Whether a condition limits nothing."""
    return isinstance(clause, sa.sql.elements.True_)


class RuleColumns:
    """Where the names of a rule stand in SQL, seen with system eyes (`expressions.Columns`)."""

    def __init__(self, catalog: Catalog, alias: Alias, dialect: Dialect) -> None:
        self._catalog = catalog
        self._alias = alias
        self._dialect: Dialect = dialect

    def column(self, path: tuple[str, ...]) -> SqlValue:
        """A field of the row, of a record behind to-one steps (null behind a deleted one), or of the actor."""
        if path[0] == ACTOR and len(path) == 2:
            return self._actor(path[1])
        return self._value(self._alias, path)

    def _value(self, alias: Alias, path: tuple[str, ...]) -> SqlValue:
        if len(path) == 1:
            return _sql_value(alias.entity, alias.entity.by_api_name[path[0]], alias)
        relation = alias.entity.relations[path[0]]
        target = alias.sibling(self._catalog.entities[relation.target])
        inner = self._value(target, path[1:])
        query = sa.select(inner.clause).select_from(target.table)
        query = query.where(target.field("id") == alias.field(relation.name), target.live())
        return SqlValue(query.scalar_subquery(), inner.type, inner.scale)

    def _actor(self, name: str) -> SqlValue:
        match name:
            case "id":
                return SqlValue(actor_value("actor_id", UUID), Type.ID, nullable=False)
            case "teamId":
                return SqlValue(actor_value("actor_team", UUID), Type.ID)
            case "roles":
                return SqlValue(self._list("actor_roles", sa.Text()), Type.LIST, nullable=False)
            case _:
                clause = self._list("actor_teams", sa.Uuid(as_uuid=False))
                return SqlValue(clause, Type.LIST, nullable=False, element=Type.ID)

    def _list(self, name: str, element: sa.types.TypeEngine[Any]) -> ColumnElement[Any]:
        if self._dialect == "sqlite":
            return sa.bindparam(name, type_=sa.Text())
        array: sa.types.TypeEngine[Any] = postgresql.ARRAY(element)
        return sa.cast(sa.bindparam(name, type_=array), array)


def _sql_value(entity: Entity, field: Field, alias: Alias) -> SqlValue:
    type_ = Type.ID if field.name == "id" or field.relation is not None else field.type.expression
    nullable = field.name not in NEVER_NULL
    return SqlValue(alias.column(field.column), type_ or Type.NULL, field.column.type.scale, nullable)


def _teams_below(alias: Alias, dialect: Dialect) -> tuple[ColumnElement[Any], sa.Select[Any]]:
    """The actor's teams and all below them: the column, and where it is selected from."""
    name = alias.names.next("c")
    ancestor, below = column(name, "ancestor", sa.Text()), column(name, "descendant", sa.Text())
    if dialect == "sqlite":
        # in this order, which CROSS JOIN keeps: else SQLite reads all pairs, however many teams the company has
        own = alias.names.next("u")
        pairs = sa.text(f"json_each(:actor_teams) AS {own} CROSS JOIN {NAMESPACE}._team_closure AS {name}")
        return below, sa.select(below).select_from(pairs).where(ancestor == column(own, "value", sa.Text()))
    table = sa.table("_team_closure", schema=NAMESPACE).alias(name)
    return below, sa.select(below).select_from(table).where(InList(ancestor, ListParameter("actor_teams", UUID)))


def _reports_below(alias: Alias) -> tuple[ColumnElement[Any], sa.Select[Any]]:
    """All who report to the actor, at whatever distance."""
    name = alias.names.next("c")
    manager, report = column(name, "manager", sa.Text()), column(name, "report", sa.Text())
    table = sa.table("_report_closure", schema=NAMESPACE).alias(name)
    return report, sa.select(report).select_from(table).where(manager == actor_value("actor_id", UUID))
