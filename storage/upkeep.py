"""What a sweep does now and then in each company."""

from __future__ import annotations

from base.clock import now, timestamp
from base.ids import new_id
from storage.batch import Batch, Cause, Execute, Sql
from storage.engine import Engine
from storage.types import TIMESTAMP


async def forget_expired_keys(engine: Engine, namespace: str) -> None:
    """Remove idempotency rows whose time is over; they answer nobody any more."""
    instant = now()
    place = "?" if engine.dialect == "sqlite" else "$1"
    text = f"DELETE FROM __ns__._idempotency WHERE expires_at <= {place}"
    delete = Execute(Sql(text), (TIMESTAMP.encoder(engine.dialect)(instant),))
    batch = Batch(timestamp(instant), new_id(), Cause(None, "upkeep"), None, statements=(delete,))
    await engine.apply(namespace, batch)
