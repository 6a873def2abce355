"""The formula language: text -> tree -> types -> Python and SQL.

Surface syntax of CEL with business semantics: exact decimals, null through arithmetic, total equality. Nothing here
knows an entity or a table: names come from a `Scope`, columns from `Columns`. docs/expressions.md has the rules.
"""

from expressions.checker import check
from expressions.errors import ExpressionInvalid
from expressions.numbers import stored
from expressions.parser import parse
from expressions.python import Evaluation, Lookup, compiled, evaluate
from expressions.sql import condition, to_sql
from expressions.tree import Expression, Literal, Name, Node, Operation
from expressions.types import Columns, Dialect, Scope, SqlValue, Type

__all__ = [
    "Columns",
    "Dialect",
    "Evaluation",
    "Expression",
    "ExpressionInvalid",
    "Literal",
    "Lookup",
    "Name",
    "Node",
    "Operation",
    "Scope",
    "SqlValue",
    "Type",
    "check",
    "compiled",
    "condition",
    "evaluate",
    "parse",
    "stored",
    "to_sql",
]
