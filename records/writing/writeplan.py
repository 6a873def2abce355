"""Write plans: what must be known to write rows of one entity, prepared once per catalog, grants and dialect."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any, Final

from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import ClauseElement

from access.grant import Grant, GrantSet, Operation
from access.resolve import is_unlimited
from base.json import Json
from base.limits import Limits
from expressions import Evaluation, Expression, compiled
from metadata.catalog import Catalog, Entity, Rule, Unique
from metadata.field import Field, FieldType, Numbering, OnDelete
from metadata.scope import ACTOR
from metadata.validator import Validator
from records.alias import Alias, Names
from records.gate import Gate
from records.shares import field_key
from records.snapshot import Snapshot
from records.surface import EntitySurface, surface_of
from records.writing.pointers import LinkSide, Referrer, pointers_at, sides_of
from records.writing.probe import Probe, Values, probe
from storage.batch import Value
from storage.engine import Dialect
from storage.types import unchanged

MAX_CACHED_PLANS: Final = 500
"""Sets of write plans kept: one for each catalog and rule hash in use."""

MAX_PROBES: Final = 500
"""Statements kept for one entity: where shares limit fields, each set of keys in an input makes one of its own."""

STAMPS: Final = frozenset(
    {"id", "version", "createdAt", "createdById", "updatedAt", "updatedById", "deletedAt", "deletedById", "deletionId"}
)
"""Scalars that the platform writes and `changedFields` does not name."""

PathOf = tuple[str, ...]
"""A path of names in an expression."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One scalar of a row: its field, its column, and the ways between JSON, logical value, driver and image."""

    field: Field
    api: str
    column: str
    kind: str
    key: str  # how events and shares name the field
    logical: Callable[[Json], Any]
    encode: Callable[[Any], Value]
    decode: Callable[[Value], Any]
    image: Callable[[Any], Json]
    shown: bool  # whether events carry it


@dataclass(frozen=True, slots=True)
class CheckedRule:
    """A rule of the entity, its expressions compiled, with the scalars that it reads."""

    rule: Rule
    check: Evaluation
    when: Evaluation | None
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Creating:
    """A grant to create: what must hold of the new row, and the fields that it then covers, perhaps on a condition."""

    check: Evaluation | None
    always: frozenset[str]
    when: Mapping[str, Evaluation]


