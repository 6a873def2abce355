"""A house with the sales company, on each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pliant.house import House
from tests.contract.staff import Staff, found_staff
from tests.engines import ENGINES, place_of
from tests.houses import Client, found_company, hire, opened_house
from tests.schema.samples import SALES

SELLER: dict[str, Any] = {
    "kind": "role",
    "name": "seller",
    "title": "Seller",
    "entities": {
        "account": {"read": {"rows": ["all"], "fields": {"*": True, "revenue": False}}},
        "opportunity": {
            "read": {"rows": ["own"], "fields": {"*": True, "score": False}},
            "create": {"fields": {"*": True}},
            "update": {"rows": ["own"], "fields": {"*": True, "amount": False}},
        },
        "line": {"read": {"rows": ["all"]}, "create": True},
        "member": {"read": {"rows": ["own"]}},
    },
}
"""Sees all accounts without revenue, and his own opportunities without score."""


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where rows are kept."""
    return place_of(request.param, tmp_path)


@pytest.fixture
async def house(place: str) -> AsyncIterator[House]:
    """A running house."""
    async with opened_house(place) as opened:
        yield opened


@pytest.fixture
async def owner(house: House) -> Client:
    """The owner of the sales company."""
    return await found_company(house, (*SALES, SELLER))


@pytest.fixture
async def seller(owner: Client) -> Client:
    """A seller of the same company."""
    return await hire(owner, "Sue", "seller")


@pytest.fixture
async def staff(house: House) -> Staff:
    """A company in which much is hidden from Sue."""
    return await found_staff(house)
