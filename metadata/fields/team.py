"""team: one of the company's teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.errors import Fault
from base.json import Json
from metadata.field import FieldContext, OnDelete
from metadata.fields.shapes import IdShape


class TeamType(IdShape):
    """A reference to a team. The id stays when the team is dissolved, unless x-onDelete says otherwise."""

    name = "team"
    on_delete = OnDelete.KEEP
    sample: ClassVar[Json] = {"x-type": "team"}

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The relation, from x-inverse and x-onDelete."""
        return self.read_relation(prop, "team", context, faults)
