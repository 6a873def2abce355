"""A transaction under a company's exclusive lock, led step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.batch import Batch, NotUnique, Outcome, Sql, Value
from storage.names import placed
from storage.postgres.apply import Refused, apply_steps
from storage.postgres.errors import violated_index
from storage.postgres.pool import Connection


class ExclusiveSession:
    """One transaction of a publisher's connection. The driver's errors go through: they may mean 'run it again'."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    async def fetch(self, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Sequence[Any]]:
        """Rows, as the transaction sees them."""
        return await self._connection.fetch(placed(sql.text, self._schema), *params)

    async def execute(self, ddl: str) -> None:
        """One statement of DDL."""
        await self._connection.execute(placed(ddl, self._schema))

    async def apply(self, batch: Batch) -> Outcome:
        """A Batch, statement by statement."""
        try:
            return await apply_steps(self._connection, self._schema, batch)
        except Refused as refused:
            return refused.outcome
        except Exception as error:
            index = violated_index(error)
            if index is None:
                raise
            return NotUnique(index)


class NotKept(Exception):
    """Leaves a transaction that its work does not want to be kept, with the work's result."""

    def __init__(self, result: Any) -> None:
        self.result = result
