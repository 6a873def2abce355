"""The contract of a storage engine; one suite in tests/storage runs over every engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from storage.batch import Applied, Batch, NotUnique, Outcome, Sql, Value

Dialect: TypeAlias = Literal["postgresql", "sqlite"]

CONTROL = "pliant"
"""The namespace of the control tables (companies); every other namespace is a company's."""

T = TypeVar("T")


class Exclusive(Protocol):
    """A transaction under a company's exclusive lock, step by step: nobody else writes while it lasts."""

    async def fetch(self, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Sequence[Any]]:
        """Run one reading statement; it sees what the transaction has done."""

    async def execute(self, ddl: str) -> None:
        """Run one statement of DDL."""

    async def apply(self, batch: Batch) -> Outcome:
        """Apply a Batch; after an outcome other than `Applied` the transaction must not be kept."""


class Engine(Protocol):
    """A place where namespaces of tables live. All methods are coroutines of the one event loop that opened it."""

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""

    async def open(self) -> None:
        """Connect, and create or migrate the control namespace."""

    async def close(self) -> None:
        """Finish what is under way and disconnect."""

    async def create(self, namespace: str) -> None:
        """Create a company's namespace with its fixed tables; nothing happens if it is there."""

    async def drop(self, namespace: str) -> None:
        """Remove a company's namespace with all its rows."""

    async def lacking(self, namespace: str) -> Sequence[str]:
        """The migrations (number and name) that a company's fixed tables still need. Asking migrates nothing."""

    async def fetch(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Sequence[Any]]:
        """Run one reading statement. JSON and text columns come as `bytes` or `str`; the caller knows which it asked.

        Raises `StatementRefused` for statements that a schema change has overtaken, `Busy` when the engine cannot
        answer in time.
        """

    async def fetch_row(self, namespace: str, sql: Sql, params: Sequence[Value] = ()) -> Sequence[Any]:
        """Run one reading statement that gives exactly one row, as `fetch`; those that wait may share a round trip."""

    async def apply(self, namespace: str, batch: Batch) -> Outcome:
        """Apply a Batch in one transaction; an `Outcome` other than `Applied` means that nothing was written."""

    async def migrate(self, namespace: str, ddl: Sequence[str], batch: Batch) -> Outcome:
        """Run DDL statements and a Batch in one transaction under the company's exclusive lock.

        The Batch's catalog version and guards are asked first: what somebody else has overtaken never meets tables
        that it was not made for.
        Waits for table locks at most `limits.lock_timeout_ms` at a time and retries the whole.
        """

    async def exclusively(self, namespace: str, work: Callable[[Exclusive], Awaitable[tuple[T, bool]]]) -> T:
        """Run `work` in one transaction under the company's exclusive lock; it gives its result and whether to keep.

        For what needs Python between its statements (the end of a publication); it must be short, and may be run again
        from its beginning when tables were busy. Whatever it raises keeps nothing.
        """

    async def build_index(self, namespace: str, name: str, ddl: Sequence[str]) -> Applied | NotUnique:
        """Make an index without keeping readers out, however large the table; nothing happens if it is there.

        What an earlier attempt left half built is made anew. `NotUnique` when rows stand against a unique one: then
        nothing of it is left.
        """

    def listen(self, hear: Callable[[str, int], None]) -> None:
        """Call `hear` with namespace and version, in the event loop, when another process has moved a head.

        A hint that may be lost, and that SQLite does not give: every answer tells of its head too.
        """

    async def sequence(self, namespace: str) -> int:
        """Give committed change rows their dense positions (a no-op on SQLite); returns the head position."""
