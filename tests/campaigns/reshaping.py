"""Random changes of a company's documents: what two admins publish while others write.

Each entity says in a word of its own to which family it belongs, so that clients know it again under a new name. Every
entity has the field `name`, which nobody changes; `code` fields hold a text of their own in each record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

Document = dict[str, Any]
Documents = Mapping[str, Document]
"""Entity documents by name."""

FAMILY = "x-campaign-family"
"""The word of an entity document that stays through renames."""

NAME = "name"
"""The field that nobody changes."""

FIELDS = 8
EXTRAS = 3
CHOICES = ("LOW", "MID", "HIGH", "TOP", "N1", "N2")
KINDS = ("text", "code", "integer", "decimal", "choice", "boolean", "reference")
_RETYPED = ("text", "integer", "decimal", "choice")
_DEFAULTS: Mapping[str, Any] = {"text": "none", "integer": 7, "decimal": "1.5", "choice": "MID", "boolean": True}


@dataclass(frozen=True, slots=True)
class Reshape:
    """One publish: documents to be put there, names of entities to be removed."""

    title: str
    documents: tuple[Document, ...]
    removals: tuple[str, ...] = ()


def first_documents() -> Documents:
    """What the company begins with."""
    part = _entity("part", "part", {"weight": {"type": "integer"}, "code1": _property("code", "part")})
    item = _entity(
        "item",
        "item",
        {
            "size": {"type": "string", "maxLength": 60},
            "stage": {"enum": ["LOW", "MID", "HIGH"]},
            "amount": {"type": "string", "format": "decimal"},
            "part1": _property("reference", "part"),
        },
    )
    return {"part": part, "item": item}


def kind_of(prop: Mapping[str, Any], name: str = "") -> str:
    """Which of `KINDS` a property is."""
    if prop.get("x-type") == "reference":
        return "reference"
    if "enum" in prop:
        return "choice"
    if prop.get("format") == "decimal":
        return "decimal"
    if prop["type"] == "string":
        return "code" if name.startswith("code") else "text"
    return str(prop["type"])


def open_choices(prop: Mapping[str, Any]) -> list[str]:
    """The values of a choice that may be written."""
    retired = {item["value"] for item in prop.get("x-choices", ()) if item.get("retired")}
    return [value for value in prop["enum"] if value not in retired]


def family(documents: Documents, wanted: str) -> Document | None:
    """The entity of a family, when there is one now."""
    return next((item for item in documents.values() if item[FAMILY] == wanted), None)


def reshape(random: Random, documents: Documents, past: Sequence[Documents]) -> Reshape:
    """A random change that is legal by itself; rows may stand against it."""
    while True:
        title, change = random.choice(_CHANGES)
        draft = deepcopy(dict(documents))
        if title == "go back":
            if not past:
                continue
            draft = deepcopy(dict(random.choice(past[-6:])))
        elif not change(random, draft):
            continue
        put = tuple(item for name, item in draft.items() if documents.get(name) != item)
        gone = tuple(name for name in documents if name not in draft)
        if put or gone:
            return Reshape(title, put, gone)


# -- changes: each mends the draft and says whether there was something to do ----------------------------------------


def _entity(name: str, kin: str, properties: Mapping[str, Any]) -> Document:
    return {
        "kind": "entity", "name": name, "title": name, "x-plural": f"{name}s", "type": "object", "x-display": NAME,
        FAMILY: kin, "properties": {NAME: {"type": "string", "maxLength": 60}, **properties}, "required": [NAME],
        "x-unique": [], "x-index": [],
    }  # fmt: skip


def _property(kind: str, part: str) -> dict[str, Any]:
    match kind:
        case "text" | "code":
            return {"type": "string", "maxLength": 60}
        case "decimal":
            return {"type": "string", "format": "decimal"}
        case "choice":
            return {"enum": ["LOW", "MID", "HIGH"]}
        case "reference":
            return {"x-type": "reference", "x-entity": part, "x-onDelete": "keep"}
    return {"type": kind}


def _fresh(random: Random, kind: str) -> str:
    return f"{kind}{random.randrange(16**5):x}"


def _any(random: Random, draft: dict[str, Document]) -> Document:
    return random.choice(list(draft.values()))


def _fields(document: Document, *kinds: str) -> list[str]:
    return [
        name
        for name, prop in document["properties"].items()
        if name != NAME and (not kinds or kind_of(prop, name) in kinds)
    ]


def unsigned(name: str) -> str:
    """A field of an `x-index` without its direction."""
    return name.lstrip("+-")


def _forget(document: Document, name: str) -> None:
    """Take a field out of everything that names it."""
    document["required"] = [item for item in document["required"] if item != name]
    for word in ("x-unique", "x-index"):
        document[word] = [listed for listed in document[word] if name not in map(unsigned, listed)]


def _add_field(random: Random, draft: dict[str, Document]) -> bool:
    document = _any(random, draft)
    if len(document["properties"]) > FIELDS:
        return False
    part = family(draft, "part")
    assert part is not None
    kind = random.choice(KINDS)
    name, prop = _fresh(random, kind), _property(kind, part["name"])
    if kind in _DEFAULTS and random.random() < 0.5:
        prop["default"] = _DEFAULTS[kind]
        if random.random() < 0.7:
            document["required"].append(name)
    document["properties"][name] = prop
    return True


def _rename_field(random: Random, draft: dict[str, Document]) -> bool:
    document = _any(random, draft)
    names = _fields(document)
    if not names:
        return False
    old = random.choice(names)
    prop = document["properties"][old]
    new = _fresh(random, kind_of(prop, old))
    prop["x-was"] = [old, *prop.get("x-was", ())][:3]
    document["properties"] = {(new if name == old else name): item for name, item in document["properties"].items()}
    document["required"] = [new if name == old else name for name in document["required"]]
    for word in ("x-unique", "x-index"):
        document[word] = [
            [name.replace(old, new) if unsigned(name) == old else name for name in listed] for listed in document[word]
        ]
    return True


def _retype_field(random: Random, draft: dict[str, Document]) -> bool:
    document = _any(random, draft)
    names = _fields(document, *_RETYPED)
    if not names:
        return False
    name = random.choice(names)
    old = document["properties"][name]
    kind = random.choice([kind for kind in _RETYPED if kind != kind_of(old, name)])
    made = _property(kind, "")
    if kind == "choice":
        made["enum"] = list(CHOICES)
    if "x-was" in old:
        made["x-was"] = old["x-was"]
    if random.random() < 0.3:
        made["default"] = _DEFAULTS[kind]
    document["properties"][name] = made
    if random.random() < 0.5:
        document["required"] = [item for item in document["required"] if item != name]
    return True


def _drop_field(random: Random, draft: dict[str, Document]) -> bool:
    document = _any(random, draft)
    names = _fields(document)
    if len(names) < 3:
        return False
    name = random.choice(names)
    del document["properties"][name]
    _forget(document, name)
    return True


def _require(random: Random, draft: dict[str, Document]) -> bool:
    document = _any(random, draft)
    names = [name for name in _fields(document, *_DEFAULTS) if name not in document["required"]]
    if not names:
        return False
    name = random.choice(names)
    prop = document["properties"][name]
    document["required"].append(name)
    if random.random() < 0.8:
        kind = kind_of(prop, name)
        prop["default"] = random.choice(open_choices(prop)) if kind == "choice" else _DEFAULTS[kind]
    return True


def _release(random: Random, draft: dict[str, Document]) -> bool:
    document = _any(random, draft)
    names = [name for name in document["required"] if name != NAME]
    if not names:
        return False
    document["required"].remove(random.choice(names))
    return True


def _listed(word: str) -> Callable[[Random, dict[str, Document]], bool]:
    def change(random: Random, draft: dict[str, Document]) -> bool:
        """One more tuple of fields under a word, or one less."""
        document = _any(random, draft)
        if document[word] and random.random() < 0.4:
            document[word].pop(random.randrange(len(document[word])))
            return True
        names = _fields(document, "code", "integer", "decimal", "text")
        if not names or len(document[word]) > 2:
            return False
        name = random.choice(names)
        codes = kind_of(document["properties"][name], name) == "code"
        listed = [name] if codes or word == "x-index" or random.random() < 0.2 else [NAME, name]
        if word == "x-index":
            listed = [random.choice(["", "+", "-"]) + name]
        if listed in document[word]:
            return False
        document[word].append(listed)
        return True

    return change


def _choice(random: Random, draft: dict[str, Document]) -> bool:
    """A choice gets another name, is added, retired, or goes."""
    document = _any(random, draft)
    names = _fields(document, "choice")
    if not names:
        return False
    prop = document["properties"][random.choice(names)]
    described = {item["value"]: item for item in prop.get("x-choices", ())}
    values, value = prop["enum"], random.choice(prop["enum"])
    match random.randrange(4):
        case 0:
            new = _fresh(random, "C").upper()
            prop["enum"] = [new if item == value else item for item in values]
            known = described.pop(value, {})
            described[new] = {**known, "value": new, "x-was": [value]}
            if prop.get("default") == value:
                prop["default"] = new
        case 1 if len(values) < 6:
            values.append(_fresh(random, "C").upper())
        case 2 if len(open_choices(prop)) > 2 and prop.get("default") != value:
            described[value] = {**described.get(value, {}), "value": value, "retired": True}
        case 3 if len(open_choices(prop)) > 2 and prop.get("default") != value:
            values.remove(value)
            described.pop(value, None)
        case _:
            return False
    prop["x-choices"] = list(described.values())
    return True


def _add_entity(random: Random, draft: dict[str, Document]) -> bool:
    if sum(item[FAMILY].startswith("extra") for item in draft.values()) >= EXTRAS:
        return False
    name = _fresh(random, "extra")
    draft[name] = _entity(name, name, {"weight": {"type": "integer"}, "size": {"type": "string", "maxLength": 60}})
    return True


def _remove_entity(random: Random, draft: dict[str, Document]) -> bool:
    names = [name for name, item in draft.items() if item[FAMILY].startswith("extra")]
    if not names:
        return False
    del draft[random.choice(names)]
    return True


def _rename_entity(random: Random, draft: dict[str, Document]) -> bool:
    old = random.choice(list(draft))
    document = draft.pop(old)
    new = _fresh(random, document[FAMILY])
    document.update({"name": new, "title": new})
    document["x-was"] = [old, *document.get("x-was", ())][:3]
    _pluralise(document, f"{new}s")
    draft[new] = document
    for other in draft.values():
        for prop in other["properties"].values():
            if prop.get("x-entity") == old:
                prop["x-entity"] = new
    return True


def _rename_plural(random: Random, draft: dict[str, Document]) -> bool:
    name = random.choice(list(draft))
    _pluralise(draft[name], f"{name}{random.choice(['s', 'List', 'Items'])}")
    return True


def _pluralise(document: Document, plural: str) -> None:
    listed = [document["x-plural"], *document.get("x-pluralWas", ())]
    document["x-plural"] = plural
    document["x-pluralWas"] = [item for item in dict.fromkeys(listed) if item != plural][:3]


def _several(random: Random, draft: dict[str, Document]) -> bool:
    """Some of these at once."""
    some = [change for title, change in _CHANGES if title not in ("go back", "several")]
    done = [change(random, draft) for change in random.sample(some, 3)]
    return any(done)


_CHANGES: Sequence[tuple[str, Callable[[Random, dict[str, Document]], bool]]] = (
    ("add field", _add_field),
    ("add field", _add_field),
    ("rename field", _rename_field),
    ("rename field", _rename_field),
    ("retype field", _retype_field),
    ("retype field", _retype_field),
    ("drop field", _drop_field),
    ("require", _require),
    ("release", _release),
    ("unique", _listed("x-unique")),
    ("index", _listed("x-index")),
    ("choice", _choice),
    ("choice", _choice),
    ("add entity", _add_entity),
    ("remove entity", _remove_entity),
    ("rename entity", _rename_entity),
    ("rename plural", _rename_plural),
    ("several", _several),
    ("go back", _several),
)
