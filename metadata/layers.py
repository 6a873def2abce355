"""Layers: which documents an application has shipped, and how they looked then.

`_layer` has a row per shipped document: the application, its version, and the document as shipped. A document without
one is the company's own. What a company has changed since stays its own through every upgrade: an upgrade is a
three-way merge of the document as shipped, as the company has it, and as the new version ships it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

import sqlalchemy as sa

from access.table import Query, Row, Table, parameter
from base.clock import now, timestamp
from base.errors import DocumentsInvalid, Fault, Text
from base.ids import new_id
from base.json import Json
from metadata.build import Documents
from metadata.faults import INVALID
from metadata.merging import Document, Meeting, merge_documents, same
from metadata.versions import former_names
from storage.batch import Batch, Cause, ChangeRow, Statement
from storage.ddl import ColumnSpec, create_table
from storage.engine import Dialect, Engine
from storage.migrations import Migration
from storage.types import JSON, TEXT

EVENT: Final = "layer"
"""The `entity` of change events about layers; the record id is `<kind>/<name>` of the document."""

_APPLICATION = re.compile(r"([a-z][a-z0-9-]{0,62})@([0-9A-Za-z][0-9A-Za-z.+-]{0,62})")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Application:
    """What ships documents: a name and its version, `crm@1.2.0`."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Layer:
    """Where a document comes from: the application, and the document as it shipped it."""

    application: Application
    shipped: Document

    def modified(self, document: Document | None) -> bool:
        """Whether the company has made another document of it."""
        return not same(self.shipped, document)


Layers = Mapping[Key, Layer]
"""(kind, name) -> layer, of documents that an application has shipped."""


@dataclass(frozen=True, slots=True)
class Contested:
    """A document of an upgrade that both the company and the application have changed, and where they meet."""

    kind: str
    name: str
    shipped: Document | None
    theirs: Document | None
    yours: Document | None
    meetings: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade would publish over the company's documents, and what has to be decided first."""

    documents: Documents
    removals: tuple[Key, ...]
    contested: tuple[Contested, ...]


_TABLE = Table(
    "_layer", {"kind": TEXT, "name": TEXT, "application": TEXT, "application_version": TEXT, "document": JSON}
)


def _create(dialect: Dialect) -> list[str]:
    columns: list[ColumnSpec] = [(name, kind, True) for name, kind in _TABLE.columns.items()]
    return create_table(_TABLE.name, columns, ["kind", "name"], dialect)


MIGRATIONS = (Migration(431, "layers", _create),)
"""The fixed table of every company."""

_own = _TABLE.clause
_ALL = Query(sa.select(*[_own.c[name] for name in _TABLE.columns]), columns=_TABLE.columns)
_REMOVE = Query(
    sa.delete(_own).where(_own.c["kind"] == parameter("kind", TEXT), _own.c["name"] == parameter("name", TEXT)),
    {"kind": TEXT, "name": TEXT},
)


async def read_layers(engine: Engine, namespace: str) -> Layers:
    """Every shipped document of a company."""
    rows = await _ALL.rows(engine, namespace)
    return {
        (row["kind"], row["name"]): Layer(Application(row["application"], row["application_version"]), row["document"])
        for row in rows
    }


async def record_layers(
    engine: Engine, namespace: str, layers: Layers, author_id: str | None, gone: Collection[Key] = ()
) -> None:
    """Keep these as the layers of their documents, and forget those of `gone`: they are the company's own from now on.

    What is already so is not written, others stay as they are.
    """
    known = await read_layers(engine, namespace)
    wanted: dict[Key, Layer | None] = {**dict.fromkeys(gone), **layers}
    statements, changes = list[Statement](), list[ChangeRow]()
    for (kind, name), layer in sorted(wanted.items(), key=lambda item: item[0]):
        old = known.get((kind, name))
        if old == layer:
            continue
        if old is not None:
            statements.append(_REMOVE.execute(engine.dialect, kind=kind, name=name))
        if layer is not None:
            statements.append(_TABLE.insert([_row((kind, name), layer)], engine.dialect))
        images = [None if item is None else _image(item) for item in (old, layer)]
        op = "CREATED" if old is None else "DELETED" if layer is None else "UPDATED"
        changed = ("application", "document")
        changes.append(ChangeRow(new_id(), EVENT, f"{kind}/{name}", op, 0, changed, images[0], images[1]))
    if not changes:
        return
    cause = Cause(author_id, "request" if author_id else "system")
    # of two who record at once the second changes nothing: he finds the key taken, and may do it again
    await engine.apply(
        namespace, Batch(timestamp(now()), new_id(), cause, None, statements=tuple(statements), changes=tuple(changes))
    )


