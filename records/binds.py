"""Parameters of a statement: where each value comes from when the operation runs, and how it is encoded.

A value comes from the operation's variables, from the actor or from the clock, never from SQL text, so actors with
equal grants and requests with equal shapes share a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from base.clock import now
from base.errors import BadInput, LimitExceeded, Text
from base.ids import canonical_id
from base.json import JsonInvalid, check_text
from base.limits import Limits
from metadata.catalog import App
from metadata.field import Field
from metadata.operator import Argument, Bind, Clock, Convert
from records.selection import Constant, Term, Tree, Variable
from records.snapshot import Snapshot
from storage.batch import Value
from storage.engine import Dialect
from storage.sql import ListParameter, encode_list
from storage.types import TEXT, TIMESTAMP, UUID, ColumnType

Variables: TypeAlias = Mapping[str, Any]
"""The coerced variables of an operation."""


@dataclass(slots=True)
class Run:
    """One run of a plan: the place where everything is found that a parameter may come from."""

    variables: Variables
    snapshot: Snapshot
    cursors: Mapping[int, Sequence[Any]] = field(default_factory=dict)  # slot -> logical values
    nonce: str = ""
    digests: Sequence[bytes] = ()  # what each list of the statement is, where a cursor has asked for it
    _clock: Clock | None = None

    @property
    def clock(self) -> Clock:
        """One instant for the whole run."""
        if self._clock is None:
            self._clock = clock_of(self.snapshot.catalog.app)
        return self._clock


Getter: TypeAlias = Callable[[Run], Value]
"""Gives a parameter's encoded value."""


def clock_of(app: App) -> Clock:
    """The clock of a company: its zone, week and fiscal year."""
    return Clock(now(), ZoneInfo(app.time_zone), app.week_start, app.fiscal_year_start)


def reader(term: Term) -> Callable[[Variables], Any]:
    """A function that finds the term's value; a missing variable is None."""
    if isinstance(term, Constant):
        value = term.value
        return lambda variables: value
    if len(term.path) == 1:
        name = str(term.path[0])
        return lambda variables: variables.get(name)
    return _walker(term)


def _walker(term: Variable) -> Callable[[Variables], Any]:
    path = term.path

    def walk(variables: Variables) -> Any:
        value: Any = variables
        for step in path:
            if value is None:
                return None
            value = value.get(step) if isinstance(value, Mapping) else value[int(step)]
        return value

    return walk


def tree_reader(tree: Tree) -> Callable[[Variables], Any]:
    """A function that gives the whole tree with its values; null entries of objects are left out."""
    if isinstance(tree, Constant | Variable):
        return reader(tree)
    if isinstance(tree, Mapping):
        parts = [(key, tree_reader(item)) for key, item in sorted(tree.items())]
        return lambda variables: {key: value for key, read in parts if (value := read(variables)) is not None}
    items = [tree_reader(item) for item in tree]
    return lambda variables: [read(variables) for read in items]


class Binds:
    """The parameters of one statement by name."""

    def __init__(self, dialect: Dialect, limits: Limits) -> None:
        self.dialect: Dialect = dialect
        self.limits = limits
        self.getters: dict[str, Getter] = {}

    def add(self, getter: Getter, type_: ColumnType) -> ColumnElement[Any]:
        """A new parameter; the getter gives it encoded."""
        name = f"b{len(self.getters)}"
        self.getters[name] = getter
        return sa.bindparam(name, type_=type_.sqlalchemy())

    def add_list(self, getter: Getter, element: ColumnType) -> ListParameter:
        """A new parameter for a whole list; the getter gives it encoded (`storage.sql.encode_list`)."""
        name = f"b{len(self.getters)}"
        self.getters[name] = getter
        return ListParameter(name, element)

    def logical(self, read: Callable[[Run], Any], type_: ColumnType) -> ColumnElement[Any]:
        """A new parameter from a function that gives the logical value."""
        encode = type_.encoder(self.dialect)
        return self.add(lambda run: encode(read(run)), type_)

    def id(self, term: Term) -> ColumnElement[Any]:
        """A record id: lower-case text, or null for text that is no UUID (it finds nothing)."""
        read = reader(term)
        return self.add(lambda run: canonical_id(read(run.variables)), UUID)

    def getter(self, name: str, constants: Mapping[str, Value]) -> Getter:
        """The getter of a parameter that occurs in the text: ours, the actor's, or a constant of the clause."""
        if name in self.getters:
            return self.getters[name]
        if name in ACTOR_BINDS:
            return ACTOR_BINDS[name](self.dialect)
        value = constants[name]
        return lambda run: value


def _actor_list(read: Callable[[Run], Sequence[str]], element: ColumnType) -> Callable[[Dialect], Getter]:
    def made(dialect: Dialect) -> Getter:
        return lambda run: encode_list(read(run), element, dialect)

    return made


def _principals(run: Run) -> Sequence[str]:
    actor = run.snapshot.actor
    return (actor.member_id, *actor.team_ids, *actor.roles)


def _now(dialect: Dialect) -> Getter:
    encode = TIMESTAMP.encoder(dialect)
    return lambda run: encode(run.clock.now)


ACTOR_BINDS: Mapping[str, Callable[[Dialect], Getter]] = {
    "actor_id": lambda dialect: lambda run: run.snapshot.actor.member_id,
    "actor_team": lambda dialect: lambda run: run.snapshot.actor.default_team_id,
    "actor_teams": _actor_list(lambda run: run.snapshot.actor.team_ids, UUID),
    "actor_roles": _actor_list(lambda run: run.snapshot.actor.roles, TEXT),
    "actor_principals": _actor_list(_principals, TEXT),
    "now": _now,
}
"""Parameters that every statement may name: who acts, and when."""


