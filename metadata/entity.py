"""Entity documents: a JSON Schema object with a few x- words becomes an `EntityDraft`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from access.system import SYSTEM_WORD
from base.errors import Fault, Text
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.document import check_keywords, check_schema
from metadata.draft import EntityDraft, FieldDraft
from metadata.faults import FIELD, clash, invalid, over_limit, unknown
from metadata.field import FieldContext
from metadata.keywords import DOCUMENT_KEYWORDS, ENTITY_KEYWORDS, SCHEMA_KEYWORDS
from metadata.names import entity_name_fault, field_name_fault
from metadata.plural import plural_of
from metadata.property import humanize, parse_property, read_titles
from metadata.system_fields import MIXINS, system_fields
from metadata.weight import check_weight
from metadata.words import EntityWords, mapping, names, text

_KNOWN = DOCUMENT_KEYWORDS | ENTITY_KEYWORDS | SCHEMA_KEYWORDS
_KNOWN_SYSTEM = _KNOWN | {SYSTEM_WORD}


def parse_entity(
    document: Mapping[str, Json], faults: list[Fault], *, system: bool = False, limits: Limits = DEFAULTS
) -> EntityDraft | None:
    """Parse a document that has passed its metaschema; None when faults make a draft useless.

    `system` is given for the platform's own documents; a document cannot say so of itself.
    """
    name = str(document["name"])
    path = ("entity", name)
    plural = plural_of(document)
    before = len(faults)
    fault = entity_name_fault(name, plural, path)
    if fault is not None:
        faults.append(fault)
    properties = _properties(document, path, faults)
    if len(properties) > limits.fields_per_entity:
        what = Text("too many fields in one entity", "单个实体的字段过多")
        faults.append(over_limit((*path, "properties"), what, limits.fields_per_entity))
        return None
    _check_root(document, _KNOWN_SYSTEM if system else _KNOWN, path, faults)
    fields = _fields(document, properties, faults)
    broken = frozenset(properties.keys() - fields.keys())
    words = EntityWords(document, fields, broken, path, faults)
    display = words.display()
    draft = EntityDraft(
        name=name,
        plural=plural,
        title=str(document.get("title", humanize(name))),
        titles=read_titles(document.get("x-titles")),
        description=text(document.get("description")),
        document=document,
        definitions=mapping(document.get("$defs")),
        fields=fields,
        display=display,
        search=words.search(display),
        uniques=words.uniques(),
        indexes=words.indexes(),
        rules=words.rules(),
        system=system,
        was=names(document.get("x-was")),
        plural_was=names(document.get("x-pluralWas")),
        history=str(mapping(document.get("x-history")).get("keep", "forever")),
    )
    return draft if len(faults) == before else None


def _fields(document: Mapping[str, Json], properties: Mapping[str, Json], faults: list[Fault]) -> dict[str, FieldDraft]:
    """System fields, then the authored ones; those at fault are left out."""
    entity, fields = str(document["name"]), dict(system_fields())
    required = names(document.get("required"))
    definitions = mapping(document.get("$defs"))
    for name, prop in properties.items():
        path = ("entity", entity, "properties", name)
        fault = field_name_fault(name, path)
        if fault is not None:
            faults.append(fault)
            continue
        made = parse_property(FieldContext(entity, name, path, definitions), prop, name in required, faults)
        if made is not None:
            fields[name] = made
    for index, name in enumerate(required):
        if name not in properties:
            faults.append(unknown(("entity", entity, "required", str(index)), FIELD, name, properties))
    return fields


def _properties(document: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> Mapping[str, Json]:
    properties = dict(mapping(document.get("properties")))
    for index, mixin in enumerate(names(document.get("x-include"))):
        where = (*path, "x-include", str(index))
        if mixin not in MIXINS:
            faults.append(unknown(where, Text("mixin", "混入"), mixin, MIXINS))
            continue
        for name, prop in MIXINS[mixin].items():
            if name in properties:
                faults.append(clash(where, name, f"mixin {mixin}", f"property {name}"))
            properties[name] = prop
    return properties


def _check_root(
    document: Mapping[str, Json], known: Collection[str], path: tuple[str, ...], faults: list[Fault]
) -> None:
    """Keywords, the schemas beside the properties, and what all of it together costs."""
    definitions = mapping(document.get("$defs"))
    check_keywords(document, known, path, faults)
    beside = {key: value for key, value in document.items() if key in SCHEMA_KEYWORDS and key != "properties"}
    check_schema(beside, definitions, path, faults, known)
    if "$ref" in document:
        where = (*path, "$ref")
        faults.append(invalid(where, "an entity has its own properties: no `$ref` at its top", "实体顶层不能使用 $ref"))
    weight = check_weight(document, definitions, path)
    if weight is not None:
        faults.append(weight)


def with_parent(draft: EntityDraft, parent: FieldDraft) -> EntityDraft:
    """The draft of an owned entity with the reference to its owner added."""
    return replace(draft, fields={**draft.fields, parent.field.name: parent})
