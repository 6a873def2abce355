"""Mapping files: read, checked with hints, and kept as plain rules. Nothing here knows a catalog."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from base.errors import DocumentsInvalid, Fault
from base.json import Json, JsonInvalid, digest, parse
from base.limits import DEFAULTS, Limits
from metadata.document import check_form, check_keywords, measure
from metadata.faults import invalid
from sources.metaschema import MAPPING_METASCHEMA, RULE_WORDS, TOP_WORDS


@dataclass(frozen=True, slots=True)
class Formats:
    """How dates, numbers and lists are written. No date pattern means ISO 8601."""

    dates: str | None = None
    thousands: str = ""
    decimal: str = "."
    separator: str = ";"


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field is read from a cell; `target` is its name as the mapping has it."""

    target: str
    lookup: str | None = None
    on_missing: str = "fault"
    replace: Map[str, str] = field(default_factory=dict)
    choices: Map[str, str] = field(default_factory=dict)
    empty: str = "null"
    default: str | None = None
    trim: bool = True
    formats: Formats = Formats()


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A constant that is the record with this value."""

    lookup: str
    value: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping file. `columns` None: columns are matched with fields by name and title."""

    columns: Map[str, tuple[Rule, ...]] | None = None
    entity: str | None = None
    by: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    time_zone: str | None = None
    ignore_unmapped: bool = False
    constants: Map[str, Json | LookedUp] = field(default_factory=dict)
    digest: str = ""

    def keyed(self, by: tuple[str, ...]) -> Mapping:
        """The same with another key, where one is given."""
        return replace(self, by=by, digest=digest([self.digest, list(by)])) if by else self


NO_MAPPING = Mapping()
"""Columns are matched with fields by name and title."""


def read_mapping(path: Path, limits: Limits = DEFAULTS) -> Mapping:
    """Read a mapping file. Raises `DocumentsInvalid` with every mistake found."""
    name = path.name
    try:
        if path.stat().st_size > limits.document_bytes:
            raise DocumentsInvalid((invalid((name,), f"has more than {limits.document_bytes:,} bytes", "文件过大"),))
        document = parse(path.read_bytes())
    except OSError as error:
        reason = error.strerror or "error"
        raise DocumentsInvalid((invalid((name,), f"cannot be read ({reason})", f"无法读取（{reason}）"),)) from None
    except JsonInvalid as error:
        raise DocumentsInvalid((invalid((name,), str(error), f"不是合法的 JSON（{error}）"),)) from None
    return parse_mapping(document, name, limits)


def parse_mapping(document: Json, name: str = "mapping", limits: Limits = DEFAULTS) -> Mapping:
    """What a mapping document means; `name` begins the paths of faults. Raises `DocumentsInvalid`."""
    faults: list[Fault] = []
    if not isinstance(document, Map):
        raise DocumentsInvalid((invalid((name,), "a mapping is a JSON object", "映射必须是 JSON 对象"),))
    too_much = measure(document, (name,), limits)
    if too_much is not None:
        raise DocumentsInvalid((too_much,))
    _check_words(document, (name,), faults)
    check_form(document, MAPPING_METASCHEMA, (name,), faults)
    if faults:
        raise DocumentsInvalid(tuple(faults))
    return _mapping(cast(Map[str, Any], document))


def _check_words(document: Map[str, Json], path: tuple[str, ...], faults: list[Fault]) -> None:
    check_keywords(document, TOP_WORDS, path, faults)
    columns = document.get("columns")
    if not isinstance(columns, Map):
        return
    for column, body in columns.items():
        for index, rule in enumerate(body if isinstance(body, list) else [body]):
            if isinstance(rule, Map):
                step = (str(index),) if isinstance(body, list) else ()
                check_keywords(rule, RULE_WORDS, (*path, "columns", column, *step), faults)


def _mapping(document: Map[str, Any]) -> Mapping:
    formats = _formats(document, Formats())
    return Mapping(
        columns={name.strip(): _rules(body, formats) for name, body in document["columns"].items()},
        entity=document.get("entity"),
        by=tuple(document.get("by", ())),
        encoding=document.get("encoding"),
        delimiter=document.get("delimiter"),
        time_zone=document.get("timeZone"),
        ignore_unmapped=document.get("unmapped") == "ignore",
        constants={name: _constant(value) for name, value in document.get("constants", {}).items()},
        digest=digest(document),
    )


def _constant(value: Any) -> Json | LookedUp:
    return LookedUp(value["lookup"], value["value"]) if isinstance(value, Map) else value


def _rules(body: Any, formats: Formats) -> tuple[Rule, ...]:
    match body:
        case None:
            return ()
        case str():
            return (Rule(body, formats=formats),)
        case list():
            return tuple(_rule(item, formats) for item in body)
        case _:
            return (_rule(body, formats),)


def _rule(body: Map[str, Any], formats: Formats) -> Rule:
    return Rule(
        target=body["field"],
        lookup=body.get("lookup"),
        on_missing=body.get("onMissingLookup", "fault"),
        replace=body.get("replace", {}),
        choices=body.get("choices", {}),
        empty=body.get("empty", "null"),
        default=body.get("default"),
        trim=body.get("trim", True),
        formats=_formats(body, formats),
    )


def _formats(body: Map[str, Any], base: Formats) -> Formats:
    numbers = body.get("numbers", {})
    return Formats(
        body.get("dates", base.dates),
        numbers.get("thousands", base.thousands),
        numbers.get("decimal", base.decimal),
        body.get("separator", base.separator),
    )
