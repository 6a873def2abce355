"""A property of an entity document becomes a field: its type is found, its keywords are checked and read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from base.errors import Fault, Text
from base.json import Json
from metadata.choices import parse_choices
from metadata.document import check_schema, compile_offline
from metadata.draft import FieldDraft
from metadata.faults import FIELD_TYPE, invalid, unknown
from metadata.field import Field, FieldContext, FieldType, GraphQLKind
from metadata.fields.registry import FIELD_TYPES
from metadata.keywords import ENFORCED, PROPERTY_KEYWORDS, SCHEMA_KEYWORDS, local_reference

_RELATION_WORDS = frozenset(word for kind in FIELD_TYPES for word in kind.keywords if word.startswith("x-"))
_KNOWN = SCHEMA_KEYWORDS | PROPERTY_KEYWORDS | _RELATION_WORDS


def parse_property(
    context: FieldContext, prop: Json, required: bool, faults: list[Fault], *, system: bool = False
) -> FieldDraft | None:
    """Read one property; None when it is so wrong that no field can be made of it (then `faults` tells why).

    A property that allows null is never required, whatever the document says: null and absent are the same.
    """
    if not isinstance(prop, Mapping):
        faults.append(invalid(context.path, "a property must be an object", "属性必须是对象"))
        return None
    before = len(faults)
    resolved, nullable = _plain(_resolve(prop, context.definitions))
    check_schema(_without_union(prop), context.definitions, context.path, faults, _KNOWN)
    kind = _field_type(resolved, context.path, faults) if len(faults) == before else None
    if kind is None:
        return None
    _refuse_foreign_words(prop, kind, context.path, faults)
    if len(faults) > before:
        return None
    options = kind.parse(resolved, context, faults)
    if len(faults) > before:
        return None
    shows_choices = kind.graphql in (GraphQLKind.ENUM, GraphQLKind.ENUM_LIST)
    item = Field(
        name=context.name,
        type=kind,
        options=options,
        title=str(resolved.get("title", humanize(context.name))),
        titles=read_titles(resolved.get("x-titles")),
        description=_text(resolved.get("description")),
        required=required and not nullable,
        default=resolved.get("default"),
        has_default=resolved.get("default") is not None,
        read_only=resolved.get("readOnly") is True or kind.generated,
        write_only=resolved.get("writeOnly") is True,
        deprecated=resolved.get("deprecated") is True,
        system=system,
        was=tuple(str(name) for name in _list(resolved.get("x-was"))),
        choices=parse_choices(resolved, context.path, faults) if shows_choices else (),
        schema=_value_schema(kind, options, resolved),
    )
    _check_default(item, context, faults)
    return FieldDraft(item, kind.relation(options, context), path=context.path)


def humanize(name: str) -> str:
    """A title out of an API name: `closeOn` -> `Close on`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()
    return words[:1].upper() + words[1:]


def read_titles(value: Json) -> Mapping[str, str]:
    """`x-titles` as locale -> text."""
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, Mapping) else {}


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: Json) -> tuple[Json, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _resolve(prop: Mapping[str, Json], definitions: Mapping[str, Json]) -> Mapping[str, Json]:
    """The property with the definition that its `$ref` names spread below its own keywords."""
    seen: set[str] = set()
    while (name := local_reference(prop.get("$ref"))) is not None and name not in seen:
        seen.add(name)
        target = definitions.get(name)
        if not isinstance(target, Mapping):
            break
        own = {key: value for key, value in prop.items() if key != "$ref"}
        prop = {**target, **own}
    return prop


def _plain(prop: Mapping[str, Json]) -> tuple[Mapping[str, Json], bool]:
    """The property without null: (the rest, whether null was allowed)."""
    types, values = prop.get("type"), prop.get("enum")
    result, nullable = dict(prop), False
    if isinstance(types, list | tuple):
        rest = [item for item in types if item != "null"]
        nullable = len(rest) != len(types)
        result["type"] = rest[0] if len(rest) == 1 else list(types)
    if isinstance(values, list | tuple) and None in values:
        nullable = True
        result["enum"] = [value for value in values if value is not None]
    return result, nullable


def _without_union(prop: Mapping[str, Json]) -> Mapping[str, Json]:
    """The property as its keywords are checked: a type named by x-type that reads `type` itself may take a union."""
    named = prop.get("x-type")
    kind = FIELD_TYPES.get(named) if isinstance(named, str) else None
    if kind is None or "type" not in kind.keywords:
        return prop
    return {key: value for key, value in prop.items() if key != "type"}


def _field_type(prop: Mapping[str, Json], path: tuple[str, ...], faults: list[Fault]) -> FieldType | None:
    named = prop.get("x-type")
    if named is not None:
        kind = FIELD_TYPES.get(named) if isinstance(named, str) else None
        if kind is None:
            faults.append(unknown((*path, "x-type"), FIELD_TYPE, str(named), FIELD_TYPES.names))
        return kind
    for candidate in FIELD_TYPES:
        if candidate.recognises(prop):
            return candidate
    faults.append(
        invalid(
            path,
            "no field type fits: give `type`, `enum` or `x-type`",
            "无法判断字段类型：请给出 type、enum 或 x-type",
        )
    )
    return None


def _refuse_foreign_words(
    prop: Mapping[str, Json], kind: FieldType, path: tuple[str, ...], faults: list[Fault]
) -> None:
    """An x- word of another field type would be silently without effect here."""
    known = PROPERTY_KEYWORDS | kind.keywords
    for keyword in prop:
        if keyword in _RELATION_WORDS and keyword not in known:
            fault = unknown((*path, keyword), Text(f"keyword of {kind.name}", f"{kind.name} 的关键字"), keyword, known)
            faults.append(fault)


def _value_schema(kind: FieldType, options: object, prop: Mapping[str, Json]) -> Mapping[str, Json]:
    """The JSON Schema of one value: what the type makes of it, and the enforced keywords of the property."""
    made = dict(kind.json_schema(options, prop))
    for keyword in prop:
        if keyword in ENFORCED and keyword not in made:
            made[keyword] = prop[keyword]
    return made


def _check_default(item: Field, context: FieldContext, faults: list[Fault]) -> None:
    if not item.has_default:
        return
    path = (*context.path, "default")
    schema = {**item.schema, "$defs": context.definitions}
    try:
        wrong = not compile_offline(schema).is_valid(item.default)
        if not wrong:
            item.type.logical(item.options, item.default)
    except ValueError:
        wrong = True
    if wrong:
        faults.append(invalid(path, "the default is not a value of this field", "默认值不是该字段的合法值"))
