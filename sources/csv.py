"""CSV files (RFC 4180 and its kin): looked over once before anything is written, then read row by row.

The survey reads the whole file with bounded memory and tells what would stop an import halfway: bytes of another
encoding, NUL characters, quotes that never close, lines and cells without end. Rows are numbered as a spreadsheet
numbers them: the header is row 1.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from base.errors import BadInput, Text

ENCODINGS = ("utf-8", "gb18030", "utf-16", "cp1252", "latin-1")
"""Encodings that may be named. UTF-8 is tried when none is; a byte order mark decides by itself."""

DELIMITERS = (",", ";", "\t", "|")
"""Delimiters that are recognised by the header."""

CHUNK_BYTES = 1 << 16
CELL_LIMIT = csv.field_size_limit()
"""Characters of a cell; a longer one is mostly a quote that was opened and never closed."""

LINE_BYTES = 10 << 20
"""A longer line is no CSV: it would have to be held in memory whole."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class Unreadable(BadInput):
    """A file that cannot be read as CSV; the text names the place and what to do."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file is: how it is read, its header and the row it stands in, how many rows follow, the bytes' hash."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_row: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank: its number in a spreadsheet (the header is 1) and its cells as they stand."""

    number: int
    cells: tuple[str, ...]


def survey(path: Path, encoding: str | None = None, delimiter: str | None = None) -> Survey:
    """Look a file over from end to end. Raises `Unreadable`."""
    try:
        found = _encoding(path, encoding)
        sha256 = _check_bytes(path, found)
        mark = _checked(delimiter) if delimiter else _delimiter(path, found)
        records = _records(path, found, mark)
        first = next(records, None)
        if first is None:
            raise Unreadable(Text(f"{path.name} is empty: it has no header row", f"{path.name} 为空：没有表头行"))
        rows = sum(1 for _ in records)
    except OSError as error:
        reason = error.strerror or "error"
        raise Unreadable(Text(f"{path.name} cannot be read ({reason})", f"无法读取 {path.name}（{reason}）")) from None
    header = tuple(name.strip() for name in first.cells)
    return Survey(path, found, mark, header, first.number, rows, sha256)


def read_rows(found: Survey, after: int = 0) -> Iterator[Row]:
    """The rows behind the header and behind row number `after`, without blank ones. Raises `Unreadable`."""
    for row in _records(found.path, found.encoding, found.delimiter):
        if row.number > max(after, found.header_row):
            yield row


def _checked(delimiter: str) -> str:
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise Unreadable(
            Text(
                "The delimiter is one character, and neither a quote nor a line break",
                "分隔符须为一个字符，且不能是引号或换行",
            )
        )
    return delimiter


def _encoding(path: Path, wanted: str | None) -> str:
    with path.open("rb") as file:
        start = file.read(8)
    if any(start.startswith(mark) for mark in _WORKBOOKS):
        raise Unreadable(
            Text(
                f"{path.name} is a workbook, not CSV: open it in a spreadsheet and save it as CSV UTF-8",
                f"{path.name} 是电子表格文件而非 CSV：请在表格软件中另存为 CSV UTF-8",
            )
        )
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if wanted is None:
        return "utf-8"
    try:
        return codecs.lookup(wanted).name
    except LookupError:
        known = ", ".join(ENCODINGS)
        raise Unreadable(
            Text(f"Unknown encoding '{wanted}': take one of {known}", f"未知编码“{wanted}”：可用 {known}")
        ) from None


def _check_bytes(path: Path, encoding: str) -> str:
    """The hash of the file, when every byte of it can be decoded and no line is endless."""
    decoder = codecs.getincrementaldecoder(encoding)()
    seen = hashlib.sha256()
    line, length, offset = 1, 0, 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            seen.update(chunk)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].count(b"\n")
                raise _undecodable(path, encoding, line + before, offset - pending + error.start) from None
            except UnicodeError:  # UTF-16 without its byte order mark
                raise Unreadable(
                    Text(
                        f"{path.name}: no byte order mark: name its order, --encoding {encoding}-le or {encoding}-be",
                        f"{path.name}：没有字节序标记，请写明 --encoding {encoding}-le 或 {encoding}-be",
                    )
                ) from None
            nul = text.find("\x00")
            if nul >= 0:
                where = line + text.count("\n", 0, nul)
                raise Unreadable(
                    Text(
                        f"{path.name}, line {where}: a NUL character: the file is no text, or in another encoding",
                        f"{path.name} 第 {where} 行：含有 NUL 字符，文件不是文本或编码不符",
                    )
                )
            breaks = text.count("\n")
            line, offset = line + breaks, offset + len(chunk)
            length = len(text) - text.rfind("\n") - 1 if breaks else length + len(text)
            if length > LINE_BYTES:
                raise Unreadable(
                    Text(f"{path.name}, line {line}: too long to be CSV", f"{path.name} 第 {line} 行过长，不是 CSV")
                )
            if not chunk:
                return seen.hexdigest()


def _undecodable(path: Path, encoding: str, line: int, byte: int) -> Unreadable:
    en, zh = "perhaps --encoding utf-8", "例如 --encoding utf-8"
    if encoding.startswith("utf"):
        en = "--encoding gb18030 is usual for Chinese files, cp1252 for those of Western Europe"
        zh = "中文文件通常用 --encoding gb18030，西欧文件用 cp1252"
    return Unreadable(
        Text(
            f"{path.name}, line {line} (byte {byte}): not {encoding}; name the encoding: {en}",
            f"{path.name} 第 {line} 行（字节 {byte}）：不是 {encoding} 编码；请指定编码：{zh}",
        )
    )


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that splits the header into most columns; a comma when none does."""
    widths = {}
    for mark in DELIMITERS:
        try:
            first = next(_records(path, encoding, mark), None)
        except Unreadable:
            continue
        widths[mark] = len(first.cells) if first is not None else 0
    return max(DELIMITERS, key=lambda mark: widths.get(mark, 0))


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        number, line = 0, 0
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise _malformed(path, number + 1, line + 1, str(error)) from None
            if cells is None:
                return
            number, line = number + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield Row(number, tuple(cells))


def _malformed(path: Path, row: int, line: int, message: str) -> Unreadable:
    if "larger" in message or "unexpected end" in message:
        en, zh = "a quote is opened and never closed, or a cell is too long", "引号未闭合，或单元格过长"
    elif "expected after" in message:
        en, zh = (
            'a closing quote is followed by text: write a quote inside a cell as ""',
            '引号后有多余文本：单元格内的引号应写作 ""',
        )
    else:
        en, zh = "not well-formed CSV", "CSV 格式不正确"
    return Unreadable(
        Text(f"{path.name}, row {row} (line {line}): {en}", f"{path.name} 第 {row} 行（文件第 {line} 行）：{zh}")
    )
