"""The English plural rule for camelCase API names: the last word is put into the plural."""

from __future__ import annotations

import re
from collections.abc import Mapping

from base.json import Json

_IRREGULAR = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "foot": "feet", "tooth": "teeth",
    "goose": "geese", "mouse": "mice", "datum": "data", "medium": "media", "criterion": "criteria",
    "analysis": "analyses", "basis": "bases", "crisis": "crises", "thesis": "theses", "index": "indexes",
    "quiz": "quizzes", "leaf": "leaves", "shelf": "shelves", "half": "halves", "life": "lives", "knife": "knives",
    "wife": "wives", "hero": "heroes", "potato": "potatoes", "tomato": "tomatoes", "echo": "echoes",
}  # fmt: skip
_SAME = frozenset(
    [
        "equipment",
        "information",
        "news",
        "series",
        "species",
        "staff",
        "software",
        "hardware",
        "feedback",
        "money",
        "data",
        "media",
        "people",
        "sheep",
        "fish",
        "deer",
        "aircraft",
        "advice",
        "furniture",
        "luggage",
    ]
)
_LAST_WORD = re.compile(r"^(.*?)([A-Z]?[a-z]+)$", re.DOTALL)


def pluralize(name: str) -> str:
    """The plural of an API name; equal to it where English has no other (then `x-plural` must be given)."""
    split = _LAST_WORD.match(name)
    if split is None:
        return name + "s"
    head, word = split.groups()
    lower = word.lower()
    if lower in _SAME:
        return name
    if lower in _IRREGULAR:
        plural = _IRREGULAR[lower]
        return head + (plural[0].upper() + plural[1:] if word[0].isupper() else plural)
    if re.search(r"(s|x|z|ch|sh)$", lower):
        return name + "es"
    if re.search(r"[^aeiou]y$", lower):
        return name[:-1] + "ies"
    return name + "s"


def plural_of(document: Mapping[str, Json]) -> str:
    """The plural API name of an entity document: `x-plural`, else by the English rule."""
    return str(document.get("x-plural", pluralize(str(document["name"]))))
