"""How asyncpg must be told to read and write values, beyond what it does by itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg


async def set_value_codecs(connection: asyncpg.Connection[Any]) -> None:
    """Make a fresh connection send and read dates and decimals as text.

    asyncpg's own codec writes `0001-01-01` as -infinity and `9999-12-31`, the customary "for ever", as infinity.
    That of decimals is right, and takes three times as long as text does.
    """
    for name, encode, decode in (("date", date.isoformat, date.fromisoformat), ("numeric", str, Decimal)):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encode, decoder=decode, format="text")
