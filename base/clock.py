"""The clock: the only place where a room reads the time (leases and due times use the database's)."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The instant, in UTC, with microseconds."""
    return datetime.now(UTC)


def timestamp(instant: datetime) -> str:
    """An instant as it is stored and shown everywhere: RFC 3339 in UTC, fraction without trailing zeros.

    The text (`2026-11-23T08:05:00.5+00:00`) sorts as the instants do and equals what PostgreSQL writes into JSON.
    """
    text = instant.astimezone(UTC).isoformat()
    head, point, rest = text.partition(".")
    if not point:
        return text
    fraction, _, _ = rest.partition("+")
    return f"{head}.{fraction.rstrip('0')}+00:00"
