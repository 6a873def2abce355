"""How many examples a property is tried with: few in every run, more where `PLIANT_TEST_EXAMPLES` multiplies them."""

from __future__ import annotations

import os

SCALE = float(os.environ.get("PLIANT_TEST_EXAMPLES") or 1)


def examples(few: int) -> int:
    """The number for `max_examples` of a property that needs so many in an ordinary run."""
    return max(1, round(few * SCALE))
