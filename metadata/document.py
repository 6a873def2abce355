"""Checks of a document before anything is made of it: budgets, form, keywords, patterns, references.

The order matters: budgets first, so that nothing after them can be made to run long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import jsonschema
import jsonschema_rs
from jsonschema.exceptions import ValidationError
from referencing import Registry as References

from base.errors import Fault, Text
from base.json import Json, JsonInvalid, check_integer, check_text
from base.limits import DEFAULTS, Limits
from base.registry import did_you_mean
from metadata.faults import INVALID, KEYWORD, invalid, over_limit, refused, unknown
from metadata.keywords import REFUSED, SCHEMA_KEYWORDS, children, is_own_prefix, local_reference
from metadata.names import NAME, name_fault
from metadata.patterns import pattern_fault

MAX_DEPTH = 40
"""Nesting of a configuration document; real ones stay below fifteen."""

MAX_FAULTS = 100
"""A document that is wrong everywhere is answered with its first hundred faults."""


def measure(document: Json, path: tuple[str, ...], limits: Limits = DEFAULTS) -> Fault | None:
    """Whether a document fits the budgets of bytes, values and depth; walks no further than the budget."""
    nodes, size = 0, 0
    waiting: list[tuple[Json, int]] = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        nodes += 1
        size += len(value) if isinstance(value, str) else 4
        if nodes > limits.document_nodes:
            return over_limit(path, Text("too many values in one document", "文档中的值过多"), limits.document_nodes)
        if size > limits.document_bytes:
            return over_limit(path, Text("too many bytes in one document", "文档字节数过多"), limits.document_bytes)
        if depth > MAX_DEPTH:
            return over_limit(path, Text("nested too deep", "嵌套过深"), MAX_DEPTH)
        if isinstance(value, Mapping):
            size += sum(len(key) + 3 for key in value)
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, Sequence) and not isinstance(value, str):
            waiting.extend((item, depth + 1) for item in value)
        elif isinstance(value, str | int):
            try:
                check_text(value) if isinstance(value, str) else check_integer(value)
            except JsonInvalid as error:
                return invalid(path, str(error), "含有无法保存的文本或整数")
    return None


def check_form(
    document: Mapping[str, Json], metaschema: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]
) -> bool:
    """Check a measured document against its kind's metaschema; never fetches anything. True when it holds."""
    validator = jsonschema.Draft202012Validator(dict(metaschema), registry=References())
    before = len(faults)
    for error in validator.iter_errors(document):
        for leaf in _leaves(error):
            where = path + tuple(str(step) for step in leaf.absolute_path)
            faults.extend(found for found in _form_faults(leaf, where) if found not in faults)
        if len(faults) - before >= MAX_FAULTS:
            break
    return len(faults) == before


def _leaves(error: ValidationError) -> list[ValidationError]:
    if error.validator not in ("anyOf", "oneOf") or not error.context:
        return [error]
    deepest = max(len(item.absolute_path) for item in error.context)
    if deepest == len(error.absolute_path):
        return _near(error)
    return [item for item in error.context if len(item.absolute_path) == deepest][:1]


def _near(error: ValidationError) -> list[ValidationError]:
    """Of options that fail at the value itself, the one of the value's own JSON type, where there is just one."""
    near = [item for item in error.context or () if item.validator != "type"]
    return near if len(near) == 1 else [error]


_FORMS: Mapping[str, Text] = {
    "type": Text("must be of type {0}", "类型必须是 {0}"),
    "enum": Text("must be one of {0}", "必须是 {0} 之一"),
    "const": Text("must be {0}", "必须是 {0}"),
    "pattern": Text("must match {0}", "必须匹配 {0}"),
    "minLength": Text("must have at least {0} characters", "至少需要 {0} 个字符"),
    "maxLength": Text("must have at most {0} characters", "最多 {0} 个字符"),
    "minItems": Text("must have at least {0} items", "至少需要 {0} 项"),
    "maxItems": Text("must have at most {0} items", "最多 {0} 项"),
    "minimum": Text("must be at least {0}", "不得小于 {0}"),
    "maximum": Text("must be at most {0}", "不得大于 {0}"),
    "exclusiveMinimum": Text("must be greater than {0}", "必须大于 {0}"),
    "uniqueItems": Text("must not repeat an item", "不得有重复项"),
}


def _form_faults(error: ValidationError, where: tuple[str, ...]) -> list[Fault]:
    """What one error of a metaschema means to the author: usually one fault, one for each unknown key."""
    keyword, given = str(error.validator), error.instance
    value: Any = error.validator_value
    if keyword == "additionalProperties":
        return _unknown_keys(error, where)
    if keyword == "required" and isinstance(given, Mapping) and isinstance(value, Sequence):
        missing = ", ".join(str(name) for name in value if name not in given)
        return [invalid(where, f"must have {missing}", f"缺少 {missing}")]
    if keyword == "pattern" and value == f"^{NAME.pattern}$" and (fault := name_fault(str(given), where)) is not None:
        return [fault]
    if keyword == "anyOf" and all("const" in option for option in value):  # an enum whose values have titles
        keyword, value = "enum", [option["const"] for option in value]
    if keyword == "enum" and isinstance(given, str):
        return [_unknown_value(where, given, [str(item) for item in value])]
    text = _FORMS.get(keyword, Text("is not of the documented form", "不符合文档规定的形式"))
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return [invalid(where, text.en.format(shown[:300]), text.zh.format(shown[:300]))]


