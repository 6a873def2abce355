"""A transaction led step by step keeps all or nothing, keeps writers out, and tells other processes of its head."""

from __future__ import annotations

import asyncio

import pytest

from base.errors import BadInput, Text
from storage import ddl
from storage.batch import Applied, Batch, CatalogMoved, NotUnique, Outcome, Sql
from storage.engine import Engine, Exclusive
from storage.types import TEXT
from tests.engines import opened
from tests.storage.shop import MIGRATIONS, batch, change, customer, log, names

COUNT = Sql("SELECT count(*) FROM __ns__.customer")


async def test_what_is_kept_is_there_and_what_is_not_is_not(engine: Engine) -> None:
    async def work(session: Exclusive, keep: bool) -> tuple[int, bool]:
        for text in ddl.add_column("customer", "city" if keep else "town", TEXT, engine.dialect):
            await session.execute(text)
        outcome = await session.apply(batch(customer(engine, name="Ann")[1], changes=(change("a"),)))
        assert outcome == Applied()
        ((count,),) = await session.fetch(COUNT)
        return int(count), keep

    assert await engine.exclusively("shop", lambda session: work(session, False)) == 1
    assert await names(engine, "shop") == []
    assert await engine.exclusively("shop", lambda session: work(session, True)) == 1
    assert await names(engine, "shop") == ["Ann"]
    assert [row[0] for row in await log(engine, "shop")] == [1]
    await engine.fetch("shop", Sql("SELECT city FROM __ns__.customer"))


async def test_what_is_raised_keeps_nothing(engine: Engine) -> None:
    async def work(session: Exclusive) -> tuple[None, bool]:
        await session.apply(batch(customer(engine, name="Ann")[1]))
        raise BadInput(Text("no", "否"))

    with pytest.raises(BadInput):
        await engine.exclusively("shop", work)
    assert await names(engine, "shop") == []
    assert await engine.apply("shop", batch(customer(engine, name="Bob")[1])) == Applied()


async def test_an_outcome_is_told(engine: Engine) -> None:
    async def work(session: Exclusive, version: int) -> tuple[Outcome, bool]:
        record = customer(engine, name="Ann")[1]
        outcome = await session.apply(batch(record, catalog_version=version))
        return outcome, isinstance(outcome, Applied)

    assert await engine.exclusively("shop", lambda session: work(session, 7)) == CatalogMoved(0)
    assert await engine.exclusively("shop", lambda session: work(session, 0)) == Applied()
    assert await engine.exclusively("shop", lambda session: work(session, 0)) == NotUnique("u_customer_name")
    assert await names(engine, "shop") == ["Ann"]


async def test_writers_wait_and_readers_do_not(engine: Engine) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def work(session: Exclusive) -> tuple[None, bool]:
        await session.fetch(COUNT)
        inside.set()
        await leave.wait()
        return None, True

    holding = asyncio.create_task(engine.exclusively("shop", work))
    await inside.wait()
    writing = asyncio.create_task(engine.apply("shop", batch(customer(engine, name="Ann")[1])))
    await asyncio.sleep(0.05)
    assert await names(engine, "shop") == []
    assert not writing.done()
    leave.set()
    await holding
    assert await writing == Applied()


async def test_who_publishes_has_his_turn_among_writers_without_pause(engine: Engine) -> None:
    done = False

    async def write(client: int) -> int:
        number = 0
        while not done:
            number += 1
            assert await engine.apply("shop", batch(customer(engine, name=f"{client} {number}")[1])) == Applied()
        return number

    async def work(session: Exclusive) -> tuple[int, bool]:
        ((count,),) = await session.fetch(COUNT)
        return int(count), True

    writing = [asyncio.create_task(write(client)) for client in range(6)]
    async with asyncio.timeout(20):
        seen = [await engine.exclusively("shop", work) for _ in range(5)]
    done = True
    assert sum(await asyncio.gather(*writing)) >= seen[-1]
    assert seen == sorted(seen)


@pytest.mark.parametrize("logged", [(True,), (True, True), (True, False)], ids=["one", "of one text", "of two texts"])
async def test_writes_that_waited_see_what_they_waited_for(engine: Engine, logged: tuple[bool, ...]) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def work(session: Exclusive) -> tuple[Outcome, bool]:
        inside.set()
        await leave.wait()
        return await session.apply(batch(new_catalog_version=1)), True

    def write(number: int, with_event: bool) -> Batch:
        record_id, insert = customer(engine, name=f"late {number}")
        return batch(insert, changes=(change(record_id),) if with_event else ())

    assert await engine.apply("shop", write(9, True)) == Applied(), "the statement is prepared and its plan made"
    holding = asyncio.create_task(engine.exclusively("shop", work))
    await inside.wait()
    writing = [asyncio.create_task(engine.apply("shop", write(*each))) for each in enumerate(logged)]
    await asyncio.sleep(0.05)
    leave.set()
    assert await holding == Applied()
    assert await asyncio.gather(*writing) == [CatalogMoved(1)] * len(logged)
    assert await names(engine, "shop") == ["late 9"]


async def test_an_index_is_built_once_and_refused_where_rows_stand_against_it(engine: Engine) -> None:
    async def build(name: str, column: str, unique: bool) -> Applied | NotUnique:
        made = ddl.create_index(name, "customer", [column], engine.dialect, unique=unique, concurrently=True)
        return await engine.build_index("shop", name, made)

    for name, code in (("a", "x"), ("b", "x")):
        await engine.apply("shop", batch(customer(engine, name=name, amount=None, code=code + name)[1]))
    assert await build("plain", "amount", False) == Applied()
    assert await build("plain", "amount", False) == Applied()
    assert await build("one", "version", True) == NotUnique("one")
    assert await build("one", "id", True) == Applied(), "nothing of the first attempt was left"


async def test_other_processes_hear_of_a_new_head(engine: Engine, place: str) -> None:
    heard: list[tuple[str, int]] = []
    async with opened(place, MIGRATIONS) as other:
        other.listen(lambda namespace, version: heard.append((namespace, version)))
        for version in range(100):
            await engine.migrate("shop", (), batch(catalog_version=version, new_catalog_version=version + 1))
            if heard or engine.dialect == "sqlite":
                break
            await asyncio.sleep(0.05)
    assert engine.dialect == "sqlite" or heard[0][0] == "shop"
