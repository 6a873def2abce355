"""The fields that every record has, the mixins of `x-include`, and the reference that owned rows get to their parent.

They are JSON Schema properties like any others, in system_fields.json, so that no field type is named in code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import cast

from base.errors import DocumentsInvalid, Fault
from base.json import Json, parse
from metadata.draft import FieldDraft
from metadata.field import FieldContext
from metadata.property import parse_property

_SOURCE = cast(Mapping[str, Mapping[str, Mapping[str, Json]]], parse(Path(__file__).with_suffix(".json").read_bytes()))

MIXINS: Mapping[str, Mapping[str, Json]] = _SOURCE["mixins"]
"""Name in `x-include` -> the properties that it adds."""


@cache
def system_fields() -> Mapping[str, FieldDraft]:
    """The system fields in order, each with its fixed column."""
    fields: dict[str, FieldDraft] = {}
    faults: list[Fault] = []
    for name, entry in _SOURCE["fields"].items():
        context = FieldContext("", name, ("system", name), {})
        made = parse_property(context, entry["property"], False, faults, system=True)
        if made is None:
            raise DocumentsInvalid(tuple(faults))
        fields[name] = replace(made, fixed_columns=(str(entry["column"]),))
    return fields


def anything_property() -> Mapping[str, Json]:
    """The property that takes any value: what `adopt` falls back to."""
    return _SOURCE["anything"]


def parent_property(parent: str, title: str, titles: Mapping[str, str], was: Sequence[str] = ()) -> Mapping[str, Json]:
    """The property of the required reference that a `children` field makes on its target; `was`: its former names."""
    former: dict[str, Json] = {"x-was": list(was)} if was else {}
    return {**_SOURCE["parent"], "x-entity": parent, "title": title, "x-titles": dict(titles), **former}