class WritePlan:
    """Everything about writing rows of one entity that does not depend on the row."""

    def __init__(self, plans: WritePlans, entity: Entity) -> None:
        self.plans = plans
        self.entity = entity
        self.name = entity.name
        self.table = entity.table_name
        self.slots: Mapping[str, Slot] = {
            item.api_name: _slot(item, plans.dialect) for item in entity.fields.values() if item.columns
        }
        self.order = tuple(self.slots.values())
        self.columns = tuple(slot.column for slot in self.order)
        self.kinds = tuple(slot.kind for slot in self.order)
        self.defaults = tuple(
            (item.api_name, item.default)
            for item in entity.fields.values()
            if item.has_default and item.columns and not item.system
        )
        # what a new row becomes: column in the image, key in `changed` (None: not there), value, image (None: as it is)
        self.emitted = tuple(
            (
                slot.column if slot.shown else None,
                None if slot.api in STAMPS else slot.key,
                None if slot.encode is unchanged else slot.encode,
                None if type(slot.field.type).image is FieldType.image else slot.image,
            )
            for slot in self.order
        )
        self.stamps_are_text = plans.dialect == "sqlite"
        self.blank: Mapping[str, None] = dict.fromkeys(slot.column for slot in self.order if slot.shown)
        self.empty: Mapping[str, None] = dict.fromkeys(self.slots)
        self.numbered = tuple(slot for slot in self.order if slot.field.type.generated)
        self.validator = Validator(entity, plans.limits)
        self._probes: dict[Hashable, Probe] = {}
        self._numbering: dict[str, tuple[date, Numbering | None]] = {}
        self.target_queries: dict[Hashable, object] = {}
        self.kept: dict[Hashable, Any] = {}  # what other files here compile for the plan

    def probe(self, key: Hashable, make: Callable[[Values, Alias], ClauseElement], *, one: bool = False) -> Probe:
        """The probe of that key, compiled when it is first asked for; `make` is given the alias (`one`: of one row)."""
        key = (key, one)
        found = self._probes.get(key)
        if found is None:
            alias = Alias(self.entity, "t1", _names(), one=one)
            found = probe(self.plans.limits, self.plans.dialect, lambda values: make(values, alias))
            if len(self._probes) >= MAX_PROBES:
                self._probes.clear()
                self.target_queries.clear()
            self._probes[key] = found
        return found

    def selected(self, alias: Alias) -> list[ColumnElement[Any]]:
        """All columns of the plan, in order, seen with system eyes."""
        return [alias.column(slot.field.column) for slot in self.order]

    @cached_property
    def surface(self) -> EntitySurface | None:
        """What the actor may name of the entity; None where he may not read it."""
        return self.plans.surface.get(self.name)

    @cached_property
    def named(self) -> frozenset[str]:
        """Fields and scalars that exist for the actor: only these may be told in a fault."""
        surface = self.surface
        names = surface.readable | surface.createable | surface.updatable if surface else frozenset()
        return names | frozenset(self.entity.fields[name].api_name for name in names)

    @cached_property
    def inputs(self) -> Mapping[Operation, Mapping[str, Field]]:
        """For CREATE and UPDATE: the keys an input may have: scalars (`accountId`), relations (`account`), aliases."""
        surface = self.surface
        allowed = {
            Operation.CREATE: surface.createable if surface else frozenset(),
            Operation.UPDATE: surface.updatable if surface else frozenset(),
        }
        return {operation: self._keys(names) for operation, names in allowed.items()}

    def _keys(self, names: frozenset[str]) -> Mapping[str, Field]:
        keys: dict[str, Field] = {}
        for name in names:
            item = self.entity.fields[name]
            if item.columns:
                keys[item.api_name] = item
            if item.relation is not None and not item.system:
                keys[name] = item
        keys.update((old, keys[name]) for old, name in self.entity.aliases.items() if name in keys)
        return keys

    @cached_property
    def uniques(self) -> Mapping[str, Unique]:
        """Unique rules by the SQL name of their index."""
        return {unique.index: unique for unique in self.entity.uniques}

    @cached_property
    def grants(self) -> Mapping[Operation, tuple[Grant, ...]]:
        """The actor's grants on this entity by operation; operations without one are absent."""
        found: dict[Operation, list[Grant]] = {}
        for grant in self.plans.grants.entities.get(self.name, ()):
            found.setdefault(grant.operation, []).append(grant)
        return {operation: tuple(listed) for operation, listed in found.items()}

    @cached_property
    def unlimited(self) -> frozenset[Operation]:
        """Operations that the actor may do with every row and every field."""
        return frozenset(
            operation for operation, grants in self.grants.items() if any(is_unlimited(grant) for grant in grants)
        )

    @cached_property
    def create_paths(self) -> frozenset[PathOf]:
        """To-one paths that checks, conditions and rules read when a row is created."""
        grants = () if Operation.CREATE in self.unlimited else self.grants.get(Operation.CREATE, ())
        return _far([*_expressions(grants), *self._rule_expressions])

    @cached_property
    def update_paths(self) -> frozenset[PathOf]:
        """To-one paths that checks and rules read when a row is changed."""
        checks = [
            grant.check
            for operation in (Operation.UPDATE, Operation.TRANSFER)
            if operation not in self.unlimited
            for grant in self.grants.get(operation, ())
            if grant.check is not None
        ]
        return _far([*checks, *self._rule_expressions])

    @cached_property
    def rules(self) -> tuple[CheckedRule, ...]:
        """The entity's rules. What they read are scalars of this entity, references that they follow included."""
        return tuple(
            CheckedRule(
                rule, compiled(rule.check), None if rule.when is None else compiled(rule.when), self._scalars_of(rule)
            )
            for rule in self.entity.rules
        )

    def _scalars_of(self, rule: Rule) -> frozenset[str]:
        fields = self.entity.fields
        return frozenset(
            fields[path[0]].api_name if len(path) > 1 else path[0]
            for item in (rule.check, rule.when)
            if item is not None
            for path in item.reads
        )

    @cached_property
    def creating(self) -> tuple[Creating, ...]:
        """The grants to create rows."""
        return tuple(_creating(grant, self.entity.fields) for grant in self.grants.get(Operation.CREATE, ()))

    @cached_property
    def checks(self) -> Mapping[Operation, tuple[Evaluation | None, ...]]:
        """The compiled checks of `grants`, in the same places."""
        return {
            operation: tuple(None if grant.check is None else compiled(grant.check) for grant in grants)
            for operation, grants in self.grants.items()
        }

    @cached_property
    def _rule_expressions(self) -> list[Expression]:
        return [item for rule in self.entity.rules for item in (rule.check, rule.when) if item is not None]

    @cached_property
    def referrers(self) -> tuple[Referrer, ...]:
        """Every to-one field that points at this entity and minds a deletion (RESTRICT, CASCADE, CLEAR)."""
        return tuple(item for item in self.pointers if item.relation.on_delete is not OnDelete.KEEP)

    @cached_property
    def pointers(self) -> tuple[Referrer, ...]:
        """Every to-one field that points at this entity, those of the platform (createdBy ...) aside."""
        return pointers_at(self.plans.catalog, self.name)

    @cached_property
    def links(self) -> tuple[LinkSide, ...]:
        """The link tables that rows of this entity are in, a table twice where both its sides are of this entity."""
        return sides_of(self.plans.catalog, self.name)

    def numbering(self, slot: Slot, key: str, day: date) -> Numbering | None:
        """How a generated field is numbered on a day; asked of its type once a day."""
        known = self._numbering.get(slot.api)
        if known is None or known[0] != day:
            known = self._numbering[slot.api] = (day, slot.field.type.numbering(slot.field.options, key, day))
        return known[1]

    def row(self, values: Iterable[Value]) -> dict[str, Any]:
        """A row as read by `columns`: logical values by API name."""
        return {slot.api: slot.decode(value) for slot, value in zip(self.order, values, strict=False)}

    def images(self, row: Mapping[str, Any]) -> dict[str, Json]:
        """The JSON of a row by API name, for validation."""
        return {slot.api: slot.image(value) for slot in self.order if (value := row[slot.api]) is not None}


