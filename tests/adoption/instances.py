"""A tiny generator: for a part of a JSON Schema, the first of some plain values that its own validator takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
from jsonschema.validators import validator_for
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

NOTHING = object()
"""No value was found."""

_TEXTS = (
    "a", "abc", "1.0", "2026-11-27", "2026-11-27T10:00:00Z", "a@example.com", "https://example.com/a", "ab", "US", "0",
    "12345678", "2026", "1.000000", "0a1b", "12.50", "3f0c1b9e-8c1d-4a5e-9a61-0b6a3d0f5a11", "P1D", "x" * 40,
)  # fmt: skip


_FORMATS = {
    "date": "2026-11-27", "date-time": "2026-11-27T10:00:00Z", "email": "a@example.com", "uri": "https://example.com/a",
    "uuid": "3f0c1b9e-8c1d-4a5e-9a61-0b6a3d0f5a11", "duration": "P1D", "time": "10:00:00", "decimal": "12.50",
    "hostname": "example.com", "ipv4": "192.0.2.1",
}  # fmt: skip
"""The validator checks few formats by itself."""


class Maker:
    """Values for the parts of one schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        kind = validator_for(schema, default=jsonschema.Draft202012Validator)
        self._validator = kind(schema, registry=EMPTY_REGISTRY, format_checker=kind.FORMAT_CHECKER)

    def holds(self, value: Any, part: Any = None) -> bool:
        """Whether the schema, or a part of it, takes a value; what leads out of the document takes none."""
        try:
            return bool(self._validator.evolve(schema=self.schema if part is None else part).is_valid(value))
        except (Unresolvable, TypeError, AttributeError):
            return False

    def make(self, part: Any, depth: int = 0) -> Any:
        """The first good value, or `NOTHING`."""
        if depth > 6:
            return NOTHING
        return next((value for value in self._candidates(part, depth) if self.holds(value, part)), NOTHING)

    def record(self) -> dict[str, Any] | None:
        """A whole instance with as many properties as can be; None when none was found."""
        properties = self.schema.get("properties", {})
        made = {name: self.make(part) for name, part in properties.items()}
        made = {name: value for name, value in made.items() if value is not NOTHING and value is not None}
        for name in (None, *made):  # without one of them, perhaps
            some = {key: value for key, value in made.items() if key != name}
            if self.holds(some):
                return some
        needed = {key: value for key, value in made.items() if key in self.schema.get("required", ())}
        return needed if self.holds(needed) else None

    def _candidates(self, part: Any, depth: int) -> Iterator[Any]:
        if not isinstance(part, Mapping):
            yield "a"
            return
        yield from part.get("examples", ())
        yield from (part[word] for word in ("const", "default") if word in part)
        yield from part.get("enum", ())
        target = self._target(part.get("$ref"))
        if target is not None:
            yield from self._candidates(target, depth + 1)
        for word in ("oneOf", "anyOf", "allOf"):
            for option in part.get(word, ()):
                yield from self._candidates(option, depth + 1)
        kinds = part.get("type")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            yield from self._of_type(kind, part, depth)

    def _of_type(self, kind: Any, part: Mapping[str, Any], depth: int) -> Iterator[Any]:
        if kind in ("string", None):
            if part.get("format") in _FORMATS:
                yield _FORMATS[part["format"]]
                return
            yield from _TEXTS
        if kind in ("integer", "number"):
            yield from (1, 5, 0, part.get("minimum", 2), 100, 12345)
        if kind == "boolean":
            yield True
        if kind == "array":
            item = self.make(part["items"], depth + 1) if isinstance(part.get("items"), Mapping) else "a"
            yield from ([item] if item is not NOTHING else [], [], [1.5, 2.5], [1, 2, 3, 4])
        if kind == "object" or "properties" in part:
            inner = part.get("properties", {})
            made = {name: self.make(child, depth + 1) for name, child in list(inner.items())[:12]}
            yield {name: value for name, value in made.items() if value is not NOTHING}
            yield {name: made.get(name) for name in part.get("required", ())}
            yield {}

    def _target(self, reference: Any) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        found: Any = self.schema
        for step in reference.removeprefix("#/").split("/"):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found
