"""Relations: what relational fields wish for becomes ways between tables, in both directions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from base.errors import Fault
from metadata.draft import EntityDraft, FieldDraft
from metadata.entity import with_parent
from metadata.faults import ENTITY, clash, unknown
from metadata.field import FieldContext, OnDelete, Relation, RelationKind, RelationSpec
from metadata.names import field_name_fault, name_fault
from metadata.owners import check_owners
from metadata.physical import HERE, THERE, Map
from metadata.property import parse_property
from metadata.system_fields import parent_property


def add_parents(drafts: Mapping[str, EntityDraft], faults: list[Fault]) -> dict[str, EntityDraft]:
    """The drafts with a required, cascading reference on each entity that another one owns as `children`."""
    check_owners(drafts, faults)
    result = dict(drafts)
    for draft in drafts.values():
        for item in draft.fields.values():
            spec = item.spec
            if spec is None or spec.kind is not RelationKind.CHILDREN:
                continue
            if spec.target not in result:
                continue  # told by `resolve_relations`
            parent = _parent(draft, item, spec, result[spec.target], faults)
            if parent is not None:
                result[spec.target] = with_parent(result[spec.target], parent)
    return result


def _parent(
    draft: EntityDraft, item: FieldDraft, spec: RelationSpec, child: EntityDraft, faults: list[Fault]
) -> FieldDraft | None:
    where = (*item.path, "x-inverse")
    name = spec.inverse or draft.name
    fault = field_name_fault(name, where)
    if fault is None and name in child.fields:
        owner = f"the owner of {draft.name}.{item.field.name}"
        fault = clash(where, name, f"field {child.name}.{name}", owner)
    if fault is not None:
        faults.append(fault)
        return None
    # named after its owner: it is renamed with him, and keeps its column
    was = draft.was if spec.inverse is None else ()
    prop = parent_property(draft.name, draft.title, draft.titles, was)
    return parse_property(FieldContext(child.name, name, where, {}), prop, True, faults)


@dataclass(frozen=True, slots=True)
class Ways:
    """The relations of all entities: entity -> relation name -> relation."""

    relations: dict[str, dict[str, Relation]]

    def add(self, entity: str, relation: Relation, path: tuple[str, ...], faults: list[Fault]) -> None:
        """Add a way; a second one of the same name is a clash that names both owners."""
        own = self.relations[entity]
        other = own.get(relation.name)
        if other is not None:
            faults.append(clash(path, relation.name, _owner(entity, other), _owner(entity, relation)))
            return
        own[relation.name] = relation


def _owner(entity: str, relation: Relation) -> str:
    if relation.field is not None:
        return f"field {entity}.{relation.field}"
    return f"the inverse of {relation.target}.{relation.inverse}"


def resolve_relations(
    drafts: Mapping[str, EntityDraft], physical: Map, named: Collection[str], faults: list[Fault]
) -> Mapping[str, Mapping[str, Relation]]:
    """Every way between entities; unknown targets and clashing names go into `faults`.

    `named` are all entities that documents exist for: one at fault itself is not unknown.
    """
    ways = Ways({name: {} for name in drafts})
    inverses: list[tuple[EntityDraft, FieldDraft, RelationSpec]] = []
    for draft in drafts.values():
        for item in draft.fields.values():
            spec = item.spec
            if spec is None:
                continue
            if spec.target not in drafts:
                if spec.target not in named:
                    faults.append(unknown((*item.path, "x-entity"), ENTITY, spec.target, named))
                continue
            ways.add(draft.name, _declared(draft, item, spec, physical), item.path, faults)
            if spec.inverse is not None and spec.kind is not RelationKind.CHILDREN:
                inverses.append((draft, item, spec))
    for draft, item, spec in inverses:
        _add_inverse(ways, drafts, draft, item, spec, faults)
    _name_children(ways)
    return ways.relations


def _name_children(ways: Ways) -> None:
    """Let the reference of an owned row know the list that it belongs to."""
    for own in list(ways.relations.values()):
        for way in own.values():
            back = ways.relations[way.target].get(str(way.inverse)) if way.kind is RelationKind.CHILDREN else None
            if back is not None:
                ways.relations[way.target][back.name] = replace(back, inverse=way.name)


def _declared(draft: EntityDraft, item: FieldDraft, spec: RelationSpec, physical: Map) -> Relation:
    name = item.field.name
    made = Relation(
        name=name, kind=spec.kind, target=spec.target, inverse=spec.inverse, on_delete=spec.on_delete, field=name
    )
    entry = physical["entities"][draft.name]
    if spec.kind is RelationKind.TO_ONE:
        return replace(made, column=item.fixed_columns[0] if item.fixed_columns else entry["columns"][name][0]["name"])
    if spec.kind is RelationKind.MANY:
        return replace(made, link=entry["links"][name], here=HERE, there=THERE)
    inverse = spec.inverse or draft.name
    columns = physical["entities"][spec.target]["columns"].get(inverse)
    column = columns[0]["name"] if columns else None
    return replace(made, inverse=inverse, column=column, on_delete=OnDelete.CASCADE)


def _add_inverse(
    ways: Ways,
    drafts: Mapping[str, EntityDraft],
    draft: EntityDraft,
    item: FieldDraft,
    spec: RelationSpec,
    faults: list[Fault],
) -> None:
    name, where = str(spec.inverse), (*item.path, "x-inverse")
    declared = ways.relations[draft.name].get(item.field.name)
    fault = name_fault(name, where) if item.field.system else field_name_fault(name, where)
    if fault is None and name in drafts[spec.target].fields:
        inverse_owner = f"the inverse of {draft.name}.{item.field.name}"
        fault = clash(where, name, f"field {spec.target}.{name}", inverse_owner)
    if fault is not None or declared is None:
        faults.extend([fault] if fault is not None else [])
        return
    many = spec.kind is RelationKind.MANY
    relation = Relation(
        name=name,
        kind=RelationKind.MANY if many else RelationKind.INVERSE,
        target=draft.name,
        column=declared.column,
        inverse=item.field.name,
        on_delete=spec.on_delete,
        link=declared.link,
        here=THERE if many else None,
        there=HERE if many else None,
    )
    ways.add(spec.target, relation, where, faults)
