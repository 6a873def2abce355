"""Documents as a folder of files: app.json, entities/*.json, roles/*.json. Export, apply, export is byte-equal.

Faults lead into files: their path begins with the file's name under the folder, and their text names line and column.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from base.errors import DocumentsInvalid, Fault, Text
from base.json import Json, JsonInvalid, parse, pretty
from base.limits import DEFAULTS, Limits
from base.registry import hint
from metadata.faults import invalid
from metadata.kinds import KINDS
from metadata.layers import Layers, layers_json, parse_layers
from metadata.locate import locate
from metadata.names import NAME

_FOLDERS: Mapping[str, str] = {kind.folder: kind.name for kind in KINDS if kind.folder}
_SINGLE: Mapping[str, str] = {f"{kind.name}.json": kind.name for kind in KINDS if not kind.folder}

COMPANIONS = ("imports", "queries")
"""Folders that may stand beside documents and are none: mapping files for imports, queries to try."""


LAYERS = ".pliant/layers.json"
"""Where an export keeps which documents an application has shipped, and how they looked then."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The documents of a folder, with the text of the file that each came from, and their layers if it tells them."""

    documents: Mapping[tuple[str, str], Mapping[str, Json]]
    files: Mapping[tuple[str, str], tuple[str, str]]  # (kind, name) -> (file under the folder, its text)
    layers: Layers = field(default_factory=dict)

    def placed(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """The same faults with file, line and column in front of their texts."""
        return tuple(self._placed(fault) for fault in faults)

    def _placed(self, fault: Fault) -> Fault:
        found = self.files.get((fault.path[0], fault.path[1])) if len(fault.path) > 1 else None
        if found is None:
            return fault
        name, text = found
        line, column = locate(text, fault.path[2:])
        return _at((name, *fault.path[2:]), line, column, fault)


def _at(path: tuple[str, ...], line: int, column: int, fault: Fault) -> Fault:
    """A fault of a file, the first step of `path`: its text begins with the place, then the way to the value."""
    inside = f"{'/'.join(path[1:])}: " if len(path) > 1 else ""
    where = f"{path[0]}:{line}:{column}: {inside}"
    told = Text(where + fault.text.en, where + fault.text.zh)
    return Fault(path, fault.code, told, {**fault.details, "file": path[0], "line": line, "column": column})


def read_folder(root: Path, limits: Limits = DEFAULTS) -> Folder:
    """Read every document below `root`. Raises `DocumentsInvalid` with each file that cannot be one."""
    faults: list[Fault] = []
    documents: dict[tuple[str, str], Mapping[str, Json]] = {}
    files: dict[tuple[str, str], tuple[str, str]] = {}
    if not root.is_dir():
        raise DocumentsInvalid((invalid((root.name,), "is no folder of documents", "不是文档文件夹"),))
    for path in _document_files(root, faults):
        name = path.relative_to(root).as_posix()
        text = _read(path, name, limits, faults)
        document = None if text is None else _parse(text, name, faults)
        if text is None or document is None:
            continue
        key = _key(name, document, text, faults)
        if key is not None:
            documents[key] = document
            files[key] = (name, text)
    layers = _read_layers(root, faults)
    if faults:
        raise DocumentsInvalid(tuple(faults))
    return Folder(documents, files, layers)


def write_folder(
    root: Path, documents: Mapping[tuple[str, str], Mapping[str, Json]], layers: Layers | None = None
) -> tuple[Path, ...]:
    """Write documents and their layers below `root`, remove the files of what is gone; returns what was written.

    Files are in canonical text: two spaces, authored key order, a newline at the end. Other files are left alone.
    """
    wanted: dict[Path, str] = {}
    for (kind, name), document in sorted(documents.items()):
        folder = KINDS[kind].folder
        wanted[root / folder / f"{name}.json" if folder else root / f"{kind}.json"] = pretty(document)
    if layers:
        wanted[root / LAYERS] = pretty(layers_json(layers))
    else:
        (root / LAYERS).unlink(missing_ok=True)
    for folder in _FOLDERS:
        for path in sorted((root / folder).glob("*.json")):
            if path not in wanted:
                path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".json.part")
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, path)
    return tuple(wanted)


def _document_files(root: Path, faults: list[Fault]) -> Iterable[Path]:
    """The files that can be documents; a misspelt folder is a fault, not silence."""
    known = (*_FOLDERS, *_SINGLE)
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or (path.name in COMPANIONS and path.is_dir()):
            continue
        if path.is_dir() and path.name in _FOLDERS:
            yield from (item for item in sorted(path.iterdir()) if item.suffix == ".json")
        elif path.name in _SINGLE:
            yield path
        elif path.is_dir() or path.suffix == ".json":
            faults.append(_misplaced(path.name, known))


