"""What adopting made of a foreign JSON Schema, told to people: a line for each field, then what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from base.errors import Text
from base.json import Json
from metadata.adopting.adopt import Adopted
from metadata.adopting.notes import DROPPED, ENFORCED_NOTE, REFUSED_NOTE, RENAMED, Note
from metadata.build import next_catalog
from metadata.names import NAME


def entity_name(output: Path | None) -> str | None:
    """The entity's name that an output file asks for: a file in a folder of documents is called as its entity is."""
    return output.stem if output is not None and output.suffix == ".json" and NAME.fullmatch(output.stem) else None


def output_file(output: Path, adopted: Adopted) -> Path:
    """The file to write: an output that is no .json file is a folder, and gets one called as the entity is."""
    return output if output.suffix == ".json" else output / f"{adopted.document['name']}.json"


def adopted_lines(adopted: Adopted, language: str) -> list[str]:
    """The mapping as a table: field, field type, and what is worth knowing; then notes on the document itself."""
    name, properties = str(adopted.document["name"]), adopted.document["properties"]
    assert isinstance(properties, Mapping)
    fields = next_catalog({("entity", name): adopted.document}, None).entities[name].fields
    originals = {field: _original(field, prop) for field, prop in properties.items()}
    rows = [
        (
            field,
            fields[field].type.name,
            _about(originals[field], field, fields[field].required, adopted.notes, language),
        )
        for field in properties
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    head = Text(f"entity {name}: {len(rows)} fields", f"实体 {name}：{len(rows)} 个字段").localized(language)
    table = [f"  {field:<{widths[0]}}  {kind:<{widths[1]}}  {about}".rstrip() for field, kind, about in rows]
    return [head, *table, *_rest(set(originals.values()), adopted.notes, language)]


def _original(field: str, prop: Json) -> str:
    source = prop.get("x-source") if isinstance(prop, Mapping) else None
    return str(source.get("name", field)) if isinstance(source, Mapping) else field


def _hint(prop: Json, language: str) -> str:
    """A list of texts is json, as JSON Schema has it; people mostly mean tags, which filters can look into."""
    if not isinstance(prop, Mapping) or prop.get("type") != "array" or prop.get("items") != {"type": "string"}:
        return ""
    return Text("  (x-type: tags is a list to filter by)", "（x-type: tags 是可筛选的列表）").localized(language)


def _about(original: str, field: str, required: bool, notes: Iterable[Note], language: str) -> str:
    told = [Text("required", "必填").localized(language)] if required else []
    if original != field:
        told.append(Text(f"was {original}", f"原名 {original}").localized(language))
    own = [note for note in notes if note.path[:1] == (original,) and _is_of_property(note)]
    enforced = [note.path[-1] for note in own if note.what == ENFORCED_NOTE]
    if enforced:
        told.append(Text("enforced: ", "强制校验：").localized(language) + " ".join(dict.fromkeys(enforced)))
    for note in own:
        if note.what in (REFUSED_NOTE, DROPPED) or (note.what == RENAMED and len(note.path) > 1):
            inner = f"{'/'.join(note.path[1:])}: " if note.what == DROPPED and len(note.path) > 1 else ""
            told.append(inner + note.text.localized(language))
    return "; ".join(told)


def _is_of_property(note: Note) -> bool:
    """A path of one step is a property's where something became of the whole of it, else a keyword's at the top."""
    return len(note.path) > 1 or note.what in (REFUSED_NOTE, RENAMED)


def _rest(originals: set[str], notes: Iterable[Note], language: str) -> list[str]:
    """What became of the document beside its properties, where it was not just taken."""
    lines = []
    for note in notes:
        of_property = note.path[:1] and note.path[0] in originals and _is_of_property(note)
        if not of_property and note.what in (REFUSED_NOTE, DROPPED, RENAMED, ENFORCED_NOTE):
            lines.append(f"{note.what}: {'/'.join(note.path) or '.'}: {note.text.localized(language)}")
    return lines
