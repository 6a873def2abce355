"""The writer of a SQLite file: what goes together as one statement, and what is applied Batch by Batch."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from base.ids import new_id
from storage import ddl
from storage.batch import (
    Applied,
    Batch,
    CatalogMoved,
    Execute,
    Expect,
    Guard,
    GuardFailed,
    IdempotencyRow,
    Insert,
    NotUnique,
    Outcome,
    Replayed,
    Sql,
    Update,
)
from storage.engine import Dialect, Engine
from storage.errors import Busy, StatementRefused, StorageError
from storage.migrations import Migration
from storage.sqlite import fused, writer
from storage.sqlite.connection import connect
from storage.sqlite.engine import SqliteEngine
from storage.sqlite.turn import Turn
from storage.types import INTEGER, TEXT, UUID
from tests.engines import opened
from tests.storage.shop import MIGRATIONS, batch, change, customer, exists, log, names, renamed

ALIKE = "alike"
EACH = "each"


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """How each part of a group was applied, and how many Batches it had; a refused run is there too."""
    found: list[tuple[str, int]] = []
    apply, write = writer._apply, fused.Views.write

    def each(connection: Any, group: Any) -> Any:
        found.append((EACH, len(group)))
        return apply(connection, group)

    def alike(self: Any, group: Any) -> None:
        found.append((ALIKE, len(group)))
        write(self, group)

    monkeypatch.setattr(writer, "_apply", each)
    monkeypatch.setattr(fused.Views, "write", alike)
    return found


def made(engine: Engine, name: str, **parts: Any) -> Batch:
    """A new customer with its event."""
    record_id, insert = customer(engine, name=name)
    return batch(insert, changes=(change(record_id, 1),), **parts)


async def create(engine: Engine, *listed: str) -> list[Outcome]:
    """Customers that are asked for in one turn of the loop."""
    return list(await asyncio.gather(*(engine.apply("shop", made(engine, name)) for name in listed)))


async def test_what_comes_again_goes_as_one_statement(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        ways.clear()
        assert await create(engine, "a") == [Applied()]
        assert await create(engine, "b", "c", "d") == [Applied()] * 3
        assert ways == [(EACH, 1), (ALIKE, 3)]
        assert await names(engine, "shop") == ["a", "b", "c", "d"]
        assert [row[0] for row in await log(engine, "shop")] == [1, 2, 3, 4]


async def test_the_order_of_asking_holds_between_what_is_alike_and_what_is_not(
    tmp_path: Path, ways: list[tuple[str, int]]
) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await create(engine, "x", "y")
        ways.clear()
        free = batch(Execute(Sql("UPDATE customer SET name = 'z' WHERE name = 'a'"), ()))
        first, second, third = await asyncio.gather(
            engine.apply("shop", made(engine, "a")), engine.apply("shop", free), engine.apply("shop", made(engine, "b"))
        )
        assert (first, second, third) == (Applied(), Applied(), Applied())
        assert ways == [(ALIKE, 1), (EACH, 1), (ALIKE, 1)]
        assert await names(engine, "shop") == ["b", "x", "y", "z"]
        assert [row[0] for row in await log(engine, "shop")] == [1, 2, 3, 4]


async def test_one_that_is_refused_does_not_harm_the_others(
    tmp_path: Path, ways: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the statement is left; for a while its shape goes one by one."""
    monkeypatch.setattr(fused, "_PARDON", 3)
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await create(engine, "a", "b")
        ways.clear()
        outcomes = await create(engine, "c", "a", "d")
        assert [type(outcome) for outcome in outcomes] == [Applied, NotUnique, Applied]
        assert ways == [(ALIKE, 3), (EACH, 3)]
        for number in range(4):
            await create(engine, str(number))
        assert ways[2:] == [(EACH, 1)] * 3 + [(ALIKE, 1)]
        assert [row[0] for row in await log(engine, "shop")] == list(range(1, 9))