def _read_layers(root: Path, faults: list[Fault]) -> Layers:
    path = root / LAYERS
    if not path.is_file():
        return {}
    try:
        return parse_layers(parse(path.read_text(encoding="utf-8-sig")), (LAYERS,))
    except DocumentsInvalid as error:
        faults.extend(error.faults)
    except (OSError, ValueError) as error:
        faults.append(invalid((LAYERS,), f"cannot be read: {error}", f"无法读取：{error}"))
    return {}


def _misplaced(name: str, known: Iterable[str]) -> Fault:
    near, places = hint(name, known), ", ".join(known)
    en, zh = f"no documents are kept here (but in {places})", f"此处不存放文档（可用：{places}）"
    return invalid((name,), en + near.en, zh + near.zh)


def _read(path: Path, name: str, limits: Limits, faults: list[Fault]) -> str | None:
    try:
        if path.stat().st_size > limits.document_bytes:
            faults.append(invalid((name,), f"has more than {limits.document_bytes:,} bytes", "文件过大"))
            return None
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(
            invalid(
                (name,),
                f"not UTF-8 at byte {error.start}: save the file as UTF-8",
                "不是 UTF-8 文本：请将文件另存为 UTF-8",
            )
        )
    except OSError as error:
        faults.append(invalid((name,), f"cannot be read ({error.strerror})", f"无法读取（{error.strerror}）"))
    return None


def _parse(text: str, name: str, faults: list[Fault]) -> Mapping[str, Json] | None:
    try:
        document = parse(text)
    except JsonInvalid as error:
        found = re.search(r" at line (\d+) column (\d+)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (1, 1)
        reason = str(error)[: found.start()] if found else str(error)
        told = next((told for start, told in _BROKEN.items() if reason.startswith(start)), Text("", ""))
        faults.append(
            _at(
                (name,),
                line,
                column,
                invalid((), f"not JSON: {told.en or reason}", f"不是合法的 JSON：{told.zh or reason}"),
            )
        )
        return None
    if not isinstance(document, Mapping):
        faults.append(_at((name,), 1, 1, invalid((), "a document is an object: {...}", "文档必须是对象：{...}")))
        return None
    return document


_BROKEN: Mapping[str, Text] = {
    "Expecting property name": Text(
        "a name in double quotes is expected here: is there a comma too many before it, a comment, or a single quote?",
        "此处应为双引号括起的名称：前面是否多了逗号，或使用了注释、单引号？",
    ),
    "Expecting ',' delimiter": Text("a comma is missing before this", "此处之前缺少逗号"),
    "Expecting ':' delimiter": Text("a colon is missing before this", "此处之前缺少冒号"),
    "Expecting value": Text("a value is expected here", "此处应有值"),
    "Illegal trailing comma": Text("a comma too many before the end", "末尾多了逗号"),
    "Unterminated string": Text("this text has no closing quote", "此文本缺少结尾引号"),
    "Invalid control character": Text("a line break or control character inside a text", "文本中含有换行或控制字符"),
    "Invalid \\": Text("a backslash that begins no escape: write it twice", "反斜杠转义无效：请写两个反斜杠"),
    "Extra data": Text("more text behind the end of the document", "文档结束之后还有内容"),
}
"""What the reader of JSON says, in words for an author, by how its message begins."""


def _key(name: str, document: Mapping[str, Json], text: str, faults: list[Fault]) -> tuple[str, str] | None:
    """(kind, name) of a file, which must say the same as its place does."""
    folder, _, file = name.rpartition("/")
    kind = _FOLDERS[folder] if folder else _SINGLE[file]
    wanted = file.removesuffix(".json") if folder else kind
    for keyword, value in (("kind", kind), ("name", wanted)):
        if document.get(keyword) != value:
            line, column = locate(text, (keyword,))
            faults.append(_at((name, keyword), line, column, _misnamed(document.get(keyword), value, folder, keyword)))
            return None
    return kind, wanted


def _misnamed(given: Json, value: str, folder: str, keyword: str) -> Fault:
    en, zh = f"must be {value!r} here", f"此处必须是“{value}”"
    if keyword == "name" and folder and isinstance(given, str) and NAME.fullmatch(given):
        en, zh = (
            f"{en}, as the file is called; or call the file {given}.json",
            f"{zh}（与文件名一致），或将文件改名为 {given}.json",
        )
    elif keyword == "kind":
        where = f"in {folder}/" if folder else "in this file"
        en, zh = f"{en}: it is the kind of every document {where}", f"{zh}：这是该处文档的类型"
    return invalid((), en, zh)
