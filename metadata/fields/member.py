"""member: one of the company's people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.errors import Fault
from base.json import Json
from metadata.field import FieldContext, OnDelete
from metadata.fields.shapes import IdShape


class MemberType(IdShape):
    """A reference to a member. The id stays when the member leaves, unless x-onDelete says otherwise."""

    name = "member"
    on_delete = OnDelete.KEEP
    sample: ClassVar[Json] = {"x-type": "member"}

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """The relation, from x-inverse and x-onDelete."""
        return self.read_relation(prop, "member", context, faults)
