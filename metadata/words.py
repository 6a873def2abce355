"""Pliant's own words at the top of an entity document: what shows, finds, orders and rules it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from base.errors import Fault, Text
from base.json import Json
from metadata.draft import FieldDraft, IndexDraft, RuleDraft, UniqueDraft
from metadata.faults import FIELD, unknown
from metadata.keywords import signed
from metadata.property import read_titles

_DISPLAY_GUESSES = ("name", "title", "subject", "label", "number", "code", "fullName", "email")


@dataclass(frozen=True, slots=True)
class EntityWords:
    """Reads the words against the fields that exist; `broken` ones have been told of and are not unknown."""

    document: Mapping[str, Json]
    fields: Mapping[str, FieldDraft]
    broken: frozenset[str]
    path: tuple[str, ...]
    faults: list[Fault]

    def display(self) -> str:
        """`x-display`, or the most telling text field, or `id`."""
        given = self.document.get("x-display")
        shown = [name for name, draft in self.fields.items() if draft.column_suffixes]
        if isinstance(given, str):
            if given not in shown:
                self._unknown((*self.path, "x-display"), FIELD, given, shown)
            return given
        texts = self._texts()
        return ([name for name in _DISPLAY_GUESSES if name in texts] or texts or ["id"])[0]

    def search(self, display: str) -> tuple[str, ...]:
        """`x-search`, or the display field where it is a text."""
        given = self.document.get("x-search")
        texts = self._texts()
        if given is None:
            return (display,) if display in texts else ()
        for index, name in enumerate(names(given)):
            if name not in texts:
                self._unknown((*self.path, "x-search", str(index)), Text("text field", "文本字段"), name, texts)
        return names(given)

    def uniques(self) -> tuple[UniqueDraft, ...]:
        """`x-unique`: tuples of fields, or objects with `fields` and `ignoreCase`."""
        result = []
        for index, item in enumerate(listed(self.document.get("x-unique"))):
            where = (*self.path, "x-unique", str(index))
            tuple_of = item.get("fields") if isinstance(item, Mapping) else item
            ignore_case = isinstance(item, Mapping) and item.get("ignoreCase") is True
            found = self._with_columns(names(tuple_of), where)
            if found:
                result.append(UniqueDraft(found, ignore_case, where))
        return tuple(result)

    def indexes(self) -> tuple[IndexDraft, ...]:
        """`x-index`: tuples of fields; of those that name the same fields one is made, with all their directions."""
        found: dict[tuple[str, ...], IndexDraft] = {}
        for index, item in enumerate(listed(self.document.get("x-index"))):
            *first, last = names(item)
            sign, name = signed(last)
            fields = self._with_columns((*first, name), (*self.path, "x-index", str(index)))
            if fields:
                same = found.get(fields, IndexDraft(fields, False, False))
                found[fields] = IndexDraft(fields, same.ascending or sign != "-", same.descending or sign != "+")
        return tuple(found.values())

    def rules(self) -> tuple[RuleDraft, ...]:
        """`x-rules`, unless fields are broken: then nothing could be said about their expressions."""
        items = () if self.broken else listed(self.document.get("x-rules"))
        return tuple(
            _rule(item, (*self.path, "x-rules", str(index)))
            for index, item in enumerate(items)
            if isinstance(item, Mapping)
        )

    def _texts(self) -> list[str]:
        return [name for name, draft in self.fields.items() if is_text(draft)]

    def _with_columns(self, wanted: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
        """Field names that have exactly one column; `accountId` stands for the reference `account`."""
        single = {name: name for name, draft in self.fields.items() if len(draft.column_suffixes) == 1}
        single.update({f"{name}Id": name for name in single if self.fields[name].spec is not None})
        for index, name in enumerate(wanted):
            if name not in single:
                self._unknown((*path, str(index)), FIELD, name, single)
                return ()
        return tuple(dict.fromkeys(single[name] for name in wanted))

    def _unknown(self, path: tuple[str, ...], what: Text, name: str, known: Iterable[str]) -> None:
        if name not in self.broken:
            self.faults.append(unknown(path, what, name, known))


def is_text(draft: FieldDraft) -> bool:
    """Whether a field is one readable, searchable text of the authored ones."""
    kinds = draft.field.type.column_types(draft.field.options)
    hidden = draft.field.system or draft.field.write_only
    return not hidden and draft.spec is None and len(kinds) == 1 and kinds[0][1].kind == "text"


def _rule(item: Mapping[str, Json], where: tuple[str, ...]) -> RuleDraft:
    when, target = item.get("when"), item.get("path")
    return RuleDraft(
        name=str(item.get("name")),
        check=str(item.get("check")),
        when=when if isinstance(when, str) else None,
        message=str(item.get("message", item.get("name"))),
        messages=read_titles(item.get("x-messages")),
        path=target if isinstance(target, str) else None,
        enforce_now=item.get("enforce") == "now",
        where=where,
    )


def mapping(value: Json) -> Mapping[str, Json]:
    """The value where it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Json) -> tuple[Json, ...]:
    """The value where it is a list, else an empty one."""
    return tuple(value) if isinstance(value, list | tuple) else ()


def text(value: Json) -> str | None:
    """The value where it is a text."""
    return value if isinstance(value, str) else None


def names(value: Json) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(str(name) for name in listed(value))
