"""The pages keep up with the code: a new entry of a registry, code, limit, setting or command must be told of."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from base import errors
from base.limits import Limits
from metadata.fields.registry import FIELD_TYPES
from metadata.kinds import KINDS
from metadata.operators.registry import OPERATORS
from pliant.cli import COMMANDS
from tests.architecture.sources import ROOT, code_files, docs

PAGES = docs()


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FIELD_TYPES.names)
def test_field_types(name: str) -> None:
    assert f"`{name}`" in page("field-types.md")


@pytest.mark.parametrize("name", OPERATORS.names)
def test_operators(name: str) -> None:
    assert f"`{name}`" in page("operators.md")


@pytest.mark.parametrize("name", KINDS.names)
def test_kinds(name: str) -> None:
    assert name in page("documents.md")


@pytest.mark.parametrize("name", [item.name for item in fields(Limits)])
def test_limits(name: str) -> None:
    row = re.search(rf"^\| `{name}` \| ([0-9,.]+)", page("limits.md"), re.MULTILINE)
    assert row is not None
    assert float(row[1].replace(",", "")) == getattr(Limits(), name)


CODES = sorted(
    {item.code for item in vars(errors).values() if isinstance(item, type) and issubclass(item, errors.PliantError)}
    | {"RATE_LIMITED"}
)


@pytest.mark.parametrize("code", CODES)
def test_error_codes(code: str) -> None:
    assert f"`{code}`" in page("errors.md")


def test_codes_of_faults() -> None:
    found = set()
    for path in code_files():
        if path.parts[-2] in ("records", "access", "resolvers"):
            found |= set(re.findall(r'(?:Fault|fault)\([^"]*"([A-Z][A-Z_]+)"', path.read_text(encoding="utf-8")))
    assert found
    assert {code for code in found if f"`{code}`" not in page("errors.md")} == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda item: item.name)
def test_commands(command: object) -> None:
    name = getattr(command, "name", "")
    for shown in [f"{name} {inner}" for inner in getattr(command, "commands", {})] or [name]:
        assert re.search(rf"`{shown}[ `]", page("cli.md")), shown


def test_settings() -> None:
    found = set()
    for path in code_files():
        found |= set(re.findall(r'"(PLIANT_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    assert found
    assert {name for name in found if name.rstrip("_") not in page("operations.md")} == set()


def test_paths() -> None:
    found = re.findall(
        r'(?:Route\(|^ +)"(/[a-z.{}/]*)"', (ROOT / "server" / "app.py").read_text(encoding="utf-8"), re.M
    )
    assert "/graphql" in found
    known = re.sub(r"<[a-z]+>", "{name}", page("http.md"))
    assert {path for path in found if path not in ("/", "/explore/{name}") and f"`{path}`" not in known} == set()
