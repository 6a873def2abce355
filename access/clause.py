"""The clauses of a role document for one entity: rows, fields and check, read into a grant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from access.grant import ALL_FIELDS, FieldRights, Grant, Operation, ParentRows, RowRule, Rows, RowsWhere
from access.metaschema import KEYS
from base.errors import Fault, Text
from base.json import Json
from base.registry import did_you_mean, hint
from expressions import Expression, ExpressionInvalid, Scope, Type, check

_PARENT = re.compile(r"parent\(\s*([A-Za-z][A-Za-z0-9]*)\s*\)\Z")
_WORD = re.compile(r"[A-Za-z][A-Za-z]*\+?\Z")
_WORDS = tuple(word.value for word in Rows)

INVALID = "DOCUMENT_INVALID"
UNKNOWN = "DOCUMENT_UNKNOWN_NAME"
EXPRESSION = "DOCUMENT_EXPRESSION"

MAX_STEPS = 2
"""Row rules may walk this many to-one steps: each is a correlated sub-select for every row looked at."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """Reads the clauses that stand under one entity; mistakes go into `faults`."""

    entity: str
    fields: Mapping[str, str]  # accepted name -> field name
    parents: Mapping[str, str]  # to-one relation -> target
    scope: Scope
    faults: list[Fault]

    def grant(self, operation: Operation, body: Json, path: tuple[str, ...]) -> Grant | None:
        """The grant of one operation; None where the document gives nothing (false, `none`) or is at fault."""
        if isinstance(body, bool):
            return Grant(operation, (Rows.ALL,)) if body else None
        if isinstance(body, str) or (isinstance(body, Sequence) and not isinstance(body, Mapping)):
            body = {"rows": body}
            inner = path
        else:
            inner = (*path, "rows")
        if not isinstance(body, Mapping):
            self._fault(path, "This must be true, false, rows or an object", "此处必须是 true、false、行规则或对象")
            return None
        for key in body:
            if key not in KEYS[operation]:
                self._unknown((*path, key), "limit of this operation", "该操作的限制", key, KEYS[operation])
        rows = self._rows(body["rows"], inner) if "rows" in body else (Rows.ALL,)
        fields = self._fields(body["fields"], (*path, "fields")) if "fields" in body else ALL_FIELDS
        condition = self._expression(body["check"], (*path, "check")) if "check" in body else None
        return Grant(operation, rows, fields, condition) if rows else None

    def _rows(self, value: Json, path: tuple[str, ...]) -> tuple[RowRule, ...]:
        if isinstance(value, str):
            rule = self._row_rule(value, path)
            rules = [] if rule is None else [rule]
        elif isinstance(value, Sequence):
            found = [self._row_rule(item, (*path, str(index))) for index, item in enumerate(value)]
            rules = [rule for rule in found if rule is not None]
        else:
            self._fault(path, "Rows are a word, an expression or a list of them", "行规则应为关键词、表达式或其列表")
            return ()
        if Rows.ALL in rules:
            return (Rows.ALL,)
        return tuple(dict.fromkeys(rule for rule in rules if rule is not Rows.NONE))

    def _row_rule(self, value: Json, path: tuple[str, ...]) -> RowRule | None:
        if not isinstance(value, str):
            self._fault(path, "A row rule is a text", "行规则必须是文本")
            return None
        text = value.strip()
        if text in _WORDS:
            return Rows(text)
        parent = _PARENT.match(text)
        if parent:
            return self._parent(parent[1], path)
        close = did_you_mean(text, _WORDS)
        if _WORD.match(text) and self.scope.type_of(text) is None and (close or text.endswith("+")):
            self._unknown(path, "row rule", "行规则", text, _WORDS)
            return None
        expression = self._expression(value, path)
        return None if expression is None else RowsWhere(expression)

    def _parent(self, name: str, path: tuple[str, ...]) -> RowRule | None:
        relation = self.fields.get(name, name)
        if relation in self.parents:
            return ParentRows(relation)
        self._unknown(path, "to-one relation", "对一关联", name, self.parents)
        return None

    def _fields(self, value: Json, path: tuple[str, ...]) -> FieldRights:
        if not isinstance(value, Mapping):
            self._fault(path, "Fields are an object of name and right", "字段权限应为名称与权限组成的对象")
            return FieldRights(False, {})
        others = False
        named: dict[str, bool | Expression] = {}
        for name, right in value.items():
            parsed = self._right(right, (*path, name), conditional=name != "*")
            if name == "*":
                others = parsed is True
            elif name not in self.fields:
                self._unknown((*path, name), "field", "字段", name, self.fields)
            elif self.fields[name] in named:
                self._fault((*path, name), f"'{self.fields[name]}' is given twice", f"“{self.fields[name]}”重复出现")
            else:
                named[self.fields[name]] = parsed
        return FieldRights(others, {name: right for name, right in sorted(named.items()) if right is not others})

    def _right(self, value: Json, path: tuple[str, ...], *, conditional: bool) -> bool | Expression:
        if isinstance(value, bool):
            return value
        if conditional and isinstance(value, Mapping) and set(value) == {"when"}:
            return self._expression(value["when"], (*path, "when")) or False
        wanted = "true, false or {when: expression}" if conditional else "true or false"
        self._fault(path, f"This must be {wanted}", f"此处必须是 {wanted}")
        return False

    def _expression(self, value: Json, path: tuple[str, ...]) -> Expression | None:
        if not isinstance(value, str):
            self._fault(path, "An expression is a text", "表达式必须是文本")
            return None
        try:
            expression = check(value, self.scope, Type.BOOLEAN)
        except ExpressionInvalid as error:
            text = error.text
            self.faults.append(Fault(path, EXPRESSION, text, {"position": error.position, "entity": self.entity}))
            return None
        for read in sorted(expression.reads):
            if read[0] != "actor" and len(read) - 1 > MAX_STEPS:
                self._fault(
                    path,
                    f"'{'.'.join(read)}' walks more than {MAX_STEPS} relations",
                    f"“{'.'.join(read)}”跨越的关联超过 {MAX_STEPS} 级",
                )
                return None
        return expression

    def _fault(self, path: tuple[str, ...], en: str, zh: str) -> None:
        self.faults.append(Fault(path, INVALID, Text(en, zh)))

    def _unknown(self, path: tuple[str, ...], en: str, zh: str, name: str, known: Iterable[str]) -> None:
        self.faults.append(unknown_name(path, Text(en, zh), name, known))


def unknown_name(path: tuple[str, ...], noun: Text, name: str, known: Iterable[str]) -> Fault:
    """The fault for a name that does not exist, with the closest one that does."""
    close, near = did_you_mean(name, known), hint(name, known)
    text = Text(f"Unknown {noun.en} '{name}'{near.en}", f"未知的{noun.zh}“{name}”{near.zh}")
    return Fault(path, UNKNOWN, text, {"didYouMean": close} if close else {})
