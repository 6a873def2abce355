"""Values of a record against its entity's derived JSON Schema, on the write path: fast when they hold, told when not.

jsonschema-rs does the work, with formats asserted, patterns run by a linear-time engine and nothing ever fetched. Its
messages are not used: each kind of error has its own text, in both languages. A null counts as absent, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

from base.errors import Fault, Text
from base.json import Json
from base.limits import DEFAULTS, Limits
from metadata.catalog import Entity
from metadata.reads import Reads, reads_of

MAX_FAULTS: Final = 100
"""Faults told of one record: a record that is wrong everywhere is answered with its first hundred."""

MAX_DEPTH: Final = 32
"""Arrays and objects inside each other in one value."""

MAX_NODES: Final = 20_000
"""JSON values in one record: `uniqueItems` and conditions multiply them."""

_PATTERNS: Final = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)


class Validator:
    """One entity's JSON Schema, compiled. Made once per catalog entity, used by every write; has no state.

    Raises `ValueError` when the entity's JSON Schema cannot be compiled (publish has made sure that it can).
    """

    def __init__(self, entity: Entity, limits: Limits = DEFAULTS) -> None:
        schema = dict(entity.schema)
        self._limits = limits
        self._reads = reads_of(schema)
        self._compiled = jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, pattern_options=_PATTERNS, offline=True
        )
        self._is_valid: Callable[[Any], bool] = self._compiled.is_valid

    def create(self, values: Mapping[str, Json]) -> list[Fault]:
        """All faults of a new record's values (defaults filled in), in the order of the JSON Schema."""
        present: dict[str, Json] = {name: value for name, value in values.items() if value is not None}
        over = self._over_budget(present)
        if over is not None:
            return [over]
        return [fault for fault, _ in self._check(present)]

    def holds(self, values: Mapping[str, Json]) -> bool:
        """Whether a new record's values have no fault."""
        present: dict[str, Json] = {name: value for name, value in values.items() if value is not None}
        try:
            return self._over_budget(present) is None and self._is_valid(present)
        except ValueError:
            return False

    def update(self, merged: Mapping[str, Json], changed: set[str]) -> list[Fault]:
        """The faults of a record as it will be that concern what was changed.

        `merged` holds the old values with the new ones over them. A fault is told when its path, or a field that its
        keyword reads, is in `changed`; others are old and not this write's.
        """
        present: dict[str, Json] = {name: value for name, value in merged.items() if value is not None}
        over = self._over_budget({name: present[name] for name in changed if name in present})
        if over is not None:
            return [over]
        return [fault for fault, reads in self._check(present) if reads is None or not reads.isdisjoint(changed)]

    def _check(self, present: dict[str, Json]) -> list[tuple[Fault, Reads]]:
        try:
            return [] if self._is_valid(present) else list(self._faults(present))
        except ValueError:  # what is no JSON at all: a key that is no Unicode, an object of Python
            text = Text("holds what cannot be kept", "包含无法保存的内容")
            return [(Fault((), "VALIDATION", text), None)]

    def _faults(self, present: dict[str, Json]) -> Iterator[tuple[Fault, Reads]]:
        """Each fault with the fields that its keyword reads (None: all of them)."""
        for number, error in enumerate(self._compiled.iter_errors(present)):
            if number == MAX_FAULTS:
                return
            yield from self._told(error)

    def _told(self, error: jsonschema_rs.ValidationError) -> Iterator[tuple[Fault, Reads]]:
        path = tuple(str(step) for step in error.instance_path)
        kind = error.kind
        reads = self._reads_of(error, path)
        match kind:
            case jsonschema_rs.ValidationErrorKind.Required():
                missing = (*path, kind.property)
                own = frozenset(missing[:1]) | (reads or frozenset()) if reads is not None else None
                yield Fault(missing, "REQUIRED", Text("must have a value", "不能为空")), own
            case jsonschema_rs.ValidationErrorKind.AdditionalProperties():
                for name in kind.unexpected:
                    where = (*path, name)
                    yield Fault(where, "VALIDATION", Text("no such field", "没有这个字段")), frozenset(where[:1])
            case _:
                yield Fault(path, "VALIDATION", text_of(kind)), reads

    def _reads_of(self, error: jsonschema_rs.ValidationError, path: tuple[str, ...]) -> Reads:
        """What the top-level keyword of an error reads, with the field that the error stands in."""
        steps = [str(step) for step in error.evaluation_path]
        if not steps or steps[0] == "properties" or (steps[0] == "required" and len(steps) == 1):
            return frozenset(path[:1])
        reads = self._reads.get(tuple(steps[:2])) or self._reads.get((steps[0],))
        return None if reads is None else reads | frozenset(path[:1])

    def _over_budget(self, values: Mapping[str, Json]) -> Fault | None:
        """The value that is too large to be looked at. Plain values cost nothing here."""
        nodes = 0
        for name, value in values.items():
            if isinstance(value, str):
                if len(value) > self._limits.json_bytes:
                    return _too_large(name)
            elif isinstance(value, dict | list | tuple):
                nodes += count_nodes(value, MAX_NODES - nodes)
                if nodes > MAX_NODES:
                    return _too_large(name)
        return None


