"""Templates that come with Pliant: their documents, their mapping files and their queries."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

from base.errors import NotFound, Text
from base.json import Json
from base.registry import hint
from metadata.folder import read_folder
from metadata.layers import Application

CRM = "crm"
"""The example application: accounts, products, agents, opportunities."""


def template_names() -> tuple[str, ...]:
    """The names of all templates."""
    return tuple(sorted(item.name for item in files("templates").iterdir() if (item / "app.json").is_file()))


def read_template(name: str) -> tuple[Mapping[str, Json], ...]:
    """The documents of a template, to be published as they are. Raises `NotFound`."""
    with as_file(files("templates") / _known(name)) as folder:
        return tuple(read_folder(folder).documents.values())


def template_application(name: str) -> Application:
    """A template as the application that ships its documents: its version is that of Pliant. Raises `NotFound`."""
    return Application(_known(name), version("pliant"))


def template_mapping(name: str, mapping: str) -> Path:
    """The mapping file of a template. Raises `NotFound`."""
    path = Path(str(files("templates") / _known(name) / "imports" / f"{mapping}.json"))
    if not path.is_file():
        raise NotFound(Text(f"the template '{name}' has no mapping '{mapping}'", f"模板“{name}”没有映射“{mapping}”"))
    return path


def template_queries(name: str) -> tuple[tuple[str, str], ...]:
    """Queries to try, in order: name and GraphQL text, whose first line is a comment. Raises `NotFound`."""
    found = (item for item in (files("templates") / _known(name) / "queries").iterdir())
    return tuple(
        (item.name.removesuffix(".graphql"), item.read_text(encoding="utf-8"))
        for item in sorted(found, key=lambda item: item.name)
        if item.name.endswith(".graphql")
    )


def _known(name: str) -> str:
    names = template_names()
    if name in names:
        return name
    near = hint(name, names)
    raise NotFound(Text(f"there is no template '{name[:60]}'{near.en}", f"没有模板“{name[:60]}”{near.zh}"))