def actor_value(name: str, type_: ColumnType) -> ColumnElement[Any]:
    """One of `ACTOR_BINDS` that is a single value."""
    return sa.bindparam(name, type_=type_.sqlalchemy())


class TermBind(Bind):
    """The argument of one filter operator on one field, as the operators of metadata see it."""

    def __init__(self, binds: Binds, item: Field, argument: Argument, tree: Tree) -> None:
        self._binds = binds
        self._field = item
        self._argument = argument
        self._tree = tree
        self._read = self._logical(argument, tree)

    def value(self, convert: Convert | None = None, type: ColumnType | None = None) -> ColumnElement[Any]:
        """One parameter: the whole argument."""
        return self._parameter(self._read, convert, type or self._own_type)

    def values(self, convert: Convert | None = None, type: ColumnType | None = None) -> ListParameter:
        """One list parameter, of at most `limits.in_list_max` elements."""
        element = type or self._own_type
        read, dialect, longest = self._read, self._binds.dialect, self._binds.limits.in_list_max

        def get(run: Run) -> Value:
            items = read(run)
            if len(items) > longest:
                raise LimitExceeded(
                    Text(f"A list in a filter holds at most {longest} values", f"筛选条件中的列表最多含 {longest} 个值")
                )
            items = [item if convert is None else convert(item) for item in items]
            return encoded(lambda: encode_list(items, element, dialect))

        return self._binds.add_list(get, element)

    def text(self, convert: Convert | None = None) -> ColumnElement[Any]:
        """`value(convert, TEXT)`."""
        return self.value(convert, TEXT)

    def part(self, key: str, convert: Convert | None = None, type: ColumnType | None = None) -> ColumnElement[Any]:
        """One parameter out of an object argument."""
        read = self._read
        return self._parameter(lambda run: _part(read(run), key), convert, type or self._own_type)

    def clock(self, convert: Callable[[Any, Clock], Any], type: ColumnType | None = None) -> ColumnElement[Any]:
        """One parameter that depends on when the operation runs."""
        read = self._read
        return self._parameter(lambda run: convert(read(run), run.clock), None, type or self._own_type)

    @property
    def literal(self) -> Any:
        """The argument written in the document. Raises `BadInput` for one that is known only at run time."""
        if isinstance(self._tree, Constant):
            return self._tree.value
        raise BadInput(Text("This argument decides the shape of the query", "该参数决定查询的形式，不能延后给出"))

    @property
    def _own_type(self) -> ColumnType:
        own = self._field.column.type
        return TEXT if own.kind == "texts" else own

    def _parameter(self, read: Callable[[Run], Any], convert: Convert | None, type_: ColumnType) -> ColumnElement[Any]:
        encode = type_.encoder(self._binds.dialect)
        if convert is None:
            return self._binds.add(lambda run: encoded(lambda: encode(read(run))), type_)
        change = convert
        return self._binds.add(lambda run: encoded(lambda: encode(change(read(run)))), type_)

    def _logical(self, argument: Argument, tree: Tree) -> Callable[[Run], Any]:
        raw = tree_reader(tree)
        make = self._maker(argument)

        def read(run: Run) -> Any:
            value = raw(run.variables)
            if value is None:
                raise BadInput(
                    Text("An operator of a filter takes no null: use isNull", "筛选运算符不接受 null：请使用 isNull")
                )
            check_texts(value)
            return encoded(lambda: make(value))

        return read

    def _maker(self, argument: Argument) -> Callable[[Any], Any]:
        options, own = self._field.options, self._field.type
        match argument:
            case Argument.VALUE:
                return lambda value: own.argument(options, value)
            case Argument.VALUES:
                return lambda value: [own.argument(options, item) for item in _listed(value)]
            case Argument.RANGE:
                return lambda value: {key: own.argument(options, item) for key, item in _parts(value)}
            case Argument.ELEMENTS:
                return _listed
            case _:
                return lambda value: value


def check_texts(value: Any) -> None:
    """Raise `BadInput` for text that no database of ours can hold: NUL or a lone surrogate."""
    if isinstance(value, str):
        try:
            check_text(value)
        except JsonInvalid:
            raise _no_value() from None
    elif isinstance(value, Mapping):
        for item in value.values():
            check_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            check_texts(item)


def _no_value() -> BadInput:
    return BadInput(Text("A filter holds a value that its field cannot have", "筛选条件含有该字段不可能有的值"))


def _parts(value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping) or any(item is None for item in value.values()):
        raise _no_value()
    return list(value.items())


def _listed(value: Any) -> list[Any]:
    # GraphQL coerces one value to a list of it
    items = value if isinstance(value, list | tuple) else [value]
    if any(item is None for item in items):
        raise BadInput(Text("A list in a filter holds no null", "筛选条件中的列表不能含 null"))
    return list(items)


def _part(value: Mapping[str, Any], key: str) -> Any:
    if value.get(key) is None:
        raise BadInput(Text(f"'{key}' is missing in a filter", f"筛选条件缺少“{key}”"))
    return value[key]


def encoded(make: Callable[[], Any]) -> Any:
    """The result of an encoder; what it refuses is the caller's mistake."""
    try:
        return make()
    except (ValueError, ArithmeticError) as error:
        text = getattr(error, "text", None)
        raise (BadInput(text) if isinstance(text, Text) else _no_value()) from None
