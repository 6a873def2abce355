"""Logical values of each kind of column, for properties that hold for all of them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

NOW = datetime(2026, 3, 29, 1, 30, 0, 250_000, tzinfo=UTC)

letters = st.sampled_from([*"aAbB %_\\'\"*?[]^-~\n", *"ßẞİıςΣﬁ赢单é％😀", "e\u0301"])
texts = st.lists(letters, max_size=6).map("".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 0.5, -0.0, 1e300]) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "0", "-1"]), inner),
    max_leaves=8,
)
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "integer": st.integers(-3, 3) | st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-3, 3) | st.integers(-(2**53) + 1, 2**53 - 1),
    "float": st.sampled_from([0.1, 0.30000000000000004, 1e16, -2.5]) | st.floats(allow_nan=False, allow_infinity=False),
    "decimal": st.integers(-300, 300).map(lambda n: Decimal(n).scaleb(-2)),
    "boolean": st.booleans(),
    "date": st.dates(date(2025, 1, 1), date(2027, 6, 1)) | st.just(date(9999, 12, 31)),
    "time": st.times(),
    "timestamp": st.datetimes(datetime(2025, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC)) | st.just(NOW),
    "uuid": st.integers(0, 3).map(lambda n: str(uuid.UUID(int=n))),
    "json": json_values.filter(lambda value: value is not None),
    "texts": st.lists(texts, max_size=3, unique=True),
}
