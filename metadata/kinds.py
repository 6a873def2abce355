"""Kinds of documents: how each is checked and parsed. A later room (forms, workflows) adds its kind to a registry.

`Kind` is the seam through which other rooms' documents are published: the catalog holds what `parse` gives, opaquely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from access.role import ROLE_METASCHEMA, Role, check_roles, parse_role
from access.system import OWNER
from base.errors import Fault
from base.json import Json
from base.registry import Registry
from expressions import Scope
from metadata.app import parse_app
from metadata.catalog import Entity
from metadata.entity import parse_entity
from metadata.field import RelationKind
from metadata.metaschemas import APP_METASCHEMA, ENTITY_METASCHEMA
from metadata.scope import EntityScope


class Known:
    """The entities of the catalog being built, as documents of other kinds may name them (`access.role.Known`)."""

    def __init__(self, entities: Mapping[str, Entity]) -> None:
        self._entities = entities
        self._scopes: dict[str, Scope] = {}

    def entities(self) -> Iterable[str]:
        """Names of all entities, system entities included."""
        return self._entities

    def fields(self, entity: str) -> Mapping[str, str]:
        """Every name that a document may use for a field -> the field's name (`accountId` -> `account`)."""
        fields = self._entities[entity].fields.items()
        found = {name: name for name, item in fields if not (item.system and item.write_only)}
        found.update({api: item.name for api, item in self._entities[entity].by_api_name.items() if item.name in found})
        return found

    def parents(self, entity: str) -> Mapping[str, str]:
        """To-one relations of an entity -> the entity that they lead to."""
        relations = self._entities[entity].relations.values()
        return {item.name: item.target for item in relations if item.kind is RelationKind.TO_ONE}

    def scope(self, entity: str) -> Scope:
        """Names for expressions over a record of this entity and `actor`."""
        if entity not in self._scopes:
            holder = _Holder(self._entities)
            self._scopes[entity] = EntityScope(holder, self._entities[entity], actor=True)
        return self._scopes[entity]


class _Holder:
    def __init__(self, entities: Mapping[str, Entity]) -> None:
        self.entities = entities


class Kind(Protocol):
    """One kind of document. All paths of faults begin with kind and name of the document."""

    @property
    def name(self) -> str:
        """The value of `kind` in its documents."""

    @property
    def folder(self) -> str:
        """The folder of its files in an export; empty when there is one document only, at the top."""

    @property
    def metaschema(self) -> Mapping[str, Json]:
        """The published JSON Schema 2020-12 of its documents."""

    def parse(self, document: Mapping[str, Json], known: Known, faults: list[Fault]) -> object | None:
        """What a document means, for the catalog; its mistakes go into `faults`."""

    def references(self, document: Mapping[str, Json]) -> frozenset[tuple[str, str]]:
        """(kind, name) of the documents that this one names."""

    def check(self, parsed: Mapping[str, object], known: Known, faults: list[Fault]) -> None:
        """Faults between the documents of this kind, by name."""


class AppKind:
    """The company-wide settings: one document, named `app`."""

    name = "app"
    folder = ""
    metaschema = APP_METASCHEMA

    def parse(self, document: Mapping[str, Json], known: Known, faults: list[Fault]) -> object | None:
        """An `App`."""
        return parse_app(document, faults)

    def references(self, document: Mapping[str, Json]) -> frozenset[tuple[str, str]]:
        """None."""
        return frozenset()

    def check(self, parsed: Mapping[str, object], known: Known, faults: list[Fault]) -> None:
        """Nothing lies between one document."""


class EntityKind:
    """Entities. They are parsed before all others, and tied together by `metadata.build`."""

    name = "entity"
    folder = "entities"
    metaschema = ENTITY_METASCHEMA

    def parse(self, document: Mapping[str, Json], known: Known, faults: list[Fault]) -> object | None:
        """An `EntityDraft`."""
        return parse_entity(document, faults)

    def references(self, document: Mapping[str, Json]) -> frozenset[tuple[str, str]]:
        """The entities that its properties lead to."""
        properties = document.get("properties")
        if not isinstance(properties, Mapping):
            return frozenset()
        targets = (prop.get("x-entity") for prop in properties.values() if isinstance(prop, Mapping))
        return frozenset(("entity", target) for target in targets if isinstance(target, str))

    def check(self, parsed: Mapping[str, object], known: Known, faults: list[Fault]) -> None:
        """What lies between entities is checked while they are tied together."""


class RoleKind:
    """Roles: what their holders may do. Read by `access.role`."""

    name = "role"
    folder = "roles"
    metaschema = ROLE_METASCHEMA

    def parse(self, document: Mapping[str, Json], known: Known, faults: list[Fault]) -> object | None:
        """A `Role`."""
        found: list[Fault] = []
        name = str(document["name"])
        role = parse_role(document, known, found, system=name == OWNER)
        faults.extend(_placed(fault, ("role", name)) for fault in found)
        return role

    def references(self, document: Mapping[str, Json]) -> frozenset[tuple[str, str]]:
        """The entities that it grants and the roles that it includes."""
        entities, includes = document.get("entities"), document.get("includes")
        named = {("entity", name) for name in entities if name != "*"} if isinstance(entities, Mapping) else set()
        if isinstance(includes, list | tuple):
            named.update(("role", name) for name in includes if isinstance(name, str))
        return frozenset(named)

    def check(self, parsed: Mapping[str, object], known: Known, faults: list[Fault]) -> None:
        """Includes exist and do not go in circles."""
        roles = {name: role for name, role in parsed.items() if isinstance(role, Role)}
        faults.extend(_placed(fault, ("role",)) for fault in check_roles(roles))


def _placed(fault: Fault, path: tuple[str, ...]) -> Fault:
    return Fault(path + fault.path, fault.code, fault.text, fault.details)


KINDS: Registry[Kind] = Registry(AppKind(), EntityKind(), RoleKind())
"""Every kind of document, in the order in which they are parsed."""
