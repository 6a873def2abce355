"""The sales company's compiled schema, for planning against it."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.catalog import Catalog
from schema.cache import CompiledSchema, SchemaCache
from tests.schema.samples import SALES, catalog_of, everything


@pytest.fixture(scope="session")
def sales() -> Catalog:
    """The sales company's catalog."""
    return catalog_of(*SALES)


@pytest.fixture(scope="session")
def compiled(sales: Catalog) -> CompiledSchema:
    """Everything of the sales company, compiled; nothing is resolved here."""
    resolver_of: Any = lambda operation: None  # noqa: E731
    return SchemaCache(resolver_of).get(sales, everything(sales))
