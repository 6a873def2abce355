"""uuid: an identifier of something elsewhere (a record's own id and references are of other types)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from base.errors import Fault
from base.json import Json
from expressions import Type
from metadata.field import FieldContext, FieldType
from metadata.fields.shapes import id_of
from metadata.fields.words import EXACT_OPERATORS, ONLY_COUNTED, is_string, kept
from storage.types import UUID, ColumnType


class UuidType(FieldType):
    """A UUID of any version, shown in lower case."""

    name = "uuid"
    graphql_name = "UUID"
    operators = EXACT_OPERATORS
    filter_name = "UUID"
    aggregates = ONLY_COUNTED
    expression = Type.ID
    sample: ClassVar[Json] = {"type": "string", "format": "uuid"}
    examples = ("01931f2e-7000-7001-8000-000000000001", "F47AC10B-58CC-4372-A567-0E02B2C3D479")
    refused = ("", "1", "{01931f2e-7000-7001-8000-000000000001}", "01931f2e700070018000000000000001", 1)

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """A string with `format: uuid`."""
        return is_string(prop) and prop.get("format") == "uuid"

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options."""
        return None

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One uuid column."""
        return (("", UUID),)

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """A string of that format."""
        return {"type": "string", "format": "uuid", **kept(prop, "enum", "const")}

    def logical(self, options: object, value: Json) -> Any:
        """The UUID in lower case."""
        return id_of(value)