async def test_every_refusal_is_told_as_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards of both kinds, versions, the catalog, a known key: first with a view that holds, then against it."""
    monkeypatch.setattr(fused, "_PARDON", 0)
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        here, insert = customer(engine, name="here")
        assert await engine.apply("shop", batch(insert)) == Applied()
        nowhere = new_id(1)
        memory = IdempotencyRow("k", "h", {"a": 1}, "2100-01-01T00:00:00+00:00")
        numbers = iter(range(1_000))

        def named() -> str:
            return f"n{next(numbers)}"

        def guarded(record_id: str, expect: Expect) -> Batch:
            return made(engine, named(), guards=(exists(engine, record_id, "guard", expect),))

        async def version() -> int:
            rows = await engine.fetch("shop", Sql("SELECT version FROM __ns__.customer WHERE name LIKE 'here%'"))
            return int(rows[0][0])

        for _ in range(3):
            assert await engine.apply("shop", guarded(here, Expect.ROW)) == Applied()
            assert await engine.apply("shop", guarded(nowhere, Expect.ROW)) == GuardFailed("guard")
            assert await engine.apply("shop", guarded(nowhere, Expect.NO_ROW)) == Applied()
            assert await engine.apply("shop", guarded(here, Expect.NO_ROW)) == GuardFailed("guard")
            at = await version()
            assert await engine.apply("shop", batch(renamed(here, at, f"here {at}"))) == Applied()
            assert await engine.apply("shop", batch(renamed(here, at, "late"))) == GuardFailed("version")
            assert await engine.apply("shop", made(engine, named(), catalog_version=7)) == CatalogMoved(0)
            outcome = await engine.apply("shop", made(engine, named(), idempotency=memory))
            assert outcome in (Applied(), Replayed("h", {"a": 1}))
        assert outcome == Replayed("h", {"a": 1})
        rows = await log(engine, "shop")
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


async def test_equal_keys_in_one_group_are_applied_once(tmp_path: Path) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")

        def remembered(name: str, key: str) -> Batch:
            return made(engine, name, idempotency=IdempotencyRow(key, "h", {}, "2100-01-01T00:00:00+00:00"))

        for name in "ab":
            assert await engine.apply("shop", remembered(name, name)) == Applied()
        first, second = await asyncio.gather(
            engine.apply("shop", remembered("c", "k")), engine.apply("shop", remembered("d", "k"))
        )
        assert (first, second) == (Applied(), Replayed("h", {}))
        assert await names(engine, "shop") == ["a", "b", "c"]


async def test_views_do_not_stand_in_the_way_of_ddl(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    """A column that a view writes is taken away, and the table renamed: SQLite checks every trigger it knows."""
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        record_id, _ = customer(engine, name="a")

        def coded(name: str) -> Batch:
            return batch(customer(engine, name=name, code=name)[1])

        for name in "ab":
            await engine.apply("shop", coded(name))
        assert ways[-1] == (ALIKE, 1)
        ddl = ["DROP INDEX __ns__.u_customer_fold", "ALTER TABLE __ns__.customer DROP COLUMN code"]
        assert await engine.migrate("shop", ddl, batch()) == Applied()
        ways.clear()
        for name in "cd":
            await create(engine, name)
        assert ways == [(EACH, 1), (ALIKE, 1)]
        assert await engine.migrate("shop", ["ALTER TABLE __ns__.customer RENAME TO client"], batch()) == Applied()
        assert len(await engine.fetch("shop", Sql("SELECT 1 FROM __ns__.client"))) == 4
        assert record_id


async def test_marks_inside_of_texts_and_names_are_no_placeholders(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        sql = Sql("""SELECT 1 AS "a?""b" FROM __ns__.customer WHERE 'it''s ?' = ? UNION SELECT 2 WHERE ? = '?'""")

        def asked(name: str) -> Batch:
            guard = exists(engine, "", "guard")
            changed = type(guard)("guard", sql, ("no", "?"), Expect.ROW)
            return made(engine, name, guards=(changed,))

        for name in "ab":
            assert await engine.apply("shop", asked(name)) == Applied()
        assert ways[-1] == (ALIKE, 1)
        assert await names(engine, "shop") == ["a", "b"]


async def test_what_a_trigger_does_not_take_goes_one_by_one(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        sql = Sql("WITH one AS (SELECT ? AS x) SELECT 1 FROM one WHERE x = 1")
        guard = type(exists(engine, "", "guard"))("guard", sql, (1,), Expect.ROW)
        for name in "abc":
            assert await engine.apply("shop", made(engine, name, guards=(guard,))) == Applied()
        assert {way for way, _ in ways} <= {EACH, ALIKE}
        assert await names(engine, "shop") == ["a", "b", "c"]


async def test_more_shapes_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "_VIEWS_MAX", 2)
    monkeypatch.setattr(fused, "_MET_WHEN_FULL", 3)
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        forms: list[Callable[[str], Batch]] = [
            lambda name: batch(customer(engine, name=name)[1]),
            lambda name: batch(customer(engine, name=name, code=name)[1]),
            lambda name: made(engine, name),
            lambda name: made(engine, name, guards=(exists(engine, new_id(1), "guard", Expect.NO_ROW),)),
        ]
        wanted = []
        for turn in range(6):
            listed = [f"{turn} {number}" for number in range(len(forms))]
            wanted += listed
            given = [engine.apply("shop", form(name)) for form, name in zip(forms, listed, strict=True)]
            assert await asyncio.gather(*given) == [Applied()] * len(forms)
        assert await names(engine, "shop") == sorted(wanted)


async def test_groups_of_any_size(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    """A statement has 1, 2, 4 .. rows; those that are too many write nothing."""
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        wanted = []
        for size in (1, 2, 3, 5, 8, 13, 40, 100):
            listed = [f"{size} {number}" for number in range(size)]
            wanted += listed
            assert await create(engine, *listed) == [Applied()] * size
        assert await names(engine, "shop") == sorted(wanted)
        assert [row[0] for row in await log(engine, "shop")] == list(range(1, len(wanted) + 1))
        assert max(size for _, size in ways) <= fused.ROWS_MAX


def interrupted() -> sqlite3.OperationalError:
    """What the driver says when a deadline has passed."""
    connection = sqlite3.connect(":memory:")
    connection.set_progress_handler(lambda: 1, 1)
    with pytest.raises(sqlite3.OperationalError, match="interrupted") as told:
        connection.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
    connection.close()
    return told.value


@pytest.mark.parametrize("committed", [True, False])
async def test_an_interruption_after_the_commit_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    """SQLite looks at the deadline once more when the statement has committed: it must not be written again."""
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await create(engine, "a", "b")
        write = fused.Views.write

        def late(self: fused.Views, group: list[fused.Fused]) -> None:
            if committed:
                write(self, group)
            raise interrupted()

        monkeypatch.setattr(fused.Views, "write", late)
        if committed:
            assert await create(engine, "c", "d") == [Applied()] * 2
        else:
            told = await asyncio.gather(
                *(engine.apply("shop", made(engine, name)) for name in "cd"), return_exceptions=True
            )
            assert [type(error) for error in told] == [Busy, Busy]
        monkeypatch.undo()
        assert await create(engine, "e") == [Applied()]
        assert await names(engine, "shop") == (["a", "b", "c", "d", "e"] if committed else ["a", "b", "e"])
        rows = await log(engine, "shop")
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))


async def test_busy_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await create(engine, "a", "b")
        begun = []

        def busy(self: Turn, connection: Any, seconds: float) -> None:
            begun.append(seconds)
            raise Busy()

        monkeypatch.setattr(Turn, "is_free", lambda _: False)
        monkeypatch.setattr(Turn, "begin", busy)
        with pytest.raises(Busy):
            await create(engine, "c")
        assert len(begun) == 1


async def test_a_table_of_any_name_is_not_taken_for_the_row_of_the_view(
    tmp_path: Path, ways: list[tuple[str, int]]
) -> None:
    """In a trigger `NEW` is the row, unless a table of that name is there with such a column."""

    def statements(dialect: Dialect) -> list[str]:
        columns = [
            ("id", UUID, True),
            ("version", INTEGER, True),
            *((f"c{number}", TEXT, False) for number in range(20)),
        ]
        return [*ddl.create_table("new", columns, ["id"], dialect), *ddl.create_table("old", columns, ["id"], dialect)]

    async with opened(str(tmp_path), (Migration(500, "new", statements),)) as engine:
        await engine.create("shop")
        ids = [new_id(1) for _ in range(3)]
        for table in ("new", "old"):
            columns = ("id", "version", *(f"c{number}" for number in range(20)))
            kinds = ("uuid", "integer", *("text",) * 20)
            for record_id in ids:
                row = (record_id, 1, *(record_id if number == 1 else f"{number}" for number in range(20)))
                assert await engine.apply("shop", batch(Insert(table, columns, kinds, (row,)))) == Applied()
            for value in "xyz":
                guard = Guard("there", Sql(f"SELECT 1 FROM __ns__.{table} AS new WHERE new.id = ?"), (ids[0],))
                update = Update(table, ids[0], None, ("c2",), ("text",), (value,))
                assert await engine.apply("shop", batch(update, guards=(guard,))) == Applied()
            found = await engine.fetch("shop", Sql(f"SELECT c1, c2 FROM __ns__.{table} ORDER BY id"))
            assert [tuple(row) for row in found] == [(ids[0], "z"), (ids[1], "2"), (ids[2], "2")]
        assert (ALIKE, 1) in ways


async def test_what_is_no_json_is_refused_as_ever(tmp_path: Path) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await create(engine, "a", "b")
        record_id, insert = customer(engine, name="c")
        for wrong in (1 << 80, "\ud800"):
            with pytest.raises(StatementRefused):
                await engine.apply("shop", batch(insert, changes=(change(record_id, 1, wrong=wrong),)))
        assert await names(engine, "shop") == ["a", "b"]


async def test_what_only_running_shows_to_be_wrong_is_given_up(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        wrong = batch(Update("nowhere", new_id(1), None, ("name",), ("text",), ("x",)))
        for _ in range(4):
            with pytest.raises(StatementRefused):
                await engine.apply("shop", wrong)
        assert ways.count((ALIKE, 1)) == 1
        renaming = ["ALTER TABLE __ns__.customer RENAME COLUMN code TO mark"]  # SQLite would look into what is wrong
        assert await engine.migrate("shop", renaming, batch()) == Applied()


async def test_who_finds_another_writing_waits(tmp_path: Path, ways: list[tuple[str, int]]) -> None:
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
        await create(engine, "x", "y")
        ways.clear()
        (file,) = (tmp_path / "companies").glob("*.db")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        going = asyncio.create_task(create(engine, "a"))
        await asyncio.sleep(0.05)
        assert not going.done()
        other.execute("ROLLBACK")
        assert await going == [Applied()]
        assert ways == [(ALIKE, 1), (ALIKE, 1)], "at once, and in a transaction that waited"
        other.close()


async def test_who_cannot_roll_back_takes_another_connection(tmp_path: Path) -> None:
    def deny(action: int, argument: str | None, *_: Any) -> int:
        return sqlite3.SQLITE_DENY if (action, argument) == (sqlite3.SQLITE_TRANSACTION, "ROLLBACK") else 0

    def broken(connection: sqlite3.Connection) -> tuple[None, bool]:
        connection.execute("DELETE FROM customer")
        connection.set_authorizer(deny)
        raise sqlite3.OperationalError("disk I/O error")

    async with opened(str(tmp_path), MIGRATIONS) as engine:
        assert isinstance(engine, SqliteEngine)
        await engine.create("shop")
        assert await create(engine, "a") == [Applied()]
        found = await asyncio.gather(
            engine._writer("shop").run(broken), create(engine, "b", "c"), return_exceptions=True
        )
        assert isinstance(found[0], StatementRefused)
        assert found[1] == [Applied()] * 2
        assert await names(engine, "shop") == ["a", "b", "c"]


async def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [OSError("too many open files"), sqlite3.OperationalError("unable to open database file")]

    def failing(*given: Any, **named: Any) -> sqlite3.Connection:
        if left:
            raise left.pop()
        return connect(*given, **named)

    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.create("shop")
    async with opened(str(tmp_path), MIGRATIONS) as engine:
        await engine.fetch("shop", Sql("SELECT 1"))
        monkeypatch.setattr("storage.sqlite.writer.connect", failing)
        for _ in range(2):
            with pytest.raises(StorageError):
                await create(engine, "a")
        assert await create(engine, "a") == [Applied()]