class WritePlans:
    """The write plans of one catalog for one set of grants in one dialect."""

    def __init__(self, catalog: Catalog, grants: GrantSet, dialect: Dialect, limits: Limits) -> None:
        self.catalog = catalog
        self.grants = grants
        self.dialect: Dialect = dialect
        self.limits = limits
        self.gate = Gate(catalog, grants, dialect)
        self._plans: dict[str, WritePlan] = {}

    def of(self, entity: str) -> WritePlan:
        """The plan of an entity of the catalog. Raises `KeyError` for a name that it does not have."""
        plan = self._plans.get(entity)
        if plan is None:
            plan = self._plans[entity] = WritePlan(self, self.catalog.entities[entity])
        return plan

    @cached_property
    def surface(self) -> Mapping[str, EntitySurface]:
        """What the actor may name, by entity."""
        return surface_of(self.catalog, self.grants).entities

    def narrowed(self, entity: str, grant: Grant) -> Gate:
        """A gate where, of all grants of its operation on the entity, only this one counts."""
        own = tuple(item for item in self.grants.entities.get(entity, ()) if item.operation is not grant.operation)
        entities = {**self.grants.entities, entity: (*own, grant)}
        return Gate(self.catalog, GrantSet(self.grants.hash, entities, self.grants.platform), self.dialect)


def plans_of(snapshot: Snapshot) -> WritePlans:
    """The write plans for a snapshot's catalog, grants and engine; made once, kept while there is room."""
    grants, dialect = snapshot.actor.grants, snapshot.engine.dialect
    key = (snapshot.catalog.hash, grants.hash, dialect)
    plans = _PLANS.get(key)
    if plans is None or (plans.limits is not snapshot.limits and plans.limits != snapshot.limits):
        plans = _PLANS[key] = WritePlans(snapshot.catalog, grants, dialect, snapshot.limits)
        if len(_PLANS) > MAX_CACHED_PLANS:
            _PLANS.popitem(last=False)
    else:
        _PLANS.move_to_end(key)
    return plans


_PLANS: OrderedDict[tuple[str, str, str], WritePlans] = OrderedDict()


def _names() -> Names:
    names = Names()
    names.next("t")
    return names


def _slot(item: Field, dialect: Dialect) -> Slot:
    column = item.column
    return Slot(
        field=item,
        api=item.api_name,
        column=column.name,
        kind=column.type.kind,
        key=field_key(item),
        logical=partial(item.type.logical, item.options),
        encode=column.type.encoder(dialect),
        decode=column.type.decoder(dialect),
        image=partial(item.type.image, item.options),
        shown=not item.write_only,
    )


def _creating(grant: Grant, names: Iterable[str]) -> Creating:
    rights = {name: grant.fields.right(name) for name in names}
    return Creating(
        None if grant.check is None else compiled(grant.check),
        frozenset(name for name, right in rights.items() if right is True),
        {name: compiled(right) for name, right in rights.items() if isinstance(right, Expression)},
    )


def _expressions(grants: Iterable[Grant]) -> list[Expression]:
    found = []
    for grant in grants:
        found += [right for right in grant.fields.named.values() if isinstance(right, Expression)]
        if grant.check is not None:
            found.append(grant.check)
    return found


def _far(expressions: Iterable[Expression]) -> frozenset[PathOf]:
    """The paths that lead to other records."""
    return frozenset(path for item in expressions for path in item.reads if len(path) > 1 and path[0] != ACTOR)
