"""Parts that every metaschema is made of."""

from __future__ import annotations

from collections.abc import Mapping

from base.json import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"

API_NAME = "^[a-z][A-Za-z0-9]{0,62}$"

CHOICE_VALUE = "^(?!__|(?:true|false|null)$)[_A-Za-z][_0-9A-Za-z]{0,62}$"

OWN_PREFIX = "^x-[a-z][a-z0-9]{0,30}-[A-Za-z0-9_.-]{1,100}$"

TITLES: Json = {
    "description": 'The title per locale: {"zh-Hans": "商机", "en": "Opportunity"}.',
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$"},
    "additionalProperties": {"type": "string", "maxLength": 500},
    "maxProperties": 50,
}


MAX_FORMER = 50
"""Former names of one thing."""


def former(description: str, pattern: str = API_NAME) -> Json:
    """A list of former names."""
    items = {"type": "string", "pattern": f"{pattern}(?!\\n)"}  # `$` of some engines is before a last line's end too
    return {"description": description, "type": "array", "items": items, "maxItems": MAX_FORMER, "uniqueItems": True}


WAS = former("Former names, newest first: publishing then sees a rename instead of a removal.")

NAME: Json = {
    "description": "The stable API name: a lower-case letter, then letters and digits, at most 63.",
    "type": "string",
    "pattern": API_NAME,
}

TITLE: Json = {"description": "What people read.", "type": "string", "maxLength": 500}

DESCRIPTION: Json = {"description": "A longer explanation; shown in the API.", "type": "string", "maxLength": 10_000}

NAMES: Json = {"type": "array", "items": {"type": "string", "maxLength": 200}, "minItems": 1, "maxItems": 32}


def document_properties(kind: str) -> Mapping[str, Json]:
    """The properties that a document of any kind has."""
    return {
        "kind": {"description": "The kind of this document.", "const": kind},
        "name": NAME,
        "title": TITLE,
        "x-titles": TITLES,
        "description": DESCRIPTION,
        "x-was": WAS,
        "$schema": {"type": "string", "description": "The metaschema, for editors."},
        "$id": {"type": "string"},
        "$comment": {"type": "string"},
        "x-source": {"description": "What `adopt` made this document from."},
    }
