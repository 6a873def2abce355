"""tags: a free list of short texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from base.errors import Fault
from base.json import Json
from metadata.field import FieldContext
from metadata.fields.text_list import TextListShape
from metadata.fields.words import kept, read_lengths

MOST_CHARS = 100
"""Characters of one tag."""


class TagsType(TextListShape):
    """Texts of one to 100 characters, each at most once, in the order in which they were given."""

    name = "tags"
    filter_name = "StringList"
    sample: ClassVar[Json] = {"x-type": "tags"}
    examples = (["vip", "重点"], [], ["b", "a", "b"], ["%_\\'\"", "NULL", "{}"])
    refused = ("vip", [""], [1], ["a" * 101], {}, [None], ["\x00"], ["\ud800"])

    def recognises(self, prop: Mapping[str, Json]) -> bool:
        """Never: a plain array of strings is a json field."""
        return False

    def parse(self, prop: Mapping[str, Json], context: FieldContext, faults: list[Fault]) -> object:
        """No options."""
        read_lengths(prop, "minItems", "maxItems", context.path, faults, self.most_items)
        return None

    def json_schema(self, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
        """An array of short texts."""
        return {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": MOST_CHARS},
            "maxItems": prop.get("maxItems", self.most_items),
            **kept(prop, "minItems", "uniqueItems"),
        }
