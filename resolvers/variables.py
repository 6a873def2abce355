"""Variables of an operation: coerced once, together with the shape that a plan depends on.

A coercer is compiled per input type, so that one pass over the request's JSON gives the values and the shape. It
accepts only what is surely right. When it refuses, graphql-core decides: its errors are the answer, or, where it is
more lenient, its values are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    get_variable_values,
    type_from_ast,
    value_from_ast,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from base.errors import BadInput, LimitExceeded, Text
from base.immutable import immutable

Shape: TypeAlias = tuple[Any, ...]
"""What a plan depends on: which keys are present, kinds of values, and the values that are structure themselves."""

MAX_ERRORS: Final = 5
_INT_MAX: Final = 2**31
_MISSING: Final = object()


class VariablesInvalid(BadInput):
    """Variables that do not fit their types. `errors` are graphql-core's, with paths and without suggestions."""

    def __init__(self, errors: tuple[GraphQLError, ...]) -> None:
        self.errors = errors
        message = errors[0].message if errors else "The variables do not fit their types."
        super().__init__(Text(message, f"变量无效：{message}"))


@immutable
class Coerced:
    """The values of an operation's variables (absent ones are absent), and their shape."""

    values: Mapping[str, Any]
    shape: Shape


class _Refused(Exception):
    """The value is not surely right."""


class _Trace(list[Any]):
    """The shape under construction, and how many input objects were met."""

    __slots__ = ("objects",)

    def __init__(self) -> None:
        super().__init__()
        self.objects = 0


_Coerce: TypeAlias = Callable[[Any, _Trace], Any]


def _text(value: Any, trace: _Trace) -> str:
    if type(value) is not str:
        raise _Refused
    trace.append(1)
    return check_nul(value)


def check_nul(value: str) -> str:
    """The text itself. Raises `BadInput` for a NUL, which no database of ours keeps."""
    if "\0" in value:
        raise BadInput(Text("A text holds a NUL character.", "文本含有 NUL 字符。"))
    return value


def _id(value: Any, trace: _Trace) -> str:
    return _text(str(value) if type(value) is int else value, trace)


def _int(value: Any, trace: _Trace) -> int:
    if type(value) is not int or not -_INT_MAX <= value < _INT_MAX:
        raise _Refused
    trace.append(1)
    return value


def _float(value: Any, trace: _Trace) -> float:
    if type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise _Refused from None
    elif type(value) is not float or value - value != 0:
        raise _Refused
    trace.append(1)
    return value  # type: ignore[no-any-return]


def _boolean(value: Any, trace: _Trace) -> bool:
    if value is not True and value is not False:
        raise _Refused
    trace.append(value)  # isNull, @include and the like change the statement
    return value


_SIMPLE: Final[Mapping[Any, _Coerce]] = {
    GraphQLString: _text,
    GraphQLID: _id,
    GraphQLInt: _int,
    GraphQLFloat: _float,
    GraphQLBoolean: _boolean,
}


class Coercers:
    """Coercers of one schema's input types. `structural` names the enums whose values are part of the shape."""

    def __init__(self, structural: frozenset[str], max_objects: int) -> None:
        self.max_objects = max_objects
        self._structural = structural
        self._by_type: dict[Any, _Coerce] = {}

    def of(self, type_: Any) -> _Coerce:
        """The coercer of an input type; made on first use, since input types refer to each other in circles."""
        made = self._by_type.get(type_)
        if made is None:
            made = self._by_type[type_] = self._nullable(type_)
        return made

    def is_leaf(self, type_: Any) -> bool:
        """Whether a list of this type is one run-time value."""
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        return not isinstance(bare, GraphQLInputObjectType | GraphQLList) and bare.name not in self._structural

    def _nullable(self, type_: Any) -> _Coerce:
        if isinstance(type_, GraphQLNonNull):
            inner = self._bare(type_.of_type)

            def required(value: Any, trace: _Trace) -> Any:
                """Null is refused."""
                if value is None:
                    raise _Refused
                return inner(value, trace)

            return required
        bare = self._bare(type_)

        def nullable(value: Any, trace: _Trace) -> Any:
            """Null stays null."""
            if value is None:
                trace.append(None)
                return None
            return bare(value, trace)

        return nullable

    def _bare(self, type_: Any) -> _Coerce:
        if isinstance(type_, GraphQLList):
            return self._list(type_.of_type)
        if isinstance(type_, GraphQLInputObjectType):
            return _InputObject(self, type_)
        if (simple := _SIMPLE.get(type_)) is not None:
            return simple
        return self._enum(type_) if isinstance(type_, GraphQLEnumType) else _scalar(type_.coerce_input_value)

    def _enum(self, type_: GraphQLEnumType) -> _Coerce:
        values = {name: value.value for name, value in type_.values.items()}
        structural = type_.name in self._structural

        def enum(value: Any, trace: _Trace) -> Any:
            """The value behind a name of the enum."""
            if type(value) is not str or value not in values:
                raise _Refused
            meant = values[value]
            # an alias of a renamed choice counts as shape, so that its use is seen
            trace.append(value if structural or meant != value else 1)
            return meant

        return enum

    def _list(self, item_type: Any) -> _Coerce:
        item = self.of(item_type)
        if self.is_leaf(item_type):

            def leaves(value: Any, trace: _Trace) -> list[Any]:
                """A list that is one run-time value."""
                trace.append("list")
                aside = _Trace()  # how long the list is and what it holds is no part of the shape
                return [item(one, aside) for one in (value if type(value) is list else [value])]

            return leaves

        def items(value: Any, trace: _Trace) -> list[Any]:
            """A list whose length is part of the shape."""
            values = value if type(value) is list else [value]
            trace.append(len(values))
            return [item(one, trace) for one in values]

        return items


