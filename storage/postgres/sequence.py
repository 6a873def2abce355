"""The sequencer of PostgreSQL: change rows go from `_pending` to `_log` and get dense positions.

A row's number cannot be given while it is written: numbers of transactions that are still open would be holes which a
reader takes for the end. So committed rows are numbered afterwards, transaction by transaction, in the order in which
their last rows were written; a record's changes keep the order of their commits, because `seq` is drawn while the
record is locked. The head row is the fence: who holds it is the only sequencer, in however many processes.
"""

from __future__ import annotations

from storage.fixed import CHANGE_COLUMNS
from storage.names import placed, quoted
from storage.postgres.pool import Connection

ROWS_AT_ONCE = 20_000
"""Rows moved in one transaction; a longer queue (after an import) is taken in parts, whole transactions each."""

SWEPT_EVERY = 2_000
"""Rows moved between two clearings of the queue: each run reads over what those before it have left behind, and
autovacuum comes once a minute at most."""

_SWEEP = "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) __ns__._pending"

_WAITING = (
    f"SELECT position, (SELECT count(*) FROM (SELECT FROM __ns__._pending LIMIT {ROWS_AT_ONCE + 1}) AS p) "
    "FROM __ns__._head WHERE id = 1"
)
# A statement of its own: the one after it sees what was committed while this one waited.
_FENCE = "BEGIN; SELECT FROM __ns__._head WHERE id = 1 FOR UPDATE"

_NAMES = ", ".join(map(quoted, CHANGE_COLUMNS))
_MOVE = f"""
WITH {{taken}},
ordered AS (
  SELECT t.*, row_number() OVER (ORDER BY ending, seq) AS number
  FROM (SELECT taken.*, max(seq) OVER (PARTITION BY transaction_id) AS ending FROM taken) AS t),
logged AS (
  INSERT INTO __ns__._log (position, seq, last, {_NAMES})
  SELECT h.position + number, seq, seq = ending, {", ".join(f"ordered.{quoted(name)}" for name in CHANGE_COLUMNS)}
  FROM ordered CROSS JOIN (SELECT position FROM __ns__._head WHERE id = 1) AS h
  RETURNING 1)
UPDATE __ns__._head SET position = position + (SELECT count(*) FROM logged) WHERE id = 1 RETURNING position
"""
_MOVE_ALL = _MOVE.format(taken="taken AS (DELETE FROM __ns__._pending RETURNING *)")
_MOVE_PART = _MOVE.format(
    taken=f"""
ended AS (
  SELECT transaction_id, count(*) AS size, sum(count(*)) OVER (ORDER BY max(seq)) AS running
  FROM __ns__._pending GROUP BY transaction_id),
taken AS (
  DELETE FROM __ns__._pending
  WHERE transaction_id IN (SELECT transaction_id FROM ended WHERE running - size < {ROWS_AT_ONCE}) RETURNING *)"""
)


async def sequence(connection: Connection, schema: str) -> int:
    """Number everything that was committed before the call; the position of the last row.

    Leaves a transaction open when it raises.
    """
    while True:
        position, waiting = (await connection.fetch(placed(_WAITING, schema)))[0]
        if waiting == 0:
            return int(position)
        await connection.execute(placed(_FENCE, schema))
        text = _MOVE_ALL if waiting <= ROWS_AT_ONCE else _MOVE_PART
        rows = await connection.fetch(placed(text, schema))
        if len(rows) != 1:
            raise RuntimeError("the head row is gone")
        await connection.execute("COMMIT")
        if waiting <= ROWS_AT_ONCE:
            return int(rows[0][0])


async def sweep(connection: Connection, schema: str) -> None:
    """Clear the queue of moved rows. Another process that is at it already is left to it."""
    await connection.execute(placed(_SWEEP, schema))
