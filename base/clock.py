"""The clock: the only place where a room reads the time (leases and due times use the database's)."""

from __future__ import annotations

from datetime import UTC, datetime

_WITH_FRACTION = 32


def now() -> datetime:
    """The instant, in UTC, with microseconds."""
    return datetime.now(UTC)


def timestamp(instant: datetime) -> str:
    """An instant as it is stored and shown everywhere: RFC 3339 in UTC, fraction without trailing zeros.

    The text (`2026-11-23T08:05:00.5+00:00`) sorts as the instants do and equals what PostgreSQL writes into JSON.
    """
    text = (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat()
    # 26 characters and the offset: there is a fraction, always of six digits
    return text if len(text) < _WITH_FRACTION else text[:26].rstrip("0") + "+00:00"
