"""The filter operators."""

from __future__ import annotations

from base.registry import Registry
from metadata.operator import Operator
from metadata.operators.between import Between
from metadata.operators.contains import Contains
from metadata.operators.ends_with import EndsWith
from metadata.operators.eq import Eq
from metadata.operators.gt import Gt
from metadata.operators.gte import Gte
from metadata.operators.has import Has
from metadata.operators.has_all import HasAll
from metadata.operators.has_any import HasAny
from metadata.operators.i_like import ILike
from metadata.operators.in_last import InLast
from metadata.operators.in_list import In
from metadata.operators.in_next import InNext
from metadata.operators.is_empty import IsEmpty
from metadata.operators.is_null import IsNull
from metadata.operators.like import Like
from metadata.operators.lt import Lt
from metadata.operators.lte import Lte
from metadata.operators.neq import Neq
from metadata.operators.not_in import NotIn
from metadata.operators.path import Path
from metadata.operators.starts_with import StartsWith
from metadata.operators.this_month import ThisMonth
from metadata.operators.this_quarter import ThisQuarter
from metadata.operators.this_week import ThisWeek
from metadata.operators.this_year import ThisYear

OPERATORS: Registry[Operator] = Registry(
    Eq(),
    Neq(),
    In(),
    NotIn(),
    IsNull(),
    Gt(),
    Gte(),
    Lt(),
    Lte(),
    Between(),
    Contains(),
    StartsWith(),
    EndsWith(),
    Like(),
    ILike(),
    Has(),
    HasAny(),
    HasAll(),
    IsEmpty(),
    InLast(),
    InNext(),
    ThisWeek(),
    ThisMonth(),
    ThisQuarter(),
    ThisYear(),
    Path(),
)
"""All of them; docs/operators.md describes each."""