def _row(key: Key, layer: Layer) -> Row:
    return {
        "kind": key[0],
        "name": key[1],
        "application": layer.application.name,
        "application_version": layer.application.version,
        "document": layer.shipped,
    }


def _image(layer: Layer) -> Mapping[str, Json]:
    return {"application": str(layer.application), "document": layer.shipped}


def shipped_by(application: Application, documents: Documents) -> Layers:
    """The layers of documents that an application ships as they are."""
    return {key: Layer(application, document) for key, document in documents.items()}


def layer_of(layers: Layers, key: Key, document: Document, present: Collection[Key]) -> Layer | None:
    """A document's layer, also after a rename; None for the company's own."""
    if key in layers:
        return layers[key]
    old = ((key[0], was) for was in former_names(document))
    return next((layers[was] for was in old if was in layers and was not in present), None)


def parse_application(text: str) -> Application:
    """An application as a command line names it: `crm@1.2.0`. Raises `DocumentsInvalid`."""
    found = _APPLICATION.fullmatch(text)
    if found is None:
        en = f"{text[:80]!r} is no application: NAME@VERSION, such as crm@1.2.0, with a name of a-z, 0-9 and -"
        zh = f"“{text[:80]}”不是应用标识：请写成 名称@版本，例如 crm@1.2.0，名称只含 a-z、0-9 和 -"
        raise DocumentsInvalid((Fault(("application",), INVALID, Text(en, zh)),))
    return Application(found[1], found[2])


def layers_json(layers: Layers) -> Json:
    """Layers as an export keeps them, in the order of kind and name."""
    listed: list[Json] = [
        {
            "kind": kind,
            "name": name,
            "application": layer.application.name,
            "version": layer.application.version,
            "document": layer.shipped,
        }
        for (kind, name), layer in sorted(layers.items())
    ]
    return {"layers": listed}


def parse_layers(value: Json, path: tuple[str, ...]) -> Layers:
    """Layers of an export. Raises `DocumentsInvalid`."""
    found: dict[Key, Layer] = {}
    listed = value.get("layers") if isinstance(value, Mapping) else None
    for index, item in enumerate(listed if isinstance(listed, list | tuple) else [None]):
        texts = [item.get(word) for word in _WORDS] if isinstance(item, Mapping) else [None]
        document = item.get("document") if isinstance(item, Mapping) else None
        if not all(isinstance(text, str) for text in texts) or not isinstance(document, Mapping):
            text = Text(
                'must be {"layers": [{kind, name, application, version, document}]}, as `pliant export` writes it',
                "必须是 pliant export 写出的形式：{“layers”: [{kind, name, application, version, document}]}",
            )
            raise DocumentsInvalid((Fault((*path, "layers", str(index)), INVALID, text),))
        kind, name, application, version = cast(list[str], texts)
        found[kind, name] = Layer(parse_application(f"{application}@{version}"), document)
    return found


_WORDS: Final = ("kind", "name", "application", "version")


def upgrade_proposal(base: Documents, ours: Documents, theirs: Documents) -> Upgrade:
    """What takes a company to a new version of an application: never an overwrite.

    `base` are the documents as shipped before, `ours` as the company has them, `theirs` as the new version ships them.
    What only one side changed is taken; what both changed is merged where the changes do not meet. The company's
    rename is followed; a document of its own under a name that the application now ships is contested.
    """
    documents: dict[Key, Document] = {}
    removals: list[Key] = []
    contested: list[Contested] = []
    names = _renamed(base, ours)
    for key in sorted({*base, *theirs}):
        own = names.get(key, key)
        was, new, mine = base.get(key), theirs.get(key), ours.get(own)
        found = merge_documents(was, new, mine)
        if found.meetings:
            contested.append(Contested(*own, was, new, mine, found.meetings))
        elif found.document is None:
            removals += [own] if mine is not None else []
        elif mine is None or not same(found.document, mine):
            documents[own] = found.document
    return Upgrade(documents, tuple(removals), tuple(contested))


def _renamed(base: Documents, ours: Documents) -> Mapping[Key, Key]:
    """Shipped documents that the company has renamed -> what it calls them."""
    found: dict[Key, Key] = {}
    for (kind, name), document in ours.items():
        for was in former_names(document):
            if (kind, was) in base and (kind, was) not in ours and (kind, name) not in base:
                found.setdefault((kind, was), (kind, name))
    return found
