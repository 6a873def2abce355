"""reference: the record of another entity that this one points to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.errors import Fault
from base.json import Json
from metadata.field import FieldContext
from metadata.fields.shapes import IdShape, read_entity
from metadata.fields.words import plain_type


class ReferenceType(IdShape):
    """A to-one relation; options are the `RelationSpec`."""

    name = "reference"
    keywords = IdShape.keywords | {"x-entity"}
    sample: ClassVar[Json] = {"x-type": "reference", "x-entity": "account", "x-inverse": "opportunities"}

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """`x-entity` on anything but an array."""
        return "x-entity" in prop and plain_type(prop) != "array"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The relation, from x-entity, x-inverse and x-onDelete."""
        return self.read_relation(prop, read_entity(prop, context, faults), context, faults)
