"""Search: every term must be contained, case folded, in one of the entity's search fields as the actor sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.errors import LimitExceeded, Text
from base.limits import Limits
from base.text import fold as fold_text
from metadata.catalog import Entity
from metadata.field import Field
from records.alias import Alias
from records.binds import Binds, Run, check_texts, reader
from records.gate import Gate
from records.selection import Term
from storage.batch import Value
from storage.engine import Dialect
from storage.sql import ContainsAll, constant, encode_list, fold, like_pattern
from storage.types import TEXT

_BETWEEN = "\n"  # no term holds white space, so none is found across two fields


def search_terms(text: str, limits: Limits) -> list[str]:
    """The folded terms of a search text. Raises `LimitExceeded` for too many, and for a text that is too long."""
    if len(text) > limits.search_chars:
        most = limits.search_chars
        raise LimitExceeded(Text(f"A search takes at most {most} characters", f"搜索最多 {most} 个字符"))
    terms = fold_text(text).split()
    if len(terms) > limits.search_terms:
        raise LimitExceeded(
            Text(f"A search takes at most {limits.search_terms} terms", f"搜索最多 {limits.search_terms} 个词")
        )
    return terms


def search_fields(entity: Entity) -> list[Field]:
    """The text fields that a search looks into."""
    named = [entity.by_api_name.get(name) or entity.fields.get(name) for name in entity.search]
    return [field for field in named if field is not None and field.columns and field.column.type.kind == "text"]


def search_condition(alias: Alias, term: Term, gate: Gate, binds: Binds) -> ColumnElement[bool]:
    """The rows that a search finds; a text without terms finds all."""
    texts: list[ColumnElement[Any]] = [
        sa.func.coalesce(gate.value(alias, field), constant("")) for field in search_fields(alias.entity)
    ]
    whole: ColumnElement[Any] = texts[0] if texts else constant("")
    for text in texts[1:]:
        whole = whole.op("||")(constant(_BETWEEN)).op("||")(text)
    read, dialect, limits = reader(term), binds.dialect, binds.limits

    def get(run: Run) -> Value:
        text = read(run.variables) or ""
        check_texts(text)
        return _encoded(search_terms(text, limits), dialect)

    return ContainsAll(fold(whole), str(binds.add(get, TEXT).key))


def _encoded(terms: Sequence[str], dialect: Dialect) -> Value:
    if dialect == "postgresql":
        return [like_pattern(term) for term in terms]
    return encode_list(terms, TEXT, dialect)
