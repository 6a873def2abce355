"""Publishes and rows that meet at a bad moment, and values that the trash keeps for a field that knows them no more."""

from __future__ import annotations

import pytest

from base.errors import Conflict
from metadata.publishing.publication import State, find_publication
from metadata.publishing.publish import publish
from metadata.store import load_head
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
