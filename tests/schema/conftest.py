"""Compiled schemas of the sales company, for its owner."""

from __future__ import annotations

from typing import Any

import pytest

from metadata.catalog import Catalog
from records.surface import surface_of
from resolvers.roots import RootKind, RootOperation, roots
from schema.adapter import Merged, merge
from schema.cache import CompiledSchema, SchemaCache
from schema.fixed import UserError
from tests.schema.samples import SALES, catalog_of, everything


def answer(operation: RootOperation) -> Any:
    """A resolver that gives plain dicts, as the stock executor's record resolvers do."""

    def resolve(_source: Any, _info: Any, **arguments: Any) -> Any:
        if operation.kind is RootKind.RECORD:
            if arguments["id"] == "boom":
                raise ValueError("secret")
            return {"id": arguments["id"], "name": "Acme", "probability": "no number", "__typename": "Account"}
        if operation.kind is RootKind.NODE:
            return {"__typename": "Account", "id": arguments["id"], "name": "Acme"}
        if operation.kind is RootKind.CREATE:
            error: dict[str, Any] = {"path": ["name"], "code": "REQUIRED", "message": "Name is required"}
            return {"account": None, "userErrors": [error, UserError(**error)]}
        return {"nodes": [{"id": "1"}], "totalCount": 1}

    return resolve


@pytest.fixture(scope="session")
def sales() -> Catalog:
    """The sales company's catalog."""
    return catalog_of(*SALES)


@pytest.fixture(scope="session")
def compiled(sales: Catalog) -> CompiledSchema:
    """Everything of the sales company, compiled."""
    return SchemaCache(answer).get(sales, everything(sales))


@pytest.fixture
def fresh(sales: Catalog) -> CompiledSchema:
    """The same, of which nothing was asked yet."""
    return SchemaCache(answer).get(sales, everything(sales))


def merged_of(catalog: Catalog, *, lazy: bool = True) -> Merged:
    """The owner's merged schema of a catalog."""
    surface = surface_of(catalog, everything(catalog))
    return merge(catalog, surface, roots(catalog, surface), answer, lazy=lazy)
