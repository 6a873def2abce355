"""From documents and a physical map to a catalog: everything is checked, every fault is found, or nothing is built."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache

from access.system import SYSTEM_DOCUMENTS, SYSTEM_WORD
from base.errors import DocumentsInvalid, Fault, Text
from base.json import Json, digest, dump
from base.limits import DEFAULTS, Limits
from metadata.assemble import assemble_entities
from metadata.catalog import App, Catalog
from metadata.document import check_form, measure
from metadata.draft import EntityDraft
from metadata.entity import parse_entity
from metadata.faults import KEYWORD, clash, invalid, over_limit, unknown
from metadata.kinds import KINDS, Known
from metadata.names import check_names
from metadata.physical import Map, allocate
from metadata.relations import add_parents
from metadata.remembered import Remembered
from metadata.trash import NO_TRASH, Trash

_drafts: Remembered[tuple[bytes, bool, Limits], EntityDraft] = Remembered(4_000)

_digests: Remembered[bytes, str] = Remembered(8_000)

Documents = Mapping[tuple[str, str], Mapping[str, Json]]
"""(kind, name) -> document."""

_SYSTEM: Documents = {(str(item["kind"]), str(item["name"])): item for item in SYSTEM_DOCUMENTS}


@cache
def _system_digest() -> str:
    return digest([dict(document) for document in SYSTEM_DOCUMENTS])


@dataclass
class Drafts:
    """Documents after their own parsing: app, entities (system ones first), and the others as they are."""

    app: App = field(default_factory=App)
    entities: dict[str, EntityDraft] = field(default_factory=dict)
    others: dict[tuple[str, str], Mapping[str, Json]] = field(default_factory=dict)


def build_catalog(documents: Documents, physical: Map, hash: str | None = None, limits: Limits = DEFAULTS) -> Catalog:
    """The catalog of documents that fit their physical map, as they come from the store, perhaps with their `hash`.

    They were checked when they were published: metaschemas, budgets and the names that they generate are not looked at
    again. Raises `DocumentsInvalid`.
    """
    faults: list[Fault] = []
    drafts = parse_documents(documents, faults, (), limits)
    refuse(faults)
    return _finish(documents, drafts, physical, faults, hash, published=True)


def next_catalog(
    documents: Documents,
    previous: Map | None,
    fresh: Collection[tuple[str, str]] | None = None,
    limits: Limits = DEFAULTS,
    trash: Trash = NO_TRASH,
    moved: Collection[tuple[str, str]] = (),
) -> Catalog:
    """The catalog of new documents after the physical map `previous`; `fresh` ones are checked against metaschemas.

    What comes back gets its SQL names from the `trash`; fields in `moved` (entity, field) get new columns. Raises
    `DocumentsInvalid` with every fault found.
    """
    faults: list[Fault] = []
    drafts = parse_documents(documents, faults, documents if fresh is None else fresh, limits)
    return _finish(documents, drafts, allocate(previous, drafts.entities, trash, moved), faults)


def refuse(faults: list[Fault]) -> None:
    """Raise `DocumentsInvalid` when there are faults."""
    if faults:
        raise DocumentsInvalid(tuple(faults))


def parse_documents(
    documents: Documents, faults: list[Fault], fresh: Collection[tuple[str, str]], limits: Limits = DEFAULTS
) -> Drafts:
    """Measure, check and parse each document by itself; `fresh` ones against their metaschema too."""
    drafts = Drafts()
    nothing = Known({})
    sound = {
        key: document for key, document in documents.items() if _sound(key, document, key in fresh, faults, limits)
    }
    entities = _entity_documents(sound, faults)
    if len(entities) > limits.entities:
        faults.append(over_limit(("entity",), Text("too many entities", "实体过多"), limits.entities))
        return drafts
    for name, document in entities.items():
        draft = _entity_draft(document, faults, ("entity", name) in _SYSTEM, limits)
        if draft is not None:
            drafts.entities[name] = draft
    for (kind, name), document in sound.items():
        if kind == "app":
            app = KINDS["app"].parse(document, nothing, faults)
            drafts.app = app if isinstance(app, App) else drafts.app
        elif kind != "entity":
            if (kind, name) in _SYSTEM:
                faults.append(clash((kind, name), name, f"the platform's {kind} {name}", f"document {kind}/{name}"))
            if (kind, name) in fresh and SYSTEM_WORD in document:
                faults.append(unknown((kind, name, SYSTEM_WORD), KEYWORD, SYSTEM_WORD, ()))
            drafts.others[kind, name] = document
    drafts.others.update({key: document for key, document in _SYSTEM.items() if key[0] != "entity"})
    drafts.entities = add_parents(drafts.entities, faults)
    return drafts


def _entity_draft(
    document: Mapping[str, Json], faults: list[Fault], system: bool, limits: Limits
) -> EntityDraft | None:
    """An entity document, parsed; of a few hundred documents a publish changes one, so drafts are remembered."""
    try:
        key = (dump(document), system, limits)
    except TypeError:  # what is no JSON is told by the parser
        return parse_entity(document, faults, system=system, limits=limits)
    known = _drafts.get(key)
    if known is not None:
        return known
    found: list[Fault] = []
    draft = parse_entity(document, found, system=system, limits=limits)
    faults += found
    return draft if draft is None or found else _drafts.put(key, draft)


def _sound(key: tuple[str, str], document: Json, fresh: bool, faults: list[Fault], limits: Limits) -> bool:
    """Whether a document is worth parsing: within budgets, of a known kind, under its own name, of its form."""
    kind, name = key
    fault = measure(document, key, limits) if fresh else None
    if fault is not None:
        faults.append(fault)
        return False
    if not isinstance(document, Mapping):
        faults.append(invalid(key, "a document is an object", "文档必须是对象"))
        return False
    if kind not in KINDS:
        faults.append(unknown((*key, "kind"), Text("kind", "文档类型"), kind, KINDS.names))
        return False
    if document.get("kind") != kind or document.get("name") != name:
        en = f"must say kind {kind!r} and name {name!r}, under which it is published"
        faults.append(invalid(key, en, f"文档中的 kind 与 name 必须是“{kind}”与“{name}”"))
        return False
    return not fresh or check_form(document, KINDS[kind].metaschema, key, faults)


def _entity_documents(documents: Documents, faults: list[Fault]) -> dict[str, Mapping[str, Json]]:
    """Entity documents by name: the platform's first (with a company's own additions), then the others by name."""
    result: dict[str, Mapping[str, Json]] = {}
    for (kind, name), system in _SYSTEM.items():
        if kind == "entity":
            own = documents.get((kind, name))
            result[name] = system if own is None else _extended(name, system, own, faults)
    authored = sorted(name for kind, name in documents if kind == "entity" and name not in result)
    result.update({name: documents["entity", name] for name in authored})
    return result


_EXTENDING = frozenset({"kind", "name", "type", "properties", "title", "x-titles", "description", "x-index"})


def _extended(
    name: str, system: Mapping[str, Json], own: Mapping[str, Json], faults: list[Fault]
) -> Mapping[str, Json]:
    """A system entity with the fields that a company adds to it."""
    path = ("entity", name)
    for keyword in own:
        if keyword not in _EXTENDING:
            en = f"a company may add properties and titles to {name!r}, nothing else"
            faults.append(invalid((*path, keyword), en, f"对系统实体“{name}”只能添加属性与标题"))
    fixed, added = system["properties"], own.get("properties", {})
    if not isinstance(fixed, Mapping) or not isinstance(added, Mapping):
        return system
    for field_name in added:
        if field_name in fixed:
            where = (*path, "properties", field_name)
            faults.append(clash(where, field_name, f"the platform's {name}.{field_name}", f"your {name}.{field_name}"))
    shown = {key: own[key] for key in ("title", "x-titles", "description", "x-index") if key in own}
    return {**system, **shown, "properties": {**added, **fixed}}


def _finish(
    documents: Documents,
    drafts: Drafts,
    physical: Map,
    faults: list[Fault],
    hash: str | None = None,
    *,
    published: bool = False,
) -> Catalog:
    named = {*drafts.entities, *(name for kind, name in documents if kind == "entity")}
    entities = assemble_entities(drafts.entities, physical, named, faults)
    refuse(faults)
    if not published:
        check_names(entities, faults)
    known = Known(entities)
    parsed: dict[str, dict[str, object]] = {kind.name: {} for kind in KINDS if kind.name not in ("app", "entity")}
    for (kind, name), document in sorted(drafts.others.items()):
        made = KINDS[kind].parse(document, known, faults)
        if made is not None:
            parsed[kind][name] = made
    for kind_name, items in parsed.items():
        KINDS[kind_name].check(items, known, faults)
    refuse(faults)
    return Catalog(
        hash=hash if hash is not None else catalog_hash(documents, physical),
        app=drafts.app,
        entities=entities,
        documents=dict(documents),
        parsed=parsed,
        physical=physical,
    )


def catalog_hash(documents: Documents, physical: Map) -> str:
    """The content address of a catalog: equal for equal documents, physical map and platform documents."""
    listed = {f"{kind}/{name}": _document_digest(document) for (kind, name), document in documents.items()}
    return digest({"documents": listed, "physical": dict(physical), "system": _system_digest()})


def _document_digest(document: Mapping[str, Json]) -> str:
    key = dump(document)
    known = _digests.get(key)
    return known if known is not None else _digests.put(key, digest(document))