def _scalar(read: Callable[[Any], Any]) -> _Coerce:
    def scalar(value: Any, trace: _Trace) -> Any:
        """What the scalar itself makes of the value."""
        try:
            value = read(value)
        except (GraphQLError, ValueError, TypeError, OverflowError):
            raise _Refused from None
        if value is Undefined:
            raise _Refused
        trace.append(1)
        return value

    return scalar


class _InputObject:
    """The coercer of one input object type; its fields are looked at when the first value comes."""

    __slots__ = ("_coercers", "_defaults", "_fields", "_one_of", "_required", "_type")

    def __init__(self, coercers: Coercers, type_: GraphQLInputObjectType) -> None:
        self._coercers = coercers
        self._type = type_
        self._one_of = type_.is_one_of
        self._fields: dict[str, tuple[int, str, _Coerce]] | None = None
        self._required: tuple[str, ...] = ()
        self._defaults: tuple[tuple[str, str, Any], ...] = ()

    def _prepare(self) -> dict[str, tuple[int, str, _Coerce]]:
        fields = self._type.fields
        found = {name: coerce_default_value(field) for name, field in fields.items()}
        self._defaults = tuple(
            (name, fields[name].out_name or name, value) for name, value in found.items() if value is not Undefined
        )
        self._required = tuple(
            name
            for name, field in fields.items()
            if isinstance(field.type, GraphQLNonNull) and found[name] is Undefined
        )
        self._fields = {
            name: (number, field.out_name or name, self._coercers.of(field.type))
            for number, (name, field) in enumerate(fields.items())
        }
        return self._fields

    def __call__(self, value: Any, trace: _Trace) -> dict[str, Any]:
        """The coerced object; the order in which a client writes its keys makes another shape, which is harmless."""
        fields = self._fields if self._fields is not None else self._prepare()
        if type(value) is not dict:
            raise _Refused
        trace.objects += 1
        if trace.objects > self._coercers.max_objects:
            raise too_many_objects(self._coercers.max_objects)
        if self._one_of and (len(value) != 1 or None in value.values()):
            raise _Refused
        result = {}
        trace.append(len(value))
        for name, item in value.items():
            entry = fields.get(name)
            if entry is None:
                raise _Refused
            trace.append(entry[0])
            result[entry[1]] = entry[2](item, trace)
        for name in self._required:
            if name not in value:
                raise _Refused
        for name, out_name, default in self._defaults:
            if name not in value:
                result[out_name] = default
        return result


def too_many_objects(limit: int) -> LimitExceeded:
    """The error for variables with more input objects than one request may have."""
    return LimitExceeded(
        Text(f"The variables hold more than {limit} input objects.", f"变量中的输入对象超过 {limit} 个。"),
        {"limit": limit},
    )


class Variables:
    """The compiled variables of one operation."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, coercers: Coercers) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._max_objects = coercers.max_objects
        self._compiled = tuple(self._compile(definition, coercers) for definition in self._definitions)

    def _compile(self, definition: Any, coercers: Coercers) -> tuple[str, _Coerce, Any, bool]:
        type_ = type_from_ast(self._schema, definition.type)
        default = value_from_ast(definition.default_value, type_) if definition.default_value else Undefined
        if definition.default_value and default is Undefined:  # 1e999 passes validation, and is no Float
            name = definition.variable.name.value
            raise BadInput(Text(f"The default of '${name}' is no value of its type.", f"变量“${name}”的默认值无效。"))
        return definition.variable.name.value, coercers.of(type_), default, isinstance(type_, GraphQLNonNull)

    def coerce(self, raw: Mapping[str, Any]) -> Coerced:
        """The values and shape of a request's variables; names that the operation does not declare are left out.

        Raises `VariablesInvalid` for values that do not fit, `LimitExceeded` for too many input objects.
        """
        try:
            return self._fast(raw)
        except (_Refused, RecursionError):
            return self._slow(raw)

    def _fast(self, raw: Mapping[str, Any]) -> Coerced:
        values: dict[str, Any] = {}
        trace = _Trace()
        for name, coerce, default, required in self._compiled:
            value = raw.get(name, _MISSING)
            if value is not _MISSING:
                values[name] = coerce(value, trace)
            elif default is not Undefined:
                values[name] = default
                trace.append("default")
            elif required:
                raise _Refused
            else:
                trace.append("missing")
        return Coerced(values, tuple(trace))

    def _slow(self, raw: Mapping[str, Any]) -> Coerced:
        if _objects(raw, self._max_objects) > self._max_objects:
            raise too_many_objects(self._max_objects)
        try:
            found = get_variable_values(
                self._schema, self._definitions, dict(raw), max_errors=MAX_ERRORS, hide_suggestions=True
            )
            if isinstance(found, list):
                raise VariablesInvalid(tuple(found))
            # graphql-core reads more than the compiled coercers (3.0 as an Int); what it made of it fits both
            return self._fast(found.coerced)
        except (_Refused, RecursionError):
            raise VariablesInvalid(()) from None


def _objects(value: Any, limit: int) -> int:
    """How many JSON objects a value holds, counted up to a little over the limit."""
    count, waiting = 0, [value]
    while waiting and count <= limit:
        item = waiting.pop()
        if isinstance(item, Mapping):
            count += 1
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return count
