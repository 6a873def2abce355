"""A Batch is applied as a whole or not at all, and says why not: the same on every engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from base.ids import new_id
from storage import ddl
from storage.batch import (
    Applied,
    Batch,
    CatalogMoved,
    ChangeRow,
    Execute,
    Expect,
    GuardFailed,
    IdempotencyRow,
    Insert,
    Late,
    NotUnique,
    Replayed,
    Sql,
)
from storage.engine import Engine
from storage.errors import NamespaceMissing, StatementRefused
from storage.types import (
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    JSON,
    KINDS,
    TEXT,
    TEXTS,
    TIME,
    TIMESTAMP,
    UUID,
    ColumnType,
    decimal,
)
from storage.upkeep import Upkeep
from tests.storage.shop import batch, change, customer, exists, log, names, renamed

NOTHING = Sql("UPDATE __ns__.customer SET name = 'x' WHERE 1 = 0")


def stepwise(engine: Engine, whole: Batch) -> Batch:
    """The same Batch in the form that PostgreSQL must run statement by statement."""
    return replace(whole, statements=(*whole.statements, Execute(NOTHING, ())))


@pytest.fixture(params=["fused", "stepwise"])
def form(request: pytest.FixtureRequest, engine: Engine) -> Any:
    """Both forms of a Batch on PostgreSQL; on SQLite they are one."""
    return (lambda whole: whole) if request.param == "fused" else (lambda whole: stepwise(engine, whole))


async def test_an_empty_batch_is_applied(engine: Engine, form: Any) -> None:
    assert await engine.apply("shop", form(batch())) == Applied()


async def test_a_row_and_its_event(engine: Engine, form: Any) -> None:
    record_id, insert = customer(engine, name="Ann")
    whole = form(batch(insert, changes=(change(record_id, name="Ann"),)))
    assert await engine.apply("shop", whole) == Applied()
    assert await names(engine, "shop") == ["Ann"]
    assert await log(engine, "shop") == [(1, whole.transaction_id, record_id, 1, True)]


async def test_an_event_keeps_everything(engine: Engine, form: Any) -> None:
    record_id, actor_id = new_id(1), new_id(2)
    row = ChangeRow(new_id(), "customer", record_id, "UPDATED", 7, ("name",), {"name": "a"}, {"name": "b", "n": None})
    whole = form(batch(changes=(row,)))
    whole = replace(whole, cause=replace(whole.cause, actor_id=actor_id, detail={"request": "r1"}))
    await engine.apply("shop", whole)
    await engine.sequence("shop")
    text = "SELECT id, at, actor_id, cause, entity, op, catalog_version, changed, before, after FROM __ns__._log"
    found = (await engine.fetch("shop", Sql(text)))[0]
    kinds = (UUID, TIMESTAMP, UUID, JSON, TEXT, TEXT, INTEGER, JSON, JSON, JSON)
    assert [type_.decoder(engine.dialect)(value) for type_, value in zip(kinds, found, strict=True)] == [
        row.id,
        datetime.fromisoformat(whole.at),
        actor_id,
        {"kind": "test", "request": "r1"},
        "customer",
        "UPDATED",
        0,
        ["name"],
        {"name": "a"},
        {"name": "b", "n": None},
    ]


async def test_a_guard_that_fails_is_named_and_nothing_is_written(engine: Engine, form: Any) -> None:
    record_id, insert = customer(engine, name="Ann")
    key = IdempotencyRow("k", "h", {}, "2100-01-01T00:00:00+00:00")
    guards = (exists(engine, new_id(1), "free", Expect.NO_ROW), exists(engine, new_id(1), "target"))
    whole = form(batch(insert, guards=guards, changes=(change(record_id),), idempotency=key))
    assert await engine.apply("shop", whole) == GuardFailed("target")
    assert await names(engine, "shop") == []
    assert await log(engine, "shop") == []
    assert await engine.apply("shop", replace(whole, guards=guards[:1])) == Applied()


async def test_the_first_guard_that_fails_is_named(engine: Engine, form: Any) -> None:
    guards = tuple(exists(engine, new_id(1), token) for token in "abc")
    assert await engine.apply("shop", form(batch(guards=guards))) == GuardFailed("a")


async def test_a_guard_after_the_writes_sees_them(engine: Engine) -> None:
    record_id, insert = customer(engine, name="Ann")
    forbidden = exists(engine, record_id, "late", Expect.NO_ROW, after=True)
    assert await engine.apply("shop", batch(insert, guards=(forbidden,))) == GuardFailed("late")
    assert await names(engine, "shop") == []
    wanted = exists(engine, record_id, "late", after=True)
    assert await engine.apply("shop", batch(insert, guards=(wanted,))) == Applied()


async def test_an_update_holds_its_version(engine: Engine, form: Any) -> None:
    record_id, insert = customer(engine, name="Ann")
    await engine.apply("shop", batch(insert))
    key = IdempotencyRow("k", "h", {}, "2100-01-01T00:00:00+00:00")
    stale = form(batch(renamed(record_id, 2, "Bob"), changes=(change(record_id, 3),), idempotency=key))
    assert await engine.apply("shop", stale) == GuardFailed("version")
    assert await log(engine, "shop") == []
    good = form(batch(renamed(record_id, 1, "Bob"), changes=(change(record_id, 2),), idempotency=key))
    assert await engine.apply("shop", good) == Applied()
    assert await names(engine, "shop") == ["Bob"]
    assert len(await log(engine, "shop")) == 1


async def test_an_update_without_version_needs_its_row(engine: Engine, form: Any) -> None:
    assert await engine.apply("shop", form(batch(renamed(new_id(1), None, "Bob", "gone")))) == GuardFailed("gone")


async def test_of_two_updates_at_once_one_wins(engine: Engine, form: Any) -> None:
    record_id, insert = customer(engine, name="Ann")
    await engine.apply("shop", batch(insert))
    writes = [form(batch(renamed(record_id, 1, f"n{n}"), changes=(change(record_id, 2),))) for n in range(8)]
    outcomes = await asyncio.gather(*(engine.apply("shop", write) for write in writes))
    assert sorted(map(str, outcomes)) == sorted([str(Applied())] + [str(GuardFailed("version"))] * 7)
    assert len(await log(engine, "shop")) == 1


async def test_the_catalog_version_is_a_guard(engine: Engine, form: Any) -> None:
    assert await engine.migrate("shop", (), batch(new_catalog_version=5)) == Applied()
    _, insert = customer(engine, name="Ann")
    assert await engine.apply("shop", form(batch(insert))) == CatalogMoved(5)
    assert await engine.apply("shop", form(batch(insert, catalog_version=None))) == Applied()
    assert await names(engine, "shop") == ["Ann"]


async def test_a_unique_index_is_named(engine: Engine, form: Any) -> None:
    (first, one), (_, two) = customer(engine, name="Ann", code="A"), customer(engine, name="Ann", code="B")
    _, three = customer(engine, name="Bob", code="a")
    assert await engine.apply("shop", form(batch(one))) == Applied()
    assert await engine.apply("shop", form(batch(two, changes=(change(new_id(1)),)))) == NotUnique("u_customer_name")
    assert await engine.apply("shop", form(batch(three))) == NotUnique("u_customer_fold")
    same = customer(engine, id=first, name="Dan")[1]
    assert await engine.apply("shop", form(batch(same))) == NotUnique("customer_pkey")
    other, four = customer(engine, name="Cid", code="C")
    await engine.apply("shop", form(batch(four)))
    assert await engine.apply("shop", form(batch(renamed(other, 1, "Ann")))) == NotUnique("u_customer_name")
    assert len(await log(engine, "shop")) == 0


async def test_one_bad_batch_harms_no_other_in_its_group(engine: Engine) -> None:
    writes = []
    for number in range(30):
        record_id, insert = customer(engine, name=f"n{number // 2}")
        writes.append(batch(insert, changes=(change(record_id),)))
    broken = customer(engine, name=7 if engine.dialect == "postgresql" else None)[1]
    broken = replace(broken, types=("uuid", "integer", "json"), columns=("id", "version", "nowhere"))
    outcomes = await asyncio.gather(
        *(engine.apply("shop", write) for write in (*writes, batch(broken))), return_exceptions=True
    )
    assert outcomes.count(Applied()) == 15
    assert outcomes.count(NotUnique("u_customer_name")) == 15
    assert isinstance(outcomes[-1], StatementRefused)
    assert [row[0] for row in await log(engine, "shop")] == list(range(1, 16))


async def test_a_key_is_answered_again(engine: Engine, form: Any) -> None:
    record_id, insert = customer(engine, name="Ann")
    key = IdempotencyRow("k", "h1", {"ids": [record_id]}, "2100-01-01T00:00:00+00:00")
    assert await engine.apply("shop", form(batch(insert, idempotency=key))) == Applied()
    again = form(batch(customer(engine, name="Bob")[1], idempotency=replace(key, input_hash="h2")))
    assert await engine.apply("shop", again) == Replayed("h1", {"ids": [record_id]})
    failing = form(batch(guards=(exists(engine, new_id(1), "x"),), idempotency=key))
    assert await engine.apply("shop", failing) == Replayed("h1", {"ids": [record_id]})
    await engine.migrate("shop", (), batch(new_catalog_version=1))
    assert await engine.apply("shop", again) == Replayed("h1", {"ids": [record_id]})
    assert await names(engine, "shop") == ["Ann"]


async def test_an_expired_key_is_new(engine: Engine, form: Any) -> None:
    key = IdempotencyRow("k", "h1", {}, "2001-01-01T00:00:00+00:00")
    assert await engine.apply("shop", form(batch(idempotency=key))) == Applied()
    assert await engine.apply("shop", form(batch(idempotency=replace(key, input_hash="h2")))) == Applied()


async def test_a_key_twice_at_once_writes_once(engine: Engine, form: Any) -> None:
    key = IdempotencyRow("k", "h", {"a": 1}, "2100-01-01T00:00:00+00:00")
    writes = [form(batch(customer(engine, name=f"n{n}")[1], idempotency=key)) for n in range(6)]
    outcomes = await asyncio.gather(*(engine.apply("shop", write) for write in writes))
    assert outcomes.count(Applied()) == 1
    assert outcomes.count(Replayed("h", {"a": 1})) == 5
    assert len(await names(engine, "shop")) == 1


async def test_counters_are_drawn_without_gaps(engine: Engine) -> None:
    def numbered(count: int) -> Batch:
        rows = [(new_id(1), 1, Late("c", n + 1, "N-{000}"), Late("c", n + 1, "{0}")) for n in range(count)]
        insert = Insert("customer", ("id", "version", "name", "code"), ("uuid", "integer", "text", "text"), tuple(rows))
        changes = tuple(
            ChangeRow(new_id(), "customer", row[0], "CREATED", 1, (), None, {"name": row[2]}) for row in rows
        )
        return batch(insert, counters={"c": count}, changes=changes)

    outcomes = await asyncio.gather(*(engine.apply("shop", numbered(1 + n % 3)) for n in range(9)))
    firsts = [outcome.numbers["c"] for outcome in outcomes if isinstance(outcome, Applied)]
    assert len(firsts) == 9
    assert await names(engine, "shop") == [f"N-{n:03d}" for n in range(1, 19)]
    failing = replace(numbered(2), guards=(exists(engine, new_id(1), "x"),))
    assert await engine.apply("shop", failing) == GuardFailed("x")
    assert (await engine.apply("shop", numbered(1))) == Applied({"c": 19})
    await engine.sequence("shop")
    images = await engine.fetch("shop", Sql("SELECT after FROM __ns__._log ORDER BY position"))
    shown = [JSON.decoder(engine.dialect)(row[0])["name"] for row in images]
    assert sorted(shown) == [f"N-{n:03d}" for n in range(1, 20)]


async def test_a_free_statement_counts_its_rows(engine: Engine) -> None:
    await engine.apply("shop", batch(customer(engine, name="a")[1], customer(engine, name="b")[1]))
    touch = Sql("WITH x AS (SELECT 1) UPDATE __ns__.customer SET version = version + 1 WHERE EXISTS (SELECT * FROM x)")
    assert await engine.apply("shop", batch(Execute(touch, (), 1, "count"))) == GuardFailed("count")
    assert await engine.apply("shop", batch(Execute(touch, (), 2, "count"))) == Applied()
    rows = await engine.fetch("shop", Sql("SELECT DISTINCT version FROM __ns__.customer"))
    assert [row[0] for row in rows] == [2]


VALUES: dict[str, tuple[ColumnType, list[Any]]] = {
    "text": (TEXT, ["", "赢单 \U0001f600 ' \" \\ $1 ?", None]),
    "integer": (INTEGER, [-(2**31), 2**31 - 1, None]),
    "bigint": (ColumnType("bigint"), [-(2**53), 2**53, None]),
    "float": (FLOAT, [0.1, -1e300, None]),
    "decimal": (decimal(2), [Decimal("-12.50"), Decimal("9999999999999999.99"), None]),
    "boolean": (BOOLEAN, [True, False, None]),
    "date": (DATE, [date(1, 1, 1), date(9999, 12, 31), None]),
    "time": (TIME, [time(0), time(23, 59, 59, 999999), None]),
    "timestamp": (TIMESTAMP, [datetime.fromisoformat("2026-11-23T08:05:00.5+08:00"), None, None]),
    "uuid": (UUID, [new_id(), new_id(), None]),
    "json": (JSON, [{"a": [1, "x", None]}, "text", None]),
    "texts": (TEXTS, [["a", 'b"c', "赢"], [], None]),
}


@pytest.mark.parametrize("count", [1, 3])
async def test_every_kind_of_value_arrives(engine: Engine, form: Any, count: int) -> None:
    assert set(VALUES) == set(KINDS)
    columns = [("id", INTEGER, True), *((f"c_{name}", type_, False) for name, (type_, _) in VALUES.items())]
    await engine.migrate("shop", ddl.create_table("kind", columns, ["id"], engine.dialect), batch())
    rows = tuple(
        (number, *(type_.encoder(engine.dialect)(values[number]) for type_, values in VALUES.values()))
        for number in range(count)
    )
    insert = Insert("kind", tuple(name for name, _, _ in columns), tuple(t.kind for _, t, _ in columns), rows)
    assert await engine.apply("shop", form(batch(insert))) == Applied()
    for number, row in enumerate(await engine.fetch("shop", Sql("SELECT * FROM __ns__.kind ORDER BY id"))):
        for (type_, values), value in zip(VALUES.values(), row[1:], strict=True):
            assert type_.decoder(engine.dialect)(value) == values[number], type_


async def test_many_rows_at_once(engine: Engine) -> None:
    rows = tuple((new_id(1), 1, f"n{number:05d}") for number in range(2_500))
    insert = Insert("customer", ("id", "version", "name"), ("uuid", "integer", "text"), rows)
    whole = batch(insert, changes=tuple(change(row[0]) for row in rows))
    assert await engine.apply("shop", whole) == Applied()
    found = await log(engine, "shop")
    assert [row[0] for row in found] == list(range(1, 2_501))
    assert [row[2] for row in found] == [row[0] for row in rows]
    assert [row[4] for row in found] == [False] * 2_499 + [True]


async def test_a_namespace_that_is_not_there(engine: Engine) -> None:
    with pytest.raises(NamespaceMissing):
        await engine.fetch("nobody", Sql("SELECT 1"))
    with pytest.raises(NamespaceMissing):
        await engine.apply("nobody", batch())
    await engine.create("nobody")
    assert await engine.apply("nobody", batch()) == Applied()
    await engine.drop("nobody")
    await engine.drop("nobody")
    with pytest.raises(NamespaceMissing):
        await engine.sequence("nobody")


@pytest.mark.parametrize("name", ["", "A", "a b", "a;b", "../x", "a" * 52, 'a"b', "1a"])
async def test_a_namespace_has_a_plain_name(engine: Engine, name: str) -> None:
    with pytest.raises(ValueError):
        await engine.create(name)


async def test_a_dropped_company_comes_back_empty(engine: Engine) -> None:
    await engine.apply("shop", batch(customer(engine, name="Ann")[1]))
    assert await names(engine, "shop") == ["Ann"]
    await engine.drop("shop")
    await engine.create("shop")
    await engine.create("shop")
    assert await names(engine, "shop") == []


async def test_a_reading_statement_that_is_wrong(engine: Engine) -> None:
    with pytest.raises(StatementRefused) as caught:
        await engine.fetch("shop", Sql("SELECT nothing FROM __ns__.nowhere"))
    assert "nowhere" not in str(caught.value)


async def test_expired_keys_are_forgotten(engine: Engine) -> None:
    for key, expires in (("old", "2001-01-01T00:00:00+00:00"), ("new", "2100-01-01T00:00:00+00:00")):
        await engine.apply("shop", batch(idempotency=IdempotencyRow(key, "h", {}, expires)))

    async def companies() -> list[str]:
        return ["gone", "shop"]

    await Upkeep(engine, companies).sweep()  # one that cannot be visited does not keep the others waiting
    rows = await engine.fetch("shop", Sql("SELECT key FROM __ns__._idempotency"))
    assert [row[0] for row in rows] == ["new"]
