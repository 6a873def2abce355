"""A company with the CRM template, and a seat in it as its owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from access.actor import Actor
from access.migrations import CONTROL_MIGRATIONS
from pliant.house import COMPANY_MIGRATIONS, House
from pliant.settings import Settings
from schema.request import GraphQLRequest
from sources import (
    CRM,
    NO_MAPPING,
    Options,
    Seat,
    Summary,
    import_file,
    parse_mapping,
    read_template,
    survey,
)
from sources import (
    Mapping as Mapped,
)
from tests.engines import clear, place_of, unopened


@dataclass(frozen=True)
class World:
    """An open house with one company, its owner's seat, and a folder for files."""

    house: House
    seat: Seat
    owner: Actor
    folder: Path

    async def ask(self, query: str, actor: Actor | None = None) -> Any:
        """The data of a query that has no errors."""
        reply = await self.house.execute(actor or self.owner, GraphQLRequest(query=query))
        body = orjson.loads(reply.body)
        assert "errors" not in body, body
        return body["data"]

    async def load(
        self,
        entity: str,
        text: str | bytes,
        mapping: Mapping[str, Any] | None = None,
        by: Sequence[str] = (),
        options: Options | None = None,
        name: str = "file.csv",
    ) -> Summary:
        """Import a text as a file."""
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        mapped: Mapped = NO_MAPPING if mapping is None else parse_mapping(mapping)
        found = survey(path, mapped.encoding, mapped.delimiter)
        return await import_file(self.seat, entity, found, mapped.keyed(tuple(by)), options or Options())


@asynccontextmanager
async def crm(engine: str, folder: Path, *, keep: bool = False, found: str | None = None) -> AsyncIterator[World]:
    """A company with the CRM template on an engine of that name, or one that was `found` there.

    Everything is gone afterwards unless it is kept for the next.
    """
    rows = folder / "rows"
    rows.mkdir(exist_ok=True)
    place = place_of(engine, rows)
    try:
        settings = Settings(secret_keys=("test",))
        house = await House.open(settings, unopened(place, COMPANY_MIGRATIONS, CONTROL_MIGRATIONS))
        try:
            if found is None:
                company = (await house.create_company("Test", documents=read_template(CRM))).company
            else:
                company = await house.company(found)
            owner = await house.owner(company.id)
            yield World(house, seat_of(house, company, owner.member_id), owner, folder)
        finally:
            await house.close()
    finally:
        if "#" in place and not keep:
            await clear(place)


def seat_of(house: House, company: Any, member_id: str) -> Seat:
    """The seat of a member."""
    runtime = house.runtime
    return Seat(
        house.engine,
        company,
        member_id,
        runtime.catalogs,
        runtime.sealer,
        runtime.resolver,
        committed=runtime.access_changed,
    )
