"""The limits of a document: one memoised, saturating pass over the syntax tree, before validation.

Each fragment is measured once, so a chain of fragments that spread each other twice costs no more than its text. What
a request may cost in records depends on variables; the pass leaves a small program that is run with each request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    GraphQLWrappingType,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from base.errors import LimitExceeded, Text
from base.limits import Limits

CAP: Final = 1 << 40
"""Counts stop growing here: far above every limit, far below slow arithmetic."""

_GROUP: Final = -1  # a term that holds terms but no record of its own
_WRAPPERS: Final = frozenset({"edges", "nodes", "node"})
_ROUNDS: Final = frozenset({"fields", "inputFields", "types", "possibleTypes", "interfaces"})
_LIST: Final = 2  # a list counts as so many relations: page, order and counts are planned beside its records
_NESTING: Final = 200  # graphql-core's parser stops here too

Size: TypeAlias = "int | str | None"
"""A page's size: a number, the name of a variable, or None for one record."""

Cost: TypeAlias = Callable[[Mapping[str, Any]], int]
"""Coerced variables -> records by estimate. Raises `LimitExceeded`."""


class Term(NamedTuple):
    """Records that a selection may read: `size` of them, each with the `inner` ones."""

    size: Size
    inner: list[Term]


class _Measure(NamedTuple):
    depth: int
    aliases: int
    directives: int
    selections: int
    relations: int
    roots: int
    rounds: int
    terms: list[Term]


class _Sum:
    """A measure under construction."""

    __slots__ = ("aliases", "depth", "directives", "relations", "roots", "rounds", "selections", "terms")

    def __init__(self) -> None:
        self.depth = self.aliases = self.directives = self.selections = self.relations = self.roots = self.rounds = 0
        self.terms: list[Term] = []

    def add(self, part: _Measure, deeper: int, *, same_level: bool) -> None:
        """Take in a part that stands `deeper` levels below."""
        self.depth = max(self.depth, part.depth + deeper)
        self.aliases += part.aliases
        self.directives += part.directives
        self.selections += part.selections
        self.relations += part.relations
        self.rounds = max(self.rounds, part.rounds)
        if same_level:
            self.roots += part.roots

    def done(self) -> _Measure:
        """The saturated result."""
        return _Measure(
            self.depth,
            min(self.aliases, CAP),
            min(self.directives, CAP),
            min(self.selections, CAP),
            min(self.relations, CAP),
            min(self.roots, CAP),
            self.rounds,
            self.terms,
        )


def exceeded(what: Text, limit: int) -> LimitExceeded:
    """The error for a document beyond a limit: what there is too much of, and how much may be."""
    return LimitExceeded(
        Text(f"The document has too many {what.en}: at most {limit}.", f"文档中的{what.zh}过多：上限为 {limit}。"),
        {"limit": limit},
    )


_OPERATIONS = Text("operations", "操作")
_DEPTH = Text("nested levels", "嵌套层级")
_RELATIONS = Text("relations (a list counts twice)", "关联（列表按两个计）")
_RECORDS = Text(
    "records by estimate (page sizes multiplied, 50 where none is given)",
    "预计读取的记录（各层页大小相乘，未给出时按 50 计）",
)


