"""What needs no load: building schemas, sharing them among companies. Each figure is taken in a process of its own.

`python -m benchmarks.alone NAME [ARGUMENT]` prints one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from access.resolve import resolve, roles_of
from access.system import OWNER
from base.limits import DEFAULTS
from benchmarks.company import DOCUMENTS
from metadata.build import next_catalog
from metadata.catalog import Catalog
from pliant.house import House
from pliant.settings import Settings
from resolvers.stock import resolver_of
from schema.cache import CompiledSchema, SchemaCache
from schema.request import GraphQLRequest

_TYPES: tuple[Mapping[str, Any], ...] = (
    {"type": "string", "maxLength": 200},
    {"type": "integer"},
    {"type": "string", "format": "decimal"},
    {"type": "boolean"},
    {"type": "string", "format": "date"},
    {"type": "string", "format": "date-time"},
    {"enum": ["OPEN", "WON", "LOST"]},
)


def wide(entities: int, fields: int) -> Catalog:
    """A catalog of so many entities with so many fields; every one refers to the one before."""
    documents: dict[tuple[str, str], Mapping[str, Any]] = {}
    for number in range(entities):
        name = f"thing{number}"
        properties: dict[str, Any] = {f"field{index}": _TYPES[index % len(_TYPES)] for index in range(fields - 1)}
        if number:
            properties["before"] = {
                "x-type": "reference",
                "x-entity": f"thing{number - 1}",
                "x-inverse": "behind",
                "x-onDelete": "keep",
            }
        documents["entity", name] = {
            "kind": "entity",
            "name": name,
            "title": name.capitalize(),
            "x-plural": f"{name}s",
            "x-display": "field0",
            "type": "object",
            "properties": properties,
        }
    return next_catalog(documents, None, documents.keys(), DEFAULTS)


def schema_build(entities: int, fields: int) -> Mapping[str, float]:
    """CPU seconds and megabytes of a compiled schema with its first document; the catalog is there already."""
    CompiledSchemas(wide(3, 5)).first()  # what is made once in a process
    catalog = wide(entities, fields)
    gc.collect()
    started = time.process_time()
    kept = CompiledSchemas(catalog)
    kept.first()
    seconds = time.process_time() - started
    gc.collect()
    tracemalloc.start()
    again = CompiledSchemas(catalog)
    again.first()
    gc.collect()
    megabytes = tracemalloc.get_traced_memory()[0] / 2**20
    return {"cpu_seconds": seconds, "megabytes": megabytes}


class CompiledSchemas:
    """A schema cache with one catalog's schema in it, as the owner sees it."""

    def __init__(self, catalog: Catalog) -> None:
        grants = resolve(roles_of(catalog), (OWNER,))
        self.cache = SchemaCache(resolver_of)
        self.schema: CompiledSchema = self.cache.get(catalog, grants)
        last = [name for name in catalog.entities if name.startswith("thing")][-1]
        self._plural = catalog.entities[last].plural

    def first(self) -> None:
        """Compile a first document."""
        self.schema.document(f"{{ {self._plural}(first: 10) {{ nodes {{ id field0 }} }} }}")


def chain(entities: int) -> Mapping[str, float]:
    """CPU seconds of building catalog and schema for entities that refer to each other in one long chain."""
    started = time.process_time()
    catalog = wide(entities, 5)
    middle = time.process_time()
    CompiledSchemas(catalog).first()
    return {"catalog_seconds": middle - started, "schema_seconds": time.process_time() - middle}


async def _share(companies: int) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        house = await House.open(Settings(data_dir=Path(folder), secret_keys=("benchmark",)))
        try:
            tokens = []
            started = time.monotonic()
            for number in range(companies):
                founded = await house.create_company(f"Company {number}", documents=DOCUMENTS)
                tokens.append(founded.token)
            seconds = time.monotonic() - started
            for token in tokens:
                actor = await house.authenticate(token)
                reply = await house.execute(actor, GraphQLRequest("{ opportunities { totalCount } }"))
                assert reply.code is None
            gc.collect()
            schemas = [item for item in gc.get_objects() if isinstance(item, CompiledSchema)]
            catalogs = [item for item in gc.get_objects() if isinstance(item, Catalog)]
            return {"schemas": len(schemas), "catalogs": len(catalogs), "seconds_each": seconds / companies}
        finally:
            await house.close()


def share(companies: int) -> Mapping[str, float]:
    """How many compiled schemas and catalogs so many companies on the same documents hold in one process."""
    return asyncio.run(_share(companies))


def main(name: str, *arguments: str) -> None:
    """Take one figure and print it."""
    known: Mapping[str, Callable[..., Mapping[str, float]]] = {"schema": schema_build, "chain": chain, "share": share}
    print(json.dumps(known[name](*(int(argument) for argument in arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
