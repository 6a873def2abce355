"""Companies: the control table that knows them, their states, and finishing what a crash left half done.

Nothing that must agree is written to control and company in one step: a company is CREATING until its namespace is
whole and DELETING until it is gone, and start-up removes the halves.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from access.table import COMPANY, Query, parameter
from base.clock import now, timestamp
from base.errors import BadInput, Conflict, NotFound, Text
from base.ids import new_id, public_id
from storage.batch import Applied, Batch, Cause, Statement
from storage.engine import CONTROL, Engine
from storage.types import TEXT

HALF_SECONDS = 600
"""A younger company in CREATING may still be being made by another process: a server, or a command beside it."""


_ID = re.compile(r"[a-z0-9]{1,32}\Z")


class State(StrEnum):
    """Where a company is in its life. Only an ACTIVE one answers requests."""

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    DELETING = "DELETING"


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the control table knows it. `id` is public: it stands in tokens."""

    id: str
    name: str
    state: State
    namespace: str


_own = COMPANY.clause
_columns = [_own.c[name] for name in COMPANY.columns]
_ALL = Query(sa.select(*_columns).order_by(_own.c["created_at"], _own.c["id"]), columns=COMPANY.columns)
_ONE = Query(sa.select(*_columns).where(_own.c["id"] == parameter("id", TEXT)), {"id": TEXT}, COMPANY.columns)
_MOVE = Query(
    sa.update(_own)
    .where(_own.c["id"] == parameter("id", TEXT), _own.c["state"] == parameter("old", TEXT))
    .values(state=parameter("new", TEXT)),
    {"id": TEXT, "old": TEXT, "new": TEXT},
)
_REMOVE = Query(sa.delete(_own).where(_own.c["id"] == parameter("id", TEXT)), {"id": TEXT})


async def create_company(
    engine: Engine, name: str, fill: Callable[[Company], Awaitable[None]], company_id: str | None = None
) -> Company:
    """Create a company and its namespace; `fill` publishes the first documents and adds the first member.

    When `fill` raises, nothing of the company stays. Raises `BadInput` for an id that is not made of lower-case letters
    and digits, `Conflict` when it is taken.
    """
    if company_id is not None and not _ID.match(company_id):
        raise BadInput(
            Text("A company id has 1 to 32 lower-case letters and digits", "公司 ID 须为 1 到 32 个小写字母或数字")
        )
    company = _named(company_id or public_id(), name)
    row = {**_row(company), "created_at": now()}
    await _apply(engine, COMPANY.insert([row], engine.dialect), Text("This company id is taken", "该公司 ID 已被占用"))
    try:
        await engine.create(company.namespace)
        await fill(company)
    except BaseException:
        await _remove(engine, company)
        raise
    return await move_company(engine, company, State.ACTIVE)


async def find_company(engine: Engine, company_id: str) -> Company | None:
    """The company of a public id, in whatever state; None when there is none."""
    rows = await _ONE.rows(engine, CONTROL, id=company_id)
    return _company(rows[0]) if rows else None


async def list_companies(engine: Engine) -> tuple[Company, ...]:
    """All companies, oldest first."""
    return tuple(_company(row) for row in await _ALL.rows(engine, CONTROL))


async def move_company(engine: Engine, company: Company, state: State) -> Company:
    """Put a company into another state (suspend, resume). Raises `Conflict` when it has moved meanwhile."""
    statement = _MOVE.execute(
        engine.dialect, expect_rows=1, token="state", id=company.id, old=company.state.value, new=state.value
    )
    await _apply(engine, statement, Text("The company's state has changed meanwhile", "公司状态已发生变化"))
    return Company(company.id, company.name, state, company.namespace)


async def delete_company(engine: Engine, company_id: str) -> None:
    """Delete a company with everything in it, for ever. Raises `NotFound`."""
    company = await find_company(engine, company_id)
    if company is None:
        raise NotFound(Text("No such company", "公司不存在"))
    await _remove(engine, company)


async def recover_companies(engine: Engine, half_seconds: int = HALF_SECONDS) -> tuple[Company, ...]:
    """At start-up: remove what a crash left CREATING or DELETING, and answer with what was removed.

    `half_seconds` is the age from which a CREATING company counts as a half.
    """
    before = now() - timedelta(seconds=half_seconds)
    removed: list[Company] = []
    for row in await _ALL.rows(engine, CONTROL):
        company = _company(row)
        half = company.state is State.CREATING and row["created_at"] <= before
        if half or company.state is State.DELETING:
            await _remove(engine, company)
            removed.append(company)
    return tuple(removed)


async def _remove(engine: Engine, company: Company) -> None:
    if company.state is not State.DELETING:
        company = await move_company(engine, company, State.DELETING)
    await engine.drop(company.namespace)
    await _apply(
        engine, _REMOVE.execute(engine.dialect, id=company.id), Text("The company could not be removed", "无法删除公司")
    )


async def _apply(engine: Engine, statement: Statement, refusal: Text) -> None:
    batch = Batch(timestamp(now()), new_id(), Cause(None, "system"), None, statements=(statement,))
    if not isinstance(await engine.apply(CONTROL, batch), Applied):
        raise Conflict(refusal)


def _named(company_id: str, name: str) -> Company:
    return Company(company_id, name, State.CREATING, f"c_{company_id}")


def _row(company: Company) -> dict[str, Any]:
    return {"id": company.id, "name": company.name, "state": company.state.value, "namespace": company.namespace}


def _company(row: dict[str, Any]) -> Company:
    return Company(row["id"], row["name"], State(row["state"]), row["namespace"])
