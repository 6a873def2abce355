"""children: records of another entity that this one owns: they are deleted and restored with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.json import Json
from metadata.field import RelationKind
from metadata.fields.many import ManyShape


class ChildrenType(ManyShape):
    """An owned list. `x-inverse` names the to-one field that it makes on the owned entity."""

    name = "children"
    kind = RelationKind.CHILDREN
    sample: ClassVar[Json] = {"x-type": "children", "x-entity": "orderLine", "x-inverse": "order"}
    refused = ("01931f2e-7000-7001-8000-000000000001", {}, 1)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """Never: an array of objects is a json field."""
        return False

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """An array of objects, which the owned entity's own JSON Schema describes."""
        return {"type": "array", "items": {"type": "object"}}
