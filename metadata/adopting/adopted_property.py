"""One property of a foreign JSON Schema on its way into an entity document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from base.errors import Text
from base.json import Json
from metadata.adopting.legal import LegalNames
from metadata.adopting.notes import DROPPED, Notes, keyword_notes
from metadata.adopting.spread import spread
from metadata.faults import over_limit
from metadata.keywords import (
    PROPERTY_KEYWORDS,
    REFUSED,
    SCHEMA_KEYWORDS,
    children,
    is_own_prefix,
    local_reference,
    rebuild,
)  # fmt: skip
from metadata.patterns import pattern_fault
from metadata.system_fields import anything_property
from metadata.weight import check_weight

_OWN = SCHEMA_KEYWORDS | PROPERTY_KEYWORDS | {"x-entity", "x-inverse", "x-onDelete", "x-scale", "x-pattern"}
_SHOWN = ("title", "x-titles", "description", "x-source")
_CHOICES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class AdoptedProperty:
    """A property as it will stand in the document. `values` maps original choice values to legal ones."""

    original: str
    name: str
    source: Json
    property: Mapping[str, Json]
    nullable: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    is_json: bool = False

    def as_json(self) -> AdoptedProperty:
        """The same as a json field, its original beside it."""
        kept = {key: self.property[key] for key in _SHOWN if key in self.property}
        prop = {**anything_property(), **kept, "x-source": {"name": self.original, "schema": self.source}}
        return replace(self, property=prop, values={}, is_json=True)

    def without(self, keyword: str) -> AdoptedProperty:
        """The same without one keyword."""
        return replace(self, property={key: value for key, value in self.property.items() if key != keyword})

    def under(self, name: str) -> AdoptedProperty:
        """The same under another name."""
        source = self.property.get("x-source")
        noted = {**source, "name": self.original} if isinstance(source, Mapping) else {"name": self.original}
        return replace(self, name=name, property={**self.property, "x-source": noted})

    def refers_to(self, name: str, definitions: Mapping[str, Json]) -> bool:
        """Whether the property needs a definition, straight or through others."""
        return name in _definitions_of(self.property, definitions)


def adopt_property(
    original: str, prop: Json, name: str, definitions: Mapping[str, Json], notes: Notes
) -> AdoptedProperty | None:
    """What a property becomes; None for one that no value could ever satisfy (`false`)."""
    path = (original,)
    if name != original:
        notes.renamed(path, original, name)
    if prop is False:
        notes.add(path, DROPPED, "no value was ever allowed here", "此处不允许任何值")
        return None
    prop, nullable = spread(prop, definitions)
    source: Mapping[str, Json] = prop if isinstance(prop, Mapping) else {}
    noted: dict[str, Json] = {"x-source": {"name": original}} if name != original else {}
    made = AdoptedProperty(
        original, name, source, {**_known(source, path, notes), **noted}, nullable or _allows_null(source)
    )
    if name != original:
        titled = {"title": original, **made.property}
        made = replace(made, property=titled)
    obstacle = _obstacle(made.property, definitions)
    if obstacle is not None:
        notes.refused(path, obstacle)
        return made.as_json()
    made = _with_choices(_settled_type(made), notes)
    notes.extend(keyword_notes(path, *(key for key in made.property if key in SCHEMA_KEYWORDS)))
    return made


def _known(prop: Mapping[str, Json], path: tuple[str, ...], notes: Notes) -> dict[str, Json]:
    """The keywords that mean something; the others are told. Refused ones stay, for `_obstacle` to find."""
    known: dict[str, Json] = {}
    for keyword, value in prop.items():
        if keyword in _OWN or keyword in REFUSED or is_own_prefix(keyword):
            known[keyword] = value
        else:
            notes.add((*path, keyword), DROPPED, "not a keyword that can be published", "不是可发布的关键字")
    for keyword in ("title", "description"):
        if keyword in known and not isinstance(known[keyword], str):
            del known[keyword]
    _drop_pattern(known, path, notes)
    return rebuild(known, lambda child: cleaned(child, path, notes))


def cleaned(schema: Json, path: tuple[str, ...], notes: Notes) -> Json:
    """A schema below a property or definition without keywords that nobody knows; refused ones stay, to be found."""
    if not isinstance(schema, Mapping):
        return schema
    known: dict[str, Json] = {}
    for keyword, value in schema.items():
        if keyword in SCHEMA_KEYWORDS or keyword in REFUSED or is_own_prefix(keyword):
            known[keyword] = value
        else:
            notes.add((*path, keyword), DROPPED, "not a keyword that can be published", "不是可发布的关键字")
    _drop_pattern(known, path, notes)
    return rebuild(known, lambda child: cleaned(child, path, notes))


def _drop_pattern(schema: dict[str, Json], path: tuple[str, ...], notes: Notes) -> None:
    if "pattern" in schema:
        fault = pattern_fault(schema["pattern"], path)
        if fault is not None:
            del schema["pattern"]
            notes.refused((*path, "pattern"), fault.text)


def _allows_null(prop: Mapping[str, Json]) -> bool:
    kind, values = prop.get("type"), prop.get("enum")
    listed = isinstance(kind, list | tuple) and "null" in kind
    return listed or kind == "null" or (isinstance(values, list | tuple) and None in values)


def _definitions_of(schema: Json, definitions: Mapping[str, Json]) -> Mapping[str, None]:
    """Names in the order in which they are met, so that the same obstacle is told each time."""
    found: dict[str, None] = {}
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, Mapping):
            continue
        name = local_reference(current.get("$ref"))
        if name is not None and name in definitions and name not in found:
            found[name] = None
            waiting.append(definitions[name])
        waiting.extend(child for _, child in children(current))
    return found


def _obstacle(prop: Mapping[str, Json], definitions: Mapping[str, Json]) -> Text | None:
    """The first thing below a property that cannot be published."""
    reached = {name: definitions[name] for name in _definitions_of(prop, definitions)}
    heavy = check_weight(prop, reached, ())
    if heavy is not None:
        return heavy.text
    waiting: list[Json] = [prop, *reached.values()]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, Mapping):
            continue
        for keyword in current:
            if keyword in REFUSED:
                return Text(f"{keyword} cannot be published", f"{keyword} 无法发布")
        if current.get("additionalProperties", False) is not False:
            return Text("open properties cannot be published", "开放属性无法发布")
        reference = current.get("$ref")
        if reference is not None and local_reference(reference) not in definitions:
            return Text("only references into $defs can be published", "只能发布指向 $defs 的引用")
        kinds = current.get("type")
        if isinstance(kinds, list | tuple) and len([kind for kind in kinds if kind != "null"]) != 1:
            return Text("a union of types cannot be published", "类型联合无法发布")
        waiting.extend(child for _, child in children(current))
    return None


def _settled_type(made: AdoptedProperty) -> AdoptedProperty:
    """`const` and `oneOf` of constants are choices; `type: null` alone is a json field."""
    prop = dict(made.property)
    if prop.get("type") == "null":
        return made.as_json()
    constant = prop.get("const")
    if isinstance(constant, str) and "enum" not in prop:
        del prop["const"]
        prop["enum"] = [constant]
    for keyword in ("oneOf", "anyOf"):
        options = prop.get(keyword)
        if isinstance(options, list | tuple) and options and all(_is_constant(option) for option in options):
            del prop[keyword]
            described = [option for option in options if isinstance(option, Mapping)]
            prop["enum"] = [option["const"] for option in described]
            prop["x-choices"] = [
                {"value": option["const"], "title": str(option.get("title", option["const"]))} for option in described
            ]
    return replace(made, property=prop)


def _is_constant(option: Json) -> bool:
    return (
        isinstance(option, Mapping)
        and isinstance(option.get("const"), str)
        and option.keys() <= {"const", "title", "description"}
    )


def _with_choices(made: AdoptedProperty, notes: Notes) -> AdoptedProperty:
    """Legal choice values; the original text stays as the title."""
    prop = dict(made.property)
    items = prop.get("items")
    holder = dict(items) if isinstance(items, Mapping) and "enum" in items else prop
    values = holder.get("enum")
    if not isinstance(values, list | tuple) or not values:
        return made
    texts = list(dict.fromkeys(value for value in values if isinstance(value, str)))
    if not texts or len(texts) != len({str(value) for value in values if value is not None}):
        return made
    if len(texts) > _CHOICES_MAX:
        notes.refused((made.original,), over_limit((), Text("too many choices", "选项过多"), _CHOICES_MAX).text)
        return made.as_json()
    for keyword in ("format", "pattern", "minLength", "maxLength"):
        holder.pop(keyword, None)
    names = LegalNames()
    legal = {text: names.choice(text, position) for position, text in enumerate(texts, start=1)}
    holder["enum"] = list(legal.values())
    if holder is not prop:
        prop["items"] = holder
    changed = {text: value for text, value in legal.items() if text != value}
    for text, value in changed.items():
        notes.renamed((made.original, "enum"), text, value)
    described = _described(prop.get("x-choices"), legal, changed)
    if described:
        prop["x-choices"] = described
    if "default" in prop:
        prop["default"] = _mapped_default(prop["default"], legal)
    return replace(made, property=prop, values=changed)


def _described(given: Json, legal: Mapping[str, str], changed: Mapping[str, str]) -> list[Json]:
    listed = [item for item in given if isinstance(item, Mapping)] if isinstance(given, list | tuple) else []
    described: dict[str, Json] = {value: {"value": value, "title": text} for text, value in changed.items()}
    for item in listed:
        text = str(item.get("value"))
        if text in legal:
            described[legal[text]] = {**item, "value": legal[text]}
    return list(described.values())


def _mapped_default(default: Json, legal: Mapping[str, str]) -> Json:
    if isinstance(default, str):
        return legal.get(default, default)
    if isinstance(default, list | tuple):
        return [_mapped_default(item, legal) for item in default]
    return default
