"""The rows of the benchmark: the same at every run, made from their numbers alone.

A row's number is its id in the peers' tables. In Pliant its id is a UUIDv7 with the number inside (`record_id`), so a
load generator can name any row without asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks.company import INDUSTRIES, SOURCES, STAGES, TEAMS, TIERS

FIRST_INSTANT = datetime(2022, 6, 1, tzinfo=UTC)
FIRST_MILLISECOND = int(FIRST_INSTANT.timestamp() * 1000)
_FIRST_CLOSE = date(2023, 1, 1)
_TITLES = ("CEO", "Buyer", "CTO", "Analyst", "Manager")
_REGIONS = ("North", "South", "East", "West")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each kind."""

    users: int
    accounts: int
    contacts: int
    opportunities: int

    @classmethod
    def of(cls, scale: float) -> Counts:
        """Two thousand users, 200,000 accounts, 500,000 contacts, a million opportunities at scale 1."""
        return cls(*(max(40, round(full * scale)) for full in (2_000, 200_000, 500_000, 1_000_000)))


def record_id(number: int, entity: int) -> str:
    """The UUIDv7 of a row: milliseconds that grow with its number, the entity's number, the number again."""
    stamp = f"{FIRST_MILLISECOND + number:012x}"
    return f"{stamp[:8]}-{stamp[8:]}-7{entity:03x}-8000-{number:012x}"


def team_of(number: int) -> int:
    """The team (1 to `TEAMS`) of a row."""
    return 1 + _mixed(number, 59) % TEAMS


def users(counts: Counts) -> Iterator[tuple[Any, ...]]:
    """id, name, email, region."""
    for number in range(1, counts.users + 1):
        yield number, f"User {number}", f"user{number}@example.com", _REGIONS[number % 4]


def accounts(counts: Counts) -> Iterator[tuple[Any, ...]]:
    """id, name, industry, city, tier, owner, annual revenue, created at."""
    for number in range(1, counts.accounts + 1):
        yield (
            number,
            f"Account {number}",
            INDUSTRIES[_mixed(number, 1) % len(INDUSTRIES)],
            f"City {_mixed(number, 3) % 300}",
            TIERS[_mixed(number, 5) % len(TIERS)],
            1 + _mixed(number, 7) % counts.users,
            Decimal(100_000 + _mixed(number, 11) % 100_000_000).scaleb(-2),
            FIRST_INSTANT + timedelta(seconds=_mixed(number, 13) % 100_000_000),
        )


def contacts(counts: Counts) -> Iterator[tuple[Any, ...]]:
    """id, account, name, email, phone, title."""
    for number in range(1, counts.contacts + 1):
        yield (
            number,
            1 + _mixed(number, 17) % counts.accounts,
            f"Contact {number}",
            f"c{number}@example.com",
            f"+86{13_000_000_000 + number}",
            _TITLES[_mixed(number, 1) % len(_TITLES)],
        )


def opportunities(counts: Counts) -> Iterator[tuple[Any, ...]]:
    """id, account, owner, name, stage, amount, probability, close date, source, created at, updated at."""
    for number in range(1, counts.opportunities + 1):
        created = FIRST_INSTANT + timedelta(seconds=100 * number)
        yield (
            number,
            1 + _mixed(number, 19) % counts.accounts,
            1 + _mixed(number, 23) % counts.users,
            f"Opportunity {number}",
            STAGES[_mixed(number, 29) % len(STAGES)],
            Decimal(10_000 + _mixed(number, 31) % 50_000_000).scaleb(-2),
            _mixed(number, 37) % 11 * 10,
            _FIRST_CLOSE + timedelta(days=_mixed(number, 41) % 1095),
            SOURCES[_mixed(number, 43) % len(SOURCES)],
            created,
            created + timedelta(days=5),
        )


def _mixed(number: int, salt: int) -> int:
    """A number spread over 32 bits (the finalizer of MurmurHash3)."""
    mixed = (number * 0x9E3779B1 + salt * 0x85EBCA77) & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return mixed ^ mixed >> 16
