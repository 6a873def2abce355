"""Transactions that hold nothing but change rows."""

from __future__ import annotations

from base.clock import now, timestamp
from base.ids import new_id
from storage.batch import Applied, Batch, Cause, ChangeRow
from storage.engine import Engine


def change(record: str, version: int = 1, op: str = "UPDATED") -> ChangeRow:
    """One change of a record's name."""
    before, after = {"name": "old"}, {"name": f"v{version}", "amount": "1.50"}
    return ChangeRow(new_id(), "account", record, op, version, ("name",), before, after)


async def write(engine: Engine, namespace: str, *changes: ChangeRow) -> str:
    """One transaction; answers with its id."""
    cause = Cause(None, "import", {"file": "accounts.csv"})
    batch = Batch(timestamp(now()), new_id(), cause, None, changes=changes)
    assert isinstance(await engine.apply(namespace, batch), Applied)
    return batch.transaction_id
