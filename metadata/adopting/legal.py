"""Legal names out of foreign ones: `first_name` -> firstName, `id` -> sourceId, `赢单` -> a legal choice value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from access.system import SYSTEM_DOCUMENTS
from metadata.choices import VALUE, choice_fault
from metadata.names import entity_name_fault, is_reserved_field, look_alike, pascal
from metadata.plural import pluralize

MAX_LEGAL = 55
"""Characters of a made name, so that a number behind it still fits."""

_SYSTEM = {document[word] for document in SYSTEM_DOCUMENTS for word in ("name", "x-plural") if word in document}


class LegalNames:
    """Names given out once each: case and look-alike letters do not make two names different."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {key for name in taken for key in _keys(name)}

    def field(self, text: str, position: int) -> str:
        """A legal field name for a property; `position` counts from 1 and names what has no Latin letter."""
        name = camel(text) or f"field{position}"
        if is_reserved_field(name):
            name = f"source{pascal(name)}"
        return self._free(name)

    def choice(self, text: str, position: int) -> str:
        """A legal choice value, the text itself where it is one; `CHOICE_3` for what has no Latin letter."""
        value = text
        if not VALUE.fullmatch(text):
            plain = re.sub(r"[^0-9A-Za-z]+", "_", latin(text)).strip("_")[:MAX_LEGAL]
            value = plain.upper() if plain else f"CHOICE_{position}"
            if value[0].isdigit():
                value = f"V_{value}"
        if choice_fault(value, ()) is not None:
            value = f"V_{value}".replace("__", "_")
        return self._free_exact(value)

    def _free(self, name: str) -> str:
        number, found = 1, name
        while any(key in self._taken for key in _keys(found)):
            number += 1
            found = f"{name}{number}"
        self._taken.update(_keys(found))
        return found

    def _free_exact(self, value: str) -> str:
        number, found = 1, value
        while found in self._taken:
            number += 1
            found = f"{value}_{number}"
        self._taken.add(found)
        return found


def legal_entity(text: str) -> tuple[str, str | None]:
    """A legal entity name for a foreign text, and the plural that it needs where the English rule does not help."""
    wanted = camel(text) or "adopted"
    for name in (wanted, f"{wanted}Record", f"adopted{pascal(wanted)}"):
        if entity_name_fault(name, f"{name}List", ()) is None and name not in _SYSTEM:
            break
    return name, f"{name}List" if pluralize(name) == name else None


def camel(text: str) -> str:
    """camelCase out of any text; empty when it has no Latin letter or digit."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", latin(text))
    if not words:
        return ""
    name = words[0].lower() + "".join(word[:1].upper() + word[1:].lower() for word in words[1:])
    return (f"n{name}" if name[0].isdigit() else name)[:MAX_LEGAL]


def latin(text: str) -> str:
    """The text without accents; other letters stay as they are."""
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def _keys(name: str) -> tuple[str, str]:
    return name.lower(), look_alike(name)