def measure(document: DocumentNode, schema: GraphQLSchema, limits: Limits) -> dict[str | None, Cost]:
    """Operation name -> its cost program. Raises `LimitExceeded`; unknown names cost nothing, validation tells them."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > limits.operations:
        raise exceeded(_OPERATIONS, limits.operations)
    walk = _Walk(document, schema, limits)
    return {node.name.value if node.name else None: walk.operation(node) for node in operations}


class _Walk:
    def __init__(self, document: DocumentNode, schema: GraphQLSchema, limits: Limits) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._schema = schema
        self._limits = limits
        self._measured: dict[str, _Measure] = {}
        self._open: set[str] = set()

    def operation(self, node: OperationDefinitionNode) -> Cost:
        """Check one operation, and give its cost program."""
        root = self._schema.get_root_type(node.operation)
        found = self._selections(node.selection_set, root.fields if root else {}, 0)
        definitions = node.variable_definitions or ()
        directives = found.directives + len(node.directives or ())
        directives += sum(len(definition.directives or ()) for definition in definitions)
        limits = self._limits
        for what, count, limit in (
            (_DEPTH, found.depth, limits.document_depth),
            (Text("aliases", "别名"), found.aliases, limits.document_aliases),
            (Text("directives", "指令"), directives, limits.document_directives),
            (Text("root fields", "根字段"), found.roots, limits.root_fields),
            (Text("selected fields", "所选字段"), found.selections, limits.selections),
            (_RELATIONS, found.relations, limits.relations),
            (Text("rounds of introspection", "内省层级"), found.rounds, limits.introspection_rounds),
        ):
            if count > limit:
                raise exceeded(what, limit)
        defaults = {
            definition.variable.name.value: _number(definition.default_value)
            for definition in definitions
            if isinstance(definition.default_value, IntValueNode)
        }
        return _program(found.terms, defaults, limits)

    def _selections(self, node: SelectionSetNode, fields: Mapping[str, Any], level: int) -> _Measure:
        if level > _NESTING:
            raise exceeded(_DEPTH, self._limits.document_depth)
        total = _Sum()
        for selection in node.selections:
            total.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self._field(selection, fields, level, total)
                continue
            part = self._fragment(selection, fields, level)
            if part is not None:
                total.add(part, 0, same_level=True)
                if part.terms:
                    total.terms.append(Term(_GROUP, part.terms))
        return total.done()

    def _field(self, node: FieldNode, fields: Mapping[str, Any], level: int, total: _Sum) -> None:
        total.roots += 1
        total.selections += 1
        total.aliases += node.alias is not None
        if node.selection_set is None:
            total.depth = max(total.depth, 1)
            return
        name = node.name.value
        field = fields.get(name)
        named = _named(field.type) if field is not None else None
        part = self._selections(node.selection_set, getattr(named, "fields", None) or {}, level + 1)
        total.add(part, 1, same_level=False)
        if name in _ROUNDS:
            total.rounds = max(total.rounds, part.rounds + 1)
        if field is not None and "first" in field.args:
            total.relations += _LIST
            total.terms.append(Term(_page(node, self._limits.page_size), part.terms))
        elif field is not None and "ids" in field.args:
            total.relations += _LIST
            total.terms.append(Term(_ids(node), part.terms))
        elif (name in _WRAPPERS and level) or not getattr(named, "interfaces", None):
            total.relations += name == "node" and "id" in getattr(field, "args", ())
            if part.terms:  # the page was counted above; wrappers hold no record of their own
                total.terms.append(Term(_GROUP, part.terms))
        else:
            total.relations += 1
            total.terms.append(Term(None, part.terms))

    def _fragment(self, node: Any, fields: Mapping[str, Any], level: int) -> _Measure | None:
        if not isinstance(node, FragmentSpreadNode):
            condition = node.type_condition
            return self._selections(node.selection_set, self._fields_of(condition) if condition else fields, level + 1)
        name = node.name.value
        found = self._measured.get(name)
        fragment = self._fragments.get(name)
        if found is None and fragment is not None and name not in self._open:
            self._open.add(name)  # a cycle ends here, and validation reports it
            inner = self._fields_of(fragment.type_condition)
            found = self._measured[name] = self._selections(fragment.selection_set, inner, level + 1)
            self._open.discard(name)
        return found

    def _fields_of(self, condition: Any) -> Mapping[str, Any]:
        return getattr(self._schema.get_type(condition.name.value), "fields", None) or {}


def _named(type_: Any) -> Any:
    while isinstance(type_, GraphQLWrappingType):
        type_ = type_.of_type
    return type_


def _number(node: ValueNode | None) -> int:
    if not isinstance(node, IntValueNode):
        return 0
    return max(int(node.value), 0) if len(node.value) < 10 else CAP


def _page(node: FieldNode, default: int) -> Size:
    size: Size = default
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            if isinstance(value, IntValueNode):
                size = _number(value)
            elif isinstance(value, VariableNode):
                size = value.name.value
    return size


def _ids(node: FieldNode) -> Size:
    for argument in node.arguments or ():
        if argument.name.value == "ids":
            value = argument.value
            if isinstance(value, VariableNode):
                return value.name.value
            return len(value.values) if isinstance(value, ListValueNode) else 1
    return 1


@dataclass(frozen=True, slots=True)
class _Folded:
    """What is left of terms when all numbers are multiplied out."""

    constant: int
    pages: list[tuple[str, Any]]  # variable -> what each of its records holds
    scaled: list[tuple[int, Any]]


def _program(terms: list[Term], defaults: Mapping[str, int], limits: Limits) -> Cost:
    """Fold everything that needs no variable; what remains is a small polynomial."""
    folded = _fold(terms, {})
    if isinstance(folded, int):
        cost = folded
        if cost > limits.records:
            raise exceeded(_RECORDS, limits.records)
        return lambda _: cost

    def run(variables: Mapping[str, Any]) -> int:
        """The estimate with a request's variables."""
        estimate = _evaluate(folded, _Sizes(variables, defaults, limits.page_size), {})
        if estimate > limits.records:
            raise exceeded(_RECORDS, limits.records)
        return estimate

    return run


def _fold(terms: Sequence[Term], memo: dict[int, int | _Folded]) -> int | _Folded:
    known = memo.get(id(terms))
    if known is not None:
        return known
    constant, pages, scaled = 0, [], []
    for size, inner_terms in terms:
        inner = _fold(inner_terms, memo)
        if isinstance(size, str):
            pages.append((size, inner))
            continue
        times, own = (1, 1) if size is None else (1, 0) if size == _GROUP else (size, 1)
        if isinstance(inner, int):
            constant += times * (own + inner)
        else:
            constant += times * own
            scaled.append((times, inner))
    constant = min(constant, CAP)
    result = memo[id(terms)] = _Folded(constant, pages, scaled) if pages or scaled else constant
    return result


class _Sizes(NamedTuple):
    variables: Mapping[str, Any]
    defaults: Mapping[str, int]
    page_size: int

    def of(self, name: str) -> int:
        """The size that a variable gives: its number, the length of its list, or what stands in for it."""
        value = self.variables.get(name)
        if isinstance(value, list):
            return len(value)
        return value if type(value) is int else self.defaults.get(name, self.page_size)


def _evaluate(folded: int | _Folded, sizes: _Sizes, memo: dict[int, int]) -> int:
    if isinstance(folded, int):
        return folded
    known = memo.get(id(folded))
    if known is not None:
        return known
    cost = folded.constant
    for name, inner in folded.pages:
        size = sizes.of(name)
        if size > 0:
            cost += size * (1 + _evaluate(inner, sizes, memo))
    for times, inner in folded.scaled:
        cost += times * _evaluate(inner, sizes, memo)
    result = memo[id(folded)] = min(cost, CAP)
    return result
