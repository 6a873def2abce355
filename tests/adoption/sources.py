"""Where the adopted schemas come from: packages of this environment, and `written`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tests.adoption.written import WRITTEN

_STORE = "validate_pyproject_schema_store"
_NO_SCHEMAS = ("extra.json", "tool.json")  # lists of tools
_DRAFTS = ("draft3", "draft4", "draft6", "draft7", "draft201909", "draft202012")


@dataclass(frozen=True)
class Source:
    """One JSON Schema: its name in the table, where it lies, itself."""

    name: str
    origin: str
    schema: Any

    @property
    def draft(self) -> str:
        """The draft that it says it is."""
        said = str(self.schema.get("$schema", "")).rstrip("#/")
        return said.rpartition("json-schema.org/")[2].removesuffix("/schema").replace("draft/", "") or "-"


@cache
def sources() -> tuple[Source, ...]:
    """All of them: public projects first."""
    found = []
    for item in sorted(files(_STORE).joinpath("resources").iterdir(), key=lambda item: item.name):
        if item.name.endswith(".json") and item.name not in _NO_SCHEMAS:
            name = item.name.removesuffix(".json").removesuffix(".schema")
            found.append(Source(name, "validate-pyproject-schema-store", json.loads(item.read_text(encoding="utf-8"))))
    for name in _DRAFTS:
        item = files("jsonschema_specifications").joinpath("schemas", name, "metaschema.json")
        text = item.read_text(encoding="utf-8")
        found.append(Source(f"JSON Schema {name}", "jsonschema-specifications", json.loads(text)))
    found += [Source(name, "written for this test", schema) for name, schema in WRITTEN.items()]
    return tuple(found)
