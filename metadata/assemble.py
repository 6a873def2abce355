"""Drafts become entities: columns from the physical map, relations both ways, indexes, rules, validation schemas."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from base.errors import Fault, Text
from expressions import Expression, ExpressionInvalid, Type, check
from metadata.catalog import Entity, Index, Rule, Unique
from metadata.derived import derive_schema
from metadata.document import compile_fault
from metadata.draft import EntityDraft, FieldDraft, RuleDraft
from metadata.faults import EXPRESSION, FIELD, clash, invalid, unknown
from metadata.field import Column, Field, Relation
from metadata.names import pascal
from metadata.physical import Map, cut
from metadata.relations import resolve_relations
from metadata.remembered import Remembered
from metadata.scope import EntityScope

_entities: Remembered[int, tuple[EntityDraft, Map, Mapping[str, Relation], Entity]] = Remembered(4_000)
"""By the identity of a draft, which is kept along so that nobody else can have it."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """Entities on the way to a catalog; enough of one for scopes."""

    entities: Mapping[str, Entity]


def assemble_entities(
    drafts: Mapping[str, EntityDraft], physical: Map, named: Collection[str], faults: list[Fault]
) -> Mapping[str, Entity]:
    """Every entity, finished. Mistakes between entities and in rules go into `faults`; `named` are all entity names."""
    relations = resolve_relations(drafts, physical, named, faults)
    entities = {
        name: _entity(draft, relations[name], physical["entities"][name], faults) for name, draft in drafts.items()
    }
    assembled = Assembled(entities)
    return {
        name: replace(entity, rules=_rules(drafts[name], entity, assembled, faults)) if drafts[name].rules else entity
        for name, entity in entities.items()
    }


def _entity(draft: EntityDraft, relations: Mapping[str, Relation], entry: Map, faults: list[Fault]) -> Entity:
    """One entity without its rules; the same draft in the same place gives the same entity, so it is remembered."""
    known = _entities.get(id(draft))
    if known is not None and known[0] is draft and (known[1], known[2]) == (entry, relations):
        return known[3]
    found: list[Fault] = []
    entity = _assembled(draft, relations, entry, found)
    faults += found
    if not found:
        _entities.put(id(draft), (draft, entry, relations, entity))
    return entity


def _assembled(draft: EntityDraft, relations: Mapping[str, Relation], entry: Map, faults: list[Fault]) -> Entity:
    fields = {name: _field(item, relations.get(name), entry) for name, item in draft.fields.items()}
    schema = derive_schema(draft, fields)
    path = ("entity", draft.name)
    fault = compile_fault(schema, path)
    if fault is not None:
        faults.append(fault)
    table = str(entry["table"])
    uniques = [
        Unique(_index_name("ux", table, item.fields, fields, item.ignore_case), item.fields, item.ignore_case)
        for item in draft.uniques
    ]
    indexes = [
        Index(_index_name("ix", table, item.fields, fields, False), item.fields, item.ascending, item.descending)
        for item in draft.indexes
    ]
    _refuse_same_index(draft, uniques, faults)
    return Entity(
        name=draft.name,
        plural=draft.plural,
        type_name=pascal(draft.name),
        plural_type_name=pascal(draft.plural),
        number=int(entry["number"]),
        title=draft.title,
        titles=draft.titles,
        description=draft.description,
        table_name=table,
        fields=fields,
        relations=relations,
        display=draft.display,
        search=draft.search,
        uniques=tuple(uniques),
        indexes=tuple(indexes),
        system=draft.system,
        was=draft.was,
        plural_was=draft.plural_was,
        history=draft.history,
        schema=schema,
    )


def _field(item: FieldDraft, relation: Relation | None, entry: Map) -> Field:
    types = item.field.type.column_types(item.field.options)
    listed = item.fixed_columns or [column["name"] for column in entry["columns"].get(item.field.name, ())]
    columns = tuple(Column(str(name), kind) for name, (_, kind) in zip(listed, types, strict=False))
    return replace(item.field, columns=columns, relation=relation)


def _index_name(prefix: str, table: str, names: tuple[str, ...], fields: Mapping[str, Field], fold: bool) -> str:
    """A name that says what it is and changes with its definition."""
    columns = [fields[name].columns[0].name for name in names if fields[name].columns]
    mark = hashlib.sha256("\0".join([prefix, table, *columns, str(fold)]).encode()).hexdigest()[:8]
    return f"{prefix}_{cut('_'.join([table, *columns]), 50)}_{mark}"


def _refuse_same_index(draft: EntityDraft, uniques: list[Unique], faults: list[Fault]) -> None:
    seen: set[str] = set()
    for item, where in zip(uniques, draft.uniques, strict=True):
        if item.index in seen:
            faults.append(clash(where.path, "+".join(item.fields), "one x-unique", "another x-unique"))
        seen.add(item.index)


def _rules(draft: EntityDraft, entity: Entity, assembled: Assembled, faults: list[Fault]) -> tuple[Rule, ...]:
    scope = EntityScope(assembled, entity)
    rules: dict[str, Rule] = {}
    for rule in draft.rules:
        if rule.name in rules:
            faults.append(clash((*rule.where, "name"), rule.name, "one rule", "another rule"))
        if rule.path is not None and rule.path not in entity.fields and rule.path not in entity.by_api_name:
            faults.append(unknown((*rule.where, "path"), FIELD, rule.path, entity.by_api_name))
        condition = _expression(rule, "when", rule.when, scope, faults) if rule.when is not None else None
        test = _expression(rule, "check", rule.check, scope, faults)
        reads = [path for part in (condition, test) if part is not None for path in part.reads]
        if rule.enforce_now and any(len(path) > 1 for path in reads):
            en = "only a rule over the record's own fields can be enforced now"
            faults.append(invalid((*rule.where, "enforce"), en, "只有仅涉及本记录字段的规则才能立即强制"))
        if test is not None:
            rules[rule.name] = Rule(
                rule.name, test, condition, rule.message, rule.messages, rule.path, rule.enforce_now
            )
    return tuple(rules.values())


def _expression(rule: RuleDraft, key: str, source: str, scope: EntityScope, faults: list[Fault]) -> Expression | None:
    try:
        return check(source, scope, Type.BOOLEAN)
    except ExpressionInvalid as error:
        at = f"at {error.position}: "
        text = Text(at + error.text.en, at + error.text.zh)
        faults.append(Fault((*rule.where, key), EXPRESSION, text, error.details))
        return None
