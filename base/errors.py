"""The one root of Pliant's errors, and the faults that a caller can mend.

Ours are exceptions (`PliantError`, one class per cause, each with a stable code). The caller's mistakes in an input
are `Fault` values: gathered, returned with paths, never raised one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from base.json import Json


@dataclass(frozen=True, slots=True)
class Text:
    """A message in the languages that Pliant speaks: English and simplified Chinese."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def localized(self, locale: str) -> str:
        """The text for a BCP 47 locale; anything that is not Chinese gets English."""
        return self.zh if locale.lower().startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in an input that its author can mend.

    `path` leads into the input (`("lines", "create", "2", "price")`), `code` is from the closed list of
    docs/errors.md (`userErrors`, or a document fault), `details` is JSON for programs.
    """

    path: tuple[str, ...]
    code: str
    text: Text
    details: Mapping[str, Json] = field(default_factory=dict)


class PliantError(Exception):
    """The root of all errors that Pliant raises on purpose. `code` is stable; the message tells what to do next."""

    code = "INTERNAL"

    def __init__(self, text: Text | str, details: Mapping[str, Json] | None = None) -> None:
        self.text = Text(text, text) if isinstance(text, str) else text
        self.details: Mapping[str, Json] = details or {}
        super().__init__(self.text.en)


class BadInput(PliantError):
    """The request cannot be understood: a value, cursor or argument that no rule can accept."""

    code = "BAD_USER_INPUT"


class LimitExceeded(PliantError):
    """A limit of `base.limits` was passed. Nothing was done; nothing is ever clamped."""

    code = "LIMIT_EXCEEDED"


class Unauthenticated(PliantError):
    """No credentials, or credentials that are unknown, expired or revoked (the three look the same)."""

    code = "UNAUTHENTICATED"


class Forbidden(PliantError):
    """The operation is not granted on something that the actor may read."""

    code = "FORBIDDEN"


class NotFound(PliantError):
    """A persisted or configuration document that does not exist (never used for records)."""

    code = "NOT_FOUND"


class Conflict(PliantError):
    """Somebody else changed it first, or the same idempotency key is in flight."""

    code = "CONFLICT"


class SchemaChanged(PliantError):
    """A publish took away what the request was planned for, and planning again did not help."""

    code = "SCHEMA_CHANGED"


class CursorExpired(PliantError):
    """A cursor of the log that can no longer be resumed."""

    code = "CURSOR_EXPIRED"


class DocumentsInvalid(PliantError):
    """Documents that cannot be published: carries every fault found, each with document, path and hint."""

    code = "BAD_USER_INPUT"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        first = faults[0]
        where = "/".join(first.path)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(Text(f"{where}: {first.text.en}{more}", f"{where}: {first.text.zh}{more}"))
