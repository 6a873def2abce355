"""references: records of another entity, many on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.json import Json
from metadata.field import RelationKind
from metadata.fields.many import ManyShape
from metadata.fields.words import plain_type


class ReferencesType(ManyShape):
    """A many-to-many relation, kept in a link table."""

    name = "references"
    kind = RelationKind.MANY
    sample: ClassVar[Json] = {"x-type": "references", "x-entity": "product", "x-inverse": "opportunities"}
    refused = ("01931f2e-7000-7001-8000-000000000001", {}, 1)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """`x-entity` on an array."""
        return "x-entity" in prop and plain_type(prop) == "array"

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """An array of ids."""
        return {"type": "array", "items": {"type": "string", "format": "uuid"}, "uniqueItems": True}