def _unknown_keys(error: ValidationError, where: tuple[str, ...]) -> list[Fault]:
    """Keys that a part of a document does not have. Where own prefixes may stand `check_keywords` tells them."""
    part: Any = error.schema
    if "patternProperties" in part or not isinstance(error.instance, Mapping):
        return []
    known = tuple(part.get("properties", ()))
    return [unknown((*where, key), KEYWORD, key, known) for key in error.instance if key not in known]


def _unknown_value(where: tuple[str, ...], given: str, known: Sequence[str]) -> Fault:
    hint = did_you_mean(given, known)
    shown = ", ".join(known)[:300]
    if hint is None:
        return invalid(where, f"must be one of {shown}", f"必须是 {shown} 之一")
    en, zh = (
        f"{given[:80]!r}: did you mean {hint!r}? One of {shown}",
        f"“{given[:80]}”：是否想写“{hint}”？可选：{shown}",
    )
    return Fault(where, INVALID, Text(en, zh), {"didYouMean": hint})


def check_keywords(
    document: Mapping[str, Json], known: Collection[str], path: tuple[str, ...], faults: list[Fault]
) -> None:
    """Refuse keywords that nobody knows, with the closest known one; an admin's own prefix is let through."""
    for keyword in document:
        if keyword in known or is_own_prefix(keyword):
            continue
        if keyword in REFUSED:
            faults.append(_refused_keyword(keyword, (*path, keyword)))
        else:
            faults.append(_unknown_keyword(keyword, known, (*path, keyword)))


def _unknown_keyword(keyword: str, known: Collection[str], path: tuple[str, ...]) -> Fault:
    fault = unknown(path, KEYWORD, keyword, known)
    if fault.details or not keyword.startswith("x-"):
        return fault
    en = f"{fault.text.en}: words of your own have a prefix of your own, such as 'x-acme-{keyword[2:60]}'"
    zh = f"{fault.text.zh}：自定义关键字须带自己的前缀，例如“x-acme-{keyword[2:60]}”"
    return Fault(path, fault.code, Text(en, zh))


def _refused_keyword(keyword: str, path: tuple[str, ...]) -> Fault:
    return refused(
        path,
        f"the keyword {keyword!r} cannot be published: remove it, or let `adopt` make a json field of the property",
        f"关键字“{keyword}”无法发布：请删除，或用 adopt 将该属性转为 json 字段",
    )


def check_schema(
    schema: Json, definitions: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault], known: Collection[str]
) -> None:
    """Check one JSON Schema of a document and all below it: keywords, patterns, references; `known` is for its top."""
    waiting: list[tuple[Json, tuple[str, ...], Collection[str]]] = [(schema, path, known)]
    while waiting:
        current, where, words = waiting.pop()
        if isinstance(current, bool):
            continue
        if not isinstance(current, Mapping):
            faults.append(invalid(where, "must be a JSON Schema: an object", "必须是 JSON Schema 对象"))
            continue
        check_keywords(current, words, where, faults)
        _check_values(current, definitions, where, faults)
        waiting.extend((child, where + step, SCHEMA_KEYWORDS) for step, child in children(current))


def _check_values(
    schema: Mapping[str, Json], definitions: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]
) -> None:
    if schema.get("additionalProperties", False) is not False:
        faults.append(
            refused(
                (*path, "additionalProperties"),
                "only `additionalProperties: false` can be published",
                "只能发布 additionalProperties: false",
            )
        )
    if "pattern" in schema:
        fault = pattern_fault(schema["pattern"], (*path, "pattern"))
        if fault is not None:
            faults.append(fault)
    if "$ref" in schema:
        target = local_reference(schema["$ref"])
        where = (*path, "$ref")
        if target is None:
            faults.append(
                refused(
                    where,
                    "`$ref` points only into the document's own `$defs`; a relation between entities is `x-entity`",
                    "$ref 只能指向本文档的 $defs；实体之间的关系用 x-entity",
                )
            )
        elif target not in definitions:
            faults.append(unknown(where, Text("definition", "定义"), target, definitions))
    _check_union(schema, path, faults)


def _check_union(schema: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> None:
    types = schema.get("type")
    if isinstance(types, list | tuple) and len([item for item in types if item != "null"]) != 1:
        faults.append(
            refused(
                (*path, "type"),
                "a union of types can only be one type with null",
                "类型联合只能是一种类型加 null",
            )
        )


def compile_offline(schema: Mapping[str, Json]) -> jsonschema_rs.Draft202012Validator:
    """A validator that fetches nothing and runs patterns in linear time.

    Without `offline` a `$ref` to http or file is fetched while compiling, even one that nothing uses. Raises
    `ValueError` for what is no JSON Schema.
    """
    return jsonschema_rs.Draft202012Validator(
        dict(schema), validate_formats=True, pattern_options=jsonschema_rs.RegexOptions(), offline=True
    )


def compile_fault(schema: Mapping[str, Json], path: tuple[str, ...]) -> Fault | None:
    """Whether the validator of the write path accepts a finished schema; a fault when it does not."""
    try:
        compile_offline(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        where = path + tuple(str(step) for step in getattr(error, "instance_path", ()))
        return invalid(where, "is not a valid JSON Schema", "不是有效的 JSON Schema")
    return None
