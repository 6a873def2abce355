"""Documents of an old version on their way back: what was renamed since then is told by `x-was`.

A rename keeps table and columns, so the physical maps of two versions tell what is the same thing under two names.
Published with the newer name in its `x-was`, the older one gets rows and values back, and clients that have learned
the newer name go on working. Nothing else of the documents is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from base.json import Json
from metadata.aliases import former_plurals
from metadata.build import Documents
from metadata.metaschemas.definitions import MAX_FORMER
from metadata.plural import plural_of
from metadata.versions import Body, former_names, listed_names

Renames = Mapping[str, str]
"""Old name -> the name that it has now."""


def returning(old: Body, head: Body) -> Documents:
    """The documents of `old`, ready to be published over `head`."""
    entities = _renames(_tables(old), _tables(head))
    back, claims = dict(old.documents), _claims(old.documents)
    for (kind, name), document in old.documents.items():
        if kind != "entity":
            continue
        now = entities.get(name, name)
        before, after = old.physical["entities"].get(name), head.physical["entities"].get(now)
        current = head.documents.get((kind, now))
        if before is None or after is None or before["table"] != after["table"] or current is None:
            continue
        fields = _renames(_columns(before), _columns(after))
        told = _told(document, entities.get(name), fields, current)
        newer = plural_of(current)
        back[kind, name] = _with_plural(told, newer) if claims.get(newer, name) == name else told
    return back


def _claims(documents: Documents) -> Mapping[str, str]:
    """Former names and plurals of entities -> the entity that they are aliases of."""
    return {
        old: name
        for (kind, name), document in documents.items()
        if kind == "entity"
        for old in (*former_names(document), *_former_plurals(document))
    }


def _told(
    document: Mapping[str, Json], now: str | None, fields: Renames, current: Mapping[str, Json]
) -> Mapping[str, Json]:
    """An entity document with the newer names of itself, its fields and its choices in `x-was`."""
    properties, known = document.get("properties"), current.get("properties")
    if isinstance(properties, Mapping) and isinstance(known, Mapping):
        told = {
            name: _field_told(prop, fields.get(name), known.get(fields.get(name, name)))
            for name, prop in properties.items()
        }
        if any(told[name] is not prop for name, prop in properties.items()):
            document = {**document, "properties": told}
    return document if now is None else _with_name(document, now)


def _with_plural(document: Mapping[str, Json], newer: str) -> Mapping[str, Json]:
    """An entity document with a newer plural in its `x-pluralWas`, unless it knows it already."""
    if newer == plural_of(document) or newer in _former_plurals(document):
        return document
    return {**document, "x-pluralWas": [newer, *listed_names(document, "x-pluralWas")][:MAX_FORMER]}


def _former_plurals(document: Mapping[str, Json]) -> Sequence[str]:
    return former_plurals(former_names(document), listed_names(document, "x-pluralWas"))


def _field_told(prop: Json, now: str | None, current: Json) -> Json:
    if not isinstance(prop, Mapping):
        return prop
    if isinstance(current, Mapping):
        prop = _choices_told(prop, current)
    return prop if now is None else _with_name(prop, now)


def _choices_told(prop: Mapping[str, Json], current: Mapping[str, Json]) -> Mapping[str, Json]:
    """A field whose old choice values name the newer ones that they have become."""
    values, known = _values(prop), _values(current)
    listed = current.get("x-choices")
    renamed = {
        was: str(choice["value"])
        for choice in (listed if isinstance(listed, list | tuple) else ())
        if isinstance(choice, Mapping) and choice.get("value") in known and choice.get("value") not in values
        for was in former_names(choice)
        if was in values and was not in known
    }
    if not renamed:
        return prop
    own = prop.get("x-choices")
    choices = [dict(item) for item in own if isinstance(item, Mapping)] if isinstance(own, list | tuple) else []
    described = {item.get("value"): item for item in choices}
    for was, value in renamed.items():
        if was not in described:
            described[was] = {"value": was}
            choices.append(described[was])
        described[was].update(_with_name(described[was], value))
    return {**prop, "x-choices": choices}


def _values(prop: Mapping[str, Json]) -> list[Json]:
    items = prop.get("items")
    values = (items if isinstance(items, Mapping) else prop).get("enum")
    return list(values) if isinstance(values, list | tuple) else []


def _with_name(part: Mapping[str, Json], newer: str) -> Mapping[str, Json]:
    """A document, property or choice with a newer name first in its `x-was`."""
    return {**part, "x-was": [newer, *(name for name in former_names(part) if name != newer)][:MAX_FORMER]}


def _renames(before: Mapping[str, Any], after: Mapping[str, Any]) -> Renames:
    """Names whose place in the database is now another name's."""
    now = {place: name for name, place in after.items()}
    return {
        name: now[place]
        for name, place in before.items()
        if name not in after and place in now and now[place] not in before
    }


def _tables(body: Body) -> Mapping[str, Any]:
    return {name: entry["table"] for name, entry in body.physical["entities"].items()}


def _columns(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    columns = {name: tuple(column["name"] for column in listed) for name, listed in entry["columns"].items()}
    return {**columns, **{name: (table,) for name, table in entry["links"].items()}}
