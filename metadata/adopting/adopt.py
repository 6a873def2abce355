"""Adopting a foreign JSON Schema: an entity document is made of it, and everything that changed is told.

Names become legal, other drafts are rewritten, what cannot be published becomes a json field with its original in
`x-source`. The result is published tentatively (in memory) and mended until nothing is wrong with it, so that what
`adopt` gives can always be published into an empty company.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from base.errors import DocumentsInvalid, Fault, Text
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.adopting.adopted_property import AdoptedProperty, adopt_property, cleaned
from metadata.adopting.legal import LegalNames, legal_entity
from metadata.adopting.notes import DROPPED, Note, Notes, keyword_notes
from metadata.adopting.rewrite import lift_root, modernize
from metadata.build import next_catalog
from metadata.document import measure
from metadata.faults import CLASH, RESERVED, invalid
from metadata.keywords import DOCUMENT_KEYWORDS, ENFORCED, ENTITY_KEYWORDS, KEPT, MAPPED, is_own_prefix
from metadata.root_names import RootNames

MAX_ROUNDS = 12
"""Each round mends every property at fault; more rounds than this mean that adopting does not help."""

_ROOT_KEPT = (DOCUMENT_KEYWORDS | ENTITY_KEYWORDS | MAPPED | ENFORCED | KEPT) - {
    "kind", "name", "type", "properties", "required", "additionalProperties", "$defs", "$schema",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adopted:
    """An entity document that can be published, and what was done to get it."""

    document: Mapping[str, Json]
    notes: tuple[Note, ...]


@dataclass
class _Draft:
    name: str
    properties: dict[str, AdoptedProperty] = field(default_factory=dict)  # by original name
    root: dict[str, Json] = field(default_factory=dict)
    definitions: Mapping[str, Json] = field(default_factory=dict)
    required: tuple[str, ...] = ()


def adopt(source: Json, name: str | None = None, limits: Limits = DEFAULTS) -> Adopted:
    """Make an entity document of a JSON Schema object of any draft. `name` wins over the schema's own title.

    Raises `DocumentsInvalid` for what is no JSON Schema object, is over budget, or has no properties to adopt.
    """
    fault = measure(source, ("adopt",), limits)
    if fault is not None:
        raise DocumentsInvalid((fault,))
    schema = lift_root(_object(modernize(source, top=True)))
    if not isinstance(schema.get("properties"), Mapping):
        raise DocumentsInvalid((_no_object(),))
    notes = Notes()
    draft = _first_draft(schema, name, notes)
    return _mended(draft, notes, limits)


def _object(schema: Json) -> Mapping[str, Json]:
    if not isinstance(schema, Mapping):
        raise DocumentsInvalid((_no_object(),))
    items = schema.get("items")
    if schema.get("type") == "array" and isinstance(items, Mapping) and "properties" not in schema:
        beside = {key: schema[key] for key in ("$defs", "title", "$schema", "$id") if key in schema}
        return {**beside, **items}
    return schema


def _no_object() -> Fault:
    return invalid(
        ("adopt",),
        "only a JSON Schema of an object with `properties` can become an entity",
        "只有带 properties 的对象型 JSON Schema 才能成为实体",
    )


def _first_draft(schema: Mapping[str, Json], name: str | None, notes: Notes) -> _Draft:
    identifier = str(schema.get("$id", schema.get("id", ""))).rstrip("/#").rpartition("/")[2].partition(".")[0]
    wanted = name or str(schema.get("name") or schema.get("title") or identifier or "adopted")
    legal, plural = legal_entity(wanted)
    if legal != wanted:
        notes.renamed((), wanted, legal)
    definitions = schema.get("$defs")
    draft = _Draft(legal)
    if isinstance(definitions, Mapping):
        draft.definitions = {key: cleaned(part, ("$defs", key), notes) for key, part in definitions.items()}
    names = LegalNames()
    properties = schema["properties"]
    assert isinstance(properties, Mapping)
    for position, (original, prop) in enumerate(properties.items(), start=1):
        made = adopt_property(original, prop, names.field(original, position), draft.definitions, notes)
        if made is not None:
            draft.properties[original] = made
    _take_root(schema, draft, plural, wanted, notes)
    return draft


def _take_root(schema: Mapping[str, Json], draft: _Draft, plural: str | None, wanted: str, notes: Notes) -> None:
    """What stands beside the properties, with their new names in it."""
    names = RootNames(draft.properties, draft.definitions)
    required = schema.get("required")
    listed = [str(name) for name in required] if isinstance(required, list | tuple) else []
    draft.required = tuple(
        draft.properties[name].name
        for name in listed
        if name in draft.properties and not draft.properties[name].nullable
    )
    for name in listed:
        if name not in draft.properties:
            notes.add(("required", name), DROPPED, "a required name that is no property", "必填项中没有对应的属性")
    if wanted != draft.name and "title" not in schema:
        draft.root["title"] = wanted
    if plural is not None:
        draft.root["x-plural"] = plural
    for keyword, value in schema.items():
        if keyword in _ROOT_KEPT or is_own_prefix(keyword):
            draft.root[keyword] = names.mapped(keyword, value)
            notes.extend(keyword_notes((), keyword))
        elif keyword == "additionalProperties" and value is not False:
            notes.add((keyword,), DROPPED, "an entity has no other properties", "实体不含其他属性")
        elif keyword not in (
            "kind",
            "name",
            "type",
            "properties",
            "required",
            "additionalProperties",
            "$defs",
            "$schema",
        ):
            notes.add((keyword,), DROPPED, "not a keyword that can be published", "不是可发布的关键字")
    draft.root.setdefault("x-source", {key: schema[key] for key in ("$schema", "$id", "title") if key in schema})


def _document(draft: _Draft) -> Mapping[str, Json]:
    properties: dict[str, Json] = {made.name: made.property for made in draft.properties.values()}
    document: dict[str, Json] = {"kind": "entity", "name": draft.name}
    document.update({key: draft.root[key] for key in ("title", "x-titles", "description") if key in draft.root})
    document.update({"type": "object", "properties": properties})
    if draft.required:
        document["required"] = list(draft.required)
    document.update({key: value for key, value in draft.root.items() if key not in document and key != "x-source"})
    used = _reachable([*properties.values(), *draft.root.values()], draft.definitions)
    if used:
        document["$defs"] = used
    document["x-source"] = draft.root.get("x-source", {})
    return document


def _reachable(schemas: list[Json], definitions: Mapping[str, Json]) -> dict[str, Json]:
    """The definitions that the schemas refer to, straight or through others."""
    found: dict[str, Json] = {}
    waiting = list(schemas)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            reference = value.get("$ref")
            name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
            if name in definitions and name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
            waiting.extend(value[key] for key in value if key not in ("x-source", "examples", "default"))
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return {name: found[name] for name in definitions if name in found}


def _mended(draft: _Draft, notes: Notes, limits: Limits) -> Adopted:
    """Publish in memory; what is at fault becomes a json field, a dropped keyword or another name, and again."""
    faults: tuple[Fault, ...] = ()
    for _ in range(MAX_ROUNDS):
        document = _document(draft)
        try:
            next_catalog({("entity", draft.name): document}, None, limits=limits)
        except DocumentsInvalid as error:
            faults = error.faults
            mended = [_mend(draft, fault, notes) for fault in faults]  # each of them, not up to the first
            if not any(mended):
                break
        else:
            return Adopted(document, notes.finished())
    raise DocumentsInvalid(faults)


def _mend(draft: _Draft, fault: Fault, notes: Notes) -> bool:
    """Change what one fault is about; False when nothing can be done."""
    where = fault.path[2:]
    if len(where) > 1 and where[0] == "properties":
        found = next((key for key, made in draft.properties.items() if made.name == where[1]), None)
        if found is None:
            return False
        made = draft.properties[found]
        if fault.code in (CLASH, RESERVED):
            _rename(draft, found, f"{made.name}Value", notes)
        elif len(where) > 2 and where[2] == "default" and "default" in made.property:
            draft.properties[found] = made.without("default")
            notes.refused((found, "default"), fault.text)
        elif not made.is_json:
            draft.properties[found] = made.as_json()
            notes.refused((found,), fault.text)
        else:
            return False
        return True
    if len(where) > 1 and where[0] == "$defs":
        return _cut_definition(draft, where[1], fault.text, notes)
    if where and where[0] in draft.root:
        del draft.root[where[0]]
        notes.refused(where[:1], fault.text)
        return True
    return False


def _rename(draft: _Draft, original: str, name: str, notes: Notes) -> None:
    made = draft.properties[original]
    notes.renamed((original,), made.name, name)
    draft.required = tuple(name if item == made.name else item for item in draft.required)
    draft.root = {key: RootNames.renamed(key, value, made.name, name) for key, value in draft.root.items()}
    draft.properties[original] = made.under(name)


def _cut_definition(draft: _Draft, name: str, text: Text, notes: Notes) -> bool:
    """Whatever uses a definition that cannot be published does without it."""
    reference = f'"#/$defs/{name}"'
    users = [
        key for key, made in draft.properties.items() if not made.is_json and made.refers_to(name, draft.definitions)
    ]
    roots = [key for key, value in draft.root.items() if reference in str(value).replace("'", '"')]
    for key in users:
        draft.properties[key] = draft.properties[key].as_json()
        notes.refused((key,), text)
    for key in roots:
        del draft.root[key]
        notes.refused((key,), text)
    remaining = {key: value for key, value in draft.definitions.items() if key != name}
    changed = bool(users or roots) or len(remaining) != len(draft.definitions)
    draft.definitions = remaining if users or roots else draft.definitions
    return changed and bool(users or roots)
