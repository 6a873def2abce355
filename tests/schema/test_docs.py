"""docs/graphql.md names every fixed type, every kind of generated name and every default limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from base.limits import DEFAULTS
from schema.adapter import static_schema
from schema.cache import CompiledSchema
from schema.scalars import SCALARS

PAGE = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text()


def test_every_scalar_is_described() -> None:
    assert [name for name in SCALARS if f"`{name}`" not in PAGE] == []


def test_every_fixed_type_is_described(compiled: CompiledSchema) -> None:
    shared = (name for name in compiled.core.type_map if name.startswith("Pliant"))
    fixed = [name for name in shared if not name.endswith(("Filter", "Range")) or name == "PliantDeletedFilter"]
    assert [name for name in {*fixed, *static_schema().types} if f"`{name}`" not in PAGE] == []


def test_every_generated_name_is_described(compiled: CompiledSchema) -> None:
    made = [name for name in compiled.core.type_map if name.startswith("Opportunit")]
    made += [name for name in compiled.roots.mutation if name.endswith(("Opportunity", "Opportunities"))]
    text = PAGE
    for function in ("Avg", "Min", "Max", "DistinctCount"):
        text = text.replace(f"`..{function}..`", f"`Opportunity{function}Aggregate`")
    assert [name for name in made if f"`{name}`" not in text and f"`{name}(" not in text] == []


@pytest.mark.parametrize(
    "limit",
    [
        DEFAULTS.document_chars,
        DEFAULTS.document_tokens,
        DEFAULTS.document_depth,
        DEFAULTS.document_aliases,
        DEFAULTS.selections,
        DEFAULTS.records,
        DEFAULTS.input_objects,
        DEFAULTS.variable_shapes,
    ],
)
def test_limits_are_told(limit: int) -> None:
    assert f"{limit:,}" in PAGE
