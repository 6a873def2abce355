"""Size: many entities within memory bounds, and chains that would exhaust a recursive walk."""

from __future__ import annotations

import sys
import tracemalloc

from schema.cache import SchemaCache
from tests.schema.conftest import answer
from tests.schema.samples import everything, generated


def test_two_hundred_entities_take_less_than_ten_megabytes() -> None:
    catalog = generated(200)
    small = generated(2)
    SchemaCache(answer).get(small, everything(small))  # what the process keeps for all schemas
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        compiled = SchemaCache(answer).get(catalog, everything(catalog))
        compiled.document("{ things1(first: 2) { nodes { id field0 next { field1 } } } }")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10_000_000


def test_a_chain_of_two_thousand_entities_builds_under_the_default_recursion_limit() -> None:
    assert sys.getrecursionlimit() <= 1_000
    catalog = generated(2_000, fields=4)
    compiled = SchemaCache(answer).get(catalog, everything(catalog))
    assert len(list(compiled.core.type_map.values())) > 30_000
    assert compiled.core.get_type("Thing1999") is not None
