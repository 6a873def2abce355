"""Lists of texts in one column: what choices and tags share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from base.errors import Text
from base.json import Json
from expressions import Type
from metadata.field import FieldType, GraphQLKind, ValueRefused
from metadata.fields.shapes import text_of
from metadata.fields.words import LIST_OPERATORS
from storage.types import TEXTS, ColumnType

MOST_ITEMS = 1_000
"""Items of one list: more is a relation."""


class TextListShape(FieldType):
    """A list of texts in which none is repeated; the order in which they came is kept."""

    keywords = frozenset({"minItems", "maxItems", "uniqueItems"})
    graphql = GraphQLKind.LIST
    operators = LIST_OPERATORS
    orderable = False
    aggregates = frozenset()
    expression = Type.LIST
    most_items: ClassVar[int] = MOST_ITEMS
    """Items of one value at most."""

    def column_types(self, options: object) -> Sequence[tuple[str, ColumnType]]:
        """One texts column."""
        return (("", TEXTS),)

    def logical(self, options: object, value: Json) -> Any:
        """The texts in order, each once."""
        if not isinstance(value, list | tuple):
            raise ValueRefused(Text("must be a list of texts", "必须是文本列表"))
        return list(dict.fromkeys(map(text_of, value)))

    def image(self, options: object, value: Any) -> Json:
        """The texts in order."""
        return list(value)
