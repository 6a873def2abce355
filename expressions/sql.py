"""The SQL back end: a typed expression and its columns -> a condition or a value, on both dialects.

A condition may be null where it is false, which WHERE, AND, OR and CASE WHEN take for the same; whatever stands under
a negation or is used as a value is written so that it is never null. Constants are parameters that carry their value.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from expressions import numbers
from expressions.checker import NUMBERS
from expressions.constructs import contained
from expressions.literals import logical
from expressions.numbers import Number
from expressions.tree import Expression, Literal, Name, Node, Operation
from expressions.types import Columns, Dialect, SqlValue, Type

_POSTGRES_TYPES: Final[dict[Type, TypeEngine[Any]]] = {
    Type.BOOLEAN: sa.Boolean(),
    Type.TEXT: sa.Text(),
    Type.DATE: sa.Date(),
    Type.DATETIME: sa.DateTime(timezone=True),
    Type.TIME: sa.Time(),
    Type.ID: sa.Uuid(as_uuid=False),
}


def condition(
    expression: Expression, columns: Columns, dialect: Dialect, *, negated: bool = False
) -> ColumnElement[Any]:
    """The expression as a condition for WHERE, AND, OR or CASE WHEN: where it is not true it is false or null.

    `negated` gives the condition that holds exactly where the expression does not; never put NOT before the result.
    """
    return _Compiler(columns, dialect).condition(expression.tree, negated)


def to_sql(expression: Expression, columns: Columns, dialect: Dialect) -> SqlValue:
    """The expression as a value, null exactly where `evaluate` gives None."""
    return _Compiler(columns, dialect).value(expression.tree)


class _Compiler:
    """Writes one tree for one dialect."""

    def __init__(self, columns: Columns, dialect: Dialect) -> None:
        self._columns = columns
        self._dialect: Dialect = dialect

    def condition(self, node: Node, negated: bool = False) -> ColumnElement[Any]:
        match node:
            case Literal(value):
                return sa.true() if (value is True) is not negated else sa.false()
            case Name(path):
                clause = self._columns.column(path).clause
                return clause.is_not(sa.true()) if negated else self._held(clause)
            case Operation("&&" | "||" as operator, operands):
                join = sa.and_ if (operator == "&&") is not negated else sa.or_
                return join(*(self.condition(operand, negated) for operand in operands))
            case Operation("!", operands):
                return self.condition(operands[0], not negated)
            case Operation("?:"):
                whens, otherwise = _branches(node)
                cases = [(self.condition(test), self._total(then, negated)) for test, then in whens]
                return self._held(sa.case(*cases, else_=self._total(otherwise, negated)))
            case Operation("==" | "!=" as operator, (left, right)):
                return self._equal(left, right, (operator == "!=") is not negated)
            case Operation("in", (item, items)):
                found = self._contains(item, items)
                return Grouping(found).is_not(sa.true()) if negated else found
            case Operation(operator, (left, right)):
                below = self._ordered(operator, left, right)
                return Grouping(below).is_not(sa.true()) if negated else below
            case _:
                raise TypeError(f"{node} is no condition")

    def value(self, node: Node) -> SqlValue:
        if node.type in NUMBERS:
            return self._number(node).as_value(self._dialect)
        match node:
            case Literal():
                return SqlValue(self._constant(node), node.type, nullable=node.value is None)
            case Name(path):
                return self._columns.column(path)
            case Operation("?:"):
                return self._chosen_value(node)
            case _:
                return SqlValue(self._total(node, False), Type.BOOLEAN, nullable=False)

    def _held(self, clause: ColumnElement[Any]) -> ColumnElement[Any]:
        # SQLAlchemy writes `= 1` behind a boolean column of SQLite by itself, but not behind every clause
        return (
            sa.type_coerce(clause, sa.Boolean()) if self._dialect == "postgresql" else clause == sa.literal_column("1")
        )

    def _total(self, node: Node, negated: bool) -> ColumnElement[Any]:
        """The condition as a value that is never null."""
        clause = self.condition(node, negated)
        return clause if isinstance(node, Literal) else Grouping(clause).is_(sa.true())

    def _constant(self, literal: Literal) -> ColumnElement[Any]:
        if literal.value is None:
            return sa.null()
        if self._dialect == "sqlite":
            value = int(literal.value) if isinstance(literal.value, bool) else literal.value
            return sa.literal(value, sa.Integer() if isinstance(value, int) else sa.Text())
        type_ = _POSTGRES_TYPES[literal.type]
        return sa.cast(sa.literal(logical(literal), type_), type_)

    def _number(self, node: Node) -> Number:
        match node:
            case Literal(int() | Decimal() as value):
                return numbers.from_constant(value, node.type)
            case Operation("?:"):
                return self._chosen_number(node)
            case Operation("neg", (operand,)):
                zero = numbers.from_constant(0, Type.INTEGER)
                return numbers.arithmetic("-", zero, self._number(operand), node.type, self._dialect)
            case Operation(operator, (left, right)):
                operands = self._number(left), self._number(right)
                return numbers.arithmetic(operator, *operands, node.type, self._dialect)
            case Name(path):
                return numbers.from_value(self._columns.column(path))
            case _:
                return numbers.null_number(Type.INTEGER)

    def _chosen_number(self, node: Operation) -> Number:
        whens, last = _branches(node)
        form = numbers.double if node.type is Type.FLOAT else numbers.exact
        values = [self._number(then) for _, then in whens]
        otherwise = self._number(last)
        cases = [
            (self.condition(test), form(value, self._dialect)) for (test, _), value in zip(whens, values, strict=True)
        ]
        clause = sa.case(*cases, else_=form(otherwise, self._dialect))
        values.append(otherwise)
        scale, whole = max(value.scale for value in values), max(value.whole for value in values)
        return Number(clause, node.type, scale, whole, any(value.nullable for value in values), computed=True)

    def _chosen_value(self, node: Operation) -> SqlValue:
        whens, last = _branches(node)
        values = [(self.condition(test), self.value(then)) for test, then in whens]
        otherwise = self.value(last)
        clause = sa.case(*((test, value.clause) for test, value in values), else_=otherwise.clause)
        every = [*(value for _, value in values), otherwise]
        element = next((value.element for value in every if value.type is Type.LIST), Type.TEXT)
        return SqlValue(clause, node.type, nullable=any(value.nullable for value in every), element=element)

    def _equal(self, left: Node, right: Node, negated: bool) -> ColumnElement[Any]:
        if right.type is Type.NULL or left.type is Type.NULL:
            other = left if right.type is Type.NULL else right
            if other.type is Type.NULL:
                return sa.false() if negated else sa.true()
            clause = self.value(other).clause
            return Grouping(clause).is_not(sa.null()) if negated else Grouping(clause).is_(sa.null())
        if left.type in NUMBERS:
            return numbers.equal(self._number(left), self._number(right), negated, self._dialect)
        one, two = self.value(left), self.value(right)
        return numbers.equality(one.clause, two.clause, one.nullable, two.nullable, negated)

    def _ordered(self, operator: str, left: Node, right: Node) -> ColumnElement[Any]:
        if Type.NULL in (left.type, right.type):
            return sa.false()
        if left.type in NUMBERS:
            return numbers.ordered(operator, self._number(left), self._number(right), self._dialect)
        one, two = self.value(left).clause, self.value(right).clause
        if left.type is Type.TEXT and self._dialect == "postgresql":
            two = sa.collate(two, "C")  # as text columns are; two constants would follow the database
        return numbers.order(operator, one, two)

    def _contains(self, item: Node, items: Node) -> ColumnElement[Any]:
        if isinstance(items, Operation) and items.operator == "list":
            return self._among(item, items.operands)
        if Type.NULL in (item.type, items.type):
            return sa.false()
        value, values = self.value(item), self.value(items)
        clause, array = value.clause, values.clause
        if self._dialect == "postgresql" and value.type is not values.element:
            if value.type is Type.ID:
                clause = sa.cast(clause, sa.Text())
            else:
                array = sa.cast(array, postgresql.ARRAY(sa.Text()))
        return contained(clause, array)

    def _among(self, item: Node, items: tuple[Node, ...]) -> ColumnElement[Any]:
        if not items or (item.type is Type.NULL and all(isinstance(each, Literal) for each in items)):
            return sa.false()
        if not all(isinstance(each, Literal) for each in items):
            return sa.or_(*(self._equal(item, each, False) for each in items))
        if item.type in NUMBERS:
            return numbers.among(self._number(item), [self._number(each) for each in items], self._dialect)
        return self.value(item).clause.in_([self._constant(each) for each in items if isinstance(each, Literal)])


def _branches(node: Operation) -> tuple[list[tuple[Node, Node]], Node]:
    """The conditions and values of `c ? x : d ? y : z`, which are one CASE, and the last value."""
    whens: list[tuple[Node, Node]] = []
    last: Node = node
    while isinstance(last, Operation) and last.operator == "?:":
        test, then, otherwise = last.operands
        whens.append((test, then))
        last = otherwise
    return whens, last
