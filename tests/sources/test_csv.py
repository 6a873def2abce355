"""CSV: what is read, how rows are numbered, and the words for what cannot be."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.csv import CELL_LIMIT, Unreadable, read_rows, survey


def file(folder: Path, data: bytes | str) -> Path:
    """A file with these bytes."""
    path = folder / "data.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def rows(path: Path, encoding: str | None = None) -> list[tuple[int, tuple[str, ...]]]:
    """All rows with their numbers."""
    return [(row.number, row.cells) for row in read_rows(survey(path, encoding))]


def test_header_and_rows_are_numbered_as_in_a_spreadsheet(tmp_path: Path) -> None:
    path = file(tmp_path, 'a,b\r\n1,"x\ny"\r\n\r\n,\r\n2,z\r\n')
    found = survey(path)
    assert (found.header, found.header_row, found.rows, found.delimiter) == (("a", "b"), 1, 2, ",")
    assert rows(path) == [(2, ("1", "x\ny")), (5, ("2", "z"))]
    assert [row.number for row in read_rows(found, after=2)] == [5]


def test_blank_lines_before_the_header(tmp_path: Path) -> None:
    assert rows(file(tmp_path, "\n\na,b\n1,2\n")) == [(4, ("1", "2"))]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_header_tells_the_delimiter(tmp_path: Path, mark: str) -> None:
    found = survey(file(tmp_path, f"a{mark}b{mark}c\n1{mark}2{mark}3\n"))
    assert (found.delimiter, found.header) == (mark, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (codecs.BOM_UTF8 + "名称\n上海\n".encode(), None),
        ("名称\n上海\n".encode("gb18030"), "gb18030"),
        ("名称\n上海\n".encode("utf-16"), None),
        ("名称\n上海\n".encode(), "utf8"),
    ],
)
def test_encodings(tmp_path: Path, data: bytes, encoding: str | None) -> None:
    path = file(tmp_path, data)
    assert survey(path, encoding).header == ("名称",)
    assert rows(path, encoding) == [(2, ("上海",))]


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (b"", None, "is empty"),
        (b"\n\n", None, "is empty"),
        (b"a\n1\n\xff\xfe\n", None, "line 3 (byte 4): not utf-8"),
        ("a\n上海\n".encode("gb18030"), None, "--encoding gb18030"),
        (b"a\n" + b"x" * 70_000 + b"\n\xe4\xb8\n", None, "line 3 (byte 70003)"),
        (b"a\nx\x00y\n", None, "line 2: a NUL"),
        (b'a,b\n1,2\n"3,4\n5,6\n', None, "row 3 (line 3): a quote is opened and never closed"),
        (b'a\n"' + b"x" * (CELL_LIMIT + 10) + b'"\n', None, "row 2 (line 2)"),
        (b'a\n"x"y\n', None, "a closing quote is followed by text"),
        (b"PK\x03\x04rest", None, "is a workbook"),
        (b"a\n1\n", "utf-9", "Unknown encoding"),
        (b"a" * (11 << 20), None, "too long to be CSV"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, data: bytes, encoding: str | None, words: str
) -> None:
    with pytest.raises(Unreadable) as caught:
        survey(file(tmp_path, data), encoding)
    assert words in caught.value.text.en
    assert caught.value.text.zh != caught.value.text.en


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="cannot be read"):
        survey(tmp_path / "none.csv")


@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = file(tmp_path_factory.mktemp("fuzz"), data)
    try:
        found = survey(path)
    except Unreadable:
        return
    assert found.rows == len(list(read_rows(found)))


def test_utf_16_without_its_mark_asks_for_the_order(tmp_path: Path) -> None:
    path = file(tmp_path, "a,b\n1,2\n".encode("utf-16-le"))
    with pytest.raises(Unreadable, match="utf-16-le or utf-16-be"):
        survey(path, "utf-16")
    assert rows(path, "utf-16-le") == [(2, ("1", "2"))]
