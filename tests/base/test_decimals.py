"""Exact decimals: rounding, bounds and canonical text; the tie that rounding twice would miss."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base import decimals

NUMBERS = st.builds(
    lambda units, scale: Decimal(units).scaleb(-scale),
    st.integers(-(10**28) + 1, 10**28 - 1),
    st.integers(0, decimals.SCALE),
)


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [("1.10", "2", "2.2"), ("0.00001", "0.000005", "0.0000000001"), ("-0.00001", "0.000005", "-0.0000000001")],
)
def test_products_are_exact_or_rounded_away_from_zero(left: str, right: str, product: str) -> None:
    assert decimals.multiply(Decimal(left), Decimal(right)) == Decimal(product)


def test_sums_keep_the_larger_scale() -> None:
    assert str(decimals.add(Decimal("1.10"), 2)) == "3.10"
    assert str(decimals.subtract(Decimal("1.10"), Decimal("1.1"))) == "0.00"


def test_a_division_by_zero_has_no_result() -> None:
    assert decimals.divide(1, 0) is None
    assert decimals.remainder(Decimal("1.5"), Decimal("0.00")) is None


def test_a_remainder_has_the_sign_of_its_left_side() -> None:
    assert decimals.remainder(Decimal("-7.5"), 2) == Decimal("-1.5")
    assert decimals.remainder(Decimal("7.5"), -2) == Decimal("1.5")


def test_more_than_28_digits_are_null() -> None:
    largest = 10**28 - 1
    assert decimals.add(largest, 0) == largest
    assert decimals.add(largest, 1) is None
    assert decimals.add(10**18, Decimal("0.0000000001")) is None  # 29 digits together


def test_zeros_behind_the_point_are_no_digits() -> None:
    assert decimals.add(10**20, Decimal("0.0000000000")) == 10**20


@given(NUMBERS, NUMBERS)
def test_quotients_are_rounded_once(left: Decimal, right: Decimal) -> None:
    result = decimals.divide(left, right)
    if not right:
        assert result is None
        return
    exact = abs(Fraction(left) / Fraction(right)) * 10**decimals.SCALE
    units = (exact + Fraction(1, 2)).__floor__()
    sign = 1 if (left < 0) == (right < 0) else -1
    expected = decimals.canonical(Decimal(sign * units).scaleb(-decimals.SCALE, decimals._EXACT))
    assert result == (expected if decimals.digits(expected) <= decimals.DIGITS else None)


@given(NUMBERS, NUMBERS)
def test_equal_values_have_equal_texts(left: Decimal, right: Decimal) -> None:
    assert (decimals.text(left) == decimals.text(right)) == (left == right)
    assert decimals.compare(left, right) == (left > right) - (left < right)


@given(NUMBERS, st.integers(0, 6))
def test_texts_have_neither_exponent_nor_trailing_zeros(value: Decimal, scale: int) -> None:
    text = decimals.text(decimals.rounded(value, scale))
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))
    assert text != "-0"


def test_a_program_runs_postfix() -> None:
    assert decimals.run_program("$0 u4 $1 * =100 /", 15_000, 3) == "0.045"
    assert decimals.run_program("$0 f =2 f f*", "1.5") == 3.0
    assert decimals.run_program("$0 =1 +", None) is None
    assert decimals.run_program("=1 =0 /") is None
