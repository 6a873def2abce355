"""Companies: their states, and halves that a crash leaves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access.company import (
    Company,
    State,
    create_company,
    delete_company,
    find_company,
    list_companies,
    move_company,
    recover_companies,
)
from access.table import COMPANY
from base.clock import now, timestamp
from base.errors import BadInput, Conflict, NotFound
from base.ids import new_id, public_id
from storage.batch import Applied, Batch, Cause
from storage.engine import CONTROL, Engine


async def nothing(company: Company) -> None:
    """A company without documents."""


async def test_a_company_is_active_when_it_is_whole(engine: Engine) -> None:
    seen: list[State | None] = []

    async def fill(company: Company) -> None:
        found = await find_company(engine, company.id)
        seen.append(found.state if found else None)

    company = await create_company(engine, "Acme", fill)
    assert seen == [State.CREATING]
    assert await find_company(engine, company.id) == company
    assert company in await list_companies(engine)
    assert (company.name, company.state, company.namespace) == ("Acme", State.ACTIVE, f"c_{company.id}")
    await delete_company(engine, company.id)
    assert await find_company(engine, company.id) is None
    with pytest.raises(NotFound):
        await delete_company(engine, company.id)


async def test_a_company_that_cannot_be_filled_leaves_nothing(engine: Engine) -> None:
    async def fill(company: Company) -> None:
        raise RuntimeError("no")

    company_id = public_id()
    with pytest.raises(RuntimeError):
        await create_company(engine, "Acme", fill, company_id)
    assert await find_company(engine, company_id) is None
    company = await create_company(engine, "Acme", nothing, company_id)
    with pytest.raises(Conflict):
        await create_company(engine, "Acme again", nothing, company_id)
    assert await find_company(engine, company_id) == company
    await delete_company(engine, company_id)


@pytest.mark.parametrize("company_id", ["", "A", "a_b", "a-b", "x" * 33, 'a"; drop', "a\n"])
async def test_an_id_that_is_none(engine: Engine, company_id: str) -> None:
    with pytest.raises(BadInput):
        await create_company(engine, "Acme", nothing, company_id)


async def test_a_state_moves_once(engine: Engine) -> None:
    company = await create_company(engine, "Acme", nothing)
    suspended = await move_company(engine, company, State.SUSPENDED)
    with pytest.raises(Conflict):
        await move_company(engine, company, State.DELETING)
    assert (await move_company(engine, suspended, State.ACTIVE)) == company
    await delete_company(engine, company.id)


async def leave_half(engine: Engine, state: State, age_seconds: int, *, created: bool) -> Company:
    company_id = public_id()
    company = Company(company_id, "Half", state, f"c_{company_id}")
    row = {
        "id": company.id, "name": company.name, "state": state.value, "namespace": company.namespace,
        "created_at": now() - timedelta(seconds=age_seconds),
    }  # fmt: skip
    batch = Batch(timestamp(now()), new_id(), Cause(None, "system"), None,
                  statements=(COMPANY.insert([row], engine.dialect),))  # fmt: skip
    assert isinstance(await engine.apply(CONTROL, batch), Applied)
    if created:
        await engine.create(company.namespace)
    return company


async def test_start_up_removes_halves(engine: Engine) -> None:
    whole = await create_company(engine, "Whole", nothing)
    fresh = await leave_half(engine, State.CREATING, 0, created=True)
    halves = [
        await leave_half(engine, State.CREATING, 7200, created=False),
        await leave_half(engine, State.CREATING, 7200, created=True),
        await leave_half(engine, State.DELETING, 0, created=True),
        await leave_half(engine, State.DELETING, 0, created=False),
    ]
    removed = {company.id for company in await recover_companies(engine, half_seconds=3600)}
    assert removed >= {company.id for company in halves}
    left = {company.id for company in await list_companies(engine)}
    assert {whole.id, fresh.id} <= left
    assert not left & {company.id for company in halves}
    for company in (whole, fresh):
        await delete_company(engine, company.id)
