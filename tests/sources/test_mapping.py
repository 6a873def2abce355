"""Mapping files: their mistakes, told with a hint; those of the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from base.errors import DocumentsInvalid, NotFound
from sources import CRM, MAPPING_METASCHEMA, parse_mapping, read_mapping, template_mapping

SHIPPED = ("accounts", "products", "agents", "opportunities")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ([], "is a JSON object"),
        ({}, "must have columns"),
        ({"colums": {"a": "b"}, "columns": {"a": "b"}}, "did you mean 'columns'"),
        ({"columns": {"a": {"field": "b", "lokup": "c"}}}, "did you mean 'lookup'"),
        ({"columns": {"a": [{"field": "b", "defualt": "c"}]}}, "did you mean 'default'"),
        ({"columns": {"a": {"lookup": "c"}}}, "must have field"),
        ({"columns": {"a": 5}}, "must be of type string, object, array, null"),
        ({"columns": {"a": {"field": "b", "onMissingLookup": "skip"}}}, "must be one of"),
        ({"columns": {}, "by": ["x"]}, "documented form"),
        ({"columns": {"a": "b"}, "delimiter": "::"}, "at most 1"),
    ],
)
def test_mistakes(document: Any, words: str) -> None:
    with pytest.raises(DocumentsInvalid) as caught:
        parse_mapping(document)
    assert any(words in fault.text.en for fault in caught.value.faults), [f.text.en for f in caught.value.faults]


@pytest.mark.parametrize("data", [b"{", b"\xff", b'{"columns": {"a": "b", "a": "c"}}', b"x" * (2 << 20)])
def test_files_that_are_no_mapping(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "mapping.json"
    path.write_bytes(data)
    with pytest.raises(DocumentsInvalid, match=r"mapping\.json"):
        read_mapping(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentsInvalid, match="cannot be read"):
        read_mapping(tmp_path / "none.json")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_template_ships_mappings(name: str) -> None:
    assert read_mapping(template_mapping(CRM, name)).by


def test_unknown_mappings_of_a_template() -> None:
    with pytest.raises(NotFound):
        template_mapping(CRM, "contacts")
    with pytest.raises(NotFound, match="did you mean 'crm'"):
        template_mapping("crn", "accounts")


def test_the_metaschema_is_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(dict(MAPPING_METASCHEMA))


def test_the_digest_tells_mappings_and_keys_apart() -> None:
    one = parse_mapping({"columns": {"a": "b"}})
    assert one.digest != parse_mapping({"columns": {"a": "c"}}).digest
    assert one.digest != one.keyed(("b",)).digest
