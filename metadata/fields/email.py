"""email: an address; the domain is kept in lower case, the local part as written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from base.json import Json
from metadata.fields.shapes import TextShape, text_of
from metadata.fields.words import is_string, kept


class EmailType(TextShape):
    """An e-mail address (RFC 5321), of at most 254 characters."""

    name = "email"
    most = 254
    sample: ClassVar[Json] = {"type": "string", "format": "email"}
    examples = ("ann@example.com", "Ann.Lee+crm@Example.COM")
    refused = ("ann", "ann@", "@example.com", "a b@example.com", "ann@example.com\n", 5)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string with `format: email`."""
        return is_string(prop) and prop.get("format") == "email"

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string of that format."""
        words = kept(prop, "minLength", "pattern", "enum", "const")
        return {"type": "string", "format": "email", "maxLength": prop.get("maxLength", self.most), **words}

    def logical(self, options: object, value: Json) -> Any:
        """The address with its domain in lower case."""
        local, at, domain = text_of(value).rpartition("@")
        return f"{local}{at}{domain.lower()}"
