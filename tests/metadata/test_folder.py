"""A folder of documents: read, written byte-equal, and wrong files told with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from base.errors import DocumentsInvalid
from base.json import pretty
from metadata.build import next_catalog
from metadata.folder import read_folder, write_folder
from metadata.locate import locate
from tests.metadata.conftest import Company
from tests.metadata.documents import sales


def bytes_of(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


async def test_export_apply_export_is_byte_equal(company: Company, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    done = await company.publish(sales())
    write_folder(first, done.catalog.documents)
    assert set(bytes_of(first)) == {
        "app.json", "entities/account.json", "entities/line.json", "entities/opportunity.json", "roles/seller.json",
    }  # fmt: skip
    assert (await company.publish({key: dict(item) for key, item in read_folder(first).documents.items()})).version == 1
    head = await company.catalogs.head(company.namespace)
    assert head is not None
    write_folder(second, head.catalog.documents)
    assert bytes_of(first) == bytes_of(second)


def test_files_of_removed_documents_go(tmp_path: Path) -> None:
    write_folder(tmp_path, sales())
    (tmp_path / "README.md").write_text("mine")
    documents = sales()
    del documents["role", "seller"]
    write_folder(tmp_path, documents)
    assert "roles/seller.json" not in bytes_of(tmp_path)
    assert "README.md" in bytes_of(tmp_path)


@pytest.mark.parametrize("name, content, told", [
    ("entities/a.json", b'{"kind": "entity",\n "name": }', "entities/a.json:2:10"),
    ("entities/a.json", b'{"kind": "entity", "name": "b"}',
     "entities/a.json:1:20: name: must be 'a' here, as the file is called; or call the file b.json"),
    ("entities/a.json", b'{"name": "a"}', "entities/a.json:1:1: kind: must be 'entity'"),
    ("entities/a.json", b'{"kind": "entity",\n name: "a"}', "entities/a.json:2:2: not JSON: a name in double quotes"),
    ("entities/a.json", b'{"kind": "entity"\n "name": "a"}', "entities/a.json:2:2: not JSON: a comma is missing"),
    ("entities/a.json", b"", "entities/a.json:1:1: not JSON: a value is expected"),
    ("entities/a.json", b'{"kind": "entity", "kind": "role"}', "duplicate key"),
    ("entities/a.json", b'{"x": NaN}', "NaN"),
    ("entities/a.json", b'{"x": 1e999}', "out of range"),
    ("entities/a.json", b'{"x": "\\ud800"}', "lone surrogate"),
    ("entities/a.json", b"[1]", "a document is an object"),
    ("entities/a.json", b"\xff\xfe", "not UTF-8"),
    ("entities/a.json", b"[" * 20_000, "nested deeper"),
    ("entitys/a.json", b"{}", "did you mean 'entities'"),
    ("task.json", b"{}", "but in entities, roles, app.json"),
    ("ap.json", b"{}", "did you mean 'app.json'"),
])  # fmt: skip
def test_wrong_files_are_told_with_their_place(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(DocumentsInvalid) as error:
        read_folder(tmp_path)
    assert told in error.value.faults[0].text.en
    assert str(tmp_path) not in error.value.faults[0].text.en


def test_faults_lead_into_files(tmp_path: Path) -> None:
    documents = sales()
    documents["entity", "account"]["properties"]["name"]["maxLenght"] = 3
    write_folder(tmp_path, documents)
    folder = read_folder(tmp_path)
    with pytest.raises(DocumentsInvalid) as error:
        next_catalog(folder.documents, None)
    (fault,) = folder.placed(error.value.faults)
    line = pretty(documents["entity", "account"]).split('"maxLenght"')[0].count("\n") + 1
    assert fault.text.en.startswith(
        f"entities/account.json:{line}:7: properties/name/maxLenght: unknown keyword 'maxLenght'"
    )
    assert fault.path == ("entities/account.json", "properties", "name", "maxLenght")


@pytest.mark.parametrize("path, place", [
    ((), (1, 1)), (("b",), (2, 3)), (("b", "1"), (2, 12)), (("b", "1", "c"), (2, 13)), (("b", "7"), (2, 3)),
    (("nope",), (1, 1)), (("a", "x"), (1, 3)),
])  # fmt: skip
def test_places_in_texts(path: tuple[str, ...], place: tuple[int, int]) -> None:
    assert locate('{ "a": "}",\n  "b": [1, {"c": 2}]}', path) == place
