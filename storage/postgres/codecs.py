"""How asyncpg must be told to read and write values, beyond what it does by itself."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg


async def set_date_codec(connection: asyncpg.Connection[Any]) -> None:
    """Make a fresh connection send and read dates as text.

    asyncpg's own codec writes `0001-01-01` as -infinity and `9999-12-31`, the customary "for ever", as infinity.
    """
    await connection.set_type_codec(
        "date", schema="pg_catalog", encoder=date.isoformat, decoder=date.fromisoformat, format="text"
    )
