"""Publishes and rows that meet at a bad moment, and values that the trash keeps for a field that knows them no more."""

from __future__ import annotations

from typing import Any

import pytest

from base.errors import Conflict
from metadata.publishing.jobs import drop_trashed
from metadata.publishing.publication import State, find_publication
from metadata.publishing.publish import publish
from metadata.store import load_head
from metadata.trash import load_trash
from tests.metadata.conftest import Company
from tests.metadata.documents import entity
from tests.metadata.test_prepared import NUMBER, TEXT, Meddled, sizes, things, write


async def test_a_choice_that_is_gone_does_not_come_back(company: Company) -> None:
    first = await company.publish(things(size={"enum": ["SMALL", "LARGE"]}))
    await write(company, first.catalog, name="a", size="SMALL")
    await write(company, first.catalog, name="b", size="LARGE")
    await company.publish(things(**NUMBER), allow_loss=["thing.size"])
    last = await company.publish(things(size={"enum": ["LARGE", "HUGE"]}))
    assert await sizes(company, last.catalog) == [("a", None), ("b", "LARGE")]


async def test_a_table_that_was_empty_loses_no_row_that_came_meanwhile(company: Company) -> None:
    """The prepared way: what was allowed because there was nothing to lose."""
    both = {**things(**TEXT), **entity("other", properties={"name": {"type": "string"}})}
    first = await company.publish(both)
    await write(company, first.catalog, name="a", size="1")
    begun = await company.begin(things(**NUMBER), [("entity", "other")])

    async def meanwhile(call: str) -> None:
        if call == "exclusively":
            await company.put(first.catalog, "other", name="late")

    await company.work(Meddled(company.engine, meanwhile, before="exclusively"))
    found = await find_publication(company.engine, company.namespace, begun.id)
    assert found is not None
    assert (found.state, [fault.details for fault in found.faults]) == (State.FAILED, [{"allowLoss": "other"}])
    assert await company.rows("SELECT name FROM __ns__.other") == [("late",)]


async def test_a_row_that_comes_after_the_count_is_not_lost(company: Company) -> None:
    """The same in one transaction."""
    first = await company.publish(entity("other", properties={"name": {"type": "string"}}))

    async def meanwhile(call: str) -> None:
        await company.put(first.catalog, "other", name="late")

    head = await company.catalogs.head(company.namespace)
    engine = Meddled(company.engine, meanwhile, before="migrate")
    with pytest.raises(Conflict):
        await publish(engine, company.namespace, head, things(), [("entity", "other")])
    assert await load_head(company.engine, company.namespace) == 1


async def test_who_was_overtaken_is_told_so(company: Company) -> None:
    """Before his tables are touched: they are not those that he has seen, an index is gone, a column is there."""
    await company.publish({**things(**TEXT), **entity("other", properties={"name": {"type": "string"}})})
    more = things(**TEXT, more={"type": "string"})
    for upserts, removals in ((things(**TEXT), [("entity", "other")]), (more, [])):
        head = await company.catalogs.head(company.namespace)
        done = await company.publish(upserts, removals, allow_loss=["other"])
        with pytest.raises(Conflict) as caught:
            await publish(company.engine, company.namespace, head, {**more, **upserts}, removals)
        assert caught.value.details["version"] == done.version


class Dropping:
    """An engine whose company loses its trash before the n-th of its calls."""

    def __init__(self, company: Company, calls: int) -> None:
        self._company = company
        self.left = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._company.engine, name)
        if name not in ("fetch", "apply", "migrate"):
            return found

        async def call(*arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                for item in (await load_trash(self._company.engine, self._company.namespace)).items:
                    await drop_trashed(self._company.engine, self._company.namespace, item, None)
            return await found(*arguments)

        return call


async def test_trash_that_is_dropped_at_any_moment_of_a_publish(company: Company) -> None:
    """A field and an entity come back, required and unique: with what they were, as new ones, or not at all."""
    back = {
        **entity(properties={"size": {"type": "string", "default": "?"}}, required=["size"]),
        **entity("other", properties={"code": {"type": "string"}}, **{"x-unique": [["code"]]}),
    }
    for calls in range(1, 100):
        await company.publish(back)
        await company.publish(entity(), [("entity", "other")], allow_loss=["thing.size", "other"])
        head = await company.catalogs.head(company.namespace)
        engine: Any = Dropping(company, calls)
        try:
            done = await publish(engine, company.namespace, head, back)
        except Conflict:
            assert head is not None
            assert await load_head(company.engine, company.namespace) == head.version
        else:
            await company.put(done.catalog, "other", code=str(calls))
        if engine.left > 0:
            return
    raise AssertionError("the publish calls the engine without end")