def count_nodes(value: Json, budget: int) -> int:
    """JSON values inside a value; more than `budget` as soon as it is passed, or when it is nested too deep."""
    nodes = 0
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH + 2):
        if not level:
            return nodes
        nodes += len(level)
        if nodes > budget:
            return budget + 1
        below: list[Json] = []
        for item in level:
            if isinstance(item, Mapping):
                below.extend(item.values())
            elif isinstance(item, list | tuple):
                below.extend(item)
        level = below
    return budget + 1


def _too_large(name: str) -> Fault:
    text = Text("too large: too many values, too deep or too long", "内容过大：值过多、嵌套过深或文本过长")
    return Fault((name,), "VALIDATION", text)


_TYPES: Final[Mapping[str, Text]] = {
    "string": Text("a text", "文本"),
    "integer": Text("a whole number", "整数"),
    "number": Text("a number", "数字"),
    "boolean": Text("true or false", "true 或 false"),
    "array": Text("a list", "列表"),
    "object": Text("an object", "对象"),
    "null": Text("null", "null"),
}

_FORMATS: Final[Mapping[str, Text]] = {
    "date": Text("a date that exists, like 2026-11-23", "存在的日期，例如 2026-11-23"),
    "date-time": Text(
        "a date and time with its offset, like 2026-11-23T08:05:00+08:00",
        "带时区偏移的日期时间，例如 2026-11-23T08:05:00+08:00",
    ),
    "email": Text("an e-mail address", "电子邮件地址"),
    "uri": Text("a web address", "网址"),
    "iri": Text("a web address", "网址"),
    "uuid": Text("a UUID", "UUID"),
}

# keyword -> (attribute of its error that holds the limit, text)
_LIMITS: Final[Mapping[str, tuple[str, Text]]] = {
    "minLength": ("limit", Text("must have at least {0} characters", "至少需要 {0} 个字符")),
    "maxLength": ("limit", Text("must have at most {0} characters", "最多 {0} 个字符")),
    "minItems": ("limit", Text("must have at least {0} items", "至少需要 {0} 项")),
    "maxItems": ("limit", Text("must have at most {0} items", "最多 {0} 项")),
    "minProperties": ("limit", Text("must have at least {0} entries", "至少需要 {0} 个属性")),
    "maxProperties": ("limit", Text("must have at most {0} entries", "最多 {0} 个属性")),
    "minimum": ("limit", Text("must be at least {0}", "不得小于 {0}")),
    "maximum": ("limit", Text("must be at most {0}", "不得大于 {0}")),
    "exclusiveMinimum": ("limit", Text("must be more than {0}", "必须大于 {0}")),
    "exclusiveMaximum": ("limit", Text("must be less than {0}", "必须小于 {0}")),
    "multipleOf": ("multiple_of", Text("must be a multiple of {0}", "必须是 {0} 的倍数")),
    "const": ("expected_value", Text("must be {0}", "必须是 {0}")),
}

_PLAIN: Final[Mapping[str, Text]] = {
    "pattern": Text("is not of the required form", "格式不符合要求"),
    "uniqueItems": Text("must not repeat an item", "不得有重复项"),
    "contains": Text("lacks a required item", "缺少必需的项"),
    "anyOf": Text("fits none of the allowed forms", "不符合任何一种允许的形式"),
    "oneOf": Text("must fit exactly one of the allowed forms", "必须恰好符合一种允许的形式"),
    "not": Text("is not allowed", "不允许这样的值"),
    "falseSchema": Text("is not allowed here", "此处不允许有值"),
    "propertyNames": Text("holds a key that is not allowed", "包含不允许的键"),
}

_OTHER: Final = Text("is not valid", "无效的值")

_MAX_SHOWN: Final = 300  # characters of a limit or list shown in a message


def text_of(kind: jsonschema_rs.ValidationErrorKind) -> Text:
    """What is wrong, by the kind of the error."""
    match kind:
        case jsonschema_rs.ValidationErrorKind.Type():
            names = [_TYPES.get(name, _OTHER) for name in kind.types]
            return Text(
                f"must be {' or '.join(name.en for name in names)}", f"必须是{'或'.join(name.zh for name in names)}"
            )
        case jsonschema_rs.ValidationErrorKind.Format():
            form = _FORMATS.get(kind.format, Text(f"of the form {kind.format}", f" {kind.format} 格式"))
            return Text(f"must be {form.en}", f"必须是{form.zh}")
        case jsonschema_rs.ValidationErrorKind.Enum():
            shown = ", ".join(str(option) for option in kind.options if option is not None)[:_MAX_SHOWN]
            return Text(f"must be one of {shown}", f"必须是以下值之一：{shown}")
    if kind.name in _LIMITS:
        attribute, text = _LIMITS[kind.name]
        limit = str(getattr(kind, attribute))[:_MAX_SHOWN]
        return Text(text.en.format(limit), text.zh.format(limit))
    return _PLAIN.get(kind.name, _OTHER)
