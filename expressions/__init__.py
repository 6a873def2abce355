"""The formula language: text -> tree -> types -> Python and SQL.

Surface syntax of CEL with business semantics: exact decimals, null through arithmetic, total equality. Nothing here
knows an entity or a table: names come from a `Scope`, columns from `Columns`.
"""

from expressions.tree import Expression, Node
from expressions.types import Columns, Scope, SqlValue, Type

__all__ = ["Columns", "Expression", "Node", "Scope", "SqlValue", "Type"]
